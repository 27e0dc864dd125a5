/* graph/: texts with bytes changed, dropped and doubled are read or refused, and what is read is verified or refused: no text
 * ends the process. What is sound prints a text that reads back to the same text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "graph/text_form.h"
#include "graph/verify.h"

enum { MUTANTS = 20000, ROOM = 4096 };

static const char *const seeds[] = {
    "graph\ndim B = 4 batch @ a.plan:1\ndim D = 3 @ -\ndim D'2 = 3 @ -\ndim L = 2 @ -\n"
    "variable w : f32[L, D, D'2] parameter init normal(0, 0.5) stacked @ a.plan:2\n"
    "variable w/v : f32[L, D, D'2] optimizer of w init zeros(0, 0) @ a.plan:2\nfunction step\n"
    "  %0 = input name=\"x\" -> [b d] : f32[B, D] as x path in.x from \"a.plan:3\" @ a.plan:4\n"
    "  %1 = variable variable=w -> [l d e] : f32[L, D, D'2] @ -\n"
    "  %2, %3 = repeat %0, %1 iterations=2 carried=1 : f32[B, D], f32[L, B] @ a.plan:5\n"
    "    arguments %4 : f32[B, D], %5 : f32[D, D'2]\n"
    "    %6 = dot %4[b d], %5[d e] -> [b e] : f32[B, D'2] @ -\n"
    "    %7 = sum %6[b d] -> [b] : f32[B] @ -\n    yield %6, %7\n  end\n"
    "  %8 = index -> [b] : i32[B] @ -\n  %9 = gather %2[_ d], %8[b] -> [b d] : f32[B, D] @ -\n"
    "  %10 = slice %9[b _] slot=1 first=0 stride=1 -> [b _] : f32[B, D] @ -\n"
    "  %11 = constant value=0.5 -> [] : f32 @ -\n  %12 = mul %10[b d], %11 -> [b d] : f32[B, D] @ "
    "-\n"
    "  %13 = reshape %12[_ _] -> [_ _] : f32[D, B] @ -\n  %14 = sum %13[d b] -> [] : f32 @ -\n"
    "  assign %1[l d e] variable=w/v @ -\n  gradient w = %1\n  result loss \"loss\" = %14\nend\n",
    "spmd\nmesh dp = 2 @ a.plan:1\nmesh tp = 2 @ a.plan:1\ndim B = 4 @ -\ndim V = 8 @ -\ndim D = 5 "
    "@ -\n"
    "function eval\n  %0 = input name=\"i\" -> [b] : i32[B@dp] @ -\n"
    "  %1 = input name=\"t\" -> [v d] : f32[V@tp, D] @ -\n"
    "  %2 = gather %1[_ d], %0[b] -> [b d] : f32[B@dp, D]{+tp} @ -\n"
    "  %3 = all_reduce %2[b d] axis=1 name=\"ring\" -> [b d] : f32[B@dp, D] @ -\n"
    "  %4 = sum %3[b d] -> [] : f32{+dp} @ -\n  %5 = all_reduce %4 gradient=1 -> [] : f32 @ -\n"
    "  %6 = all_gather %1[v d] axis=1 -> [v d] : f32[V, D] @ -\n"
    "  %7 = shard %6[v d] axis=1 -> [v d] : f32[V@tp, D] @ -\n"
    "  result loss \"loss\" = %5\nend\n",
    "graph\ndim N = 2 @ -\ndim C = 3 @ -\ndim X = 9 @ -\ndim Y = 5 @ -\ndim W = 3 @ -\ndim Z = 10 "
    "@ -\nfunction f\n"
    "  %0 = input name=\"x\" -> [n c x] : f64[N, C, X] @ -\n"
    "  %1 = input name=\"w\" -> [o i w] : f64[C, C, W] @ -\n"
    "  %2 = conv %0[n i _], %1[o i _] spatial=1 groups=1 stride0=2 pad0=1 dilation0=1 -> [n o _] : "
    "f64[N, C, Y] @ -\n"
    "  %3 = max_pool %0[n c _] spatial=1 groups=1 stride0=2 pad0=1 dilation0=1 window0=3 -> [n c "
    "_] : "
    "f64[N, C, Y] @ -\n"
    "  %4, %5 = attention %0[n s d], %0[n t d], %0[n t e] scale=0.5 -> [n s e], [n s] : f64[N, C, "
    "X], "
    "f64[N, C] @ -\n"
    "  %6 = concat %3[n c _], %3[n c _] slot=2 -> [n c _] : f64[N, C, Z] @ -\n"
    "  %8 = index -> [n] : i32[N] @ -\n"
    "  %7 = scatter_add %2[n c y], %8[n] -> [_ c] : f64[X, C] @ -\n"
    "  %9 = cumsum %2[n c y] slot=2 -> [n c y] : f64[N, C, Y] @ -\nend\n",
};

static uint64_t state_of;

static size_t pick(size_t below)
{
    state_of = state_of * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(state_of >> 33) % below;
}

static void mutate(char *text)
{
    static const char signs[] = "[]{}%=@:,.+-_\"'0123456789abdelnrtxBDLV \n";
    for (size_t edits = 1 + pick(3); edits > 0; edits--) {
        size_t length = strlen(text), at = pick(length);
        size_t from = pick(length), piece = 1 + pick(12);
        switch (pick(12)) {
        case 0:
            text[at] = signs[pick(sizeof signs - 1)];
            break;
        case 1:
            memmove(text + at, text + at + 1, length - at);
            break;
        case 2:
            memmove(text + at + 1, text + at, length - at + 1);
            break;
        case 3: /* a piece from elsewhere over this place */
            for (size_t i = 0; i < piece && at + i < length && from + i < length; i++)
                text[at + i] = text[from + i];
            break;
        default: /* another digit for a digit, another letter for a letter */
            if (text[at] >= '0' && text[at] <= '9')
                text[at] = (char)('0' + pick(10));
            else if (text[at] >= 'a' && text[at] <= 'z' && at > 0 && strchr("[ ", text[at - 1]))
                text[at] = "bdelnotwxy_"[pick(11)];
            else
                edits++;
        }
        if (!*text)
            return;
    }
}

