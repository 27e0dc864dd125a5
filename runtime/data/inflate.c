#include "data/inflate.h"

#include <zlib.h>

enum { PIECE = 1 << 30 };

bool inflate_plausible(uint64_t packed, uint64_t unpacked)
{
    return unpacked / 1032 <= packed; /* the limit that zlib's documentation gives */
}

static uInt piece(uint64_t bytes)
{
    return bytes > PIECE ? PIECE : (uInt)bytes;
}

/* zlib counts in 32 bits: both sides are given in pieces. */
typedef struct unpacking {
    z_stream zlib;
    const inflate_source *source;
    uint64_t taken, given; /* bytes of the source and of the output handed to zlib */
    uint8_t *out;
    uint64_t size;
    bool starved; /* zlib asked for memory and got none */
} unpacking;

static int step(unpacking *u)
{
    int result = inflate(&u->zlib, Z_NO_FLUSH);
    u->starved = u->starved || result == Z_MEM_ERROR;
    return result;
}

static void refill(unpacking *u)
{
    if (u->zlib.avail_in == 0) {
        u->zlib.next_in = (Bytef *)(uintptr_t)(u->source->bytes + u->taken);
        u->zlib.avail_in = piece(u->source->size - u->taken);
        u->taken += u->zlib.avail_in;
    }
    if (u->zlib.avail_out == 0) {
        u->zlib.next_out = u->out + u->given;
        u->zlib.avail_out = piece(u->size - u->given);
        u->given += u->zlib.avail_out;
    }
}

static bool output_full(const unpacking *u)
{
    return u->given == u->size && u->zlib.avail_out == 0;
}

static bool input_empty(const unpacking *u)
{
    return u->taken == u->source->size && u->zlib.avail_in == 0;
}

/* Runs until the output is full, the stream ends, or it is damaged. */
static int run(unpacking *u)
{
    for (;;) {
        refill(u);
        int result = step(u);
        if (result == Z_STREAM_END) {
            if (u->source->kind != INFLATE_GZIP || input_empty(u))
                return result;
            if ((result = inflateReset(&u->zlib)) != Z_OK) /* another member follows */
                return result;
            continue;
        }
        if (result != Z_OK)
            return result;
        if (output_full(u))
            return Z_OK;
    }
}

/* With the output full the stream must end without one byte more. */
static bool ends_here(unpacking *u)
{
    uint8_t beyond;
    int result = Z_OK;
    while (result == Z_OK) {
        u->zlib.next_out = &beyond;
        u->zlib.avail_out = 1;
        if (u->zlib.avail_in == 0 && u->taken < u->source->size) {
            u->zlib.next_in = (Bytef *)(uintptr_t)(u->source->bytes + u->taken);
            u->zlib.avail_in = piece(u->source->size - u->taken);
            u->taken += u->zlib.avail_in;
        }
        result = step(u);
        if (u->zlib.avail_out == 0)
            return false;
    }
    return result == Z_STREAM_END && input_empty(u);
}

static rt_status unpack(const inflate_source *source, uint8_t *out, uint64_t size, bool exactly,
                        rt_error *error)
{
    unpacking u = {.source = source, .out = out, .size = size};
    if (inflateInit2(&u.zlib, source->kind == INFLATE_GZIP ? 15 + 16 : -15) != Z_OK)
        return rt_fail(error, RT_NO_MEMORY, "no memory to unpack '%s'", source->label);
    int result = size ? run(&u) : Z_OK;
    bool whole = output_full(&u) || size == 0;
    bool ended = !exactly || (whole && (result == Z_STREAM_END ? input_empty(&u) : ends_here(&u)));
    unsigned long long at = source->size - (u.zlib.avail_in + (source->size - u.taken));
    const char *reason = u.zlib.msg ? u.zlib.msg : "it ends early";
    rt_status status = RT_OK;
    if (u.starved)
        status = rt_fail(error, RT_NO_MEMORY, "no memory to unpack '%s'", source->label);
    else if (!whole)
        status = rt_fail(error, RT_DAMAGED, "'%s' packed byte %llu: %s", source->label, at, reason);
    else if (!ended)
        status = rt_fail(error, RT_DAMAGED,
                         "'%s' packed byte %llu: more than %llu bytes, or a wrong check sum",
                         source->label, at, (unsigned long long)size);
    inflateEnd(&u.zlib);
    return status;
}

rt_status inflate_exactly(const inflate_source *source, uint8_t *out, uint64_t size,
                          rt_error *error)
{
    return unpack(source, out, size, true, error);
}

rt_status inflate_first(const inflate_source *source, uint8_t *out, uint64_t size, rt_error *error)
{
    return unpack(source, out, size, false, error);
}
