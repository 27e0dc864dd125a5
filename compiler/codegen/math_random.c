/* Random numbers by counter, the same bits as the runtime's random.h: Philox4x32-10 with the seed as key. The counter's low
 * half is the element's block of four, its high half the stream, which the step moves on. */
#include "codegen/codegen_internal.h"

typedef struct philox {
    codegen_module *m;
    LLVMValueRef c[4], k[2];
} philox;

static LLVMValueRef word(const codegen_module *m, uint64_t x)
{
    return LLVMConstInt(m->i32, x & 0xffffffffu, 0);
}

static void multiply(philox *p, LLVMValueRef x, uint64_t by, LLVMValueRef *high, LLVMValueRef *low)
{
    codegen_module *m = p->m;
    LLVMValueRef wide = LLVMBuildZExt(m->builder, x, m->i64, "");
    wide = LLVMBuildMul(m->builder, wide, LLVMConstInt(m->i64, by, 0), "");
    *low = LLVMBuildTrunc(m->builder, wide, m->i32, "");
    wide = LLVMBuildLShr(m->builder, wide, LLVMConstInt(m->i64, 32, 0), "");
    *high = LLVMBuildTrunc(m->builder, wide, m->i32, "");
}

static void round_once(philox *p)
{
    LLVMBuilderRef b = p->m->builder;
    LLVMValueRef ah, al, bh, bl;
    multiply(p, p->c[0], 0xD2511F53u, &ah, &al);
    multiply(p, p->c[2], 0xCD9E8D57u, &bh, &bl);
    LLVMValueRef c0 = LLVMBuildXor(b, LLVMBuildXor(b, bh, p->c[1], ""), p->k[0], "");
    LLVMValueRef c2 = LLVMBuildXor(b, LLVMBuildXor(b, ah, p->c[3], ""), p->k[1], "");
    p->c[0] = c0;
    p->c[1] = bl;
    p->c[2] = c2;
    p->c[3] = al;
    p->k[0] = LLVMBuildAdd(b, p->k[0], word(p->m, 0x9E3779B9u), "");
    p->k[1] = LLVMBuildAdd(b, p->k[1], word(p->m, 0xBB67AE85u), "");
}

LLVMValueRef math_random(codegen_module *m, LLVMValueRef index, LLVMValueRef step, uint64_t key)
{
    LLVMBuilderRef b = m->builder;
    uint64_t seed = m->s->seed;
    LLVMValueRef at = LLVMBuildFPToUI(b, step, m->i64, "");
    at = LLVMBuildMul(b, at, LLVMConstInt(m->i64, 0x9E3779B97F4A7C15u, 0), "");
    LLVMValueRef stream = LLVMBuildAdd(b, at, LLVMConstInt(m->i64, key, 0), "");
    LLVMValueRef block = LLVMBuildLShr(b, index, LLVMConstInt(m->i64, 2, 0), "");
    LLVMValueRef half = LLVMConstInt(m->i64, 32, 0);
    philox p = {.m = m, .k = {word(m, seed), word(m, seed >> 32)}};
    p.c[0] = LLVMBuildTrunc(b, block, m->i32, "");
    p.c[1] = LLVMBuildTrunc(b, LLVMBuildLShr(b, block, half, ""), m->i32, "");
    p.c[2] = LLVMBuildTrunc(b, stream, m->i32, "");
    p.c[3] = LLVMBuildTrunc(b, LLVMBuildLShr(b, stream, half, ""), m->i32, "");
    for (int i = 0; i < 10; i++)
        round_once(&p);
    LLVMValueRef lane = LLVMBuildAnd(b, LLVMBuildTrunc(b, index, m->i32, ""), word(m, 3), "");
    LLVMValueRef bits = p.c[0];
    for (int i = 1; i < 4; i++)
        bits = LLVMBuildSelect(b, LLVMBuildICmp(b, LLVMIntEQ, lane, word(m, (uint64_t)i), ""),
                               p.c[i], bits, "");
    LLVMValueRef top = LLVMBuildLShr(b, bits, word(m, 8), "");
    return LLVMBuildFMul(b, LLVMBuildUIToFP(b, top, m->f32, ""), LLVMConstReal(m->f32, 0x1p-24),
                         "");
}
