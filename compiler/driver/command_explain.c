/* explain: what each rank will hold, send and compute, before a run; or what a diagnostic's code means. */
#include "coll/program.h"
#include "driver/commands.h"
#include "driver/compile.h"
#include "driver/paths.h"

#include <cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_SHOWN = 8 };

/* "E0214" */
static bool is_code(const char *operand)
{
    if (*operand != 'E' || strlen(operand) != 5)
        return false;
    for (const char *digit = operand + 1; *digit; digit++) {
        if (!isdigit((unsigned char)*digit))
            return false;
    }
    return true;
}

static bool explain_code(session *s, const char *code)
{
    const char *page = paths_code_page(s->memory, code);
    FILE *in = page ? fopen(page, "rb") : NULL;
    if (!in)
        return session_misuse(s, "no such code: '%s'", code);
    char bytes[4096];
    for (size_t got; (got = fread(bytes, 1, sizeof bytes, in)) > 0;)
        fwrite(bytes, 1, got, stdout);
    fclose(in);
    return true;
}

static int rank_count(const training *t)
{
    int ranks = 1;
    for (size_t i = 0; i < t->mesh.count; i++)
        ranks *= t->mesh.items[i].size;
    return ranks;
}

static cJSON *memory_json(const memory_table *memory)
{
    cJSON *json = cJSON_CreateObject();
    for (int kind = 0; kind < MEMORY_KIND_COUNT; kind++)
        cJSON_AddNumberToObject(json, memory_kind_name((memory_kind)kind),
                                (double)memory->bytes[kind]);
    cJSON_AddNumberToObject(json, "total", (double)memory->total);
    return json;
}

static cJSON *traffic_json(session *s, const traffic_table *traffic)
{
    cJSON *json = cJSON_CreateArray();
    for (size_t i = 0; i < traffic->count; i++) {
        const traffic_item *item = &traffic->items[i];
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "clause",
                                source_line_name(s->sources, item->clause, s->memory));
        cJSON_AddStringToObject(row, "collective", item->collective);
        cJSON_AddNumberToObject(row, "bytes", (double)item->bytes);
        cJSON_AddItemToArray(json, row);
    }
    return json;
}

static void print_json(compilation *c)
{
    session *s = c->session;
    cJSON *json = cJSON_CreateObject();
    cJSON *ranks = cJSON_AddArrayToObject(json, "ranks");
    memory_table memory = {0};
    schedule_memory(c->schedule, s->memory, 0, &memory);
    for (int rank = 0; rank < rank_count(c->training); rank++) {
        traffic_table traffic = {0};
        schedule_traffic(c->schedule, rank, s->memory, &traffic);
        cJSON *row = cJSON_CreateObject();
        cJSON_AddNumberToObject(row, "rank", rank);
        cJSON_AddItemToObject(row, "memory", memory_json(&memory));
        cJSON_AddItemToObject(row, "communication", traffic_json(s, &traffic));
        cJSON_AddNumberToObject(row, "operations",
                                (double)schedule_operations(c->schedule, "step"));
        cJSON_AddItemToArray(ranks, row);
    }
    char *printed = cJSON_Print(json);
    puts(printed);
    free(printed);
    cJSON_Delete(json);
}

/* 1536 -> "1.5 KiB"; exact bytes stand beside it. */
static const char *human_bytes(arena *a, int64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double size = (double)bytes;
    size_t scale = 0;
    while (size >= 1024 && scale + 1 < sizeof units / sizeof *units) {
        size /= 1024;
        scale++;
    }
    return arena_format(a, scale ? "%.1f %s" : "%.0f %s", size, units[scale]);
}

static void print_memory(compilation *c)
{
    arena *a = c->session->memory;
    memory_table memory = {0};
    schedule_memory(c->schedule, a, LARGEST_SHOWN, &memory);
    printf("memory of each rank\n");
    for (int kind = 0; kind < MEMORY_KIND_COUNT; kind++)
        printf("  %-14s %14" PRId64 "  %s\n", memory_kind_name((memory_kind)kind),
               memory.bytes[kind], human_bytes(a, memory.bytes[kind]));
    printf("  %-14s %14" PRId64 "  %s\n", "total", memory.total, human_bytes(a, memory.total));
    printf("\nlargest buffers\n");
    for (size_t i = 0; i < memory.largest.count; i++) {
        const memory_item *item = &memory.largest.items[i];
        printf("  %-14s %14" PRId64 "  %-24s %s\n", memory_kind_name(item->kind), item->bytes,
               item->name, item->place);
    }
}

/* Ranks that send alike share a line. */
static void print_traffic(compilation *c)
{
    session *s = c->session;
    int ranks = rank_count(c->training);
    printf("\nbytes that a rank sends in a step\n");
    const char *before = NULL;
    int first = 0;
    for (int rank = 0; rank <= ranks; rank++) {
        text lines = text_in(s->memory);
        traffic_table traffic = {0};
        if (rank < ranks)
            schedule_traffic(c->schedule, rank, s->memory, &traffic);
        for (size_t i = 0; i < traffic.count; i++) {
            const traffic_item *item = &traffic.items[i];
            text_add(&lines, "  %-24s %14" PRId64 "  %" PRId64 " calls  %s\n", item->collective,
                     item->bytes, item->calls,
                     source_line_name(s->sources, item->clause, s->memory));
        }
        const char *now = rank < ranks ? text_done(&lines) : NULL;
        if (before && (!now || strcmp(before, now) != 0)) {
            printf(first == rank - 1 ? " rank %d\n" : " ranks %d to %d\n", first, rank - 1);
            fputs(*before ? before : "  nothing\n", stdout);
            first = rank;
        }
        before = now;
    }
}

/* Which program each reduction runs, and for auto what it was weighed against. */
static void print_reductions(const compilation *c)
{
    const training *t = c->training;
    for (size_t i = 0; i < t->reduces.count; i++) {
        const training_reduce *r = &t->reduces.items[i];
        if (!r->program)
            continue;
        printf("%sover %s by %s", i == 0 ? "\nreductions\n  " : "  ", t->mesh.items[r->axis].name,
               r->topology);
        if (strcmp(r->topology, r->program->name) != 0)
            printf(": %s", r->program->name);
        printf(", %d steps, %d chunk%s  %s\n", r->program->steps, r->program->chunks,
               r->program->chunks == 1 ? "" : "s",
               source_line_name(c->session->sources, r->at, c->session->memory));
        if (r->weighed)
            fputs(r->weighed, stdout);
    }
}

static void print_text(compilation *c)
{
    const training *t = c->training;
    printf("plan %s for %s: %d rank%s, batch %" PRId64 "\n\n", t->plan, t->train, rank_count(t),
           rank_count(t) == 1 ? "" : "s", t->batch);
    print_memory(c);
    print_traffic(c);
    print_reductions(c);
    printf("\noperations of each rank in a step\n  %" PRId64 " floating point\n",
           schedule_operations(c->schedule, "step"));
}

int command_explain(session *s)
{
    const options *o = s->options;
    if (o->operand_count != 1) {
        session_misuse(s, "explain takes one plan (FILE or FILE:PLAN) or one code (E0214)");
        return s->code;
    }
    if (is_code(o->operands[0])) {
        explain_code(s, o->operands[0]);
        return s->code;
    }
    compilation c;
    if (compile_plan(s, o->operands[0], PASS_PLACE, &c) && c.schedule) {
        if (options_has(o, OPTION_JSON))
            print_json(&c);
        else
            print_text(&c);
    }
    return session_finish(s);
}
