/* data/: npy, npz, idx and safetensors: the same samples from every form, and damage of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mapping.h"
#include "data/dataset.h"
#include "data/inflate.h"

#define REFERENCE TEST_SOURCE_DIR "/tests/reference/files"

static char damaged_path[64];

static int make_path(void **state)
{
    (void)state;
    strcpy(damaged_path, "/tmp/espalier-array-XXXXXX");
    int file = mkstemp(damaged_path);
    return file < 0 || close(file) != 0;
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(damaged_path);
}

/* "x" and "y" of a format: of one file, or each of its own when `labels` is given. */
static rt_status open_form(const char *format, const char *values, const char *labels,
                           dataset **set, rt_error *error)
{
    dataset_field_spec fields[] = {
        {.name = "x",
         .source = labels ? values : NULL,
         .type = DATASET_F32,
         .size = 6,
         .scale = 0.5,
         .shift = 1},
        {.name = "y", .source = labels, .type = DATASET_ID, .size = 1, .below = 15}};
    dataset_spec spec = {.format = format,
                         .folder = REFERENCE,
                         .fields = fields,
                         .field_count = 2,
                         .paths = &values,
                         .path_count = labels ? 0 : 1};
    return dataset_open(&spec, set, error);
}

static void assert_samples(const char *format, const char *values, const char *labels)
{
    dataset *set;
    rt_error error = {0};
    if (open_form(format, values, labels, &set, &error) != RT_OK)
        fail_msg("%s", error.text);
    assert_int_equal(dataset_count(set, DATASET_TRAIN), 5);
    for (int i = 0; i < 5; i++) {
        float x[6];
        int32_t y;
        assert_int_equal(dataset_read(set, DATASET_TRAIN, (uint64_t)i, 0, x, &error), RT_OK);
        assert_int_equal(dataset_read(set, DATASET_TRAIN, (uint64_t)i, 1, &y, &error), RT_OK);
        for (int j = 0; j < 6; j++)
            assert_true(x[j] == (float)(20 * i + 5 * (j / 3) + j % 3) * 0.5f + 1);
        assert_int_equal(y, 10 + i);
    }
    assert_true(dataset_mapped_bytes(set) + dataset_allocated_bytes(set) > 0);
    dataset_close(set);
}

static void every_form_gives_the_same_samples(void **state)
{
    (void)state;
    static const char *const npy[] = {"f4.npy", "f8_big.npy",     "f2.npy",
                                      "i1.npy", "i8_fortran.npy", "u2_big_fortran.npy",
                                      "u1.npy", "i4.npy",         "version2.npy"};
    for (size_t i = 0; i < sizeof npy / sizeof *npy; i++)
        assert_samples("npy", npy[i], "ids.npy");
    assert_samples("npz", "stored.npz", NULL);
    assert_samples("npz", "packed.npz", NULL);
    assert_samples("safetensors", "samples.safetensors", NULL);
    assert_samples("idx", "images.idx", "labels.idx.gz");
    assert_samples("idx", "images.idx.gz", "labels.idx.gz");
}

static void assert_says(rt_status status, rt_status expected, const rt_error *error,
                        const char *says)
{
    assert_int_equal(status, expected);
    if (!strstr(error->text, says))
        fail_msg("'%s' does not say '%s'", error->text, says);
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    dataset *set;
    rt_error e;
    assert_says(open_form("npy", "ids.npy", "ids.npy", &set, &e), RT_MISMATCH, &e,
                "ids.npy' has 1 values a sample for 'x', which wants 6");
    assert_says(open_form("npy", "f4.npy", "complex.npy", &set, &e), RT_DAMAGED, &e,
                "not plain numbers");
    assert_says(open_form("npy", "f4.npy", "members.npy", &set, &e), RT_DAMAGED, &e,
                "several members");
    assert_says(open_form("npy", "f4.npy", "images.idx", &set, &e), RT_DAMAGED, &e,
                "does not begin as a NumPy");
    assert_says(open_form("idx", "f4.npy", "images.idx", &set, &e), RT_DAMAGED, &e,
                "does not begin as an idx");
    assert_says(open_form("npz", "f4.npy", NULL, &set, &e), RT_DAMAGED, &e, "no zip archive");
    assert_says(open_form("npy", "none.npy", "f4.npy", &set, &e), RT_NOT_FOUND, &e, "none.npy");
    assert_says(open_form("npz", "none.npz", NULL, &set, &e), RT_NOT_FOUND, &e, "none.npz");
    assert_says(open_form("idx", "images.idx", "none.idx", &set, &e), RT_NOT_FOUND, &e, "none.idx");
    assert_says(open_form("safetensors", "f4.npy", NULL, &set, &e), RT_DAMAGED, &e, "f4.npy");
    assert_says(open_form("safetensors", "halves.safetensors", NULL, &set, &e), RT_NOT_FOUND, &e,
                "no tensor 'x'");
    assert_says(open_form("json", "a", NULL, &set, &e), RT_INVALID, &e,
                "no data format is named 'json'");
    dataset_field_spec field = {.name = "z", .type = DATASET_F32};
    dataset_spec spec = {.format = "npz",
                         .folder = REFERENCE,
                         .fields = &field,
                         .field_count = 1,
                         .paths = (const char *const[]){"stored.npz"},
                         .path_count = 1};
    assert_says(dataset_open(&spec, &set, &e), RT_NOT_FOUND, &e, "no member 'z'");
}

