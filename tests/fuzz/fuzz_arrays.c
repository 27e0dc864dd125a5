/* The readers of arrays and of windows: the first byte of the input chooses, the rest is the file. */
#include <stdlib.h>

#include "data/dataset.h"
#include "fuzz.h"

static const struct {
    const char *format;
    int per_field;
    size_t size;
} forms[] = {{"npy", 1, 0},         {"npz", 0, 0},    {"idx", 1, 0},
             {"safetensors", 0, 0}, {"tokens", 0, 8}, {"bytes", 0, 8}};

static void read_all(const dataset *set)
{
    /* The file is as large as what it holds, so this is not long. */
    char *out = malloc(4 * dataset_field_size(set, 0) + 4);
    rt_error error;
    fuzz_require(out != NULL, "no memory");
    for (uint64_t i = 0; i < dataset_count(set, DATASET_TRAIN); i++) {
        rt_status status = dataset_read(set, DATASET_TRAIN, i, 0, out, &error);
        fuzz_require(status == RT_OK || status == RT_DAMAGED || status == RT_RANGE,
                     "a sample cannot be read");
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0 || bytes[0] - '0' >= (int)(sizeof forms / sizeof *forms) || bytes[0] < '0')
        return 0;
    int form = bytes[0] - '0';
    const char *path = fuzz_file(bytes + 1, size - 1);
    dataset_field_spec field = {.name = "x",
                                .source = forms[form].per_field ? path : NULL,
                                .type = form < 4 ? DATASET_F32 : DATASET_ID,
                                .size = forms[form].size,
                                .below = 50000};
    if (form >= 4)
        field.source = "1";
    dataset_spec spec = {.format = forms[form].format,
                         .paths = &path,
                         .path_count = !forms[form].per_field,
                         .fields = &field,
                         .field_count = 1};
    dataset *set;
    rt_error error;
    if (dataset_open(&spec, &set, &error) == RT_OK)
        read_all(set);
    dataset_close(set);
    return 0;
}
