/* state/safetensors: files of others, files of our own from several writers, and hostile headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/safetensors_write.h"

#define REFERENCE TEST_SOURCE_DIR "/tests/reference/files/"

static char folder[64], path[128];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/espalier-tensors-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/a.safetensors", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"a.safetensors", "b.safetensors", "i.json",
                                        "a.safetensors.partial"};
    char name[160];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        unlink(name);
    }
    return rmdir(folder);
}

static rt_status read_whole(const safetensors *file, const char *name, float *values)
{
    const safetensors_entry *entry = safetensors_find(file, name);
    assert_non_null(entry);
    rt_slice slice = rt_slice_whole(entry->rank, entry->shape);
    return safetensors_read(file, &(safetensors_request){name, &slice, NULL}, values, NULL);
}

static void every_type_reads_as_pytorch_reads_it(void **state)
{
    (void)state;
    static const char *const types[] = {"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2",
                                        "I64", "I32", "I16", "I8",   "U8",      "BOOL"};
    safetensors *file;
    assert_int_equal(safetensors_open(REFERENCE "types.safetensors", &file, NULL), RT_OK);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char name[32];
        float values[12], expected[12];
        snprintf(name, sizeof name, "float %s", types[i]);
        assert_string_equal(rt_element_name(safetensors_find(file, types[i])->type), types[i]);
        assert_int_equal(read_whole(file, types[i], values), RT_OK);
        assert_int_equal(read_whole(file, name, expected), RT_OK);
        for (int j = 0; j < 12; j++)
            assert_true(isnan(expected[j]) ? isnan(values[j]) : values[j] == expected[j]);
    }
    float scalar;
    assert_int_equal(read_whole(file, "scalar", &scalar), RT_OK);
    assert_true(scalar == 7);
    assert_int_equal(read_whole(file, "empty", &scalar), RT_OK);
    assert_string_equal(safetensors_metadata(file, "format"), "pt");
    assert_string_equal(safetensors_metadata(file, "quote"), "a \"b\" \\ \xc3\xa9");
    assert_null(safetensors_metadata(file, "none"));
    assert_null(safetensors_find(file, "none"));
    assert_int_equal(safetensors_count(file), 28);
    assert_null(safetensors_at(file, 28));
    safetensors_close(file);
}

static void halves_round_as_pytorch_rounds_them(void **state)
{
    (void)state;
    safetensors *file;
    assert_int_equal(safetensors_open(REFERENCE "halves.safetensors", &file, NULL), RT_OK);
    const safetensors_entry *values = safetensors_find(file, "values");
    float *floats = malloc(values->size);
    uint8_t *bytes = malloc(values->size);
    assert_int_equal(read_whole(file, "values", floats), RT_OK);
    assert_true(rt_elements_from_float(RT_F16, floats, bytes, values->count));
    assert_memory_equal(bytes, safetensors_find(file, "F16")->bytes, 2 * values->count);
    assert_true(rt_elements_from_float(RT_BF16, floats, bytes, values->count));
    assert_memory_equal(bytes, safetensors_find(file, "BF16")->bytes, 2 * values->count);
    assert_false(rt_elements_from_float(RT_I32, floats, bytes, values->count));
    free(floats);
    free(bytes);
    safetensors_close(file);
}

static void slices_and_orders_read_what_they_name(void **state)
{
    (void)state;
    safetensors *file;
    assert_int_equal(safetensors_open(REFERENCE "types.safetensors", &file, NULL), RT_OK);
    rt_slice slice = {.rank = 3, .shape = {2, 3, 4}, .begin = {1, 1, 2}, .size = {1, 2, 2}};
    float values[24], turned[24], expected[24];
    static const float part[] = {18, 19, 22, 23};
    assert_int_equal(
        safetensors_read(file, &(safetensors_request){"deep", &slice, NULL}, values, NULL), RT_OK);
    assert_memory_equal(values, part, sizeof part);
    /* "turned" is deep.permute(2, 0, 1): its dimension i is dimension order[i] of deep. */
    static const size_t order[] = {2, 0, 1};
    rt_slice whole = rt_slice_whole(3, (const uint64_t[]){4, 2, 3});
    assert_int_equal(
        safetensors_read(file, &(safetensors_request){"deep", &whole, order}, turned, NULL), RT_OK);
    assert_int_equal(read_whole(file, "turned", expected), RT_OK);
    assert_memory_equal(turned, expected, sizeof expected);
    rt_slice corner = {.rank = 3, .shape = {4, 2, 3}, .begin = {3, 1, 0}, .size = {1, 1, 3}};
    static const float last[] = {15, 19, 23};
    assert_int_equal(
        safetensors_read(file, &(safetensors_request){"deep", &corner, order}, turned, NULL),
        RT_OK);
    assert_memory_equal(turned, last, sizeof last);
    rt_error error;
    assert_int_equal(
        safetensors_read(file, &(safetensors_request){"deep", &whole, NULL}, turned, &error),
        RT_MISMATCH);
    assert_non_null(strstr(error.text, "tensor 'deep': has the shape [2, 3, 4], not [4, 2, 3]"));
    assert_int_equal(
        safetensors_read(file, &(safetensors_request){"none", &whole, NULL}, turned, &error),
        RT_NOT_FOUND);
    safetensors_close(file);
}

