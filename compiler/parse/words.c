#include "parse/words.h"

#include "base/text.h"
#include "parse/bytes.h"
#include "parse/parser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct words {
    const parse_context *context;
    token_list *list;
    bool line_reported; /* a foreign character of this line was reported */
} words;

static span span_of(const words *w, const token *t)
{
    return token_span(w->list, t);
}

/* What the grammar misses in the line comes from the mistake that is reported. */
static void spoil(words *w, const token *t)
{
    if (!(t->flags & TOKEN_SPOILED))
        token_spoil_line(w->list, (size_t)(t - w->list->items));
}

static void settle_name(words *w, token *t)
{
    size_t length = t->end - t->begin;
    if (length > PARSE_LONGEST_NAME) {
        diag_report(w->context->diags, E0108, span_of(w, t),
                    "a name of %zu bytes; a name has at most %d", length, PARSE_LONGEST_NAME);
    }
    t->name = atom_intern(w->context->atoms, w->list->bytes + t->begin, length);
}

/* ------------------------------------------------------------------- numbers */

static double number_value(words *w, const token *t)
{
    char digits[400];
    size_t length = 0;
    for (uint32_t i = t->begin; i < t->end && length < sizeof digits - 1; i++)
        if (w->list->bytes[i] != '_')
            digits[length++] = w->list->bytes[i];
    digits[length] = '\0';
    return t->end - t->begin < sizeof digits ? strtod(digits, NULL) : HUGE_VAL;
}

/* The token behind number `i`, if it stands on the same line with nothing but blanks between. */
static token *follower(const words *w, size_t i, bool *adjacent)
{
    if (i + 1 >= w->list->count)
        return NULL;
    token *next = &w->list->items[i + 1];
    *adjacent = next->begin == w->list->items[i].end;
    return next;
}

/* Bytes of `GB/s` and `TFLOP/sec` behind a number: a word, and a slash and a word with no blank between. */
static size_t unit_tokens(const words *w, size_t first, uint32_t *end)
{
    const token *t = &w->list->items[first];
    *end = t->end;
    if (first + 2 >= w->list->count || t->type == TOKEN_PERCENT)
        return 1;
    const token *slash = t + 1, *second = t + 2;
    if (slash->type != TOKEN_OVER_SIGN || slash->begin != t->end || second->type != TOKEN_NAME ||
        second->begin != slash->end)
        return 1;
    const char *bytes = w->list->bytes + t->begin;
    const unit *known = unit_find(bytes, second->end - t->begin);
    if (!known && !unit_suggest(bytes, t->end - t->begin) &&
        !unit_suggest(bytes, second->end - t->begin))
        return 1;
    *end = second->end;
    return 3;
}

/* `4D`: dimensions begin with a capital. */
static bool is_factor(const char *name, size_t length)
{
    return *name >= 'A' && *name <= 'Z' && length <= 2 && !(length == 1 && strchr("KMG", *name));
}

/* `model 2mlp(`: the first of its line is a block's word, and a name is due. */
static bool is_name_of(words *w, token *number, span at)
{
    const token *before = number > w->list->items ? number - 1 : NULL;
    static const char *const blocks[] = {"model", "layer",    "optimizer", "schedule", "train",
                                         "plan",  "topology", "cluster",   "weights"};
    bool heads = false;
    for (size_t i = 0; before && i < sizeof blocks / sizeof *blocks; i++)
        heads = heads || token_is(w->list, before, blocks[i]);
    if (!heads || (before->begin && w->list->bytes[before->begin - 1] != '\n') ||
        at.begin != number->end)
        return false;
    diag *d = diag_report(w->context->diags, E0102, (span){at.file, number->begin, at.end},
                          "a name begins with a letter, not with a digit");
    diag_fix(d, "%s_%.*s", "n", (int)(at.end - number->begin), w->list->bytes + number->begin);
    number->type = TOKEN_BAD_VALUE;
    spoil(w, number);
    return true;
}

static void report_unit(words *w, token *number, span at)
{
    const char *name = w->list->bytes + at.begin;
    size_t length = at.end - at.begin;
    const unit *meant = unit_suggest(name, length);
    if (!meant && length > 4 && memcmp(name + length - 4, "/sec", 4) == 0)
        meant = unit_suggest(name, length - 2);
    if (is_name_of(w, number, at))
        return;
    diag *d = diag_report(w->context->diags, E0112, at, "unknown unit '%.*s'", (int)length, name);
    if (!meant && at.begin == number->end && is_factor(name, length))
        diag_fix_edit(d, (span){at.file, at.begin, at.begin}, " * ", "%.*s * %.*s",
                      (int)(number->end - number->begin), w->list->bytes + number->begin,
                      (int)length, name);
    else if (length == 1 && strchr("kKmMgG", *name))
        diag_fix(d, "write the number out, as 64_000");
    else if (meant)
        diag_fix_edit(d, at, meant->name, "did you mean '%s'?", meant->name);
    number->type = TOKEN_BAD_VALUE;
    spoil(w, number);
}

