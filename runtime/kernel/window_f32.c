/* Convolutions and pools in f32. */
#define T float
#define NAME(x) x##_f32
#define TILES() gemm_tiles_f32()

#include "kernel/window_body.h"