static void put_file(const char *name, const void *bytes, size_t size)
{
    unlink(
        name); /* some file systems flush a file that is cut and written anew, and thousands are */
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static rt_status open_bytes(const void *bytes, size_t size, rt_error *error)
{
    safetensors *file;
    put_file(path, bytes, size);
    rt_status status = safetensors_open(path, &file, error);
    if (status != RT_OK) {
        assert_null(file);
        assert_non_null(strstr(error->text, path));
    }
    safetensors_close(file);
    return status;
}

/* A file of this header and so many bytes of data. */
static rt_status open_header(const char *header, size_t data, rt_error *error)
{
    char bytes[2048] = {0};
    size_t length = strlen(header);
    bytes[0] = (char)(length & 255);
    bytes[1] = (char)(length >> 8);
    memcpy(bytes + 8, header, length);
    return open_bytes(bytes, 8 + length + data, error);
}

#define T(name, shape, offsets)                                                                    \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void hostile_headers_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *says;
    } cases[] = {
        {"", 0, "header byte 8: an object is expected"},
        {"[]", 0, "header byte 8: an object is expected"},
        {"{", 0, "the text ends inside a list"},
        {"{}x", 0, "header byte 10: text after the end"},
        {"{}", 4, "4 bytes of data of which the tensors take 0"},
        {"{" T("a", "[1]", "[0,4]") "}", 3, "tensor 'a': bytes 0 to 4 of 3 bytes"},
        {"{" T("a", "[1]", "[4,0]") "}", 4, "tensor 'a': bytes 4 to 0"},
        {"{" T("a", "[2]", "[0,4]") "}", 4,
         "tensor 'a': its shape takes 8 bytes, its data_offsets give 4"},
        {"{" T("a", "[1]", "[0,18446744073709551615]") "}", 4,
         "tensor 'a': bytes 0 to 18446744073709551615"},
        {"{" T("a", "[1]", "[0,18446744073709551616]") "}", 4, "a number beyond 64 bits"},
        {"{" T("a", "[4294967296,4294967296]", "[0,0]") "}", 0,
         "tensor 'a': the shape has more than 2^62"},
        {"{" T("a", "[4611686018427387904]", "[0,0]") "}", 0,
         "tensor 'a': the shape has more than 2^62"},
        {"{" T("a", "[1]", "[0,4]") "," T("b", "[1]", "[0,4]") "}", 4,
         "tensor 'b': begins at byte 0, where the one"},
        {"{" T("a", "[1]", "[0,4]") "," T("b", "[1]", "[8,12]") "}", 12,
         "tensor 'b': begins at byte 8, where"},
        {"{" T("a", "[1]", "[0,4]") "," T("a", "[1]", "[4,8]") "}", 8, "tensor 'a': given twice"},
        {"{" T("a", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "more than 8 dimensions"},
        {"{" T("a", "[-1]", "[0,4]") "}", 4, "a whole number is expected"},
        {"{" T("a", "[1.0]", "[0,4]") "}", 4, "a whole number is expected"},
        {"{" T("a", "[1]", "[0]") "}", 4, "data_offsets are two numbers"},
        {"{" T("a", "[1]", "[0,4,8]") "}", 4, "data_offsets are two numbers"},
        {"{\"a\":{\"dtype\":\"F33\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "an unknown dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0, "once each"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 0, "is missing"},
        {"{\"a\":3}", 0, "an object is expected"},
        {"{\"__metadata__\":{\"k\":3}}", 0, "a string is expected"},
        {"{\"__metadata__\":{\"k\":\"v\",\"k\":\"w\"}}", 0, "metadata 'k': given twice"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "two __metadata__"},
        {"{\"a\\u0000b\":{}}", 0, "a NUL in a string"},
        {"{\"a\\ud800\":{}}", 0, "half a surrogate pair"},
        {"{\"a\\q\":{}}", 0, "an unknown escape"},
        {"{" T("a", "[1]", "[0,4]") ",}", 4, "(after tensor 'a'): a string is expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rt_error error = {0};
        assert_int_equal(open_header(cases[i].header, cases[i].data, &error), RT_DAMAGED);
        if (!strstr(error.text, cases[i].says))
            fail_msg("'%s' does not say '%s'", error.text, cases[i].says);
    }
    rt_error error;
    assert_int_equal(
        open_header("{" T("a", "[0,9]", "[0,0]") "," T("b", "[]", "[0,4]") "} \n", 4, &error),
        RT_OK);
    assert_int_equal(open_header("{}", 0, &error), RT_OK);
}

static void cut_files_are_refused(void **state)
{
    (void)state;
    struct stat about;
    assert_int_equal(stat(REFERENCE "types.safetensors", &about), 0);
    size_t size = (size_t)about.st_size;
    uint8_t *bytes = malloc(size);
    FILE *file = fopen(REFERENCE "types.safetensors", "rb");
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
    rt_error error;
    for (size_t cut = 0; cut < size; cut += cut < 64 ? 1 : 61)
        assert_int_equal(open_bytes(bytes, cut, &error), RT_DAMAGED);
    assert_int_equal(open_bytes(bytes, size, &error), RT_OK);
    memset(bytes, 0xff, 8);
    assert_int_equal(open_bytes(bytes, size, &error), RT_DAMAGED);
    assert_non_null(strstr(error.text, "100 MB is the most"));
    free(bytes);
}

static const safetensors_tensor tensors[] = {{"b.half", RT_BF16, 2, {6, 5}},
                                             {"a \"w\"", RT_F32, 3, {4, 3, 7}},
                                             {"flag", RT_U8, 0, {0}},
                                             {"none", RT_I64, 1, {0}}};
static const safetensors_text metadata[] = {{"key", "value\n"}};
static safetensors_plan plan = {
    .path = path, .tensors = tensors, .tensor_count = 4, .metadata = metadata, .metadata_count = 1};

static float value_of(size_t tensor, uint64_t index)
{
    return (float)(1000 * tensor + index) * 0.25f;
}

/* Rows begin .. begin + size of a tensor's dimension, as a rank would hold them. */
static void write_rows(safetensors_writer *writer, size_t tensor, size_t dimension, uint64_t begin,
                       uint64_t size)
{
    float values[128];
    rt_slice slice = rt_slice_whole(tensors[tensor].rank, tensors[tensor].shape);
    slice.begin[dimension] = begin;
    slice.size[dimension] = size;
    rt_slice_walk walk = rt_slice_walk_of(&slice);
    for (rt_slice_run run; rt_slice_next(&walk, &run);)
        for (uint64_t i = 0; i < run.count; i++)
            values[run.local + i] = value_of(tensor, run.logical + i);
    assert_int_equal(safetensors_write_floats(writer, tensor, &slice, values, NULL), RT_OK);
}

/* Two writers share the file; the sizes cut through eight-byte words. */
static void write_by_two(void)
{
    safetensors_writer *first, *second;
    uint64_t others[4];
    rt_slice scalar = {.rank = 0};
    uint8_t flag = 200;
    unlink(path);
    assert_int_equal(safetensors_create(&plan, &first, NULL), RT_OK);
    assert_int_equal(safetensors_join(&plan, &second, NULL), RT_OK);
    write_rows(second, 0, 1, 2, 3);
    write_rows(first, 1, 2, 0, 3);
    write_rows(first, 0, 1, 0, 2);
    write_rows(second, 1, 2, 3, 4);
    assert_int_equal(safetensors_write(second, 2, &scalar, &flag, NULL), RT_OK);
    memcpy(others, safetensors_sums(second), sizeof others);
    assert_int_equal(access(path, F_OK), -1); /* not there before it is whole */
    assert_int_equal(safetensors_leave(second, NULL), RT_OK);
    assert_int_equal(safetensors_finish(first, others, NULL), RT_OK);
}

static void files_of_two_writers_read_back(void **state)
{
    (void)state;
    write_by_two();
    safetensors *file;
    size_t checked;
    float values[128];
    assert_int_equal(safetensors_open(path, &file, NULL), RT_OK);
    assert_int_equal(safetensors_verify(file, &checked, NULL), RT_OK);
    assert_int_equal(checked, 4);
    for (size_t t = 0; t < 2; t++) {
        const safetensors_entry *entry = safetensors_find(file, tensors[t].name);
        assert_int_equal((uintptr_t)entry->bytes % rt_element_bytes(entry->type), 0);
        assert_int_equal(read_whole(file, tensors[t].name, values), RT_OK);
        for (uint64_t i = 0; i < entry->count; i++)
            assert_true(values[i] == value_of(t, i)); /* exact in bf16: below 8 bits */
    }
    assert_int_equal(*safetensors_find(file, "flag")->bytes, 200);
    assert_string_equal(safetensors_metadata(file, "key"), "value\n");
    assert_true(safetensors_allocated_bytes(file) > 0 && safetensors_mapped_bytes(file) > 300);
    safetensors_close(file);
}

static void every_flipped_bit_of_the_data_is_found(void **state)
{
    (void)state;
    write_by_two();
    FILE *file = fopen(path, "rb");
    uint8_t bytes[2048];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    size_t data = 8 + (size_t)bytes[0] + ((size_t)bytes[1] << 8);
    for (size_t bit = data * 8; bit < size * 8; bit++) {
        safetensors *damaged;
        size_t checked;
        rt_error error;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        put_file(path, bytes, size);
        assert_int_equal(safetensors_open(path, &damaged, &error), RT_OK);
        assert_int_equal(safetensors_verify(damaged, &checked, &error), RT_DAMAGED);
        assert_non_null(strstr(error.text, "its checksum is"));
        safetensors_close(damaged);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void wrong_writes_are_refused(void **state)
{
    (void)state;
    safetensors_writer *writer;
    rt_error error;
    static const safetensors_tensor twice[] = {{"a", RT_F32, 0, {0}}, {"a", RT_F32, 0, {0}}};
    static const safetensors_tensor reserved = {"__metadata__", RT_F32, 0, {0}};
    static const safetensors_tensor huge = {
        "huge", RT_F32, 2, {UINT64_C(1) << 40, UINT64_C(1) << 40}};
    safetensors_plan wrong = {.path = path, .tensors = twice, .tensor_count = 2};
    assert_int_equal(safetensors_create(&wrong, &writer, &error), RT_INVALID);
    wrong = (safetensors_plan){.path = path, .tensors = &reserved, .tensor_count = 1};
    assert_int_equal(safetensors_create(&wrong, &writer, &error), RT_INVALID);
    wrong.tensors = &huge;
    assert_int_equal(safetensors_create(&wrong, &writer, &error), RT_INVALID);
    wrong.path = "/nonexistent/a.safetensors";
    wrong.tensors = twice;
    assert_int_equal(safetensors_create(&wrong, &writer, &error), RT_NOT_FOUND);
    assert_non_null(strstr(error.text, "/nonexistent/a.safetensors"));
    assert_int_equal(safetensors_create(&plan, &writer, &error), RT_OK);
    rt_slice slice = rt_slice_whole(2, (const uint64_t[]){5, 6});
    float values[128] = {0};
    assert_int_equal(safetensors_write_floats(writer, 0, &slice, values, &error), RT_MISMATCH);
    assert_int_equal(safetensors_write(writer, 4, &slice, values, &error), RT_INVALID);
    rt_slice scalar = {.rank = 0};
    assert_int_equal(safetensors_write_floats(writer, 2, &scalar, values, &error), RT_INVALID);
    safetensors_abandon(writer);
    char partial[160];
    snprintf(partial, sizeof partial, "%s.partial", path);
    assert_int_equal(access(partial, F_OK), -1);
}

static rt_status open_index(const char *text, rt_error *error)
{
    char name[160];
    safetensors *file;
    snprintf(name, sizeof name, "%s/i.json", folder);
    put_file(name, text, strlen(text));
    rt_status status = safetensors_open(name, &file, error);
    if (status == RT_OK) {
        float values[128];
        assert_int_equal(read_whole(file, "b.half", values), RT_OK);
        assert_true(values[29] == value_of(0, 29));
        assert_null(safetensors_metadata(file, "key"));
    }
    safetensors_close(file);
    return status;
}

static void an_index_joins_files_and_stays_in_its_folder(void **state)
{
    (void)state;
    write_by_two();
    char second[160];
    snprintf(second, sizeof second, "%s/b.safetensors", folder);
    static const safetensors_tensor one = {"one", RT_F32, 1, {1}};
    safetensors_plan other = {
        .path = second, .tensors = &one, .tensor_count = 1, .without_checksums = 1};
    safetensors_writer *writer;
    assert_int_equal(safetensors_create(&other, &writer, NULL), RT_OK);
    rt_slice slice = rt_slice_whole(1, one.shape);
    float value = 3;
    assert_int_equal(safetensors_write(writer, 0, &slice, &value, NULL), RT_OK);
    assert_int_equal(safetensors_finish(writer, NULL, NULL), RT_OK);
    static const struct {
        const char *text;
        rt_status status;
        const char *says;
    } cases[] = {
        {"{\"metadata\":{\"total_size\":1e3,\"x\":[null,true,{}]},\"weight_map\":{\"one\":\"b."
         "safetensors\","
         "\"b.half\":\"a.safetensors\",\"none\":\"a.safetensors\"}}",
         RT_OK, ""},
        {"{\"weight_map\":{\"two\":\"b.safetensors\"}}", RT_DAMAGED,
         "tensor 'two': is not in 'b.safetensors'"},
        {"{\"weight_map\":{\"one\":\"c.safetensors\"}}", RT_NOT_FOUND, "c.safetensors"},
        {"{\"weight_map\":{\"one\":\"../b.safetensors\"}}", RT_DAMAGED, "must stand beside it"},
        {"{\"weight_map\":{\"one\":\"/etc/passwd\"}}", RT_DAMAGED, "must stand beside it"},
        {"{\"weight_map\":{\"one\":\"b.safetensors\",\"one\":\"b.safetensors\"}}", RT_DAMAGED,
         "given twice"},
        {"{\"metadata\":{}}", RT_DAMAGED, "no weight_map"},
        {"{\"weight_map\":[]}", RT_DAMAGED, "byte 14: an object is expected"},
        {"", RT_DAMAGED, "byte 0: an object is expected"},
        {"{\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", RT_DAMAGED,
         "64 deep"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rt_error error = {0};
        assert_int_equal(open_index(cases[i].text, &error), cases[i].status);
        if (cases[i].status != RT_OK && !strstr(error.text, cases[i].says))
            fail_msg("'%s' does not say '%s'", error.text, cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_reads_as_pytorch_reads_it),
        cmocka_unit_test(halves_round_as_pytorch_rounds_them),
        cmocka_unit_test(slices_and_orders_read_what_they_name),
        cmocka_unit_test(hostile_headers_are_refused_with_their_place),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(files_of_two_writers_read_back),
        cmocka_unit_test(every_flipped_bit_of_the_data_is_found),
        cmocka_unit_test(wrong_writes_are_refused),
        cmocka_unit_test(an_index_joins_files_and_stays_in_its_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
