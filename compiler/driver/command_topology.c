/* topology: what the links of a cluster can carry, and a machine's own description as a cluster block. */
#include "cluster/import.h"
#include "cluster/report.h"
#include "coll/evaluate.h"
#include "coll/fit.h"
#include "coll/forest.h"
#include "coll/msccl.h"
#include "coll/simulate.h"
#include "driver/commands.h"
#include "driver/compile.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const topologies[] = {"ring",   "tree",   "double_tree", "halving",
                                         "direct", "server", "hierarchical"};

static const coll_kind kinds[REPORT_PARTS] = {COLL_ALL_REDUCE, COLL_ALL_GATHER,
                                              COLL_REDUCE_SCATTER};

enum { MOST_SIMULATED = 64, MOST_PIECES = 64, SIZES = 6 };
static const double sizes[SIZES] = {1 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20, 1 << 30};

typedef struct survey {
    session *session;
    sema *meaning;
    sema_machine machine;
    int *nodes; /* of the devices that take part */
    int *boxes;
    int count;
    coll_routes *routes;
    topology_report *report;
    effort work;
} survey;

/* "0,1,4-6": device numbers, each once. */
static bool read_ranks(survey *v, const char *list)
{
    session *s = v->session;
    const char *at = list;
    for (bool more = true; more;) {
        char *end;
        long first = strtol(at, &end, 10), last = first;
        if (end == at || !isdigit((unsigned char)*at))
            return session_misuse(s, "--ranks takes numbers, as 0,1,4-6; not '%s'", list);
        if (*end == '-') {
            at = end + 1;
            last = strtol(at, &end, 10);
        }
        if (first < 0 || last < first || last >= v->machine.count)
            return session_misuse(s, "--ranks: devices are 0 to %d", v->machine.count - 1);
        for (long device = first; device <= last; device++) {
            for (int i = 0; i < v->count; i++) {
                if (v->nodes[i] == v->machine.nodes[device])
                    return session_misuse(s, "--ranks: device %ld stands twice", device);
            }
            v->nodes[v->count] = v->machine.nodes[device];
            v->boxes[v->count++] = v->machine.boxes[device];
        }
        more = *end == ',';
        at = end + 1;
        if (!more && *end)
            return session_misuse(s, "--ranks takes numbers, as 0,1,4-6; not '%s'", list);
    }
    return true;
}

static bool choose_ranks(survey *v)
{
    v->nodes = arena_array(v->session->memory, int, v->machine.count);
    v->boxes = arena_array(v->session->memory, int, v->machine.count);
    const char *list = v->session->options->value[OPTION_RANKS];
    if (list)
        return read_ranks(v, list);
    v->count = v->machine.count;
    memcpy(v->nodes, v->machine.nodes, sizeof(int) * (size_t)v->count);
    memcpy(v->boxes, v->machine.boxes, sizeof(int) * (size_t)v->count);
    return true;
}

/* Ranks in each box when every box has as many, one box after another; else 0. */
static int ranks_in_each_box(const survey *v)
{
    int per_node = 0;
    while (per_node < v->count && v->boxes[per_node] == v->boxes[0])
        per_node++;
    for (int i = 0; i < v->count; i++) {
        if (v->count % per_node || v->boxes[i] != v->boxes[i - i % per_node])
            return 0;
    }
    return per_node;
}

/* A topology's program for these ranks; NULL where the block does not take so many or the links do not carry it. */
static coll_program *program_of(survey *v, const char *name, coll_kind kind)
{
    session *s = v->session;
    const ast_node *block = sema_topology(v->meaning, coll_topology_name(name, kind, s->memory));
    if (!block)
        return NULL;
    coll_request request = {
        .ranks = v->count, .per_node = ranks_in_each_box(v), .at = block->at, .trial = true};
    coll_program *p = coll_evaluate(block, &request, s->sources, s->diags, s->memory);
    coll_fault fault;
    if (!p || !coll_prove(p, &fault, s->memory))
        return NULL;
    return coll_fit(p, v->routes, s->memory);
}

static void add_times(survey *v, report_part part, const char *name, const coll_program *p)
{
    for (int i = 0; i < SIZES; i++) {
        int pieces;
        coll_timing t = coll_simulate_best(p, v->routes, sizes[i], MOST_PIECES, &pieces);
        report_add_time(v->report, part, name, (int64_t)sizes[i], t.seconds);
    }
}

