/* The plan image: what is good is read, what is not is refused with its place, and nothing crashes on what is cut short or
 * altered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "exec/image.h"

static const char good[] =
    "{\"version\": 1, \"plan\": \"p\", \"train\": \"t\", \"model\": \"m\","
    "\"cpu\": {\"name\": \"x86-64-v3\", \"features\": [\"avx2\"]}, \"ranks\": 6,"
    "\"mesh\": [{\"name\": \"pp\", \"size\": 2}, {\"name\": \"dp\", \"size\": 3}],"
    "\"files\": [\"a.plan\", \"b.plan\"], \"sites\": [[0, 12], [1, 40]],"
    "\"arena\": {\"bytes\": 4096, \"memory\": {\"parameters\": 96, \"gradients\": 0, "
    "\"optimizer\": 0,"
    "\"activations\": 0, \"communication\": 0, \"workspace\": 4000}},"
    "\"variables\": [{\"path\": \"w\", \"kind\": \"parameter\", \"type\": \"f32\", \"shape\": [6, "
    "4],"
    "\"axes\": [1, -1], \"offset\": 64, \"init\": {\"kind\": \"normal\", \"args\": [0, 0.5]},"
    "\"stacked\": false, \"site\": 1}],"
    "\"inputs\": [{\"name\": \"x\", \"type\": \"f32\", \"shape\": [12, 2], \"axes\": [1, -1], "
    "\"below\": 0,"
    "\"offset\": 256, \"site\": 0},"
    "{\"name\": \"x.prefill\", \"type\": \"i32\", \"shape\": [1, 4], \"axes\": [-1, -1], "
    "\"below\": 9, \"offset\": 320, \"site\": 0},"
    "{\"name\": \"x.decode\", \"type\": \"i32\", \"shape\": [1, 1], \"axes\": [-1, -1], "
    "\"below\": 9, \"offset\": 384, \"site\": 0}],"
    "\"clock\": {\"step\": 0, \"steps\": 8, \"position\": 16},"
    "\"functions\": [{\"name\": \"step\", \"results\": [{\"name\": \"loss\", \"kind\": \"loss\","
    "\"type\": \"f32\", \"offset\": 24}]},"
    "{\"name\": \"prefill\", \"results\": [{\"name\": \"scores\", \"kind\": \"scores\","
    "\"type\": \"f32\", \"offset\": 448, \"count\": 9}]},"
    "{\"name\": \"decode\", \"results\": [{\"name\": \"scores\", \"kind\": \"scores\","
    "\"type\": \"f32\", \"offset\": 512, \"count\": 9}]}],"
    "\"data\": {\"format\": \"csv\", \"base\": \"/d\", \"paths\": [\"x.csv\"], \"site\": 0,"
    "\"fields\": [{\"input\": \"x\", \"columns\": [0, 1], \"scale\": 0.5, \"shift\": 1}]},"
    "\"training\": {\"batch\": 12, \"microbatches\": 1, \"epochs\": null, \"steps\": 5,"
    "\"seed\": \"18446744073709551615\"},"
    "\"checkpoint\": {\"folder\": \"ckpt\", \"base\": \"/d\", \"every\": 2, \"epochs\": true, "
    "\"keep\": 3, "
    "\"site\": 0},"
    "\"source\": \"{}\","
    "\"sampling\": {\"printed\": true, \"text\": false, \"together\": true, \"prompt\": \"1 2\","
    "\"length\": 20, \"temperature\": 0.5, \"top_k\": 3, \"top_p\": 0.75, \"seed\": \"7\", "
    "\"every\": 4, \"context\": 6, \"prefill\": \"x.prefill\", \"decode\": \"x.decode\", \"site\": "
    "0},"
    "\"weights\": {\"form\": \"torch\", \"prefix\": \"m.\", \"tensors\": [{\"name\": \"w.weight\","
    "\"turned\": true, \"tied\": false, \"parts\": [0]}], \"ignored\": [\"mask\"]},"
    "\"begin\": {\"path\": \"w.safetensors\", \"base\": \"/d\", \"site\": 1, \"fresh\": [0]},"
    "\"collectives\": [{\"kind\": \"all_reduce\", \"name\": \"ring\", \"axis\": 1, \"type\": "
    "\"f32\","
    "\"site\": 0, \"clause\": 1, \"program\": {\"chunks\": 2, \"weights\": [1, 3],"
    "\"steps\": [[[0, 0, 1, \"reduce\"], [1, 2, 1, \"reduce\"]], [[0, 1, 0, \"copy\"]]]}}]}";

static void a_good_image_is_read(void **state)
{
    (void)state;
    rt_image image;
    rt_error error;
    if (rt_image_read(good, strlen(good), &image, &error) != RT_OK)
        fail_msg("%s", error.text);
    assert_int_equal(image.ranks, 6);
    assert_int_equal(image.variables[0].tensor.local[0], 2);
    assert_int_equal(image.variables[0].tensor.local_count, 8);
    assert_true(image.training.seed == UINT64_MAX);
    assert_int_equal(image.clock_valid, -1);
    assert_string_equal(image.checkpoint.folder, "ckpt");
    assert_int_equal(image.checkpoint.every, 2);
    assert_true(image.checkpoint.epochs);
    assert_string_equal(image.source, "{}");
    assert_true(image.sampling.given && image.sampling.together && !image.sampling.text);
    assert_int_equal(image.sampling.prefill.count, 4);
    assert_int_equal(image.sampling.decode.function, 2);
    assert_int_equal(image.sampling.decode.ids, 384);
    assert_int_equal(image.functions[2].results[0].count, 9);
    assert_string_equal(image.weights.name, "torch");
    assert_string_equal(image.weights.prefix, "m.");
    assert_string_equal(image.weights.tensors[0].name, "w.weight");
    assert_true(image.weights.tensors[0].turned);
    assert_string_equal(image.weights.ignored[0], "mask");
    assert_string_equal(image.begin.path, "w.safetensors");
    assert_true(image.begin.fresh[0]);
    const rt_program *program = &image.collectives[0].program;
    assert_int_equal(program->ranks, 3);
    assert_int_equal(program->send_count, 3);
    assert_int_equal(program->sends[2].step, 1);
    assert_false(program->sends[2].reduce);
    char place[64];
    assert_string_equal(rt_image_place(&image, 1, place, sizeof place), "b.plan:40");
    rt_image_clean_up(&image);
}

static void coordinates_are_mixed_radix(void **state)
{
    (void)state;
    rt_image image;
    rt_error error;
    assert_int_equal(rt_image_read(good, strlen(good), &image, &error), RT_OK);
    assert_int_equal(rt_image_coordinate(&image, 4, 0), 1);
    assert_int_equal(rt_image_coordinate(&image, 4, 1), 1);
    assert_int_equal(rt_image_group_rank(&image, 4, 1, 0), 3);
    assert_int_equal(rt_image_group_rank(&image, 4, 1, 2), 5);
    assert_int_equal(rt_image_group_rank(&image, 4, 0, 0), 1);
    rt_image_clean_up(&image);
}

/* The good image with the first occurrence of one text replaced. */
static char *altered(const char *old, const char *replacement)
{
    const char *found = strstr(good, old);
    assert_non_null(found);
    char *text = malloc(sizeof good + strlen(replacement));
    size_t before = (size_t)(found - good);
    memcpy(text, good, before);
    strcpy(text + before, replacement);
    strcat(text, found + strlen(old));
    return text;
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"\"version\": 1", "\"version\": 2", "version is out of range"},
        {"\"plan\": \"p\", ", "", "plan is missing"},
        {"\"ranks\": 6", "\"ranks\": 7", "ranks is not the product of the mesh"},
        {"\"ranks\": 6", "\"ranks\": 1e300", "ranks is not an integer"},
        {"\"ranks\": 6", "\"ranks\": 6.5", "ranks is not an integer"},
        {"\"size\": 3", "\"size\": 0", "mesh[1].size is out of range"},
        {"[1, 40]", "[2, 40]", "sites[1][0] is out of range"},
        {"\"bytes\": 4096", "\"bytes\": -1", "arena.bytes is out of range"},
        {"\"shape\": [6, 4]", "\"shape\": [7, 4]",
         "variables[0].shape[0] does not divide by its axis"},
        {"\"shape\": [6, 4]", "\"shape\": [3000000000, 3000000000]", "ends outside the arena"},
        {"\"shape\": [6, 4]", "\"shape\": [\"9000000000000000000\", 9000000000]",
         "too many elements"},
        {"\"axes\": [1, -1], \"offset\": 64", "\"axes\": [2, -1], \"offset\": 64",
         "axes[0] is out of range"},
        {"\"axes\": [1, -1], \"offset\": 64", "\"axes\": [1], \"offset\": 64",
         "axes is not as long as the shape"},
        {"\"offset\": 64", "\"offset\": 4090", "variables[0].offset is not aligned"},
        {"\"offset\": 64", "\"offset\": 4092", "variables[0].offset ends outside the arena"},
        {"\"offset\": 64", "\"offset\": \"9223372036854775804\"", "ends outside the arena"},
        {"\"kind\": \"parameter\"", "\"kind\": \"thing\"",
         "variables[0].kind is not one of those known"},
        {"\"type\": \"f32\"", "\"type\": \"f33\"", "variables[0].type is not an element type"},
        {"\"steps\": 8", "\"steps\": 4092", "clock.steps is not aligned"},
        {"\"name\": \"step\"", "\"name\": \"stop\"", "functions has no function 'step'"},
        {"\"input\": \"x\"", "\"input\": \"z\"",
         "data.fields[0].input is not an input of the model"},
        {"\"columns\": [0, 1]", "\"columns\": [3, 1]", "data.fields[0].columns[1] is out of range"},
        {"\"epochs\": null", "\"epochs\": 3", "training needs either epochs or steps"},
        {"\"18446744073709551615\"", "\"-1\"", "training.seed is not an unsigned integer"},
        {"\"every\": 2", "\"every\": -2", "checkpoint.every is out of range"},
        {"\"folder\": \"ckpt\"", "\"folder\": \"\"", "checkpoint.folder is empty"},
        {"\"context\": 6", "\"context\": 3", "sampling has functions that take another number"},
        {"\"prefill\": \"x.prefill\"", "\"prefill\": \"x\"", "sampling.prefill is no input of ids"},
        {"\"decode\": \"x.decode\"", "\"decode\": \"x.prefill\"", "that take another number"},
        {"\"name\": \"decode\"", "\"name\": \"encode\"", "sampling.decode has no function"},
        {"\"temperature\": 0.5", "\"temperature\": -1", "sampling has a temperature"},
        {"\"top_p\": 0.75", "\"top_p\": 1.5", "or share out of its range"},
        {"\"count\": 9", "\"count\": 2000", "functions[1].results[0].offset ends outside"},
        {"\"position\": 16", "\"place\": 16", "sampling needs the clock 'position'"},
        {"\"parts\": [0]", "\"parts\": [1]", "weights.tensors[0].parts[0] is out of range"},
        {"\"parts\": [0]", "\"parts\": []", "weights.tensors[0].parts do not make a tensor"},
        {"w.weight", "w.{i}", "weights.tensors[0].parts do not make a tensor"},
        {"\"fresh\": [0]", "\"fresh\": [-1]", "begin.fresh[0] is out of range"},
        {"\"weights\": [1, 3]", "\"weights\": [1]", "program.weights is not as long"},
        {"[0, 0, 1, \"reduce\"]", "[2, 0, 1, \"reduce\"]", "steps[0][0][0] is out of range"},
        {"[0, 0, 1, \"reduce\"]", "[0, 0, 3, \"reduce\"]", "steps[0][0][2] is out of range"},
        {"[0, 0, 1, \"reduce\"]", "[0, 1, 1, \"reduce\"]", "from 1 to 1"},
        {"[0, 0, 1, \"reduce\"]", "[0, 0, 1, \"add\"]", "is neither 'reduce' nor 'copy'"},
        {"[0, 0, 1, \"reduce\"]", "[]", "steps[0][0][0] is missing"},
        {"\"axis\": 1", "\"axis\": 5", "collectives[0].axis is out of range"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = altered(cases[i][0], cases[i][1]);
        rt_image image;
        rt_error error;
        assert_int_equal(rt_image_read(text, strlen(text), &image, &error), RT_DAMAGED);
        if (!strstr(error.text, cases[i][2]))
            fail_msg("case %zu says '%s', not '%s'", i, error.text, cases[i][2]);
        free(text);
    }
}

