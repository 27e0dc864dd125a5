#include "parse/token.h"

#include "base/vec.h"
#include "parse/parser.h"

#include <string.h>

void token_skip(token_list *list, int length)
{
    list->at += (uint32_t)length;
}

void token_push(token_list *list, int type, int length)
{
    token t = {.type = (uint16_t)type, .begin = list->at, .end = list->at + (uint32_t)length};
    list->at = t.end;
    vec_push(list->memory, list, t);
}

void token_push_stars(token_list *list)
{
    bool behind_dot = list->count > 0 && list->items[list->count - 1].type == TOKEN_DOT;
    if (!behind_dot) {
        token_push(list, TOKEN_FOREIGN_SIGN, 2);
        return;
    }
    token_push(list, TOKEN_TIMES, 1);
    token_push(list, TOKEN_TIMES, 1);
}

span token_span(const token_list *list, const token *t)
{
    return (span){list->file, t->begin, t->end};
}

bool token_is(const token_list *list, const token *t, const char *word)
{
    size_t length = strlen(word);
    return t->end - t->begin == length && memcmp(list->bytes + t->begin, word, length) == 0;
}

size_t token_next(const token_list *list, size_t from)
{
    while (from < list->count) {
        int type = list->items[from].type;
        if (type != TOKEN_COMMENT && type != TOKEN_NEWLINE && type != TOKEN_SKIPPED)
            break;
        from++;
    }
    return from;
}

void token_spoil_line(token_list *list, size_t i)
{
    while (i > 0 && list->items[i - 1].type != TOKEN_NEWLINE)
        i--;
    for (; i < list->count && list->items[i].type != TOKEN_NEWLINE; i++)
        list->items[i].flags |= TOKEN_SPOILED;
}
