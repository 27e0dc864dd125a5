/* data/windows.c: bytes and tokens as windows, with and without headers. */
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

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/espalier-window-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static void put(const char *name, const void *bytes, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* Windows of four symbols: text, and what comes next. */
static rt_status open_windows(const char *format, const char *glob, const dataset_option *option,
                              dataset **set, rt_error *error)
{
    dataset_field_spec fields[] = {{.name = "text", .type = DATASET_ID, .size = 4, .below = 50000},
                                   {.name = "next", .type = DATASET_ID, .size = 4, .below = 50000}};
    dataset_spec spec = {.format = format,
                         .folder = folder,
                         .paths = &glob,
                         .path_count = 1,
                         .fields = fields,
                         .field_count = 2,
                         .options = option,
                         .option_count = option != NULL};
    return dataset_open(&spec, set, error);
}

static void assert_window(const dataset *set, uint64_t sample, int32_t first, int32_t step)
{
    for (size_t field = 0; field < 2; field++) {
        int32_t ids[4];
        assert_int_equal(dataset_read(set, DATASET_TRAIN, sample, field, ids, NULL), RT_OK);
        for (int i = 0; i < 4; i++)
            assert_int_equal(ids[i], first + step * (i + (int)field));
    }
}

static void bytes_are_cut_into_windows(void **state)
{
    (void)state;
    dataset *set;
    rt_error error;
    put("b.txt", "abcdefghijklm",
        13);                     /* three windows of 4, and the 13th as what follows the third */
    put("a.txt", "ABCDEFGH", 8); /* one: the second has no byte after it */
    put("c.txt", "xyz", 3);      /* none */
    put("d.txt", "", 0);
    assert_int_equal(open_windows("bytes", "*.txt", NULL, &set, &error), RT_OK);
    assert_int_equal(dataset_count(set, DATASET_TRAIN), 4);
    assert_window(set, 0, 'A', 1);
    assert_window(set, 1, 'a', 1);
    assert_window(set, 3, 'i', 1);
    dataset_close(set);
    assert_int_equal(open_windows("bytes", "[cd].txt", NULL, &set, &error), RT_INVALID);
    assert_int_equal(open_windows("bytes", "*.md", NULL, &set, &error), RT_NOT_FOUND);
    assert_non_null(strstr(error.text, "*.md"));
}

enum { TOKENS = 17 };

static void tokens_of_every_kind_read_alike(void **state)
{
    (void)state;
    uint16_t narrow[512 + TOKENS] = {0};
    uint32_t wide[256 + TOKENS] = {20240801, 7, TOKENS};
    uint32_t header[256] = {20240520, 1, TOKENS};
    memcpy(narrow, header, sizeof header);
    for (int i = 0; i < TOKENS; i++) {
        narrow[512 + i] = (uint16_t)(1000 * i);
        wide[256 + i] = (uint32_t)(1000 * i);
    }
    put("narrow.bin", narrow, sizeof narrow);
    put("wide.bin", wide, sizeof wide);
    put("bare16.bin", narrow + 512, 2 * TOKENS);
    put("bare32.bin", wide + 256, 4 * TOKENS);
    static const dataset_option none = {"header", "auto"}, type32 = {"type", "uint32"},
                                yes = {"header", "yes"};
    static const struct {
        const char *name;
        const dataset_option *option;
    } cases[] = {{"narrow.bin", &none}, {"wide.bin", &none},     {"wide.bin", &type32},
                 {"bare16.bin", &none}, {"bare32.bin", &type32}, {"narrow.bin", &yes},
                 {"wide.bin", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dataset *set;
        rt_error error = {0};
        if (open_windows("tokens", cases[i].name, cases[i].option, &set, &error) != RT_OK)
            fail_msg("%s", error.text);
        assert_int_equal(dataset_count(set, DATASET_TRAIN), 4);
        assert_window(set, 0, 0, 1000);
        assert_window(set, 3, 12000, 1000);
        dataset_close(set);
    }
}

static void assert_refused(const char *name, const dataset_option *option, rt_status expected,
                           const char *says)
{
    dataset *set;
    rt_error error = {0};
    assert_int_equal(open_windows("tokens", name, option, &set, &error), expected);
    assert_null(set);
    if (!strstr(error.text, says))
        fail_msg("'%s' does not say '%s'", error.text, says);
}

static void wrong_shards_are_refused(void **state)
{
    (void)state;
    uint32_t words[256 + 8] = {20240520, 1, 17};
    static const dataset_option yes = {"header", "yes"}, type32 = {"type", "uint32"},
                                odd = {"type", "int8"}, unknown = {"colour", "red"},
                                maybe = {"header", "maybe"};
    put("lies.bin", words, sizeof words);
    assert_refused("lies.bin", NULL, RT_DAMAGED, "byte 8: a header of 17 tokens, and 32 bytes");
    words[2] = 16;
    put("lies.bin", words, sizeof words);
    assert_refused("lies.bin", &type32, RT_MISMATCH, "16 bits by its header, not uint32");
    words[2] = UINT32_MAX;
    put("lies.bin", words, sizeof words);
    assert_refused("lies.bin", NULL, RT_DAMAGED, "4294967295 tokens");
    put("odd.bin", words, 33);
    assert_refused("odd.bin", NULL, RT_DAMAGED, "33 bytes are no whole number");
    assert_refused("odd.bin", &yes, RT_DAMAGED, "does not begin with a header");
    assert_refused("odd.bin", &odd, RT_INVALID, "not 'int8'");
    assert_refused("odd.bin", &unknown, RT_INVALID, "has no option 'colour'");
    assert_refused("odd.bin", &maybe, RT_INVALID, "not 'maybe'");
    assert_refused("none.bin", NULL, RT_NOT_FOUND, "none.bin");
}

static void a_token_out_of_bounds_names_its_place(void **state)
{
    (void)state;
    dataset *set;
    rt_error error;
    int32_t ids[4];
    const uint16_t tokens[] = {1, 2, 3, 4, 5, 6, 50000, 8, 9};
    put("big.bin", tokens, sizeof tokens);
    assert_int_equal(open_windows("tokens", "big.bin", NULL, &set, &error), RT_OK);
    assert_int_equal(dataset_read(set, DATASET_TRAIN, 1, 0, ids, &error), RT_RANGE);
    assert_non_null(strstr(error.text, "big.bin' token 6: 'text' is 50000, not in 0 to 49999"));
    dataset_close(set);
}

static void lengths_and_shifts_are_checked(void **state)
{
    (void)state;
    dataset *set;
    rt_error error;
    const char *path = "b.txt";
    dataset_field_spec fields[] = {
        {.name = "text", .type = DATASET_ID, .size = 4},
        {.name = "later", .source = "3", .type = DATASET_F32, .size = 4, .scale = 2}};
    dataset_spec spec = {.format = "bytes",
                         .folder = folder,
                         .paths = &path,
                         .path_count = 1,
                         .fields = fields,
                         .field_count = 2};
    put("b.txt", "abcdefghijklm", 13);
    assert_int_equal(dataset_open(&spec, &set, &error), RT_OK);
    assert_int_equal(dataset_count(set, DATASET_TRAIN), 2);
    float later[4];
    assert_int_equal(dataset_read(set, DATASET_TRAIN, 1, 1, later, &error), RT_OK);
    assert_true(later[0] == 2 * 'h' && later[3] == 2 * 'k');
    dataset_close(set);
    fields[1].source = "-1";
    assert_int_equal(dataset_open(&spec, &set, &error), RT_INVALID);
    fields[1].source = "next";
    assert_int_equal(dataset_open(&spec, &set, &error), RT_INVALID);
    fields[1].source = "1";
    fields[1].size = 5;
    assert_int_equal(dataset_open(&spec, &set, &error), RT_INVALID);
    fields[0].size = 0;
    assert_int_equal(dataset_open(&spec, &set, &error), RT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_cut_into_windows),
        cmocka_unit_test(tokens_of_every_kind_read_alike),
        cmocka_unit_test(wrong_shards_are_refused),
        cmocka_unit_test(a_token_out_of_bounds_names_its_place),
        cmocka_unit_test(lengths_and_shifts_are_checked),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