/* A word behind a blank is a unit only if it is one, or one but for its case: `4 blocks` are blocks. */
static bool means_unit(const words *w, const token *first, uint32_t end, bool adjacent)
{
    const char *name = w->list->bytes + first->begin;
    size_t length = end - first->begin;
    bool is_rate = end > first->end;
    if (adjacent || is_rate || unit_find(name, length))
        return true;
    return length >= 2 && unit_suggest(name, length) != NULL;
}

static bool starts_operand(const words *w, const token *t)
{
    static const char *const between[] = {"and", "or", "then", "else", "over"};
    if (t->type != TOKEN_NAME)
        return t->type == TOKEN_NUMBER || t->type == TOKEN_LEFT || t->type == TOKEN_STRING;
    for (size_t i = 0; i < sizeof between / sizeof *between; i++)
        if (token_is(w->list, t, between[i]))
            return false;
    return true;
}

/* `20%` and `20 %` are shares; `n % 2` and `4 % n` are remainders. */
static bool means_share(const words *w, size_t percent, bool adjacent)
{
    if (adjacent)
        return true;
    return percent + 1 >= w->list->count || !starts_operand(w, &w->list->items[percent + 1]);
}

static void join_unit(words *w, size_t i, token *first, bool adjacent)
{
    token *number = &w->list->items[i];
    uint32_t end;
    size_t taken = unit_tokens(w, (size_t)(first - w->list->items), &end);
    if (!means_unit(w, first, end, adjacent))
        return;
    span at = {w->list->file, first->begin, end};
    number->unit = unit_find(w->list->bytes + first->begin, end - first->begin);
    if (!number->unit)
        report_unit(w, number, at);
    number->end = end;
    number->flags |= TOKEN_UNIT_OF | (adjacent ? 0 : TOKEN_SPACED_UNIT);
    for (size_t k = 0; k < taken; k++)
        first[k].type = TOKEN_SKIPPED;
}

static void report_number(words *w, token *t, span at, const char *right)
{
    diag *d = diag_report(w->context->diags, E0111, at, "'%.*s' is not a number",
                          (int)(at.end - at.begin), w->list->bytes + at.begin);
    if (right)
        diag_fix_edit(d, at, right, "write '%s'", right);
    t->type = TOKEN_BAD_VALUE;
    t->begin = at.begin;
    t->end = at.end;
    spoil(w, t);
}

static bool has_digit_or_underscore(const words *w, const token *t)
{
    for (uint32_t i = t->begin; i < t->end; i++)
        if (strchr("_0123456789", w->list->bytes[i]))
            return true;
    return false;
}

/* `1.` before a blank or a sign: no path goes on from a number. */
static bool ends_behind_dot(const words *w, size_t dot)
{
    if (dot + 1 >= w->list->count)
        return true;
    const token *next = &w->list->items[dot + 1];
    return next->begin > w->list->items[dot].end ||
           (next->type != TOKEN_NAME && next->type != TOKEN_TIMES);
}

/* `1.5.2`, `1_000_`, `12ab3`: what sticks to a number and is no unit. */
static bool settle_glued(words *w, size_t i)
{
    token *number = &w->list->items[i];
    bool adjacent = false;
    token *next = follower(w, i, &adjacent);
    if (!next || !adjacent)
        return false;
    if (next->type == TOKEN_DOT && i + 2 < w->list->count && next[1].begin == next->end &&
        next[1].type == TOKEN_NUMBER) {
        report_number(w, number, (span){w->list->file, number->begin, next[1].end}, NULL);
        next[0].type = next[1].type = TOKEN_SKIPPED;
        return true;
    }
    if (next->type == TOKEN_DOT && ends_behind_dot(w, i + 1)) {
        const char *right =
            arena_format(w->context->memory, "%.*s.0", (int)(number->end - number->begin),
                         w->list->bytes + number->begin);
        report_number(w, number, (span){w->list->file, number->begin, next->end}, right);
        next->type = TOKEN_SKIPPED;
        return true;
    }
    if (next->type != TOKEN_NAME || !has_digit_or_underscore(w, next))
        return false;
    report_number(w, number, (span){w->list->file, number->begin, next->end}, NULL);
    next->type = TOKEN_SKIPPED;
    return true;
}

static void settle_unit(words *w, size_t i)
{
    bool adjacent = false;
    token *next = follower(w, i, &adjacent);
    if (!next)
        return;
    if (next->type == TOKEN_NAME)
        join_unit(w, i, next, adjacent);
    else if (next->type == TOKEN_PERCENT && means_share(w, i + 1, adjacent))
        join_unit(w, i, next, adjacent);
}

