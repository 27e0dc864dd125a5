/* f32 products with the instructions that every processor has */

#define TILE_T float
#define TILE_BYTES 16
#define TILE_ROWS 4
#define TILE_NAME gemm_f32_base
#define TILE_TARGET

#include "kernel/gemm_tile.h"
