/* One mistake, one error: the contract's examples with one thing wrong in a clause, each with the code and the line that it
 * should give. What is not carried out yet is not said beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "support/checked.h"

typedef struct mistake {
    const char *right, *wrong; /* `right` stands once in the example */
    const char *code;
    int line;
} mistake;

static const mistake gpt_mistakes[] = {
    {"pp over host", "pp over hosts", "E0242", 38},
    {"pp over host,", "pp over host, pp over g,", "E0203", 38},
    {"place      pp over host, dp over g, tp over g", "place      pp over host, dp over g", "E0242",
     38},
    {"dp = 2, tp", "dp = 2, tp = 2, xx", "E0223", 37},
    {"dp = 2,", "dp = 3,", "E0214", 39},
    {"tp = 2", "tp = 4", "E0229", 37},
    {"tp = 2", "tp = 3", "E0214", 40},
    {"pp = 2", "pp = 4", "E0229", 37},
    {"pp = 2", "pp = 5", "E0243", 41},
    {"split      B over dp", "split      B over pp", "E0235", 41},
    {"A, F, V over tp", "A, F, W over tp", "E0230", 40},
    {"A, F, V over tp", "A, F, F over tp", "E0203", 40},
    {"A, F, V over tp", "A, F, V over dp", "E0235", 40},
    {"A, F, V over tp", "A, F, V over qq", "E0231", 40},
    {"A, F, V over tp", "A F V over tp", "E0225", 40},
    {"A, F, V over tp", "A, F, V", "E0225", 40},
    {"A, F, V over tp", "A, F, D over tp", "E0235", 40},
    {"V = 50304", "V = 50305", "E0214", 40},
    {"batch     512", "batch     511", "E0214", 39},
    {"pipeline   block over pp", "pipeline   blok over pp", "E0230", 41},
    {"pipeline   block over pp", "pipeline   block over tp", "E0235", 41},
    {"pipeline   block over pp", "pipeline   block", "E0225", 41},
    {"microbatches 8", "microbatches 7", "E0244", 41},
    {"microbatches 8", "microbatch 8", "E0245", 41},
    {"microbatches 8", "microbatches 8.5", "E0236", 41},
    {"microbatches 8", "microbatches", "E0225", 41},
    {"microbatches 8", "microbatches eight", "E0208", 41},
    {"schedule 1f1b", "schedule 1f1c", "E0245", 41},
    {"schedule 1f1b", "schedule zb", "E0245", 41},
    {"L = 24", "L = 23", "E0243", 41},
    {"shard      optimizer", "shard      optimisers", "E0245", 42},
    {"shard      optimizer over dp", "shard      optimizer over pp", "E0235", 42},
    {"shard      optimizer over dp", "shard      optimizer over dpp", "E0231", 42},
    {"shard      optimizer over dp", "shard      optimizer", "E0225", 42},
    {"by tree", "by tre", "E0301", 43},
    {"by tree", "by ring tree", "E0225", 43},
    {"int8(block = 256) with", "int7(block = 256) with", "E0245", 43},
    {"int8(block = 256) with", "int8(block = 0) with", "E0236", 43},
    {"int8(block = 256) with", "int8(blocks = 256) with", "E0245", 43},
    {"with feedback", "with feedbacks", "E0245", 43},
    {"with feedback", "with", "E0102", 43},
    {"as int8(block = 256) with feedback", "with feedback", "E0235", 43},
    {"grad over dp", "grads over dp", "E0234", 43},
    {"grad over dp by", "grad over dp over tp by", "E0203", 43},
    {"block.attn ", "block.attm ", "E0230", 44},
    {"block.attn ", "blocks.attn ", "E0230", 44},
    {"block.attn ", "block.attn.foo ", "E0230", 44},
    {"block.attn ", "block[0..24].attn ", "E0236", 44},
    {"block.attn ", "every 25 blocks ", "E0236", 44},
    {"block.attn ", "every 4 attn ", "E0230", 44},
    {"block.attn ", "auto within 60 ", "E0215", 44},
    {"block.attn ", "auto within 90 GiB ", "E0235", 46},
    {"block.attn ", "auto within 75 GiB ", "E0235", 46},
    {"block.attn ", "auto ", "E0225", 44},
    {"block.attn ", "block.attn, block.attn ", "E0203", 44},
    {"bf16, master", "bf15, master", "E0245", 45},
    {"master f32", "master bf8", "E0245", 45},
    {"master f32", "mastr f32", "E0245", 45},
    {"moments int8", "moments int3", "E0245", 45},
    {"moments int8(block = 256)", "moments int8(block = 256", "E0105", 45},
    {"precision  bf16,", "precision  bf16, bf16,", "E0203", 45},
    {"72 GiB", "72", "E0215", 46},
    {"72 GiB", "72 GB/s", "E0215", 46},
    {"deterministic", "determinist", "E0245", 46},
    {"deterministic", "deterministic, canonical", "E0235", 46},
    {"memory <=", "memori <=", "E0245", 46},
    {"memory <=", "memory >=", "E0225", 46},
    {"memory <=", "memory =", "E0225", 46},
    {"on duo", "on dou", "E0201", 36},
    {"for pretrain", "for pretran", "E0201", 36},
    {"recompute ", "recompte ", "E0224", 44},
    {"require  ", "requires ", "E0224", 46},
    {"pipeline  ", "pipline   ", "E0224", 41},
    {"  mesh       pp = 2, dp = 2, tp = 2\n", "", "E0231", 37},
    {"  split      B over dp\n", "", "E0235", 42},
    {"  split      A, F, V over tp                            # heads, MLP width, vocabulary\n", "",
     "E0223", 37},
    {"  pipeline   block over pp, microbatches 8, schedule 1f1b\n", "", "E0223", 37},
    {"  split      B over dp\n", "  split      B over dp\n  split      B over dp\n", "E0203", 40},
    {"  precision", "  precision f32\n  precision", "E0203", 46},
    {"optimizer adamw", "optimizer adam_w", "E0201", 29},
    {"steps     100_000", "steps     -3", "E0236", 31},
    {"clip      1.0", "clip      0", "E0236", 30},
    {"seed      42", "seed      4.2", "E0236", 32},
    {"checkpoint every", "checkpoint evry", "E0225", 33},
    {"warmup = 2000", "warmpu = 2000", "E0207", 29},
    {"host[2]", "host[0]", "E0236", 4},
    {"gpu g[4]", "gpu g[1]", "E0229", 37},
    {"80 GiB,", "80,", "E0215", 5},
    {"over host.g", "over hots.g", "E0311", 8},
    {"over host.g", "over host.h", "E0311", 8},
    {"switch nvs over g", "switch nvs over h", "E0311", 6},
    {"bf16, bandwidth", "bf16, bandwith", "E0310", 5},
    {", L = 24", "", "E0202", 26},
    {"repeat L:", "repeat M:", "E0206", 22},
    {"block(x, A)", "block(x)", "E0202", 22},
    {"F = 4 * D", "F = 4 * E", "E0206", 14},
};

