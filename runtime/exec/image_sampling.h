/* image_sampling.h: the image's member `sampling`, if it has one; without, or where samples are printed, there must be a `step`. Private to image.c, once inputs, clocks and functions stand. */
#ifndef ESPALIER_RUNTIME_EXEC_IMAGE_SAMPLING_H
#define ESPALIER_RUNTIME_EXEC_IMAGE_SAMPLING_H

#include "exec/image.h"
#include "exec/member.h"

void rt_sampling_read(rt_reader *reader, const rt_place *root, rt_image *image);

#endif
