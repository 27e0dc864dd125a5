/* zip.h: the members of a zip archive, as NumPy writes them: stored or deflated, large ones too (zip64).
 *
 * Sizes and offsets are taken from the central directory and checked against the file; an archive that is encrypted or
 * split over files is refused. (APPNOTE.TXT of PKWARE, sections 4.3 and 4.5.)
 */
#ifndef ESPALIER_RUNTIME_DATA_ZIP_H
#define ESPALIER_RUNTIME_DATA_ZIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct zip_archive {
    const char *path; /* for messages */
    const uint8_t *bytes;
    uint64_t size;
    uint64_t directory, directory_size; /* bytes */
    uint64_t count;                     /* members */
} zip_archive;

typedef struct zip_member {
    unsigned method; /* 0 stored, 8 deflated */
    uint32_t crc;
    uint64_t packed_size, size;
    const uint8_t *packed;
} zip_member;

/* Finds the directory of an archive in memory. */
rt_status zip_open(const char *path, const uint8_t *bytes, uint64_t size, zip_archive *archive,
                   rt_error *error);

/* The member NAME, or NAME.npy. RT_NOT_FOUND, RT_DAMAGED, RT_UNSUPPORTED. */
rt_status zip_find(const zip_archive *archive, const char *name, zip_member *member,
                   rt_error *error);

/* A member's bytes, checked against its sum: *bytes points into the archive, or into *buffer, which the caller frees. */
rt_status zip_read(const zip_member *member, const char *label, const uint8_t **bytes,
                   void **buffer, rt_error *error);

#endif
