/* espalier-plan(5): the language in brief; blocks, clauses, operators and units come from their tables. */
#include "driver/manual.h"

#include "ast/unit.h"
#include "sema/note.h"

#include <string.h>

static void section(text *t, const char *title, const char *words)
{
    text_add(t, ".SH %s\n", title);
    manual_words(t, words);
    text_add(t, "\n");
}

static void notes_of(text *t, ast_kind block)
{
    for (int i = 0; note_at(i).word; i++) {
        note n = note_at(i);
        if (n.block == block)
            manual_item(t, n.form, n.text);
    }
}

static const char example[] = "use nn, optim\n\n"
                              "model mlp(H: dim, C: dim) {\n"
                              "  input image: f32[B, P]\n"
                              "  input digit: id[B] below C\n"
                              "  y    = linear(relu(linear(image, H)), C)\n"
                              "  loss = cross_entropy(y, digit)\n"
                              "}\n\n"
                              "train digits for mlp(H = 128, C = 10) {\n"
                              "  data      csv(\"digits.csv\", image = 0..63, digit = 64)\n"
                              "  batch     64\n"
                              "  optimizer sgd(lr = 0.1)\n"
                              "  epochs    20\n"
                              "}\n\n"
                              "cluster laptop {\n"
                              "  node box {\n"
                              "    cpu worker[4] { memory 1 GiB }\n"
                              "    link worker <-> worker: 10 GB/s, 1 us\n"
                              "  }\n"
                              "}\n\n"
                              "plan ring4 for digits on laptop {\n"
                              "  mesh   dp = 4\n"
                              "  split  B over dp\n"
                              "  reduce grad over dp by ring\n"
                              "}\n";

typedef struct statement_row {
    const char *form, *words;
} statement_row;

/* Each table ends with a row without a form. */
static const statement_row statements[] = {
    {"NAME = EXPRESSION", "binds a name; a later binding hides the earlier"},
    {"input NAME: f32[B, P], input NAME: id[B] below C", "what each sample brings, numbers or ids"},
    {"param NAME: [D, F] init normal(0, 0.02)",
     "what is trained; zeros, ones, constant, normal, uniform"},
    {"state NAME: [D] init zeros", "what is kept from step to step and not trained"},
    {"metric NAME = EXPRESSION", "a number that is reported beside the loss"},
    {"if CONDITION { } else { }",
     "decided when the plan is compiled, in a layer; by the step, in a schedule"},
    {"return EXPRESSION", "what a layer or schedule gives"},
    {"repeat N: layer(x)", "a layer N times, each with its own parameters, under one body"},
    {0},
};

static const statement_row cluster_statements[] = {
    {"node NAME[COUNT] { }", "a host, and what is inside"},
    {"cpu NAME[COUNT] { memory 1 GiB }",
     "devices, with memory, compute, bandwidth; gpu and other words alike"},
    {"link a <-> b: 10 GB/s, 1 us",
     "a link of that bandwidth and latency each way; a -> b one way"},
    {"link g: 25 GB/s, 1 us { 0-1 x2, 0-2 }", "links between numbered devices, doubled by x2"},
    {"switch NAME over g: 450 GB/s, 1 us", "a switch to which each device has a port"},
    {0},
};

static const statement_row topology_statements[] = {
    {"chunks N", "into how many chunks the data is cut"},
    {"collective KIND",
     "all_reduce unless said; reduce_scatter, all_gather, broadcast, reduce, all_to_all"},
    {"root RANK", "of broadcast and reduce"},
    {"require CONDITION", "what must hold of the number of ranks"},
    {"for i in A ..< B, j in C .. D: STATEMENT", "each value of the first index is a step"},
    {"send CHUNK from RANK to RANK reduce", "adds to the receiver's chunk; copy replaces it"},
    {0},
};

static const statement_row weights_statements[] = {
    {"\"NAME\" = PATH",
     "the tensor of a file, and the parameter that it holds; {i} counts the layers of a repeat"},
    {"\"NAME\" = concat(PATH, PATH)",
     "several parameters in one tensor, along their last dimension"},
    {"\"NAME\" = transpose(PATH)", "the two dimensions the other way round"},
    {"prefix \"WORDS\"", "what may stand before every name"},
    {"tied \"NAME\" = PATH", "a second name of what another row names"},
    {"ignore \"NAME\", \"NAME\"", "tensors that are not read"},
    {0},
};

static void items(text *t, const statement_row *table)
{
    for (; table->form; table++)
        manual_item(t, table->form, table->words);
}

static void units(text *t)
{
    static const char *const names[] = {
#define UNIT(name, measures, scale) name,
#include "ast/unit.def"
#undef UNIT
    };
    text all = text_in(t->memory);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        text_add(&all, "%s%s", i ? ", " : "", names[i]);
    section(
        t, "UNITS",
        "A unit is part of a number: GiB is not GB, and Gb/s is not GB/s. A bare number where a "
        "quantity belongs is an error.");
    text_add(t, ".PP\n");
    manual_words(t, text_done(&all));
    text_add(t, "\n");
}

void manual_plan(text *t)
{
    section(t, "DESCRIPTION",
            "A plan file is UTF-8 text with the ending .plan. Statements end at the end of their "
            "line or at ';'; inside brackets a "
            "line goes on. '#' starts a comment. Clause words are words only where a clause may "
            "start. Dimensions have names, and "
            "no dimension is found by position: operators broadcast by name, and a product names "
            "what it sums over.");
    text_add(t, ".SH EXAMPLE\n.nf\n");
    manual_words(t, example);
    text_add(t, ".fi\n");
    section(t, "BLOCKS", "At the top of a file:");
    notes_of(t, AST_FILE);
    section(t, "MODELS AND LAYERS", "Statements of model, layer, optimizer and schedule:");
    items(t, statements);
    section(t, "TRAIN", "Clauses of a train block, in any order:");
    notes_of(t, AST_TRAIN);
    section(t, "CLUSTER", "Statements of a cluster block:");
    items(t, cluster_statements);
    section(t, "PLAN", "Clauses of a plan block, in any order:");
    notes_of(t, AST_PLAN);
    section(
        t, "TOPOLOGY",
        "Statements of a topology block. Chunk and rank numbers are taken modulo their counts:");
    items(t, topology_statements);
    section(t, "WEIGHTS", "Statements of a weights block:");
    items(t, weights_statements);
    section(t, "OPERATORS", "What can be called without being defined:");
    notes_of(t, AST_CALL);
    section(t, "EXPRESSIONS",
            "+ - * / // % ^, comparisons, and, or, not, if CONDITION then X else Y, A .. B (B "
            "included), A ..< B "
            "(B left out), (1, 2), [1, 2], names with a path: block.attn, block[0..5], block.*");
    units(t);
}
