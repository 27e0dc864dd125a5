/* image.h: writes the plan image (docs/internals/plan-image.md). */
#ifndef ESPALIER_CODEGEN_IMAGE_H
#define ESPALIER_CODEGEN_IMAGE_H

#include "pass/schedule.h"

/* Plan lines by number: what generated code and the image name by `site`. */
typedef struct image_site {
    int file, line;
} image_site;

typedef VEC(image_site) image_sites;

/* The line's number, added if it is new; -1 for no place. */
int image_site_of(const schedule *s, image_sites *sites, span at);

typedef struct image_options {
    const char *cpu;      /* as the user named it */
    const char *features; /* LLVM's: "+avx,+avx2,-sse4a" */
    image_sites *sites;   /* those of the generated code; the image adds its own */
} image_options;

/* JSON text. `t` may be NULL: then the image has no data and one step of training. */
const char *image_write(const schedule *s, const training *t, const image_options *how);

#endif
