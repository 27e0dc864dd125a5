/* gemm_tile.h: the inner loops of a product, for one element type and one vector width; included once for each.
 *
 * Before including: TILE_T the element type, TILE_BYTES the bytes of a vector, TILE_ROWS how many rows of sums fit in the
 * registers, TILE_NAME(x) the names to give, TILE_TARGET the attribute that lets the compiler use the instructions.
 *
 * A tile is up to TILE_ROWS rows by two vectors of c, held in registers while k runs over a block. Rows of b are read as
 * they lie, or from a packed panel where b is transposed or the panel is not full; elements of a are read one by one, at
 * any distances, so that a transposed a needs no packing. Blocks of k and of rows keep the panel of b in the first-level
 * cache and the block of a in the second (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008).
 */
#include <stddef.h>
#include <stdint.h>

#include "kernel/gemm_tiles.h"

enum {
    TILE_LANES = TILE_BYTES / sizeof(TILE_T),
    TILE_COLUMNS = 2 * TILE_LANES,
    TILE_K = 256,
    TILE_M = 240 /* a multiple of each TILE_ROWS */
};

typedef TILE_T tile_vec __attribute__((vector_size(TILE_BYTES), aligned(sizeof(TILE_T))));

#define TILE_INLINE static inline __attribute__((always_inline)) TILE_TARGET

/* A tile's operands: rows of a, a panel of b, and where the sums go. */
typedef struct tile_task {
    const TILE_T *a, *b;
    TILE_T *c;
    int64_t a_row, a_column, b_row, c_row, k;
    TILE_T alpha, beta;
    int columns; /* of the panel that are there */
} tile_task;

TILE_INLINE void store_row(const tile_task *t, TILE_T *c, tile_vec left, tile_vec right)
{
    TILE_T row[TILE_COLUMNS];
    left *= t->alpha;
    right *= t->alpha;
    if (t->columns == TILE_COLUMNS) {
        tile_vec *to = (tile_vec *)c;
        tile_vec *to_right = (tile_vec *)(c + TILE_LANES);
        *to = t->beta == 0 ? left : left + t->beta * *to;
        *to_right = t->beta == 0 ? right : right + t->beta * *to_right;
        return;
    }
    *(tile_vec *)row = left;
    *(tile_vec *)(row + TILE_LANES) = right;
    for (int j = 0; j < t->columns; j++)
        c[j] = t->beta == 0 ? row[j] : row[j] + t->beta * c[j];
}

/* `rows` is a constant after inlining. */
TILE_INLINE void run_tile(const tile_task *t, int rows)
{
    tile_vec s[TILE_ROWS][2];
    const TILE_T *a = t->a, *b = t->b;
    for (int i = 0; i < rows; i++)
        s[i][0] = s[i][1] = (tile_vec){0};
    for (int64_t p = 0; p < t->k; p++) {
        tile_vec left = *(const tile_vec *)b, right = *(const tile_vec *)(b + TILE_LANES);
        for (int i = 0; i < rows; i++) {
            TILE_T factor = a[i * t->a_row];
            s[i][0] += factor * left;
            s[i][1] += factor * right;
        }
        a += t->a_column;
        b += t->b_row;
    }
    for (int i = 0; i < rows; i++)
        store_row(t, t->c + i * t->c_row, s[i][0], s[i][1]);
}

TILE_TARGET static void run_rows(const tile_task *t, int rows)
{
    switch (rows) {
    case 1:
        run_tile(t, 1);
        break;
    case 2:
        run_tile(t, 2);
        break;
    case 3:
        run_tile(t, 3);
        break;
#if TILE_ROWS > 4
    case 4:
        run_tile(t, 4);
        break;
    case 5:
        run_tile(t, 5);
        break;
#endif
#if TILE_ROWS > 6
    case 6:
        run_tile(t, 6);
        break;
    case 7:
        run_tile(t, 7);
        break;
    case 8:
        run_tile(t, 8);
        break;
    case 9:
        run_tile(t, 9);
        break;
    case 10:
        run_tile(t, 10);
        break;
    case 11:
        run_tile(t, 11);
        break;
#endif
    default:
        run_tile(t, TILE_ROWS);
    }
}

/* Columns first..first + columns of a block of k rows of b, side by side, the missing ones zero. */
TILE_INLINE void pack_panel(const gemm_call *g, const TILE_T *b, int64_t k, int columns,
                            TILE_T *panel)
{
    for (int64_t p = 0; p < k; p++)
        for (int j = 0; j < TILE_COLUMNS; j++)
            panel[p * TILE_COLUMNS + j] =
                j < columns ? b[p * g->b_row + j * g->b_column] : (TILE_T)0;
}

/* One block of rows and of k, and one panel of columns. */
TILE_TARGET static void run_panel(const gemm_call *g, tile_task t, int64_t m)
{
    for (int64_t i = 0; i < m; i += TILE_ROWS) {
        run_rows(&t, m - i < TILE_ROWS ? (int)(m - i) : TILE_ROWS);
        t.a += TILE_ROWS * g->a_row;
        t.c += TILE_ROWS * g->c_row;
    }
}

/* Rows first..first + m of c, for k from p on. */
TILE_TARGET static void run_block(const gemm_call *g, int64_t first, int64_t m, int64_t p)
{
    TILE_T panel[TILE_K * TILE_COLUMNS];
    int64_t k = g->k - p < TILE_K ? g->k - p : TILE_K;
    for (int64_t j = 0; j < g->n; j += TILE_COLUMNS) {
        const TILE_T *b = (const TILE_T *)g->b + p * g->b_row + j * g->b_column;
        tile_task t = {.a = (const TILE_T *)g->a + first * g->a_row + p * g->a_column,
                       .b = b,
                       .c = (TILE_T *)g->c + first * g->c_row + j,
                       .a_row = g->a_row,
                       .a_column = g->a_column,
                       .b_row = g->b_row,
                       .c_row = g->c_row,
                       .k = k,
                       .alpha = (TILE_T)g->alpha,
                       .beta = p == 0 ? (TILE_T)g->beta : (TILE_T)1,
                       .columns = g->n - j < TILE_COLUMNS ? (int)(g->n - j) : TILE_COLUMNS};
        if (g->b_column != 1 || t.columns < TILE_COLUMNS) {
            pack_panel(g, b, k, t.columns, panel);
            t.b = panel;
            t.b_row = TILE_COLUMNS;
        }
        run_panel(g, t, m);
    }
}

TILE_TARGET void TILE_NAME(const gemm_call *g)
{
    for (int64_t first = 0; first < g->m; first += TILE_M) {
        int64_t m = g->m - first < TILE_M ? g->m - first : TILE_M;
        int64_t p = 0;
        do { /* once at least: with no k, c becomes beta * c */
            run_block(g, first, m, p);
            p += TILE_K;
        } while (p < g->k);
    }
}
