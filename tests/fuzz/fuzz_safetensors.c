/* state/safetensors.h: what opens has names in order, and every tensor reads to its last value. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "state/checkpoint.h"

static void read_tensor(const safetensors *file, const safetensors_entry *entry)
{
    rt_slice slice = rt_slice_whole(entry->rank, entry->shape);
    rt_error error;
    float *values = malloc(4 * entry->count + 4);
    fuzz_require(values != NULL, "no memory");
    fuzz_require(safetensors_read(file, &(safetensors_request){entry->name, &slice, NULL}, values,
                                  &error) == RT_OK,
                 "a tensor cannot be read");
    static const size_t backwards[] = {7, 6, 5, 4, 3, 2, 1, 0};
    rt_slice turned = slice;
    for (size_t i = 0; i < entry->rank; i++)
        turned.shape[i] = turned.size[i] = entry->shape[entry->rank - 1 - i];
    safetensors_request request = {entry->name, &turned,
                                   backwards + RT_SLICE_MAX_RANK - entry->rank};
    fuzz_require(safetensors_read(file, &request, values, &error) == RT_OK,
                 "a tensor cannot be read turned");
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    safetensors *file;
    rt_error error;
    size_t checked;
    if (safetensors_open(fuzz_file(bytes, size), &file, &error) != RT_OK)
        return 0;
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const safetensors_entry *entry = safetensors_at(file, i);
        fuzz_require(i == 0 || strcmp(safetensors_at(file, i - 1)->name, entry->name) < 0,
                     "names out of order");
        fuzz_require(safetensors_find(file, entry->name) == entry, "a tensor cannot be found");
        read_tensor(file, entry);
    }
    checkpoint_progress progress;
    checkpoint_read_progress(file, &progress, &error);
    safetensors_verify(file, &checked, &error);
    safetensors_close(file);
    return 0;
}
