#include "support/random_plan.h"

#include <stdbool.h>

typedef struct generator {
    text out;
    uint64_t state;
    int rounds; /* brackets open: a line may go on */
    int depth;
} generator;

static unsigned below(generator *g, unsigned n)
{
    g->state = g->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(g->state >> 33) % n;
}

static bool now_and_then(generator *g, unsigned n)
{
    return below(g, n) == 0;
}

static void put(generator *g, const char *words)
{
    text_add(&g->out, "%s", words);
}

/* Blank that may be none. */
static void gap(generator *g)
{
    static const char *const blanks[] = {"", "", " ", " ", "  ", "\t"};
    static const char *const breaks[] = {"\n", "\n\n", " # within\n", "\n  # alone\n", "\r\n"};
    if (g->rounds > 0 && now_and_then(g, 8))
        put(g, breaks[below(g, 5)]);
    else
        put(g, blanks[below(g, 6)]);
}

static void blank(generator *g)
{
    put(g, " ");
    gap(g);
}

static void name(generator *g)
{
    static const char *const names[] = {"x",   "h",     "loss", "data", "batch", "train",
                                        "D",   "block", "init", "from", "over2", "g1",
                                        "w_0", "model", "n",    "by",   "x2",    "in"};
    put(g, names[below(g, 18)]);
}

static void expression(generator *g);

static void open(generator *g, const char *sign)
{
    put(g, sign);
    g->rounds++;
    gap(g);
}

static void shut(generator *g, const char *sign)
{
    gap(g);
    put(g, sign);
    g->rounds--;
}

static void argument(generator *g)
{
    if (now_and_then(g, 3)) {
        name(g);
        gap(g);
        put(g, "=");
        gap(g);
    }
    expression(g);
}

static void comma_list(generator *g, void (*one)(generator *), unsigned most)
{
    for (unsigned count = 1 + below(g, most); count > 0; count--) {
        one(g);
        gap(g);
        if (count > 1)
            put(g, ",");
        gap(g);
    }
}

static void primary(generator *g);

static void number(generator *g)
{
    static const char *const numbers[] = {"0",       "1",      "3.5",  "1e-4",
                                          "100_000", "80 GiB", "20%",  "10 Gb/s",
                                          "1.5us",   "7GB/s",  "20 %", "2 TFLOP/s"};
    put(g, numbers[below(g, 12)]);
}

/* w over D, E */
static void over(generator *g)
{
    name(g);
    blank(g);
    put(g, "over");
    blank(g);
    put(g, now_and_then(g, 2) ? "D" : "D, E");
}

static void choice(generator *g)
{
    open(g, "(");
    put(g, "if");
    blank(g);
    name(g);
    blank(g);
    put(g, "then");
    blank(g);
    primary(g);
    blank(g);
    put(g, "else");
    blank(g);
    primary(g);
    shut(g, ")");
}

static void path(generator *g)
{
    static const char *const paths[] = {"block[0..5].w", "h.*.b",        "a.b.c",
                                        "*.w",           "block[ 2 ].*", "x[0 ..<n]"};
    put(g, paths[below(g, 6)]);
}

static void primary(generator *g)
{
    switch (g->depth > 6 ? below(g, 2) : below(g, 12)) {
    case 8:
        open(g, "(");
        comma_list(g, primary, 3);
        put(g, ",");
        gap(g);
        number(g);
        shut(g, ")");
        break;
    case 9:
        name(g);
        open(g, "(");
        comma_list(g, over, 2);
        shut(g, ")");
        break;
    case 10:
        g->depth++;
        choice(g);
        g->depth--;
        break;
    case 11:
        path(g);
        break;
    case 0:
    case 1:
        name(g);
        break;
    case 2:
        number(g);
        break;
    case 3:
        put(g, now_and_then(g, 2) ? "\"a # b\"" : "\"\\\"x\\n\"");
        break;
    case 4:
        open(g, "(");
        expression(g);
        shut(g, ")");
        break;
    case 5:
        name(g);
        gap(g);
        open(g, "(");
        if (!now_and_then(g, 5))
            comma_list(g, argument, 3);
        shut(g, ")");
        break;
    case 6:
        name(g);
        put(g, now_and_then(g, 2) ? ".w" : ".*");
        break;
    default:
        name(g);
        open(g, "[");
        comma_list(g, expression, 2);
        shut(g, "]");
    }
}

