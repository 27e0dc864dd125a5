/* data/csv.c through dataset.h: values, and each damage with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/dataset.h"

static char path[64];

static int make_path(void **state)
{
    (void)state;
    strcpy(path, "/tmp/espalier-csv-XXXXXX");
    int file = mkstemp(path);
    return file < 0 || close(file) != 0;
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static rt_status open_text(const char *text, const char *columns, const char *label,
                           const char *delimiter, dataset **set)
{
    static rt_error error;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    dataset_field_spec fields[] = {{.name = "x", .source = columns, .type = DATASET_F32},
                                   {.name = "y", .source = label, .type = DATASET_ID, .below = 10}};
    dataset_option option = {"delimiter", delimiter};
    dataset_spec spec = {.format = "csv",
                         .paths = (const char *const[]){path},
                         .path_count = 1,
                         .fields = fields,
                         .field_count = 2,
                         .options = &option,
                         .option_count = delimiter != NULL};
    error.text[0] = '\0';
    rt_status status = dataset_open(&spec, set, &error);
    if (status != RT_OK)
        assert_null(*set);
    return status;
}

static void assert_values(const char *text, const char *columns, const char *label,
                          const char *delimiter)
{
    dataset *set;
    assert_int_equal(open_text(text, columns, label, delimiter, &set), RT_OK);
    assert_int_equal(dataset_count(set, DATASET_TRAIN), 2);
    static const float expected[2][2] = {{1.5f, -2}, {3, 4e3f}};
    for (uint64_t i = 0; i < 2; i++) {
        float x[2];
        int32_t y;
        assert_int_equal(dataset_field_size(set, 0), 2);
        assert_int_equal(dataset_read(set, DATASET_TRAIN, i, 0, x, NULL), RT_OK);
        assert_memory_equal(x, expected[i], sizeof x);
        assert_int_equal(dataset_read(set, DATASET_TRAIN, i, 1, &y, NULL), RT_OK);
        assert_int_equal(y, 7 + (int)i);
    }
    assert_int_equal(dataset_allocated_bytes(set), 2 * 3 * 4);
    dataset_close(set);
}

static void every_dialect_gives_the_same_values(void **state)
{
    (void)state;
    assert_values("1.5,-2,7\n3,4e3,8\n", "0..1", "2", NULL);
    assert_values("1.5,-2,7\r\n3,4e3,8\r\n", "0, 1", "2", NULL);
    assert_values("1.5,-2,7\r3,4e3,8", "0,1", "2", NULL);
    assert_values("\xef\xbb\xbf"
                  "1.5;-2;7\n3;4e3;8\n\n\n",
                  "0..1", "2", ";");
    assert_values("1.5\t -2 \t7\n3\t4e3\t8.0\n", "0..1", "2", "tab");
    assert_values("a,b,class\n1.5,-2,7\n3,4e3,8\n", "a..b", "class", NULL);
    assert_values("\"a\",\"the \"\"b\"\", or c\nd\",k\n\"1.5\",-2,\"7\"\n3,4e3,8\n", "0..1", "k",
                  NULL);
    assert_values("class,name,x,y\n7,\"a,b\",1.5,-2\n8,,3,4e3\n", "x,y", "class", NULL);
}

static void assert_refused(const char *text, rt_status expected, const char *part)
{
    rt_error error = {0};
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    dataset_field_spec fields[] = {
        {.name = "x", .source = "0..1", .type = DATASET_F32, .size = 2},
        {.name = "y", .source = "2", .type = DATASET_ID, .size = 1, .below = 10}};
    dataset_spec spec = {.format = "csv",
                         .paths = (const char *const[]){path},
                         .path_count = 1,
                         .fields = fields,
                         .field_count = 2};
    dataset *set;
    assert_int_equal(dataset_open(&spec, &set, &error), expected);
    assert_null(set);
    assert_non_null(strstr(error.text, path));
    if (!strstr(error.text, part))
        fail_msg("'%s' does not say '%s'", error.text, part);
}

static void damage_is_named_with_its_place(void **state)
{
    (void)state;
    assert_refused("", RT_DAMAGED, "is empty");
    assert_refused("1,2,3\n1,,3\n", RT_DAMAGED, "line 2 column 1: a value of 'x' is missing");
    assert_refused("1,2,3\n1,nan,3\n", RT_DAMAGED, "line 2 column 1: 'x' is not a finite number");
    assert_refused("1,2,3\n1,two,3\n", RT_DAMAGED, "line 2 column 1: 'two' is no number for 'x'");
    assert_refused("1,2,3\n\n1,2,3\n", RT_DAMAGED, "line 2 is empty");
    assert_refused("1,2,3\n1,2\n", RT_DAMAGED, "line 2 has 2 columns, the first row has 3");
    assert_refused("1,2,3\n1,2,3,4\n", RT_DAMAGED, "line 2 has 4 columns");
    assert_refused("1,2,3\n1,2,10\n", RT_RANGE, "line 2 column 2: 'y' is 10, not in 0 to 9");
    assert_refused("1,2,-1\n", RT_RANGE, "line 1 column 2: 'y' is -1");
    assert_refused("1,2,1.5\n", RT_DAMAGED, "line 1 column 2: 'y' is 1.5, not a whole number");
    assert_refused("1,1e39,3\n", RT_RANGE, "line 1 column 1: 'x' does not fit in 32 bits");
    assert_refused("\"1\n\",2,3\n\"1,2,3\n", RT_DAMAGED,
                   "line 3 column 0: the quote is never closed");
    assert_refused("1,\"2\"2,3\n", RT_DAMAGED, "line 1 column 1: text after the closing quote");
    assert_refused("1,2\n", RT_NOT_FOUND, "has columns 0 to 1; 'y' wants 2");
}

static void requests_are_checked(void **state)
{
    (void)state;
    dataset *set;
    assert_int_equal(open_text("1,2,3\n", "0..1", "2", "ab", &set), RT_INVALID);
    assert_int_equal(open_text("1,2,3\n", "1..0", "2", NULL, &set), RT_INVALID);
    assert_int_equal(open_text("1,2,3\n", "0..1", "class", NULL, &set), RT_NOT_FOUND);
    assert_int_equal(open_text("1,2,3\n", "0..9", "2", NULL, &set), RT_NOT_FOUND);
    assert_int_equal(open_text("a,b,c\n", "0..1", "2", NULL, &set),
                     RT_INVALID); /* a header and no sample */
}