static void an_image_cut_short_is_refused(void **state)
{
    (void)state;
    for (size_t length = 0; length < strlen(good); length++) {
        char *text = malloc(length + 1); /* so that a read beyond it shows */
        memcpy(text, good, length);
        rt_image image;
        rt_error error;
        assert_int_equal(rt_image_read(text, length, &image, &error), RT_DAMAGED);
        free(text);
    }
}

/* Any byte replaced by any of a few: refused or read, never a crash; what is read is cleaned up. */
static void an_altered_byte_does_no_harm(void **state)
{
    (void)state;
    static const char bytes[] = "0-9\"[]{},:x\\n ";
    char *text = malloc(sizeof good);
    int read = 0;
    for (size_t i = 0; i < strlen(good); i++)
        for (size_t b = 0; b < sizeof bytes - 1; b++) {
            memcpy(text, good, sizeof good);
            text[i] = bytes[b];
            rt_image image;
            rt_error error;
            if (rt_image_read(text, strlen(text), &image, &error) == RT_OK) {
                read++;
                rt_image_clean_up(&image);
            }
        }
    assert_true(read > 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_image_is_read),
        cmocka_unit_test(coordinates_are_mixed_radix),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(an_image_cut_short_is_refused),
        cmocka_unit_test(an_altered_byte_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
