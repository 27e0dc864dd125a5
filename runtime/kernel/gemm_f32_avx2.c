/* f32 products with AVX2 */
#if defined(__x86_64__)
#define TILE_T float
#define TILE_BYTES 32
#define TILE_ROWS 6
#define TILE_NAME gemm_f32_avx2
#define TILE_TARGET __attribute__((target("avx2,fma")))

#include "kernel/gemm_tile.h"
#endif
