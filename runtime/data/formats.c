/* The table of formats: a row here and a file each. */
#include <string.h>

#include "data/format.h"

static const dataset_format *const formats[] = {
    &csv_format,         &npy_format,   &npz_format,    &idx_format,
    &safetensors_format, &bytes_format, &tokens_format,
};

const dataset_format *dataset_format_at(size_t index)
{
    return index < sizeof formats / sizeof *formats ? formats[index] : NULL;
}

const dataset_format *dataset_format_named(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}