static void operand(generator *g)
{
    if (now_and_then(g, 6)) {
        put(g, now_and_then(g, 2) ? "-" : "not ");
        gap(g);
    }
    primary(g);
}

static void expression(generator *g)
{
    static const char *const signs[] = {"+",  "-",  "*",   "/",  "//",  "% ", "^",
                                        "==", "<=", "and", "or", "..<", ".."};
    operand(g);
    if (g->depth > 3 || !now_and_then(g, 3))
        return;
    g->depth++;
    unsigned sign = below(g, 13);
    bool tight = sign < 4 && now_and_then(g, 2);
    if (!tight)
        blank(g);
    put(g, signs[sign]);
    if (!tight)
        blank(g);
    open(g, "(");
    expression(g);
    shut(g, ")");
    g->depth--;
}

static void line_end(generator *g, int indent)
{
    static const char *const ends[] = {"\n",        "\n",     "\n",  "  # why\n",
                                       "# close\n", "\n\n\n", ";\n", "; ;\n"};
    put(g, now_and_then(g, 9) ? "; " : ends[below(g, 8)]);
    if (now_and_then(g, 7))
        put(g, "\n # alone\n");
    text_add(&g->out, "%*s", (int)below(g, 2u + (unsigned)indent), "");
}

static void dims(generator *g)
{
    open(g, "[");
    if (now_and_then(g, 3))
        put(g, ".., ");
    comma_list(g, argument, 3);
    shut(g, "]");
}

static void block(generator *g, void (*statement)(generator *), unsigned most)
{
    put(g, now_and_then(g, 6) ? " # head\n{" : now_and_then(g, 6) ? "\n{" : "{");
    bool one_line = now_and_then(g, 4);
    put(g, one_line || now_and_then(g, 8) ? " " : now_and_then(g, 5) ? " # first\n" : "\n");
    for (unsigned count = below(g, most + 1); count > 0; count--) {
        statement(g);
        if (one_line)
            put(g, count > 1 ? "; " : " ");
        else
            line_end(g, 4);
    }
    put(g, "}");
}

static void statement(generator *g)
{
    g->depth++;
    switch (g->depth > 3 ? 0 : below(g, 8)) {
    case 6:
        put(g, "metric  ");
        name(g);
        put(g, " = ");
        expression(g);
        break;
    case 7:
        put(g, "state ");
        name(g);
        put(g, now_and_then(g, 2) ? " init zeros" : " :[D]  init normal( 0,1/sqrt(D) )");
        break;
    case 0:
    case 1:
        name(g);
        blank(g);
        put(g, "= ");
        if (now_and_then(g, 8))
            put(g, "repeat L: ");
        expression(g);
        break;
    case 2:
        put(g, "param ");
        name(g);
        put(g, now_and_then(g, 2) ? ":" : " : ");
        dims(g);
        put(g, " init zeros");
        break;
    case 3:
        put(g, "input ");
        name(g);
        put(g, ": id");
        dims(g);
        put(g, " below  V");
        break;
    case 4:
        put(g, "if ");
        expression(g);
        block(g, statement, 3);
        if (now_and_then(g, 2)) {
            put(g, now_and_then(g, 3) ? "\n" : now_and_then(g, 3) ? " # so\n" : " ");
            put(g, "else ");
            block(g, statement, 2);
        }
        break;
    default:
        put(g, "return ");
        expression(g);
    }
    g->depth--;
}

static void term(generator *g)
{
    static const char *const joined[] = {" over ", " by ", " as ", " with ", " ", "  to  "};
    expression(g);
    if (now_and_then(g, 3)) {
        put(g, joined[below(g, 6)]);
        put(g, now_and_then(g, 2) ? "g1" : "data.*");
    }
}

static void clause(generator *g)
{
    static const char *const words[] = {"mesh",  "split",      "reduce", "recompute",
                                        "batch", "checkpoint", "x"};
    put(g, words[below(g, 7)]);
    if (now_and_then(g, 9))
        return;
    put(g, " ");
    comma_list(g, term, 3);
}

