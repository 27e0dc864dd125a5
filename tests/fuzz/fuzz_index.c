/* The index of a sharded model: hostile names do not leave the folder, and what opens is in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "state/safetensors.h"

static char folder[64], path[96], beside[96];

static void clean_up(void)
{
    unlink(path);
    unlink(beside);
    rmdir(folder);
}

static void put(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");
    fuzz_require(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0, "no file");
}

/* One shard with two tensors, "a" and "b". */
static void make_folder(void)
{
    static const char header[] = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                                 "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}";
    char bytes[8 + sizeof header + 1] = {
        (char)(sizeof header - 1)}; /* the NUL and one byte more are the data */
    memcpy(bytes + 8, header, sizeof header - 1);
    strcpy(folder, "/dev/shm/espalier-fuzz-XXXXXX");
    fuzz_require(mkdtemp(folder) != NULL, "no folder");
    snprintf(path, sizeof path, "%s/i.json", folder);
    snprintf(beside, sizeof beside, "%s/s", folder);
    put(beside, bytes, sizeof bytes);
    atexit(clean_up);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!*folder)
        make_folder();
    put(path, bytes, size);
    safetensors *file;
    rt_error error;
    if (safetensors_open(path, &file, &error) == RT_OK)
        for (size_t i = 0; i < safetensors_count(file); i++)
            fuzz_require(strcmp(safetensors_at(file, i)->path, beside) == 0,
                         "a tensor from elsewhere");
    safetensors_close(file);
    return 0;
}
