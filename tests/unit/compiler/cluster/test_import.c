/* cluster/import.h: NCCL's XML and nvidia-smi's matrix, by what the machines in them are known to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cluster/bounds.h"
#include "cluster/import.h"
#include "support/link_shapes.h"

static char *read_machine(arena *a, const char *file, size_t *length)
{
    FILE *in = fopen(arena_format(a, "%s/tests/golden/machines/%s", TEST_SOURCE_DIR, file), "rb");
    assert_non_null(in);
    char *bytes = arena_alloc(a, 1 << 16);
    *length = fread(bytes, 1, (1 << 16) - 1, in);
    fclose(in);
    return bytes;
}

static machine imported(arena *a, const char *file)
{
    size_t length;
    char *bytes = read_machine(a, file, &length);
    return strstr(file, ".xml") ? import_nccl_xml(a, bytes, length, "box")
                                : import_smi_topo(a, bytes, length, "box");
}

static rational all_reduce_of(arena *a, const link_graph *g)
{
    return bound_all_reduce(a, g, shape_all(a, g), (int)g->devices.count).rate;
}

static void assert_same_links(const link_graph *got, const link_graph *wanted)
{
    assert_int_equal(got->nodes.count, wanted->nodes.count);
    assert_int_equal(got->arcs.count, wanted->arcs.count);
    for (size_t i = 0; i < wanted->arcs.count; i++) {
        const link_arc *arc = &wanted->arcs.items[i];
        int found = link_graph_find_arc(got, arc->from, arc->to);
        assert_true(found >= 0);
        assert_int_equal(got->arcs.items[found].bytes_per_second, arc->bytes_per_second);
        assert_int_equal(got->arcs.items[found].lanes, arc->lanes);
    }
}

static void a_dgx1_is_read_from_either(void **state)
{
    (void)state;
    arena *a = arena_new();
    const char *const files[] = {"dgx1v.topo", "dgx1v.xml"};
    for (int i = 0; i < 2; i++) {
        machine m = imported(a, files[i]);
        assert_non_null(m.graph);
        assert_same_links(m.graph, shape_dgx1v(a));
        assert_non_null(strstr(m.text, "  link g: 25 GB/s, 1.5 us { 0-1 x2, 0-2, 0-3, 0-4 x2, 1-2, "
                                       "1-3 x2, 1-5, 2-3 x2, 2-6 x2, 3-7, 4-5 x2, 4-6, 4-7, 5-6, "
                                       "5-7 x2, 6-7 x2 }\n"));
        assert_null(strstr(m.text, "switch"));
    }
    assert_non_null(
        strstr(imported(a, files[0]).text, "# NIC mlx5_2 is nearest to g[4] g[5] (PIX)\n"));
    assert_non_null(
        strstr(imported(a, files[1]).text, "# NIC mlx5_2, 12.5 GB/s, near GPU 4, GPU 5\n"));
    arena_free(a);
}

static void links_into_switches_are_ports(void **state)
{
    (void)state;
    arena *a = arena_new();
    const char *const files[] = {"a100x8.topo", "a100x8.xml"};
    for (int i = 0; i < 2; i++) {
        machine m = imported(a, files[i]);
        assert_non_null(m.graph);
        rational rate = all_reduce_of(a, m.graph); /* 300 GB/s * 8 / 7 / 2 */
        assert_int_equal(rational_compare(rate, rational_of(1200 * SHAPE_GB, 7)), 0);
        assert_non_null(strstr(m.text, "switch nvs over g: 300 GB/s, 1 us\n"));
    }
    arena_free(a);
}