static rt_status open_digits(double hold_out, double scale, dataset **set, rt_error *error)
{
    dataset_field_spec fields[] = {
        {.name = "image", .source = "0..63", .type = DATASET_F32, .size = 64, .scale = scale},
        {.name = "digit", .source = "64", .type = DATASET_ID, .size = 1, .below = 10}};
    dataset_spec spec = {.format = "csv",
                         .folder = TEST_SOURCE_DIR "/examples/digits",
                         .paths = (const char *const[]){"data/digits.csv"},
                         .path_count = 1,
                         .fields = fields,
                         .field_count = 2,
                         .hold_out = hold_out,
                         .seed = 7};
    return dataset_open(&spec, set, error);
}

/* Sums by NumPy over the file: pixels 561718, labels 8070. */
static void the_digits_are_whole_and_split(void **state)
{
    (void)state;
    dataset *set;
    rt_error error;
    assert_int_equal(open_digits(0.2, 1.0 / 16, &set, &error), RT_OK);
    assert_int_equal(dataset_count(set, DATASET_TRAIN), 1438);
    assert_int_equal(dataset_count(set, DATASET_HELD_OUT), 359);
    double pixels = 0;
    long labels = 0;
    int digits[2][10] = {{0}};
    for (int part = 0; part < DATASET_PART_COUNT; part++)
        for (uint64_t i = 0; i < dataset_count(set, (dataset_part)part); i++) {
            float image[64];
            int32_t digit;
            assert_int_equal(dataset_read(set, (dataset_part)part, i, 0, image, &error), RT_OK);
            assert_int_equal(dataset_read(set, (dataset_part)part, i, 1, &digit, &error), RT_OK);
            for (int j = 0; j < 64; j++)
                pixels += (double)image[j] * 16;
            labels += digit;
            digits[part][digit]++;
        }
    assert_true(pixels == 561718);
    assert_int_equal(labels, 8070);
    for (int d = 0; d < 10; d++)
        assert_in_range(digits[DATASET_HELD_OUT][d], 20, 52); /* 36 of each on average */
    float out;
    assert_int_equal(dataset_read(set, DATASET_HELD_OUT, 359, 0, &out, &error), RT_INVALID);
    dataset_close(set);
    assert_int_equal(open_digits(1.0, 1, &set, &error), RT_INVALID);
    assert_int_equal(open_digits(0.0001, 1, &set, &error), RT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dialect_gives_the_same_values),
        cmocka_unit_test(damage_is_named_with_its_place),
        cmocka_unit_test(requests_are_checked),
        cmocka_unit_test(the_digits_are_whole_and_split),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