static void edge(generator *g)
{
    static const char *const signs[] = {"-", " - ", "->", " <->", "-"};
    text_add(&g->out, "%u%s%u", below(g, 9), signs[below(g, 5)], below(g, 9));
    if (now_and_then(g, 3))
        text_add(&g->out, "  x%u", 1 + below(g, 3));
}

static void cluster_statement(generator *g)
{
    static const char *const lines[] = {"gpu g[4] { memory 80GiB,compute 989 TFLOP/s  bf16 }",
                                        "cpu c", "switch s over  host.g , c:450 GB/s,1 us",
                                        "link c<->c :10 GB/s, 1us", "memory 3 GiB"};
    unsigned kind = below(g, 7);
    if (kind < 5) {
        put(g, lines[kind]);
    } else if (kind == 5 && g->depth < 3) {
        g->depth++;
        put(g, "node a ");
        if (now_and_then(g, 2))
            put(g, "[ 2 ]");
        block(g, cluster_statement, 3);
        g->depth--;
    } else {
        put(g, "link g: 25 GB/s, 1 us");
        open(g, "{");
        comma_list(g, edge, 6);
        shut(g, "}");
    }
}

static void step(generator *g)
{
    static const char *const lines[] = {
        "chunks n",
        "collective   all_gather",
        "require n==2^log2(n)",
        "root  0",
        "far= n/2 ^(s+1)",
        "for s in 0 ..<n-1,r  in 0..n: send (r-s)   from r to r +1  copy",
        "send  partner//far*far+ c from r to(r+1) %n reduce"};
    unsigned kind = g->depth > 2 ? below(g, 7) : below(g, 10);
    if (kind < 7) {
        put(g, lines[kind]);
        return;
    }
    g->depth++;
    put(g, kind == 9 ? "if r%2==0  and r< n " : "for s in 0 ..< n,   r in 0..n-1 ");
    block(g, step, 3);
    if (kind == 9 && now_and_then(g, 2)) {
        put(g, now_and_then(g, 3) ? " # or\nelse " : " else ");
        block(g, step, 2);
    }
    g->depth--;
}

static void row(generator *g)
{
    static const char *const rows[] = {"\"a.{i}.w\"  =block[i].w",
                                       "\"b\" = concat( a.w,b.w , c.w)",
                                       "\"0.weight\"=transpose(linear.w)",
                                       "prefix   \"x.\"",
                                       "tied \"y\"=  table",
                                       "ignore \"h.{i}\" ,\"z\""};
    put(g, rows[below(g, 6)]);
}

static void item(generator *g)
{
    switch (below(g, 11)) {
    case 10:
        put(g, "weights w ");
        block(g, row, 5);
        break;
    case 7:
        put(g, now_and_then(g, 2) ? "import  \"a#b.plan\"" : "use topology");
        break;
    case 8:
        put(g, "optimizer o(lr ,betas=(0.9,0.95)) updates  p by g");
        block(g, statement, 5);
        break;
    case 9:
        put(g, "schedule s(peak, floor =0)");
        block(g, statement, 3);
        break;
    case 0:
        put(g, "use nn ,optim");
        break;
    case 1:
        put(g, "model m ( H:dim,C : dim = 3 )");
        block(g, statement, 6);
        break;
    case 2:
        put(g, "layer l(x: ");
        dims(g);
        put(g, ", bias=yes)->[.., F] ");
        block(g, statement, 5);
        break;
    case 3:
        put(g, "train t for m(H = 3) ");
        block(g, clause, 6);
        break;
    case 4:
        put(g, "plan p for t on c");
        block(g, clause, 6);
        break;
    case 5:
        put(g, "cluster c ");
        block(g, cluster_statement, 5);
        break;
    default:
        put(g, "topology t(n) ");
        block(g, step, 3);
    }
}

const char *random_plan(arena *a, uint64_t seed)
{
    generator g = {.out = text_in(a), .state = seed * 0x9e3779b97f4a7c15u + 1};
    for (unsigned count = 1 + below(&g, 4); count > 0; count--) {
        item(&g);
        line_end(&g, 1);
        put(&g, "\n");
    }
    return text_done(&g.out);
}
