/* Any bytes through everything that `check` does. Sanitizers slow the loops that its budgets of work are for some thirty times:
 * for a second to be the bound here too, it has a part of them. */
#include "fuzz.h"
#include "parse/parse.h"
#include "sema/sema.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    arena *a = arena_new();
    source_set *sources = source_set_new(a);
    parse_context parsing = {a, atom_table_new(a), sources, diag_sink_new(a, sources)};
    ast_node *tree =
        parse_file(&parsing, source_add(sources, "fuzz.plan", (const char *)bytes, size));
    sema_context context = {.memory = a,
                            .atoms = parsing.atoms,
                            .sources = sources,
                            .diags = parsing.diags,
                            .library = FUZZ_LIBRARY};
    sema *s = sema_new(&context, tree);
#ifdef FUZZ_SLOW
    sema_spare(s, 32);
#endif
    bool right = sema_check(s);
    fuzz_require(right == (diag_error_count(parsing.diags) == 0), "the verdict is not the errors'");
    arena_free(a);
    return 0;
}
