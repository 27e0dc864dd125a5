/* f64 products with AVX-512 */
#if defined(__x86_64__)
#define TILE_T double
#define TILE_BYTES 64
#define TILE_ROWS 12
#define TILE_NAME gemm_f64_avx512
#define TILE_TARGET __attribute__((target("avx512f")))

#include "kernel/gemm_tile.h"
#endif
