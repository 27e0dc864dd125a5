/* data/csv.c: whatever opens gives finite values and ids within their bound. */
#include <math.h>

#include "data/dataset.h"
#include "fuzz.h"

static void read_all(const dataset *set)
{
    for (uint64_t i = 0; i < dataset_count(set, DATASET_TRAIN); i++) {
        float x[2];
        int32_t y;
        fuzz_require(dataset_read(set, DATASET_TRAIN, i, 0, x, NULL) == RT_OK,
                     "a value cannot be read");
        fuzz_require(dataset_read(set, DATASET_TRAIN, i, 1, &y, NULL) == RT_OK,
                     "an id cannot be read");
        fuzz_require(isfinite(x[0]) && isfinite(x[1]) && y >= 0 && y < 10, "a value out of bounds");
    }
}

static void open_columns(const char *path, const char *values, const char *label,
                         const char *delimiter)
{
    dataset_field_spec fields[] = {
        {.name = "x", .source = values, .type = DATASET_F32, .size = 2},
        {.name = "y", .source = label, .type = DATASET_ID, .size = 1, .below = 10}};
    dataset_option option = {"delimiter", delimiter};
    dataset_spec spec = {.format = "csv",
                         .paths = &path,
                         .path_count = 1,
                         .fields = fields,
                         .field_count = 2,
                         .options = &option,
                         .option_count = 1};
    dataset *set;
    rt_error error;
    if (dataset_open(&spec, &set, &error) == RT_OK)
        read_all(set);
    dataset_close(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *path = fuzz_file(bytes, size);
    open_columns(path, "0..1", "2", ",");
    open_columns(path, "a,b", "class", ",");
    open_columns(path, "0..1", "2", ";");
    return 0;
}