static void the_seeds_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        arena *a = arena_new();
        graph_parse_error error = {0};
        graph *g = graph_parse(a, atom_table_new(a), source_set_new(a), seeds[i], &error);
        if (!g)
            fail_msg("seed %zu, line %d: %s", i, error.line, error.text);
        const char *wrong = graph_verify(g, a);
        if (wrong)
            fail_msg("seed %zu: %s", i, wrong);
        arena_free(a);
    }
}

static void no_text_ends_the_process(void **state)
{
    (void)state;
    int refused = 0, broken = 0, fine = 0;
    for (int i = 0; i < MUTANTS; i++) {
        char bytes[ROOM];
        state_of = (uint64_t)i * 2654435761u + 1;
        snprintf(bytes, sizeof bytes - 8, "%s", seeds[(size_t)i % (sizeof seeds / sizeof *seeds)]);
        mutate(bytes);
        arena *a = arena_new();
        graph_parse_error error = {0};
        graph *g = graph_parse(a, atom_table_new(a), source_set_new(a), bytes, &error);
        if (!g) {
            assert_non_null(error.text);
            refused++;
        } else if (graph_verify(g, a)) {
            broken++;
        } else {
            const char *once = graph_print(g, a);
            graph *again = graph_parse(a, atom_table_new(a), source_set_new(a), once, &error);
            if (!again)
                fail_msg("line %d: %s\n%s", error.line, error.text, once);
            assert_string_equal(graph_print(again, a), once);
            fine++;
        }
        arena_free(a);
    }
    printf("  %d texts: %d not read, %d not sound, %d sound\n", MUTANTS, refused, broken, fine);
    assert_true(refused > 0 && broken > 0 && fine > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seeds_are_sound),
        cmocka_unit_test(no_text_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
