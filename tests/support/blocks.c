#include "support/blocks.h"
#include "parse/parse.h"

#include <stdlib.h>
#include <string.h>

blocks blocks_of(const char *path, const char *bytes)
{
    blocks t = {.memory = arena_new()};
    t.atoms = atom_table_new(t.memory);
    t.sources = source_set_new(t.memory);
    t.sink = diag_sink_new(t.memory, t.sources);
    int file =
        bytes ? source_add(t.sources, path, bytes, strlen(bytes)) : source_read(t.sources, path);
    if (file < 0)
        abort();
    t.file = parse_file(&(parse_context){t.memory, t.atoms, t.sources, t.sink}, file);
    return t;
}

blocks blocks_stdlib(void)
{
    return blocks_of(TEST_SOURCE_DIR "/stdlib/topology.plan", NULL);
}

const ast_node *blocks_find(const blocks *t, const char *name)
{
    for (size_t i = 0; i < t->file->count; i++)
        if (t->file->children[i]->kind == AST_TOPOLOGY &&
            strcmp(t->file->children[i]->name, name) == 0)
            return t->file->children[i];
    return NULL;
}

coll_program *blocks_evaluate(const blocks *t, const char *name, int ranks, int per_node)
{
    const ast_node *block = blocks_find(t, name);
    coll_request request = {.ranks = ranks, .per_node = per_node, .at = SPAN_NONE};
    return block ? coll_evaluate(block, &request, t->sources, t->sink, t->memory) : NULL;
}

const char *blocks_diagnostics(const blocks *t)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    diag_print(t->sink, out, false);
    fclose(out);
    char *copy = arena_copy_text(t->memory, bytes, length);
    free(bytes);
    return copy;
}
