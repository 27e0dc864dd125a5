/* f64 products with the instructions that every processor has */

#define TILE_T double
#define TILE_BYTES 16
#define TILE_ROWS 4
#define TILE_NAME gemm_f64_base
#define TILE_TARGET

#include "kernel/gemm_tile.h"