static void an_id_out_of_bounds_is_found_when_it_is_read(void **state)
{
    (void)state;
    dataset *set;
    rt_error e;
    int32_t id;
    dataset_field_spec field = {.name = "y", .source = "ids.npy", .type = DATASET_ID, .below = 13};
    dataset_spec spec = {.format = "npy", .folder = REFERENCE, .fields = &field, .field_count = 1};
    assert_int_equal(dataset_open(&spec, &set, &e), RT_OK);
    assert_int_equal(dataset_read(set, DATASET_TRAIN, 2, 0, &id, &e), RT_OK);
    assert_says(dataset_read(set, DATASET_TRAIN, 3, 0, &id, &e), RT_RANGE, &e,
                "ids.npy' sample 3 value 0: 'y' is 13, not in 0 to 12");
    dataset_close(set);
    field.below = (INT64_C(1) << 31) + 1;
    assert_int_equal(dataset_open(&spec, &set, &e), RT_INVALID);
}

static void normalised_by_mean_and_deviation(void **state)
{
    (void)state;
    dataset *set;
    float x[6];
    dataset_field_spec field = {.name = "x",
                                .source = "i4.npy",
                                .type = DATASET_F32,
                                .scale = 2,
                                .shift = 1,
                                .mean = 3,
                                .deviation = 4};
    dataset_spec spec = {.format = "npy", .folder = REFERENCE, .fields = &field, .field_count = 1};
    assert_int_equal(dataset_open(&spec, &set, NULL), RT_OK);
    assert_int_equal(dataset_read(set, DATASET_TRAIN, 1, 0, x, NULL), RT_OK);
    for (int j = 0; j < 6; j++)
        assert_true(x[j] == ((float)(20 + 5 * (j / 3) + j % 3) * 2 + 1 - 3) / 4);
    dataset_close(set);
}

static void parts_are_files_when_files_are_given(void **state)
{
    (void)state;
    dataset *set;
    rt_error e;
    float x[6];
    dataset_field_spec field = {
        .name = "x", .source = "i4.npy", .held_out_source = "f4.npy", .type = DATASET_F32};
    dataset_spec spec = {.format = "npy", .folder = REFERENCE, .fields = &field, .field_count = 1};
    assert_int_equal(dataset_open(&spec, &set, &e), RT_OK);
    assert_int_equal(dataset_count(set, DATASET_TRAIN), 5);
    assert_int_equal(dataset_count(set, DATASET_HELD_OUT), 5);
    assert_int_equal(dataset_read(set, DATASET_HELD_OUT, 4, 0, x, &e), RT_OK);
    assert_true(x[0] == 80);
    dataset_close(set);
    spec.hold_out = 0.5;
    assert_int_equal(dataset_open(&spec, &set, &e), RT_INVALID);
    field = (dataset_field_spec){.name = "x", .type = DATASET_F32};
    static const char *const train[] = {"[ps]*ed.npz"}, *const test[] = {"packed.npz"};
    spec = (dataset_spec){.format = "npz",
                          .folder = REFERENCE,
                          .fields = &field,
                          .field_count = 1,
                          .paths = train,
                          .path_count = 1,
                          .held_out_paths = test,
                          .held_out_path_count = 1};
    assert_int_equal(dataset_open(&spec, &set, &e), RT_OK);
    assert_int_equal(dataset_count(set, DATASET_TRAIN), 5); /* the held-out file does not train */
    dataset_close(set);
    spec.held_out_path_count = 0;
    assert_int_equal(dataset_open(&spec, &set, &e), RT_OK);
    assert_int_equal(dataset_count(set, DATASET_TRAIN), 10);
    assert_int_equal(dataset_read(set, DATASET_TRAIN, 5, 0, x, &e), RT_OK);
    assert_true(x[0] == 0);
    dataset_close(set);
}

