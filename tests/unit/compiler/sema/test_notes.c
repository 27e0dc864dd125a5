/* sema/note: each clause, operator and block has its line, and no line is about something that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "sema/note.h"

typedef struct word_row {
    ast_kind block;
    const char *word;
} word_row;

static const word_row known[] = {
#define ITEM(word, token) {AST_FILE, word},
#include "../grammar/keywords.def"
#define CLAUSE(block, word, ...) {AST_##block, word},
#include "sema/clause.def"
#undef CLAUSE
#define BUILTIN(name, ...) {AST_CALL, name},
#include "sema/builtin.def"
#undef BUILTIN
};
enum { KNOWN = sizeof known / sizeof *known };

static void each_word_has_a_note(void **state)
{
    (void)state;
    int missing = 0;
    for (int i = 0; i < KNOWN; i++) {
        note n = note_find(known[i].block, known[i].word);
        if (!n.word || !*n.text || !strstr(n.form, n.word)) {
            print_error("no note: '%s'\n", known[i].word);
            missing++;
        }
    }
    print_message("%d words\n", KNOWN);
    assert_int_equal(missing, 0);
}

static void each_note_is_of_a_word(void **state)
{
    (void)state;
    for (int i = 0; note_at(i).word; i++) {
        bool found = false;
        for (int k = 0; k < KNOWN; k++)
            found = found || (known[k].block == note_at(i).block &&
                              strcmp(known[k].word, note_at(i).word) == 0);
        if (!found)
            fail_msg("a note about '%s', which is not there", note_at(i).word);
    }
    assert_null(note_find(AST_PLAN, "batch").word);
    assert_null(note_find(AST_CALL, "linear").word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_has_a_note),
        cmocka_unit_test(each_note_is_of_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