static const mistake digits_mistakes[] = {
    {"batch     64", "batch     64 32", "E0225", 22},
    {"batch     64", "batch     64, 32", "E0225", 22},
    {"batch     64", "batch", "E0225", 22},
    {"batch     64", "batch     64 every 3", "E0225", 22},
    {"batch     64", "batch     0", "E0236", 22},
    {"batch     64", "batch     64 GiB", "E0208", 22},
    {"batch     64", "batch     x", "E0208", 22},
    {"batch     64", "", "E0226", 20},
    {"batch     64", "batch     1e12", "E0236", 22},
    {"batch     64", "batch     50%", "E0208", 22},
    {"batch     64", "batch = 64", "E0116", 22},
    {"epochs    20", "epochs    20 steps", "E0225", 24},
    {"epochs    20", "epochs    0", "E0236", 24},
    {"epochs    20", "epochs    -1", "E0236", 24},
    {"epochs    20", "epochs    20\n  steps 3", "E0235", 25},
    {"epochs    20", "epochs    twenty", "E0208", 24},
    {"epochs    20", "epochs    20 us", "E0236", 24},
    {"epochs    20", "", "E0226", 20},
    {"seed      7", "seed      -7", "E0236", 25},
    {"seed      7", "seed      7.5", "E0236", 25},
    {"seed      7", "seed      7, 8", "E0225", 25},
    {"seed      7", "seed      yes", "E0208", 25},
    {"seed      7", "seed      1/0", "E0236", 25},
    {"seed      7", "freeze    linear_9", "E0230", 25},
    {"seed      7", "freeze    lin*", "E0102", 25},
    {"seed      7", "freeze    *", "E0247", 25},
    {"seed      7", "freeze", "E0225", 25},
    {"seed      7", "freeze    linear, linear", "E0203", 25},
    {"seed      7", "clip value", "E0208", 25},
    {"seed      7", "clip valu 1.0", "E0225", 25},
    {"seed      7", "clip -1", "E0236", 25},
    {"seed      7", "clip 1 GiB", "E0236", 25},
    {"seed      7", "clip 1.0, 2.0", "E0225", 25},
    {"mesh   dp = 4", "mesh   dp", "E0225", 29},
    {"mesh   dp = 4", "mesh   dp = 4, dp = 2", "E0203", 29},
    {"mesh   dp = 4", "mesh   dp = four", "E0208", 29},
    {"mesh   dp = 4", "mesh   4", "E0225", 29},
    {"mesh   dp = 4", "mesh   dp = 4 over g", "E0225", 29},
    {"mesh   dp = 4", "mesh", "E0225", 29},
    {"mesh   dp = 4", "mesh   dp = 0", "E0236", 29},
    {"mesh   dp = 4", "mesh dp = 4, tp = 1", "E0223", 29},
    {"split  B over dp", "split  B", "E0225", 30},
    {"split  B over dp", "split  over dp", "E0225", 30},
    {"split  B over dp", "split  B over dp, over tp", "E0225", 30},
    {"split  B over dp", "split  B over 4", "E0225", 30},
    {"split  B over dp", "split  B dp", "E0225", 30},
    {"split  B over dp", "split  b over dp", "E0230", 30},
    {"split  B over dp", "split B[0] over dp", "E0225", 30},
    {"by ring", "by rnig", "E0301", 31},
    {"by ring", "by ring(3)", "E0339", 31},
    {"by ring", "by 3", "E0225", 31},
    {"by ring", "with ring", "E0225", 31},
    {"by ring", "", "E0225", 31},
    {"over dp by ring", "by ring", "E0225", 31},
    {"reduce grad over dp by ring", "reduce grad over dp by ring\n  reduce grad over dp by tree",
     "E0203", 32},
    {"by ring", "by ring as", "E0102", 31},
    {"on laptop {\n", "on laptop {\n  epochs 3\n", "E0224", 29},
    {"seed      7", "seed      7\n  mesh dp = 4", "E0224", 26},
};

