/* Attention in f64. */
#define T double
#define NAME(x) x##_f64
#define TILES() gemm_tiles_f64()
#define EXP(x) exp(x)

#include "kernel/attention_body.h"
