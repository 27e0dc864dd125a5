#include "support/sema_run.h"

#include "parse/parse.h"

#include <stdlib.h>
#include <string.h>

static sema_run resolved(const char *path, const char *bytes)
{
    sema_run r = {.memory = arena_new()};
    r.atoms = atom_table_new(r.memory);
    r.sources = source_set_new(r.memory);
    r.diags = diag_sink_new(r.memory, r.sources);
    int file =
        bytes ? source_add(r.sources, path, bytes, strlen(bytes)) : source_read(r.sources, path);
    if (file < 0)
        abort();
    parse_context parsing = {r.memory, r.atoms, r.sources, r.diags};
    sema_context context = {.memory = r.memory,
                            .atoms = r.atoms,
                            .sources = r.sources,
                            .diags = r.diags,
                            .library = TEST_SOURCE_DIR "/stdlib"};
    r.sema = sema_new(&context, parse_file(&parsing, file));
    return r;
}

static sema_run run(const char *path, const char *bytes, const char *plan)
{
    sema_run r = resolved(path, bytes);
    r.fine = sema_check(r.sema);
    if (r.fine && !(plan && !*plan))
        r.fine = sema_elaborate(r.sema, plan, NULL, 0, &r.out);
    return r;
}

void sema_run_set(sema_run *r, const char *plan, const char *name, const char *bytes)
{
    parse_context parsing = {r->memory, r->atoms, r->sources, r->diags};
    int file = source_add(r->sources, "--set", bytes, strlen(bytes));
    sema_setting setting = {atom_of(r->atoms, name), parse_expression(&parsing, file)};
    r->fine = sema_elaborate(r->sema, plan, &setting, 1, &r->out);
}

sema_run sema_run_text(const char *bytes, const char *plan)
{
    return run("test.plan", bytes, plan);
}

sema_run sema_run_file(const char *path, const char *plan)
{
    return run(path, NULL, plan);
}

sema_run sema_run_unchecked(const char *bytes)
{
    return resolved("test.plan", bytes);
}

const char *sema_run_words(sema_run *r)
{
    char *words = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&words, &size);
    diag_print(r->diags, out, false);
    fclose(out);
    const char *kept = arena_copy_text(r->memory, words, size);
    free(words);
    return kept;
}

void sema_run_free(sema_run *r)
{
    arena_free(r->memory);
}