static void survey_part(survey *v, report_part part)
{
    for (size_t i = 0; i < sizeof topologies / sizeof *topologies; i++) {
        coll_program *p = program_of(v, topologies[i], kinds[part]);
        bool known = part == REPORT_ALL_REDUCE && strcmp(topologies[i], "ring") == 0;
        if (!known)
            report_add_rate(v->report, part, topologies[i], p ? coll_rate(p, v->routes) : NAN);
        if (p)
            add_times(v, part, topologies[i], p);
    }
    const synthesis *made = &v->report->parts[part].made;
    coll_program *trees =
        made->status == SYNTHESIS_OK
            ? coll_program_of_synthesis(made, kinds[part], v->machine.links, v->session->memory)
            : NULL;
    if (trees)
        add_times(v, part, "trees", trees);
}

static bool print_msccl(survey *v, const char *name)
{
    session *s = v->session;
    coll_program *p;
    if (strcmp(name, "trees") == 0) {
        synthesis made = synthesis_all_reduce(s->memory, v->machine.links, v->nodes, v->count);
        p = made.status == SYNTHESIS_OK
                ? coll_program_of_synthesis(&made, COLL_ALL_REDUCE, v->machine.links, s->memory)
                : NULL;
    } else {
        p = program_of(v, name, COLL_ALL_REDUCE);
    }
    if (!p)
        return session_misuse(s, "'%s' is no topology that these links carry", name);
    text xml = text_in(s->memory);
    const char *problem = coll_write_msccl(p, &xml, s->memory);
    if (problem)
        return session_refuse(s, "'%s' as MSCCL XML: %s", name, problem);
    fputs(text_done(&xml), stdout);
    return true;
}

static bool print_report(survey *v)
{
    session *s = v->session;
    const options *o = s->options;
    if (options_has(o, OPTION_MSCCL))
        return print_msccl(v, o->value[OPTION_MSCCL]);
    v->report = report_of(s->memory, v->machine.links, v->nodes, v->count);
    for (int part = 0; part < REPORT_PARTS && v->count <= MOST_SIMULATED; part++)
        survey_part(v, (report_part)part);
    if (options_has(o, OPTION_JSON))
        report_print_json(v->report, stdout);
    else if (options_has(o, OPTION_DOT))
        report_print_dot(v->report, stdout);
    else if (options_has(o, OPTION_SVG))
        report_print_svg(v->report, stdout);
    else
        report_print_text(v->report, stdout);
    return true;
}

static bool ends_with(const char *text_of, const char *end)
{
    size_t length = strlen(text_of), more = strlen(end);
    return length >= more && strcmp(text_of + length - more, end) == 0;
}

/* NCCL's XML and nvidia-smi's matrix, printed as a cluster block. */
static bool print_imported(session *s, const char *path)
{
    int file = source_read(s->sources, path);
    if (file < 0)
        return session_refuse(s, "cannot read '%s': %s", path, strerror(errno));
    size_t length;
    const char *bytes = source_bytes(s->sources, file, &length);
    machine m = ends_with(path, ".xml") ? import_nccl_xml(s->memory, bytes, length, "machine")
                                        : import_smi_topo(s->memory, bytes, length, "machine");
    if (!m.graph)
        return session_refuse(s, "%s:%d: %s", path, m.line, m.error);
    fputs(m.text, stdout);
    return true;
}

int command_topology(session *s)
{
    const options *o = s->options;
    if (o->operand_count != 1) {
        session_misuse(s, "topology takes one cluster: FILE or FILE:CLUSTER");
        return s->code;
    }
    if (ends_with(o->operands[0], ".xml") || ends_with(o->operands[0], ".txt")) {
        print_imported(s, o->operands[0]);
        return s->code;
    }
    compilation c;
    survey v = {.session = s};
    if (!compile_plan(s, o->operands[0], PASS_RESOLVE, &c))
        return session_finish(s);
    v.meaning = c.meaning;
    if (!sema_cluster(c.meaning, c.plan, &v.machine)) {
        if (diag_error_count(s->diags) == 0)
            session_misuse(s, "'%s' has no cluster%s%s", c.path, c.plan ? " " : "",
                           c.plan ? c.plan : "");
    } else if (choose_ranks(&v)) {
        v.work = (effort){.left = EFFORT_OF_SURVEY, .edges = EFFORT_SURVEY_EDGES};
        v.machine.links->work = &v.work;
        v.routes = coll_routes_new(v.machine.links, v.nodes, v.count, s->memory);
        print_report(&v);
    }
    return session_finish(s);
}
