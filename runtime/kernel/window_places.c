#include "kernel/window_places.h"

window_places window_places_of(const esp_window *shape)
{
    window_places p = {.inputs = 1, .results = 1, .taps = 1};
    for (int d = 0; d < 3; d++) {
        int from = d - (3 - shape->spatial); /* missing dimensions stand before the others */
        bool there = from >= 0;
        p.size[d] = there ? shape->size[from] : 1;
        p.result[d] = there ? shape->result[from] : 1;
        p.window[d] = there ? shape->window[from] : 1;
        p.stride[d] = there ? shape->stride[from] : 1;
        p.pad[d] = there ? shape->pad[from] : 0;
        p.dilation[d] = there ? shape->dilation[from] : 1;
        p.inputs *= p.size[d];
        p.results *= p.result[d];
        p.taps *= p.window[d];
    }
    int64_t groups = shape->groups > 0 ? shape->groups : 1;
    p.in_group = shape->in / groups;
    p.out_group = shape->out / groups;
    p.depth = p.in_group * p.taps;
    return p;
}

/* Input index of an output index and a window index along one dimension; outside: padding. */
static int64_t along(const window_places *p, int d, int64_t result, int64_t window)
{
    return result * p->stride[d] - p->pad[d] + window * p->dilation[d];
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return a <= 0 ? 0 : (a + b - 1) / b;
}

window_run window_run_of(const window_places *p, int64_t tap, int64_t position, int64_t count)
{
    int64_t x = position % p->result[2], rest = position / p->result[2];
    int64_t y = rest % p->result[1], z = rest / p->result[1];
    int64_t wx = tap % p->window[2], wy = tap / p->window[2] % p->window[1];
    int64_t wz = tap / p->window[2] / p->window[1];
    window_run run = {.step = p->stride[2]};
    run.count = p->result[2] - x < count ? p->result[2] - x : count;
    int64_t iz = along(p, 0, z, wz), iy = along(p, 1, y, wy), ix = along(p, 2, x, wx);
    if (iz < 0 || iz >= p->size[0] || iy < 0 || iy >= p->size[1])
        return run;
    run.first = ceil_div(-ix, run.step);
    run.last = ceil_div(p->size[2] - ix, run.step);
    run.last = run.last < run.count ? run.last : run.count;
    if (run.first >= run.last)
        run.first = run.last = 0;
    run.input = (iz * p->size[1] + iy) * p->size[2] + ix + run.first * run.step;
    return run;
}
