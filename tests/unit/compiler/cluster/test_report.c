/* cluster/report.h: what is printed, read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <cJSON.h>
#include <expat.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/report.h"
#include "support/link_shapes.h"

typedef void (*printer_fn)(const topology_report *r, FILE *out);

static char *printed(const topology_report *r, printer_fn print)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    print(r, out);
    fclose(out);
    return text;
}

static const cJSON *item(const cJSON *from, const char *name)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(from, name);
    if (!found)
        fail_msg("no '%s'", name);
    return found;
}

static topology_report *report_of_mask(arena *a, link_graph *g, unsigned mask)
{
    int ranks[8], count = shape_subset(g, mask, ranks);
    return report_of(a, g, ranks, count);
}

static void json_has_the_shape_and_the_figures(void **state)
{
    (void)state;
    arena *a = arena_new();
    topology_report *r = report_of_mask(a, shape_dgx1v(a), 0x3f);
    report_add_rate(r, REPORT_ALL_REDUCE, "tree", 25e9);
    report_add_time(r, REPORT_ALL_REDUCE, "trees", 1 << 20, 17.5e-6);
    char *text = printed(r, report_print_json);
    cJSON *all = cJSON_Parse(text);
    assert_non_null(all);
    const cJSON *reduce = item(all, "all_reduce"), *rates = item(reduce, "rates");
    assert_true(item(reduce, "bound")->valuedouble == 62.5e9);
    assert_true(item(rates, "ring")->valuedouble == 30e9);
    assert_true(item(rates, "tree")->valuedouble == 25e9);
    assert_true(item(rates, "trees")->valuedouble == 62.5e9);
    assert_true(item(item(all, "all_gather"), "bound")->valuedouble == 90e9);
    assert_true(item(item(all, "reduce_scatter"), "bound")->valuedouble == 90e9);
    assert_true(item(all, "seconds")->valuedouble > 0);
    assert_int_equal(cJSON_GetArraySize(item(reduce, "cut")), 3);
    double sum = 0;
    const cJSON *tree;
    cJSON_ArrayForEach(tree, item(reduce, "trees"))
    {
        sum += item(tree, "rate")->valuedouble;
        assert_int_equal(cJSON_GetArraySize(item(tree, "edges")), 5);
    }
    assert_true(fabs(sum - 62.5e9) < 1);
    const cJSON *time = cJSON_GetArrayItem(item(reduce, "times"), 0);
    assert_true(item(time, "seconds")->valuedouble == 17.5e-6);
    cJSON_Delete(all);
    free(text);
    arena_free(a);
}

static void what_cannot_be_is_null(void **state)
{
    (void)state;
    arena *a = arena_new();
    link_graph *g = shape_dgx1v(a);
    char *text = printed(report_of_mask(a, g, 0x13), report_print_json);
    cJSON *all = cJSON_Parse(text);
    assert_true(cJSON_IsNull(item(item(item(all, "all_reduce"), "rates"), "ring")));
    cJSON_Delete(all);
    free(text);
    text = printed(report_of_mask(a, g, 0x12), report_print_json); /* 1 and 4: not linked */
    all = cJSON_Parse(text);
    const cJSON *reduce = item(all, "all_reduce");
    assert_true(item(reduce, "bound")->valuedouble == 0);
    assert_true(cJSON_IsNull(item(item(reduce, "rates"), "trees")));
    assert_string_equal(item(reduce, "form")->valuestring, "disconnected");
    cJSON_Delete(all);
    free(text);
    text = printed(report_of_mask(a, g, 0x10), report_print_json); /* one rank: nothing to move */
    all = cJSON_Parse(text);
    assert_true(cJSON_IsNull(item(item(all, "all_reduce"), "bound")));
    cJSON_Delete(all);
    free(text);
    arena_free(a);
}

static void text_names_bound_cut_and_trees(void **state)
{
    (void)state;
    arena *a = arena_new();
    topology_report *r = report_of_mask(a, shape_dgx1v(a), 0x13);
    report_add_time(r, REPORT_ALL_REDUCE, "trees", 65536, 9e-6);
    report_add_time(r, REPORT_ALL_REDUCE, "direct", 65536, 5e-6);
    assert_string_equal(report_fastest(r, REPORT_ALL_REDUCE, 65536), "direct");
    assert_null(report_fastest(r, REPORT_ALL_REDUCE, 1));
    char *text = printed(r, report_print_text);
    assert_non_null(
        strstr(text, "bound 50 GB/s\n    100 GB/s between 3 parts, over 2: {0} {1} {4}\n"));
    assert_non_null(strstr(text, "ring                 none\n"));
    assert_non_null(strstr(text, "    0\n    ├─ 1\n    └─ 4\n"));
    assert_non_null(strstr(text, "                       trees        direct\n"
                                 "    64 KiB              9 us         5 us*\n"));
    free(text);
    link_graph *boxes = shape_plain_boxes(a, 2, 8, 300 * SHAPE_GB, 25 * SHAPE_GB);
    text = printed(report_of(a, boxes, shape_all(a, boxes), 16), report_print_text);
    assert_non_null(
        strstr(text, "bound 173.333 GB/s\n    325 GB/s out of S = all but {0} with 15 ranks"));
    free(text);
    arena_free(a);
}

static void pictures_are_well_formed(void **state)
{
    (void)state;
    arena *a = arena_new();
    link_graph *g = shape_dgx1p(a);
    for (unsigned mask = 1; mask < 256; mask += 37) {
        topology_report *r = report_of_mask(a, g, mask);
        char *svg = printed(r, report_print_svg);
        XML_Parser parser = XML_ParserCreate(NULL);
        assert_int_equal(XML_Parse(parser, svg, (int)strlen(svg), 1), XML_STATUS_OK);
        XML_ParserFree(parser);
        free(svg);
        char *dot = printed(r, report_print_dot);
        int depth = 0, edges = 0;
        for (const char *c = dot; *c; c++) {
            depth += (*c == '{') - (*c == '}');
            edges += c[0] == '-' && c[1] == '>';
        }
        assert_int_equal(depth, 0);
        assert_true(edges >= 16);
        free(dot);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_has_the_shape_and_the_figures),
        cmocka_unit_test(what_cannot_be_is_null),
        cmocka_unit_test(text_names_bound_cut_and_trees),
        cmocka_unit_test(pictures_are_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