static void buses_count_where_there_is_no_nvlink(void **state)
{
    (void)state;
    arena *a = arena_new();
    machine m = imported(a, "pcie4.topo");
    assert_non_null(m.graph);
    assert_int_equal(m.graph->devices.count, 4);
    /* both sockets' GPUs cross one port of 15.75 GB/s: N * 15.75 / 2 gathered, half of it reduced */
    assert_int_equal(rational_compare(all_reduce_of(a, m.graph), rational_of(10500000000, 1)), 0);
    machine x = imported(a, "pcie4.xml");
    assert_non_null(x.graph);
    /* PCIe 4.0 x16 is 31.507, x8 15.753 GB/s; the GPUs at x8 bind: 4 * 15.753 / 3 / 2 */
    assert_int_equal(
        rational_compare(all_reduce_of(a, x.graph), rational_of(2 * INT64_C(15753000000), 3)), 0);
    assert_non_null(strstr(x.text, ": 16 GB/s"));
    arena_free(a);
}

static void assert_refused(arena *a, const char *text, bool xml, const char *part)
{
    machine m = xml ? import_nccl_xml(a, text, strlen(text), "box")
                    : import_smi_topo(a, text, strlen(text), "box");
    assert_null(m.graph);
    assert_non_null(m.error);
    if (!strstr(m.error, part))
        fail_msg("'%s' does not say '%s'", m.error, part);
    assert_true(m.line >= 1);
}

static void what_is_not_understood_is_said(void **state)
{
    (void)state;
    arena *a = arena_new();
    assert_refused(a, "", true, "not XML");
    assert_refused(a, "<system><cpu>", true, "not XML");
    assert_refused(a, "<machine/>", true, "'system'");
    assert_refused(a, "<system version=\"1\"/>", true, "no GPU");
    assert_refused(a, "<!DOCTYPE system [<!ENTITY a \"b\">]><system/>", true, "document type");
    assert_refused(a, "<system><pci busid=\"1\"><gpu dev=\"0\"/></pci></system>", true,
                   "outside a 'cpu'");
    assert_refused(a, "<system><nvlink count=\"1\"/></system>", true, "outside a 'gpu'");
    assert_refused(
        a,
        "<system><cpu><pci busid=\"1\" class=\"0x030200\"><gpu dev=\"0\">"
        "<nvlink target=\"9\" count=\"1\" tclass=\"0x030200\"/></gpu></pci></cpu></system>",
        true, "leads to '9'");
    assert_refused(a, "", false, "no header");
    assert_refused(a, "\tGPU0\tGPU2\n", false, "no header");
    assert_refused(a, "\tGPU0\tGPU1\nGPU0\t X \tNV2\n", false, "row of GPU1 is missing");
    assert_refused(a, "\tGPU0\tGPU1\nGPU0\t X \tNV2\nGPU1\tNV1\t X \n", false, "do not agree");
    assert_refused(a, "\tGPU0\tGPU1\nGPU0\t X \tfoo\nGPU1\tNV1\t X \n", false, "'foo'");
    assert_refused(a, "\tGPU0\tGPU1\nGPU0\tNV1\t X \nGPU1\tNV1\t X \n", false, "not understood");
    arena_free(a);
}

/* Any cut of a good file is read or refused, and never more than that. */
static void cut_files_do_no_harm(void **state)
{
    (void)state;
    const char *const files[] = {"dgx1v.topo", "dgx1v.xml", "pcie4.topo", "pcie4.xml"};
    for (int i = 0; i < 4; i++) {
        arena *a = arena_new();
        size_t length;
        char *bytes = read_machine(a, files[i], &length);
        for (size_t cut = 0; cut < length; cut += 7) {
            arena *b = arena_new();
            machine m = strstr(files[i], ".xml") ? import_nccl_xml(b, bytes, cut, "box")
                                                 : import_smi_topo(b, bytes, cut, "box");
            assert_true((m.graph == NULL) == (m.error != NULL));
            arena_free(b);
        }
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dgx1_is_read_from_either),
        cmocka_unit_test(links_into_switches_are_ports),
        cmocka_unit_test(buses_count_where_there_is_no_nvlink),
        cmocka_unit_test(what_is_not_understood_is_said),
        cmocka_unit_test(cut_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