/* What a format says of bytes as its values file: it must never crash, and RT_OK only if all samples can be read. */
static rt_status read_all(const char *format, const uint8_t *bytes, size_t size, rt_error *error)
{
    unlink(
        damaged_path); /* some file systems flush a file that is cut and written anew, and thousands are */
    FILE *file = fopen(damaged_path, "wb");
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    bool per_field = strcmp(format, "npy") == 0 || strcmp(format, "idx") == 0;
    dataset_field_spec field = {
        .name = "x", .source = per_field ? damaged_path : NULL, .type = DATASET_F32};
    const char *path = damaged_path;
    dataset_spec spec = {.format = format,
                         .fields = &field,
                         .field_count = 1,
                         .paths = &path,
                         .path_count = per_field ? 0 : 1};
    dataset *set;
    rt_status status = dataset_open(&spec, &set, error);
    if (status != RT_OK)
        return status;
    float *out = malloc(4 * dataset_field_size(set, 0) + 4);
    for (uint64_t i = 0; i < dataset_count(set, DATASET_TRAIN) && status == RT_OK; i++)
        status = dataset_read(set, DATASET_TRAIN, i, 0, out, error);
    free(out);
    dataset_close(set);
    return status;
}

static const struct {
    const char *format, *path;
} forms[] = {{"npy", REFERENCE "/f4.npy"},
             {"npy", REFERENCE "/u2_big_fortran.npy"},
             {"npz", REFERENCE "/stored.npz"},
             {"npz", REFERENCE "/packed.npz"},
             {"idx", REFERENCE "/images.idx"},
             {"idx", REFERENCE "/images.idx.gz"},
             {"safetensors", REFERENCE "/samples.safetensors"}};

static void cut_files_are_refused(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        rt_mapping map;
        assert_int_equal(rt_map_file(forms[f].path, &map, NULL), RT_OK);
        for (size_t cut = 0; cut < map.size; cut++) {
            rt_error error = {0};
            rt_status status = read_all(forms[f].format, map.bytes, cut, &error);
            if (status != RT_DAMAGED || !strstr(error.text, damaged_path))
                fail_msg("%s cut at %zu: %s", forms[f].path, cut, error.text);
        }
        rt_unmap(&map);
    }
}

static void flipped_bits_never_crash(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        rt_mapping map;
        assert_int_equal(rt_map_file(forms[f].path, &map, NULL), RT_OK);
        uint8_t *bytes = malloc(map.size);
        memcpy(bytes, map.bytes, map.size);
        size_t refused = 0;
        for (size_t bit = 0; bit < map.size * 8; bit += 3) {
            rt_error error = {0};
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            rt_status status = read_all(forms[f].format, bytes, map.size, &error);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            refused += status != RT_OK;
            if (status != RT_OK)
                assert_true(error.text[0]);
        }
        assert_true(refused > 25);
        free(bytes);
        rt_unmap(&map);
    }
}

static void assert_npy(const char *dictionary, size_t data, const char *says)
{
    uint8_t bytes[512] = "\x93NUMPY\x01";
    size_t length = strlen(dictionary);
    rt_error error = {0};
    bytes[8] = (uint8_t)length;
    memcpy(bytes + 10, dictionary, length);
    rt_status status = read_all("npy", bytes, 10 + length + data, &error);
    if (!says)
        assert_int_equal(status, RT_OK);
    else
        assert_says(status, strstr(says, "number") ? RT_MISMATCH : RT_DAMAGED, &error, says);
}

static void hostile_npy_headers(void **state)
{
    (void)state;
    assert_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 8, NULL);
    assert_npy("{'descr':'<f4','fortran_order':False,'shape':(2L,3L)}", 24, NULL);
    assert_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 7,
               "take 8 bytes, there are 7");
    assert_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 4, "a single number");
    assert_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0,
               "more than 2^62");
    assert_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616,), }", 0,
               "beyond 64 bits");
    assert_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", 4,
               "more than 8");
    assert_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4,
               "a size is expected");
    assert_npy("{'descr': '<f4', 'fortran_order': False}", 4, "is missing");
    assert_npy("{'descr': '<f4', 'descr': '<f4'}", 4, "once each");
    assert_npy("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}", 4, "True or False");
    assert_npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 8, "byte 20: a type that");
    assert_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", 4, "text after");
    assert_npy("{'descr': '<f4", 0, "ends inside a string");
    assert_npy("", 0, "byte 10: a dictionary is expected");
}

static void packed_sizes_are_not_believed(void **state)
{
    (void)state;
    assert_true(inflate_plausible(100, 103200));
    assert_false(inflate_plausible(100, UINT64_C(1) << 40));
    /* An idx header of 2^32 - 1 squared images, packed. */
    static const uint8_t bomb[] = {0x1f, 0x8b, 8,    0,    0,    0,    0,    0,    0,    3,    1,
                                   16,   0,    0xef, 0xff, 0,    0,    8,    3,    0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    rt_error error;
    assert_says(read_all("idx", bomb, sizeof bomb, &error), RT_DAMAGED, &error, "can hold");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_gives_the_same_samples),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(an_id_out_of_bounds_is_found_when_it_is_read),
        cmocka_unit_test(normalised_by_mean_and_deviation),
        cmocka_unit_test(parts_are_files_when_files_are_given),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(flipped_bits_never_crash),
        cmocka_unit_test(hostile_npy_headers),
        cmocka_unit_test(packed_sizes_are_not_believed),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
