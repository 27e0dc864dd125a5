/* Readers and writers when memory is short: each allocation in turn is refused, and what comes back is an error and
 * nothing left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/feed.h"
#include "state/checkpoint.h"

#define REFERENCE TEST_SOURCE_DIR "/tests/reference/files"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

/* Allocations of this thread until one is refused; negative: none is. */
static __thread long until_refused = -1;
static __thread long live;

#ifndef SANITIZED /* a sanitizer brings its own */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static bool refused(void)
{
    if (until_refused < 0)
        return false;
    if (until_refused == 0)
        return true;
    until_refused--;
    return false;
}

void *malloc(size_t size)
{
    void *memory = refused() ? NULL : __libc_malloc(size);
    live += memory != NULL;
    return memory;
}

void *calloc(size_t count, size_t size)
{
    void *memory = refused() ? NULL : __libc_calloc(count, size);
    live += memory != NULL;
    return memory;
}

void *realloc(void *old, size_t size)
{
    void *memory = refused() ? NULL : __libc_realloc(old, size);
    live += memory && !old;
    return memory;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    void *memory = refused() ? NULL : __libc_memalign(alignment, size);
    live += memory != NULL;
    return memory;
}

void free(void *memory)
{
    live -= memory != NULL;
    __libc_free(memory);
}
#endif

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/espalier-memory-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

typedef rt_status (*attempt_fn)(const void *argument, rt_error *error);

/* Refuses the first allocation, then the second, and so on until none is left to refuse. */
static void refuse_each(attempt_fn attempt, const void *argument)
{
    rt_error error;
    assert_int_equal(attempt(argument, &error),
                     RT_OK); /* also lets the C library make what it keeps */
#ifndef SANITIZED
    long refusals = 0;
    for (rt_status status = RT_IO; status != RT_OK; refusals++) {
        assert_true(refusals < 10000);
        error.text[0] = '\0';
        long before = live;
        until_refused = refusals;
        status = attempt(argument, &error);
        until_refused = -1;
        assert_int_equal(live, before);
        if (status != RT_OK && status != RT_NO_MEMORY && status != RT_IO)
            fail_msg("status %d: %s", (int)status, error.text);
        assert_true(status == RT_OK || error.text[0]);
    }
    assert_true(refusals > 2);
#endif
}

static rt_status read_first(const dataset *set, rt_error *error)
{
    const feed_field field = {.field = 0};
    feed_options options = {.set = set, .batch = 2, .rows = 2, .fields = &field, .field_count = 1};
    feed *f;
    feed_step step;
    rt_status status = feed_start(&options, &f, error);
    if (status == RT_OK)
        status = feed_next(f, &step, error);
    feed_stop(f);
    return status;
}

typedef struct form {
    const char *format, *values, *labels;
} form;

static rt_status open_form(const void *argument, rt_error *error)
{
    const form *f = argument;
    dataset_field_spec fields[] = {
        {.name = "x", .source = f->labels ? f->values : NULL, .type = DATASET_F32},
        {.name = "y", .source = f->labels, .type = DATASET_ID}};
    dataset_spec spec = {.format = f->format,
                         .folder = REFERENCE,
                         .paths = &f->values,
                         .path_count = !f->labels,
                         .fields = fields,
                         .field_count = 2};
    dataset *set;
    rt_status status = dataset_open(&spec, &set, error);
    if (status == RT_OK)
        status = read_first(set, error);
    dataset_close(set);
    return status;
}

static void readers_give_back_what_they_took(void **state)
{
    (void)state;
    static const form forms[] = {{"npy", "f4.npy", "ids.npy"},
                                 {"npz", "stored.npz", NULL},
                                 {"npz", "pack*.npz", NULL},
                                 {"idx", "images.idx.gz", "labels.idx.gz"},
                                 {"safetensors", "samples.safetensors", NULL}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        refuse_each(open_form, &forms[i]);
}

static rt_status open_columns(const void *argument, rt_error *error)
{
    const dataset_spec *spec = argument;
    dataset *set;
    rt_status status = dataset_open(spec, &set, error);
    dataset_close(set);
    return status;
}

static void csv_and_text_give_back_what_they_took(void **state)
{
    (void)state;
    dataset_field_spec columns[] = {{.name = "x", .source = "0..3, 5", .type = DATASET_F32},
                                    {.name = "y", .source = "64", .type = DATASET_ID}};
    dataset_option option = {"header", "no"};
    dataset_spec spec = {.format = "csv",
                         .folder = TEST_SOURCE_DIR,
                         .fields = columns,
                         .field_count = 2,
                         .paths = (const char *const[]){"examples/digits/data/*.csv"},
                         .path_count = 1,
                         .options = &option,
                         .option_count = 1};
    refuse_each(open_columns, &spec);
    dataset_field_spec text[] = {{.name = "x", .type = DATASET_ID, .size = 8}};
    spec = (dataset_spec){.format = "bytes",
                          .folder = TEST_SOURCE_DIR,
                          .fields = text,
                          .field_count = 1,
                          .paths = (const char *const[]){"LICENSE", "README.md"},
                          .path_count = 2};
    refuse_each(open_columns, &spec);
}

static rt_status write_and_read(const void *argument, rt_error *error)
{
    (void)argument;
    static const safetensors_tensor tensors[] = {{"a", RT_F32, 1, {4}}, {"b", RT_BF16, 1, {4}}};
    checkpoint_progress progress = {"t", 7, 70, 3};
    checkpoint_texts texts;
    checkpoint_describe(&progress, &texts);
    char path[CHECKPOINT_PATH];
    rt_status status = checkpoint_path(path, folder, progress.step, error);
    if (status != RT_OK)
        return status;
    safetensors_plan plan = {.path = path,
                             .tensors = tensors,
                             .tensor_count = 2,
                             .metadata = texts.texts,
                             .metadata_count = CHECKPOINT_TEXTS};
    safetensors_writer *writer;
    status = safetensors_create(&plan, &writer, error);
    if (status != RT_OK)
        return status;
    rt_slice slice = rt_slice_whole(1, tensors[0].shape);
    static const float values[4] = {1, 2, 3, 4};
    for (size_t i = 0; i < 2 && status == RT_OK; i++)
        status = safetensors_write_floats(writer, i, &slice, values, error);
    if (status != RT_OK) {
        safetensors_abandon(writer);
        return status;
    }
    status = safetensors_finish(writer, NULL, error);
    checkpoint_found found = {0};
    if (status == RT_OK)
        status = checkpoint_prune(folder, UINT64_MAX, 2, error);
    if (status == RT_OK)
        status = checkpoint_open_latest(folder, &found, error);
    safetensors_close(found.file);
    return status;
}

static void checkpoints_give_back_what_they_took(void **state)
{
    (void)state;
    refuse_each(write_and_read, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_give_back_what_they_took),
        cmocka_unit_test(csv_and_text_give_back_what_they_took),
        cmocka_unit_test(checkpoints_give_back_what_they_took),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
