#include "cluster/report.h"

#include <math.h>

/* A number that reads back to the same double; null for what is not one. */
static void json_number(FILE *out, double value)
{
    if (isfinite(value))
        fprintf(out, "%.17g", value);
    else
        fputs("null", out);
}

static void json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fprintf(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    fputc('"', out);
}

/* A part of a proof: devices by number, switches by name. */
static void json_part(FILE *out, const topology_report *r, const bound *b, int part)
{
    const char *comma = "";
    fputc('[', out);
    for (size_t i = 0; i < r->graph->devices.count; i++) {
        if (b->part_of[r->graph->devices.items[i]] != part)
            continue;
        fprintf(out, "%s%zu", comma, i);
        comma = ", ";
    }
    for (size_t i = 0; i < r->graph->nodes.count; i++) {
        if (r->graph->nodes.items[i].kind != LINK_SWITCH || b->part_of[i] != part)
            continue;
        fputs(comma, out);
        json_text(out, r->graph->nodes.items[i].name);
        comma = ", ";
    }
    fputc(']', out);
}

/* The parts of the partition; of a cut, S and then the rest. */
static void json_cut(FILE *out, const topology_report *r, const bound *b)
{
    if (b->kind == BOUND_NONE) {
        fputs("[]", out);
        return;
    }
    fputc('[', out);
    if (b->kind == BOUND_CUT) {
        json_part(out, r, b, 1);
        fputs(", ", out);
        json_part(out, r, b, 0);
    }
    for (int part = 0; b->kind == BOUND_PARTITION && part < b->part_count; part++) {
        fputs(part ? ", " : "", out);
        json_part(out, r, b, part);
    }
    fputc(']', out);
}

static void json_proof(FILE *out, const bound *b)
{
    static const char *const kinds[] = {"none", "cut", "partition"};
    fprintf(out,
            "{\"kind\": \"%s\", \"direction\": \"%s\", \"capacity\": %lld, \"divisor\": %lld, ",
            kinds[b->kind], b->into ? "in" : "out", (long long)b->capacity, (long long)b->divisor);
    fputs("\"factor\": ", out);
    json_number(out, b->kind == BOUND_NONE ? NAN : rational_value(b->factor));
    fputc('}', out);
}

static void json_tree(FILE *out, const topology_report *r, const forest *f, int number, double rate)
{
    const forest_tree *t = &f->trees[number];
    double share = (double)t->weight / (double)f->total_weight;
    fprintf(out, "{\"root\": %d, \"share\": %.17g, \"rate\": %.17g, \"edges\": [",
            report_device_number(r, t->root), share, share * rate);
    for (int i = 0; i < f->rank_count - 1; i++)
        fprintf(out, "%s[%d, %d]", i ? ", " : "", report_device_number(r, t->edges[i].parent),
                report_device_number(r, t->edges[i].child));
    fputs("]}", out);
}

static void json_trees(FILE *out, const topology_report *r, const synthesis *s)
{
    fputc('[', out);
    if (s->status == SYNTHESIS_OK) {
        const forest *f = &s->phases[s->phase_count - 1];
        for (int t = 0; t < f->tree_count; t++) {
            fputs(t ? ",\n      " : "\n      ", out);
            json_tree(out, r, f, t, rational_value(s->rate));
        }
    }
    fputc(']', out);
}

static void json_rates(FILE *out, const report_collective *c)
{
    fputc('{', out);
    for (size_t i = 0; i < c->rates.count; i++) {
        fputs(i ? ", " : "", out);
        json_text(out, c->rates.items[i].name);
        fputs(": ", out);
        json_number(out, c->rates.items[i].rate);
    }
    fputc('}', out);
}

static void json_times(FILE *out, const report_collective *c)
{
    fputc('[', out);
    for (size_t i = 0; i < c->times.count; i++) {
        const report_time *t = &c->times.items[i];
        fprintf(out, "%s{\"topology\": ", i ? ", " : "");
        json_text(out, t->name);
        fprintf(out, ", \"bytes\": %lld, \"seconds\": ", (long long)t->bytes);
        json_number(out, t->seconds);
        fputc('}', out);
    }
    fputc(']', out);
}

static const char *json_form(const report_collective *c)
{
    if (c->made.status == SYNTHESIS_DISCONNECTED)
        return "disconnected";
    if (c->made.status != SYNTHESIS_OK)
        return "none";
    return c->made.phase_count == 2 ? "reduce_scatter, all_gather" : "trees";
}

static void json_collective(FILE *out, const topology_report *r, report_part part)
{
    const report_collective *c = &r->parts[part];
    fprintf(out, "  \"%s\": {\n    \"bound\": ", report_part_name(part));
    json_number(out, rational_value(c->best.rate));
    fputs(",\n    \"cut\": ", out);
    json_cut(out, r, &c->best);
    fputs(",\n    \"proof\": ", out);
    json_proof(out, &c->best);
    fputs(",\n    \"rates\": ", out);
    json_rates(out, c);
    fprintf(out, ",\n    \"form\": \"%s\",\n    \"trees\": ", json_form(c));
    json_trees(out, r, &c->made);
    fputs(",\n    \"times\": ", out);
    json_times(out, c);
    fputs("\n  },\n", out);
}

void report_print_json(const topology_report *r, FILE *out)
{
    fputs("{\n", out);
    for (report_part part = 0; part < REPORT_PARTS; part++)
        json_collective(out, r, part);
    fputs("  \"seconds\": ", out);
    json_number(out, r->seconds);
    fputs("\n}\n", out);
}