static const char *mistaken(arena *a, const char *bytes, const mistake *m)
{
    const char *at = strstr(bytes, m->right);
    assert_non_null(at);
    assert_null(strstr(at + 1, m->right));
    text out = text_in(a);
    text_add_bytes(&out, bytes, (size_t)(at - bytes));
    text_add(&out, "%s%s", m->wrong, at + strlen(m->right));
    return text_done(&out);
}

static void check_one(const char *bytes, const mistake *m, text *faults)
{
    size_t count;
    checked c = checked_whole("mistake.plan", bytes, strlen(bytes));
    const diag *const *all = diag_ordered(c.diags, &count);
    bool right = count == 1 && strcmp(diag_code_text(all[0]->code), m->code) == 0 &&
                 source_locate(c.sources, all[0]->at).line == m->line;
    if (!right && faults->length < 700)
        text_add(faults, "%s: not %s in line %d alone, but\n", m->wrong, m->code, m->line);
    for (size_t i = 0; !right && i < count && faults->length < 700; i++)
        text_add(faults, "  %d: %s %s\n", source_locate(c.sources, all[i]->at).line,
                 diag_code_text(all[i]->code), all[i]->message);
    checked_free(&c);
}

static void check_all(const char *file, const mistake *mistakes, size_t count)
{
    arena *a = arena_new();
    text faults = text_in(a);
    size_t length;
    char *bytes = read_whole_file(
        arena_format(a, TEST_SOURCE_DIR "/tests/golden/language/%s", file), &length);
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++)
        check_one(mistaken(a, bytes, &mistakes[i]), &mistakes[i], &faults);
    print_message("%zu mistakes in %s\n", count, file);
    if (faults.length)
        fail_msg("%s", text_done(&faults));
    free(bytes);
    arena_free(a);
}

static void in_the_language_model(void **state)
{
    (void)state;
    check_all("gpt.plan", gpt_mistakes, sizeof gpt_mistakes / sizeof *gpt_mistakes);
}

static void in_the_digits(void **state)
{
    (void)state;
    check_all("digits.plan", digits_mistakes, sizeof digits_mistakes / sizeof *digits_mistakes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_language_model),
        cmocka_unit_test(in_the_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