/* `.5`: a dot that follows nothing and is followed by digits. */
static bool settle_leading_dot(words *w, size_t i)
{
    token *t = &w->list->items[i];
    bool apart = i == 0 || t[-1].end != t->begin || t[-1].type == TOKEN_LEFT ||
                 t[-1].type == TOKEN_LEFT_SQUARE || t[-1].type == TOKEN_COMMA ||
                 t[-1].type == TOKEN_IS;
    if (!apart || i + 1 >= w->list->count || t[1].type != TOKEN_NUMBER || t[1].begin != t->end)
        return false;
    span at = {w->list->file, t->begin, t[1].end};
    const char *right = arena_format(w->context->memory, "0%.*s", (int)(at.end - at.begin),
                                     w->list->bytes + at.begin);
    report_number(w, t, at, right);
    t[1].type = TOKEN_SKIPPED;
    return true;
}

static void settle_number(words *w, size_t i)
{
    token *t = &w->list->items[i];
    if (settle_glued(w, i))
        return;
    double value = number_value(w, t);
    if (isinf(value)) {
        diag_report(w->context->diags, E0110, span_of(w, t), "a number beyond 1.8e308");
        spoil(w, t);
        t->type = TOKEN_BAD_VALUE;
    }
    int type = t->type;
    settle_unit(w, i);
    t->number = value;
    if (type == TOKEN_BAD_VALUE)
        t->type = TOKEN_BAD_VALUE;
}

/* ------------------------------------------------- strings and foreign signs */

static void settle_open_string(words *w, size_t i)
{
    token *t = &w->list->items[i];
    diag *d = diag_report(w->context->diags, E0104, (span){w->list->file, t->begin, t->begin + 1},
                          "a string that does not end on its line");
    diag_fix(d, "close it with '\"'");
    t->type = TOKEN_BAD;
    spoil(w, t);
}

static void settle_quoted(words *w, token *t)
{
    int length = (int)(t->end - t->begin) - 2;
    const char *inside = w->list->bytes + t->begin + 1;
    diag *d =
        diag_report(w->context->diags, E0114, span_of(w, t), "strings stand in double quotes");
    bool simple = !memchr(inside, '"', (size_t)length) && !memchr(inside, '\\', (size_t)length);
    const char *right = arena_format(w->context->memory, "\"%.*s\"", length, inside);
    if (simple)
        diag_fix_edit(d, span_of(w, t), right, "write %s", right);
    t->type = TOKEN_BAD_VALUE;
}

static const struct {
    const char *sign, *word;
    int type;
} foreign_signs[] = {
    {"&&", "and", TOKEN_AND},
    {"||", "or", TOKEN_OR},
    {"**", "^", TOKEN_POWER},
    {"!", "not ", TOKEN_NOT},
};

static void settle_foreign_sign(words *w, token *t)
{
    for (size_t i = 0; i < sizeof foreign_signs / sizeof *foreign_signs; i++) {
        if (!token_is(w->list, t, foreign_signs[i].sign))
            continue;
        const char *word = foreign_signs[i].word;
        diag *d = diag_report(w->context->diags, E0114, span_of(w, t),
                              "'%s' is no sign of the language", foreign_signs[i].sign);
        diag_fix_edit(d, span_of(w, t), word, "write '%.*s'", (int)strcspn(word, " "), word);
        spoil(w, t);
        t->type = (uint16_t)foreign_signs[i].type;
        t->name = atom_of(w->context->atoms, i == 3 ? "not" : word);
    }
}

/* Characters that word processors and web pages put where ASCII is meant. */
static const char *const lookalikes[][2] = {
    {"\xe2\x80\x9c", "\""}, {"\xe2\x80\x9d", "\""},  {"\xe2\x80\x98", "\""}, {"\xe2\x80\x99", "\""},
    {"\xe2\x80\x93", "-"},  {"\xe2\x80\x94", "-"},   {"\xe2\x88\x92", "-"},  {"\xc3\x97", "*"},
    {"\xc2\xb7", "*"},      {"\xe2\x89\xa4", "<="},  {"\xe2\x89\xa5", ">="}, {"\xe2\x89\xa0", "!="},
    {"\xe2\x86\x92", "->"}, {"\xe2\x86\x94", "<->"}, {"\xc2\xa0", " "},      {"\xe2\x80\xa6", ".."},
};

static const char *lookalike(const char *character, size_t length)
{
    for (size_t i = 0; i < sizeof lookalikes / sizeof *lookalikes; i++)
        if (strlen(lookalikes[i][0]) == length && memcmp(lookalikes[i][0], character, length) == 0)
            return lookalikes[i][1];
    return NULL;
}

