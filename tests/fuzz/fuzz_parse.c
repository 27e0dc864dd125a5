/* Any bytes: the tree is one that ast_check accepts, prints, and keeps through formatting. */
#include "diag/diag_json.h"
#include "fuzz.h"
#include "parse/format.h"

#include <string.h>

static void print_all(const ast_node *tree, const source_set *sources, const diag_sink *diags)
{
    FILE *nowhere = fopen("/dev/null", "w");
    fuzz_require(nowhere != NULL, "no /dev/null");
    ast_print(tree, sources, nowhere);
    diag_print(diags, nowhere, true);
    diag_print_json(diags, nowhere);
    fclose(nowhere);
}

static void format_again(const parse_context *context, const ast_node *tree, const char *formatted)
{
    int again = source_add(context->sources, "again.plan", formatted, strlen(formatted));
    ast_node *same = parse_file(context, again);
    fuzz_require(!same->poisoned && ast_equal(tree, same), "formatting changes the tree");
    const char *twice = format_file(context, again);
    fuzz_require(twice && strcmp(formatted, twice) == 0, "formatting again changes the text");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    arena *a = arena_new();
    source_set *sources = source_set_new(a);
    parse_context context = {a, atom_table_new(a), sources, diag_sink_new(a, sources)};
    int file = source_add(sources, "fuzz.plan", (const char *)bytes, size);
    ast_node *tree = parse_file(&context, file);
    const char *fault = ast_check(tree, a);
    fuzz_require(!fault, fault);
    const char *formatted = format_file(&context, file);
    fuzz_require(!formatted == (diag_error_count(context.diags) > 0), "a broken file is formatted");
    if (formatted)
        format_again(&context, tree, formatted);
    print_all(tree, sources, context.diags);
    arena_free(a);
    return 0;
}
