#include "data/zip.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "data/inflate.h"

enum {
    END_SIZE = 22,
    END64_LOCATOR = 20,
    END64_SIZE = 56,
    ENTRY_SIZE = 46,
    LOCAL_SIZE = 30,
    LONGEST_COMMENT = 65535
};

static const uint32_t END_SIGN = 0x06054b50, LOCATOR_SIGN = 0x07064b50, END64_SIGN = 0x06064b50;
static const uint32_t ENTRY_SIGN = 0x02014b50, LOCAL_SIGN = 0x04034b50;

static uint64_t get(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static rt_status damaged(const zip_archive *a, uint64_t at, const char *what, rt_error *error)
{
    return rt_fail(error, RT_DAMAGED, "'%s' byte %" PRIu64 ": %s", a->path, at, what);
}

/* The end record stands before a comment of unknown length: looked for from the end. */
static bool find_end(const zip_archive *a, uint64_t *end)
{
    if (a->size < END_SIZE)
        return false;
    uint64_t least =
        a->size > END_SIZE + LONGEST_COMMENT ? a->size - END_SIZE - LONGEST_COMMENT : 0;
    for (uint64_t at = a->size - END_SIZE + 1; at-- > least;)
        if (get(a->bytes + at, 4) == END_SIGN &&
            at + END_SIZE + get(a->bytes + at + 20, 2) == a->size) {
            *end = at;
            return true;
        }
    return false;
}

/* The numbers that do not fit in the end record stand in another before it. */
static rt_status read_end64(zip_archive *a, uint64_t end, rt_error *error)
{
    const uint8_t *locator = a->bytes + end - END64_LOCATOR;
    uint64_t at = get(locator + 8, 8);
    if (at > end - END64_LOCATOR || end - END64_LOCATOR - at < END64_SIZE ||
        get(a->bytes + at, 4) != END64_SIGN)
        return damaged(a, end - END64_LOCATOR, "the zip64 end record is not where it should be",
                       error);
    const uint8_t *record = a->bytes + at;
    a->count = get(record + 32, 8);
    a->directory_size = get(record + 40, 8);
    a->directory = get(record + 48, 8);
    return RT_OK;
}

rt_status zip_open(const char *path, const uint8_t *bytes, uint64_t size, zip_archive *archive,
                   rt_error *error)
{
    zip_archive *a = archive;
    *a = (zip_archive){.path = path, .bytes = bytes, .size = size};
    uint64_t end;
    if (!find_end(a, &end))
        return rt_fail(error, RT_DAMAGED, "'%s' is no zip archive, or its end is missing", path);
    const uint8_t *record = bytes + end;
    if (get(record + 4, 2) || get(record + 6, 2) || get(record + 8, 2) != get(record + 10, 2))
        return rt_fail(error, RT_UNSUPPORTED, "'%s' is one of several files of an archive", path);
    a->count = get(record + 10, 2);
    a->directory_size = get(record + 12, 4);
    a->directory = get(record + 16, 4);
    if (end >= END64_LOCATOR && get(record - END64_LOCATOR, 4) == LOCATOR_SIGN) {
        rt_status status = read_end64(a, end, error);
        if (status != RT_OK)
            return status;
    }
    if (a->directory > end || a->directory_size > end - a->directory)
        return damaged(a, end, "the directory lies outside the archive", error);
    return RT_OK;
}

/* Sizes of 2^32 - 1 mean that the true ones stand in the extra field 1, in this order. */
static rt_status read_extra64(const zip_archive *a, const uint8_t *entry, uint64_t *numbers[3],
                              rt_error *error)
{
    uint64_t place = (uint64_t)(entry - a->bytes), name = get(entry + 28, 2),
             length = get(entry + 30, 2);
    const uint8_t *at = entry + ENTRY_SIZE + name, *end = at + length;
    while (end - at >= 4) {
        uint64_t id = get(at, 2), size = get(at + 2, 2);
        at += 4;
        if (size > (uint64_t)(end - at))
            return damaged(a, place, "an extra field is cut", error);
        if (id != 1) {
            at += size;
            continue;
        }
        const uint8_t *field_end = at + size;
        for (int i = 0; i < 3; i++) {
            if (*numbers[i] != UINT32_MAX)
                continue;
            if (field_end - at < 8)
                return damaged(a, place, "a zip64 field is cut", error);
            *numbers[i] = get(at, 8);
            at += 8;
        }
        return RT_OK;
    }
    for (int i = 0; i < 3; i++)
        if (*numbers[i] == UINT32_MAX)
            return damaged(a, place, "a zip64 field is missing", error);
    return RT_OK;
}

static rt_status read_entry(const zip_archive *a, const uint8_t *entry, zip_member *m,
                            rt_error *error)
{
    uint64_t place = (uint64_t)(entry - a->bytes), local = get(entry + 42, 4);
    *m = (zip_member){.method = (unsigned)get(entry + 10, 2),
                      .crc = (uint32_t)get(entry + 16, 4),
                      .packed_size = get(entry + 20, 4),
                      .size = get(entry + 24, 4)};
    uint64_t *numbers[3] = {&m->size, &m->packed_size, &local};
    rt_status status = read_extra64(a, entry, numbers, error);
    if (status != RT_OK)
        return status;
    if (get(entry + 8, 2) & 1)
        return rt_fail(error, RT_UNSUPPORTED, "'%s' byte %" PRIu64 ": an encrypted member", a->path,
                       place);
    if (m->method != 0 && m->method != 8)
        return rt_fail(error, RT_UNSUPPORTED,
                       "'%s' byte %" PRIu64 ": packing method %u; stored and deflate are read",
                       a->path, place, m->method);
    if (local > a->directory || a->directory - local < LOCAL_SIZE ||
        get(a->bytes + local, 4) != LOCAL_SIGN)
        return damaged(a, place, "the member is not where the directory says", error);
    uint64_t begin =
        local + LOCAL_SIZE + get(a->bytes + local + 26, 2) + get(a->bytes + local + 28, 2);
    if (begin > a->directory || m->packed_size > a->directory - begin)
        return damaged(a, place, "the member reaches past the directory", error);
    if (m->method == 0 && m->packed_size != m->size)
        return damaged(a, place, "a stored member of two sizes", error);
    m->packed = a->bytes + begin;
    return RT_OK;
}

static bool is_named(const uint8_t *text, uint64_t length, const char *name)
{
    size_t wanted = strlen(name);
    if (length < wanted || memcmp(text, name, wanted) != 0)
        return false;
    return length == wanted || (length == wanted + 4 && memcmp(text + wanted, ".npy", 4) == 0);
}

rt_status zip_find(const zip_archive *archive, const char *name, zip_member *member,
                   rt_error *error)
{
    const zip_archive *a = archive;
    const uint8_t *at = a->bytes + a->directory, *end = at + a->directory_size;
    for (uint64_t i = 0; i < a->count; i++) {
        uint64_t place = (uint64_t)(at - a->bytes);
        if (end - at < ENTRY_SIZE || get(at, 4) != ENTRY_SIGN)
            return damaged(a, place, "the directory is cut", error);
        uint64_t length = ENTRY_SIZE + get(at + 28, 2) + get(at + 30, 2) + get(at + 32, 2);
        if (length > (uint64_t)(end - at))
            return damaged(a, place, "the directory is cut", error);
        if (is_named(at + ENTRY_SIZE, get(at + 28, 2), name))
            return read_entry(a, at, member, error);
        at += length;
    }
    return rt_fail(error, RT_NOT_FOUND, "'%s' has no member '%s'", a->path, name);
}

static rt_status check_sum(const zip_member *m, const char *label, const uint8_t *bytes,
                           rt_error *error)
{
    uint32_t sum = (uint32_t)crc32_z(0, bytes, m->size);
    if (sum == m->crc)
        return RT_OK;
    return rt_fail(error, RT_DAMAGED, "'%s': its check sum is %08x, the archive says %08x", label,
                   sum, m->crc);
}

rt_status zip_read(const zip_member *member, const char *label, const uint8_t **bytes,
                   void **buffer, rt_error *error)
{
    *buffer = NULL;
    *bytes = member->packed;
    if (member->method == 0)
        return check_sum(member, label, *bytes, error);
    if (!inflate_plausible(member->packed_size, member->size))
        return rt_fail(error, RT_DAMAGED, "'%s': %" PRIu64 " packed bytes cannot hold %" PRIu64,
                       label, member->packed_size, member->size);
    uint8_t *unpacked = malloc(member->size + 1);
    if (!unpacked)
        return rt_fail(error, RT_NO_MEMORY, "no memory to unpack '%s'", label);
    inflate_source source = {label, INFLATE_RAW, member->packed, member->packed_size};
    rt_status status = inflate_exactly(&source, unpacked, member->size, error);
    if (status == RT_OK)
        status = check_sum(member, label, unpacked, error);
    if (status != RT_OK) {
        free(unpacked);
        return status;
    }
    *bytes = *buffer = unpacked;
    return RT_OK;
}