/* Behind the other quote of a pair of “ ”, on the same line; 0: there is none. */
static uint32_t other_quote(const words *w, uint32_t from)
{
    size_t length;
    const char *bytes = source_bytes(w->context->sources, w->list->file, &length);
    for (size_t i = from; i < length && bytes[i] != '\n'; i++) {
        size_t step = bytes_character(bytes + i, bytes + length);
        const char *meant = step > 1 ? lookalike(bytes + i, step) : NULL;
        if (meant && *meant == '"')
            return (uint32_t)(i + step);
        if (bytes[i] == '"')
            return 0;
    }
    return 0;
}

static void suggest_character(words *w, diag *d, span first, const char *meant)
{
    uint32_t end = *meant == '"' ? other_quote(w, first.end) : 0;
    if (*meant != '"') {
        diag_fix_edit(d, first, meant, "write '%s'", meant);
    } else if (end > 0) {
        int inside = (int)(end - first.end) - (int)(first.end - first.begin);
        const char *quoted =
            arena_format(w->context->memory, "\"%.*s\"", inside, w->list->bytes + first.end);
        diag_fix_edit(d, (span){first.file, first.begin, end}, quoted, "write %s", quoted);
    } else {
        diag_fix(d, "strings stand between '\"' and '\"'");
    }
}

/* What stands here for a sign of other languages. */
static const char *habit_of(char sign)
{
    switch (sign) {
    case '@':
        return "dot(x, w over D) for a product over D";
    case '&':
        return "'and' between conditions";
    case '|':
        return "'or' between conditions";
    case '?':
        return "if CONDITION then THIS else THAT";
    default:
        return NULL;
    }
}

/* Only the first of a line is reported; the line is not read further. */
static void settle_foreign(words *w, token *t)
{
    const char *at = w->list->bytes + t->begin;
    size_t length = bytes_character(at, w->list->bytes + t->end);
    t->type = TOKEN_BAD;
    if (length == 0 || bytes_is_control(*at) || w->line_reported || (t->flags & TOKEN_SPOILED))
        return;
    w->line_reported = true;
    spoil(w, t);
    span first = {w->list->file, t->begin, t->begin + (uint32_t)length};
    diag *d = diag_report(w->context->diags, E0101, first, "character '%.*s' has no meaning here",
                          (int)length, at);
    const char *meant = lookalike(at, length), *habit = habit_of(*at);
    if (meant)
        suggest_character(w, d, first, meant);
    else if (habit)
        diag_fix(d, "%s", habit);
}

static void settle_escapes(words *w, token *t)
{
    const char *bytes = w->list->bytes;
    for (uint32_t i = t->begin + 1; i + 1 < t->end; i++) {
        if (bytes[i] != '\\')
            continue;
        i++;
        if (strchr("\"\\ntr", bytes[i]) && bytes[i])
            continue;
        span at = {w->list->file, i - 1, i + 1};
        diag *d = diag_report(w->context->diags, E0113, at, "no escape begins with '\\%c'",
                              bytes[i] > ' ' && bytes[i] < 0x7f ? bytes[i] : '?');
        diag_fix_edit(d, at, arena_format(w->context->memory, "\\\\%c", bytes[i]),
                      "write '\\\\' for a backslash");
        t->type = TOKEN_BAD_VALUE;
        return;
    }
}

/* A byte order mark is blank where a file begins with it. */
static bool is_mark(const words *w, const token *t)
{
    return t->begin == 0 && token_is(w->list, t, "\xef\xbb\xbf");
}

static void settle_token(words *w, size_t i)
{
    token *t = &w->list->items[i];
    switch (t->type) {
    case TOKEN_NAME:
        settle_name(w, t);
        break;
    case TOKEN_NUMBER:
        settle_number(w, i);
        break;
    case TOKEN_DOT:
        settle_leading_dot(w, i);
        break;
    case TOKEN_STRING:
        settle_escapes(w, t);
        break;
    case TOKEN_OPEN_STRING:
        settle_open_string(w, i);
        break;
    case TOKEN_QUOTED:
        settle_quoted(w, t);
        break;
    case TOKEN_FOREIGN_SIGN:
        settle_foreign_sign(w, t);
        break;
    case TOKEN_FOREIGN:
        if (is_mark(w, t))
            t->type = TOKEN_SKIPPED;
        else
            settle_foreign(w, t);
        break;
    case TOKEN_NEWLINE:
        w->line_reported = false;
        break;
    default:
        break;
    }
}

void words_settle(const parse_context *context, token_list *list)
{
    words w = {context, list, false};
    for (size_t i = 0; i < list->count; i++)
        settle_token(&w, i);
}
