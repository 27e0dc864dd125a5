#include "sema/note.h"

#include <string.h>

static const note blocks_and_clauses[] = {
#define BLOCK_NOTE(word, form, text) {AST_FILE, word, form, text},
#define CLAUSE_NOTE(block, word, form, text) {AST_##block, word, form, text},
#include "sema/note.def"
};

static const note words[] = {
#define BUILTIN_NOTE(name, text) {AST_CALL, name, NULL, text},
#include "sema/note.def"
};

static const struct {
    const char *name, *signature;
} signatures[] = {
#define BUILTIN(name, handler, kind, least, most, signature) {name, signature},
#include "sema/builtin.def"
#undef BUILTIN
};

enum {
    FIRST = sizeof blocks_and_clauses / sizeof *blocks_and_clauses,
    WORDS = sizeof words / sizeof *words,
    BUILTINS = sizeof signatures / sizeof *signatures
};

static const char *text_of(const char *name)
{
    for (int i = 0; i < WORDS; i++)
        if (strcmp(words[i].word, name) == 0)
            return words[i].text;
    return "";
}

note note_at(int i)
{
    if (i < FIRST)
        return blocks_and_clauses[i];
    if (i >= FIRST + BUILTINS)
        return (note){0};
    const char *name = signatures[i - FIRST].name;
    return (note){AST_CALL, name, signatures[i - FIRST].signature, text_of(name)};
}

note note_find(ast_kind block, const char *word)
{
    for (int i = 0; note_at(i).word; i++)
        if (note_at(i).block == block && strcmp(note_at(i).word, word) == 0)
            return note_at(i);
    return (note){0};
}
