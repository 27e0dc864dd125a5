/* Convolutions and pools in f64. */
#define T double
#define NAME(x) x##_f64
#define TILES() gemm_tiles_f64()

#include "kernel/window_body.h"
