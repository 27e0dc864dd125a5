/* A mutator of plan files for libFuzzer: bytes are told apart into words, numbers, strings and signs, so that most of
 * what it makes is read far enough to mean something. One change in three is left to libFuzzer's own mutator. */
#include <ctype.h>
#include <string.h>

#include "fuzz.h"

enum { MOST_PIECES = 8192, MOST_BYTES = 1 << 16 };

/* In grammar, clauses and library; numbers at the edges of what is allowed; signs. */
static const char *const words[] = {
    "model",   "layer",  "optimizer", "schedule",  "train",  "cluster",    "plan",       "topology",
    "use",     "import", "param",     "state",     "input",  "metric",     "return",     "if",
    "then",    "else",   "repeat",    "init",      "below",  "for",        "in",         "send",
    "from",    "to",     "reduce",    "copy",      "chunks", "node",       "link",       "switch",
    "over",    "by",     "on",        "as",        "with",   "every",      "within",     "except",
    "updates", "dim",    "int",       "flag",      "id",     "f32",        "and",        "or",
    "not",     "yes",    "no",        "step",      "steps",  "training",   "zeros",      "normal",
    "mesh",    "split",  "place",     "pipeline",  "shard",  "recompute",  "precision",  "require",
    "batch",   "data",   "epochs",    "seed",      "clip",   "freeze",     "dot",        "sum",
    "mean",    "max",    "concat",    "slice",     "pad",    "merge",      "rename",     "gather",
    "cumsum",  "linear", "relu",      "norm",      "embed",  "positions",  "nn",         "optim",
    "sgd",     "adamw",  "cosine",    "csv",       "tokens", "bytes",      "grad",       "loss",
    "ring",    "trees",  "auto",      "pi",        "inf",    "0",          "1",          "2",
    "3",       "4",      "8",         "64",        "-1",     "0.5",        "1e9",        "1e18",
    "1e308",   "1e-320", "4096",      "4097",      "65536",  "2147483647", "2147483648", "1 GiB",
    "10 GB/s", "1 us",   "20%",       "3 TFLOP/s", "{",      "}",          "(",          ")",
    "[",       "]",      ",",         ":",         ";",      ".",          "..",         "..<",
    "=",       "==",     "<",         "<=",        "+",      "-",          "*",          "/",
    "//",      "%",      "^",         "->",        "<->",    "\"x\"",      "\n",         " ",
    "#",       "x2"};

typedef struct piece {
    const uint8_t *bytes;
    size_t length;
} piece;

typedef struct pieces {
    piece items[MOST_PIECES];
    size_t count;
} pieces;

static size_t length_of(const uint8_t *at, size_t left)
{
    size_t n = 1;
    if (isalnum(*at) || *at == '_')
        while (n < left && (isalnum(at[n]) || at[n] == '_'))
            n++;
    else if (*at == ' ')
        while (n < left && at[n] == ' ')
            n++;
    else if (*at == '"') {
        while (n < left && at[n] != '"' && at[n] != '\n')
            n++;
        n += n < left;
    }
    return n;
}

static void tell_apart(pieces *p, const uint8_t *bytes, size_t size)
{
    p->count = 0;
    for (size_t at = 0; at < size && p->count < MOST_PIECES;) {
        size_t n = length_of(bytes + at, size - at);
        p->items[p->count++] = (piece){bytes + at, n};
        at += n;
    }
}

static unsigned next(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void insert(pieces *p, size_t at, piece one)
{
    if (p->count == MOST_PIECES)
        return;
    memmove(p->items + at + 1, p->items + at, (p->count - at) * sizeof *p->items);
    p->items[at] = one;
    p->count++;
}

static void take_out(pieces *p, size_t at, size_t count)
{
    if (count > p->count - at)
        count = p->count - at;
    memmove(p->items + at, p->items + at + count, (p->count - at - count) * sizeof *p->items);
    p->count -= count;
}

static piece word(unsigned *seed)
{
    const char *w = words[next(seed) % (sizeof words / sizeof *words)];
    return (piece){(const uint8_t *)w, strlen(w)};
}

/* Pieces of the line around `at`: from `first` on. */
static size_t line_around(const pieces *p, size_t at, size_t *first)
{
    size_t end = at;
    while (at > 0 && *p->items[at - 1].bytes != '\n')
        at--;
    while (end < p->count && *p->items[end].bytes != '\n')
        end++;
    *first = at;
    return end - at + (end < p->count);
}

static void copy_line(pieces *p, size_t from, size_t to)
{
    piece line[64];
    size_t first, count = line_around(p, from, &first);
    if (count > 64)
        count = 64;
    memcpy(line, p->items + first, count * sizeof *line);
    line_around(p, to, &to);
    for (size_t i = count; i > 0; i--)
        insert(p, to, line[i - 1]);
}

static void change(pieces *p, unsigned *seed)
{
    size_t at = next(seed) % p->count, other = next(seed) % p->count, first, count;
    piece kept = p->items[at];
    switch (next(seed) % 8) {
    case 0:
        take_out(p, at, 1);
        break;
    case 1:
        insert(p, at, kept);
        break;
    case 2:
        p->items[at] = p->items[other];
        p->items[other] = kept;
        break;
    case 3:
        p->items[at] = word(seed);
        break;
    case 4:
        insert(p, at, word(seed));
        break;
    case 5:
        p->items[at] = p->items[other];
        break;
    case 6:
        count = line_around(p, at, &first);
        take_out(p, first, count);
        break;
    default:
        copy_line(p, at, other);
        break;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed)
{
    static pieces p;
    static uint8_t made[MOST_BYTES];
    if (next(&seed) % 3 == 0 || size == 0)
        return LLVMFuzzerMutate(bytes, size, most);
    tell_apart(&p, bytes, size);
    for (unsigned times = 1 + next(&seed) % 4; times > 0 && p.count > 0; times--)
        change(&p, &seed);
    size_t length = 0;
    for (size_t i = 0; i < p.count; i++) {
        if (length + p.items[i].length > most || length + p.items[i].length > sizeof made)
            break;
        memcpy(made + length, p.items[i].bytes, p.items[i].length);
        length += p.items[i].length;
    }
    memcpy(bytes, made, length);
    return length;
}
