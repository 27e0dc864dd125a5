/* pass/: text in, text out. Each file of tests/golden/graph says which pass, has a graph, and what the pass makes of it:
 *
 *     pass partition
 *     mesh dp = 2
 *     split B over dp
 *     reduce dp by ring
 *     ---
 *     graph …
 *     ---
 *     spmd …
 *
 * `schedule` partitions, schedules, fuses and places. `differentiate` takes the gradients of the result "loss". Places are those of a file plan.plan whose line n is the
 * header's line n. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/text_form.h"
#include "graph/verify.h"
#include "pass/differentiate.h"
#include "pass/partition.h"
#include "pass/schedule.h"
#include "pass/simplify.h"

typedef struct golden {
    arena *memory;
    atom_table *atoms;
    source_set *sources;
    const char *name;
    char *head, *given, *wanted;
    graph *g;
} golden;

static char *read_file(arena *a, const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = arena_alloc(a, 1 << 16);
    size_t length = fread(bytes, 1, (1 << 16) - 1, file);
    fclose(file);
    bytes[length] = '\0';
    return bytes;
}

static char *cut(golden *t, char *from)
{
    char *at = strstr(from, "---\n");
    if (!at)
        fail_msg("%s has not three parts", t->name);
    *at = '\0';
    return at + 4;
}

static int axis_named(const training *t, atom name)
{
    for (size_t i = 0; i < t->mesh.count; i++)
        if (t->mesh.items[i].name == name)
            return (int)i;
    fail_msg("no axis '%s'", name);
    return -1;
}

/* The plan that the head lines say; each has its own line as its place. */
static training plan_of(golden *t)
{
    training plan = {.batch = 0};
    int file = source_add(t->sources, "plan.plan", t->head, strlen(t->head));
    uint32_t begin = 0;
    for (char *line = t->head; *line;) {
        char a[16], b[16];
        int size;
        uint32_t length = (uint32_t)strcspn(line, "\n");
        span at = {file, begin, begin + length};
        if (sscanf(line, "mesh %15s = %d", a, &size) == 2)
            vec_push(t->memory, &plan.mesh, (graph_axis){atom_of(t->atoms, a), size, at});
        else if (sscanf(line, "split %15s over %15s", a, b) == 2)
            vec_push(t->memory, &plan.splits,
                     (training_split){atom_of(t->atoms, a), axis_named(&plan, atom_of(t->atoms, b)),
                                      at});
        else if (sscanf(line, "reduce %15s by %15s", a, b) == 2)
            vec_push(t->memory, &plan.reduces,
                     (training_reduce){.axis = axis_named(&plan, atom_of(t->atoms, a)),
                                       .topology = atom_of(t->atoms, b),
                                       .at = at});
        line += length + (line[length] == '\n');
        begin += length + 1;
    }
    return plan;
}

/* The placed schedule of a graph in spmd form. */
static const char *schedule_text(golden *t)
{
    training plan = plan_of(t);
    diag_sink *diags = diag_sink_new(t->memory, t->sources);
    assert_true(pass_partition(t->g, &plan, diags));
    schedule *s = pass_schedule(t->g, &plan, diags);
    assert_non_null(s);
    pass_fuse(s);
    pass_place(s);
    assert_null(schedule_verify(s, t->memory));
    text out = text_in(t->memory);
    schedule_print(s, &out);
    return text_done(&out);
}

/* What the pass makes of the graph, as text. */
static const char *run_pass(golden *t)
{
    char pass[32];
    assert_int_equal(sscanf(t->head, "pass %31s", pass), 1);
    if (strcmp(pass, "simplify") == 0) {
        pass_simplify(t->g);
    } else if (strcmp(pass, "differentiate") == 0) {
        graph_function *f = t->g->functions.items[0];
        graph_value **gradients = arena_array(t->memory, graph_value *, t->g->variables.count + 1);
        pass_differentiate(t->g, f, f->results.items[0].value, gradients);
    } else if (strcmp(pass, "partition") == 0) {
        training plan = plan_of(t);
        diag_sink *diags = diag_sink_new(t->memory, t->sources);
        assert_true(pass_partition(t->g, &plan, diags));
    } else if (strcmp(pass, "schedule") == 0) {
        return schedule_text(t);
    } else {
        fail_msg("%s: no pass '%s'", t->name, pass);
    }
    return graph_print(t->g, t->memory);
}

static void check(const char *folder, const char *name)
{
    golden t = {.memory = arena_new(), .name = name};
    t.atoms = atom_table_new(t.memory);
    t.sources = source_set_new(t.memory);
    t.head = read_file(t.memory, arena_format(t.memory, "%s/%s", folder, name));
    t.given = cut(&t, t.head);
    t.wanted = cut(&t, t.given);
    graph_parse_error error;
    t.g = graph_parse(t.memory, t.atoms, t.sources, t.given, &error);
    if (!t.g)
        fail_msg("%s: line %d of the graph: %s", name, error.line, error.text);
    assert_string_equal(graph_print(t.g, t.memory), t.given);
    const char *got = run_pass(&t), *wrong = graph_verify(t.g, t.memory);
    if (wrong)
        fail_msg("%s: %s", name, wrong);
    if (strcmp(got, t.wanted) != 0) {
        fprintf(stderr, "%s: expected\n%s\nand got\n%s\n", name, t.wanted, got);
        fail();
    }
    arena_free(t.memory);
}

static void passes_turn_text_into_text(void **state)
{
    (void)state;
    static const char folder[] = TEST_SOURCE_DIR "/tests/golden/graph";
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strstr(entry->d_name, ".txt")) {
            check(folder, entry->d_name);
            count++;
        }
    closedir(dir);
    printf("  %d files\n", count);
    assert_true(count >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_turn_text_into_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
