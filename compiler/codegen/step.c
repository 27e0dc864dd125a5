/* The plan's functions: calls of kernels, products and collectives in order. */
#include "codegen/codegen_internal.h"

#include <assert.h>
#include <espalier/abi.h>
#include <string.h>

/* Below this many operations a kernel is called as it is: waking threads would take longer. */
enum { WORTH_THREADS = 1 << 16 };

typedef struct abi_row {
    const char *name, *signature;
} abi_row;

static const abi_row abi_rows[] = {
#define ABI(result, name, parameters, llvm) {#name, llvm},
#include "espalier/abi.def"
#undef ABI
};

static LLVMTypeRef letter_type(const codegen_module *m, char letter)
{
    switch (letter) {
    case 'v':
        return m->nothing;
    case 'i':
        return m->i32;
    case 'l':
        return m->i64;
    case 'f':
        return m->f32;
    case 'd':
        return m->f64;
    default:
        assert(letter == 'p');
        return m->ptr;
    }
}

LLVMValueRef abi_function(codegen_module *m, const char *name, LLVMTypeRef *type)
{
    const abi_row *row = abi_rows;
    while (strcmp(row->name, name) != 0)
        row++;
    LLVMTypeRef parameters[16];
    unsigned count = (unsigned)strlen(row->signature) - 1;
    for (unsigned i = 0; i < count; i++)
        parameters[i] = letter_type(m, row->signature[i + 1]);
    *type = LLVMFunctionType(letter_type(m, row->signature[0]), parameters, count, 0);
    LLVMValueRef f = LLVMGetNamedFunction(m->module, name);
    return f ? f : LLVMAddFunction(m->module, name, *type);
}

LLVMValueRef function_new(codegen_module *m, const char *name, LLVMTypeRef type, span at)
{
    static const char *const plain[] = {"noinline", "nounwind"};
    LLVMValueRef f = LLVMAddFunction(m->module, name, type);
    for (int i = 0; i < 2; i++) {
        unsigned kind = LLVMGetEnumAttributeKindForName(plain[i], strlen(plain[i]));
        LLVMAddAttributeAtIndex(f, FUNCTION_INDEX, LLVMCreateEnumAttribute(m->context, kind, 0));
    }
    LLVMAddAttributeAtIndex(f, FUNCTION_INDEX,
                            LLVMCreateStringAttribute(m->context, "prefer-vector-width", 19,
                                                      m->vector_width,
                                                      (unsigned)strlen(m->vector_width)));
    LLVMAddAttributeAtIndex(f, FUNCTION_INDEX,
                            LLVMCreateStringAttribute(m->context, "frame-pointer", 13, "all", 3));
    LLVMPositionBuilderAtEnd(m->builder, LLVMAppendBasicBlockInContext(m->context, f, "entry"));
    debug_function(m, f, name, at);
    return f;
}

typedef struct stepping {
    codegen_module *m;
    LLVMValueRef function, arena, context;
    const schedule_instruction *loops[SCHEDULE_MAX_LOOPS];
    int depth;
} stepping;

static LLVMValueRef whole(const stepping *w, int64_t x)
{
    return LLVMConstInt(w->m->i64, (unsigned long long)x, 1);
}

static LLVMValueRef arena_at(stepping *w, int64_t offset)
{
    LLVMValueRef at = whole(w, offset);
    return LLVMBuildInBoundsGEP2(w->m->builder, w->m->i8, w->arena, &at, 1, "");
}

static LLVMValueRef slice_number(stepping *w, int loop)
{
    for (int i = 0; i < w->depth; i++)
        if (w->loops[i]->loop == loop) {
            int64_t at = w->m->s->buffers.items[w->loops[i]->counter].offset;
            return LLVMBuildLoad2(w->m->builder, w->m->i64, arena_at(w, at), "");
        }
    assert(0 && "a view moves with a loop around it");
    return NULL;
}

static LLVMValueRef view_pointer(stepping *w, const schedule_view *v)
{
    codegen_module *m = w->m;
    if (v->buffer < 0)
        return LLVMConstNull(m->ptr);
    const schedule_buffer *b = &m->s->buffers.items[v->buffer];
    int64_t size = (int64_t)dtype_bytes(b->type);
    LLVMValueRef p = arena_at(w, b->offset + v->first * size);
    for (int i = 0; i < v->loop_count; i++) {
        LLVMValueRef by = LLVMBuildMul(m->builder, slice_number(w, v->loops[i].loop),
                                       whole(w, v->loops[i].stride * size), "");
        p = LLVMBuildInBoundsGEP2(m->builder, m->i8, p, &by, 1, "");
    }
    return p;
}

static LLVMValueRef kernel_of(codegen_module *m, const loop_kernel *k)
{
    for (size_t i = 0; i < m->kernels.count; i++)
        if (m->kernels.items[i].kernel == k)
            return m->kernels.items[i].function;
    assert(0 && "a kernel that was generated");
    return NULL;
}

static void call_kernel(stepping *w, const loop_kernel *k)
{
    codegen_module *m = w->m;
    LLVMValueRef f = kernel_of(m, k);
    int64_t rows = loop_row_count(k), work = loop_work(k) + 1;
    if (rows * work < WORTH_THREADS || rows < 2) {
        LLVMValueRef args[4] = {w->arena, w->context, whole(w, 0), whole(w, rows)};
        LLVMBuildCall2(m->builder, LLVMGlobalGetValueType(f), f, args, 4, "");
        return;
    }
    LLVMTypeRef type;
    LLVMValueRef run = abi_function(m, "esp_rows", &type);
    int64_t grain = WORTH_THREADS / 4 / work / 16 * 16;
    LLVMValueRef args[5] = {w->context, f, w->arena, whole(w, rows),
                            whole(w, grain > 0 ? grain : 1)};
    LLVMBuildCall2(m->builder, type, run, args, 5, "");
}

static LLVMValueRef constant_bytes(codegen_module *m, const void *bytes, size_t size)
{
    LLVMValueRef data = LLVMConstStringInContext(m->context, bytes, (unsigned)size, 1);
    LLVMValueRef global = LLVMAddGlobal(m->module, LLVMTypeOf(data), "");
    LLVMSetInitializer(global, data);
    LLVMSetGlobalConstant(global, 1);
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    LLVMSetAlignment(global, 8);
    return global;
}

static void call_gemm(stepping *w, const schedule_instruction *in)
{
    codegen_module *m = w->m;
    const schedule_gemm *g = &in->gemm;
    esp_gemm shape;
    memset(&shape, 0, sizeof shape);
    shape.m = g->m, shape.n = g->n, shape.k = g->k;
    shape.lda = g->lda, shape.ldb = g->ldb, shape.ldc = g->ldc;
    shape.batch = g->batch;
    shape.stride_a = g->stride_a, shape.stride_b = g->stride_b, shape.stride_c = g->stride_c;
    shape.transpose_a = g->transpose_a, shape.transpose_b = g->transpose_b;
    shape.alpha = 1, shape.beta = g->beta;
    shape.site = image_site_of(m->s, &m->sites, in->at);
    LLVMTypeRef type;
    LLVMValueRef f =
        abi_function(m, in->type == DTYPE_F64 ? "esp_gemm_f64" : "esp_gemm_f32", &type);
    LLVMValueRef args[5] = {w->context, constant_bytes(m, &shape, sizeof shape)};
    for (int i = 0; i < 3; i++)
        args[2 + i] = view_pointer(w, &in->operands[i]);
    LLVMBuildCall2(m->builder, type, f, args, 5, "");
}

static int32_t window_op(op_kind op)
{
    static const struct {
        op_kind op;
        int32_t number;
    } rows[] = {{OP_conv, ESP_CONV},
                {OP_conv_data, ESP_CONV_DATA},
                {OP_conv_weight, ESP_CONV_WEIGHT},
                {OP_max_pool, ESP_MAX_POOL},
                {OP_max_pool_grad, ESP_MAX_POOL_GRAD},
                {OP_sum_pool, ESP_SUM_POOL},
                {OP_sum_pool_grad, ESP_SUM_POOL_GRAD}};
    size_t i = 0;
    while (rows[i].op != op)
        i++;
    return rows[i].number;
}

static void call_window(stepping *w, const schedule_instruction *in)
{
    codegen_module *m = w->m;
    const schedule_conv *c = &in->conv;
    esp_window shape;
    memset(&shape, 0, sizeof shape);
    shape.op = window_op(c->op), shape.spatial = c->spatial;
    shape.batch = c->batch, shape.in = c->in, shape.out = c->out, shape.groups = c->groups;
    memcpy(shape.size, c->size, sizeof shape.size);
    memcpy(shape.result, c->result, sizeof shape.result);
    memcpy(shape.window, c->window, sizeof shape.window);
    memcpy(shape.stride, c->stride, sizeof shape.stride);
    memcpy(shape.pad, c->pad, sizeof shape.pad);
    memcpy(shape.dilation, c->dilation, sizeof shape.dilation);
    shape.site = image_site_of(m->s, &m->sites, in->at);
    LLVMTypeRef type;
    LLVMValueRef f =
        abi_function(m, in->type == DTYPE_F64 ? "esp_window_f64" : "esp_window_f32", &type);
    LLVMValueRef args[5] = {w->context, constant_bytes(m, &shape, sizeof shape)};
    for (int i = 0; i < 3; i++)
        args[2 + i] = view_pointer(w, &in->operands[i]);
    LLVMBuildCall2(m->builder, type, f, args, 5, "");
}

/* [batch, heads, rows, features], row-major. */
static void dense_strides(int64_t *stride, int64_t heads, int64_t rows, int64_t features)
{
    stride[ESP_STRIDE_ROW] = features;
    stride[ESP_STRIDE_HEAD] = rows * features;
    stride[ESP_STRIDE_BATCH] = heads * rows * features;
}

static esp_attention attention_shape(stepping *w, const schedule_instruction *in)
{
    const schedule_attention *t = &in->attention;
    esp_attention shape;
    memset(&shape, 0, sizeof shape);
    shape.batch = t->batch, shape.heads = t->heads, shape.kv_heads = t->kv_heads;
    shape.s = t->s, shape.t = t->t, shape.e = t->e, shape.ev = t->ev;
    dense_strides(shape.q_stride, t->heads, t->s, t->e);
    dense_strides(shape.k_stride, t->kv_heads, t->t, t->e);
    dense_strides(shape.v_stride, t->kv_heads, t->t, t->ev);
    dense_strides(shape.o_stride, t->heads, t->s, t->ev);
    shape.mask_stride = t->mask_stride;
    shape.window = t->window, shape.scale = t->scale, shape.causal = t->causal;
    shape.positioned = t->positioned;
    shape.site = image_site_of(w->m->s, &w->m->sites, in->at);
    return shape;
}

static void call_attention(stepping *w, const schedule_instruction *in)
{
    codegen_module *m = w->m;
    esp_attention shape = attention_shape(w, in);
    const char *name = arena_format(m->memory, "esp_%s_%s", op_info_of(in->attention.op)->name,
                                    dtype_name(in->type));
    LLVMTypeRef type, list = LLVMArrayType2(m->ptr, ESP_ATTENTION_OPERANDS);
    LLVMValueRef f = abi_function(m, name, &type);
    LLVMValueRef operands = LLVMBuildAlloca(m->builder, list, "");
    for (int i = 0; i < in->operand_count; i++) {
        LLVMValueRef at = whole(w, i);
        LLVMValueRef cell = LLVMBuildInBoundsGEP2(m->builder, m->ptr, operands, &at, 1, "");
        LLVMBuildStore(m->builder, view_pointer(w, &in->operands[i]), cell);
    }
    LLVMValueRef args[3] = {w->context, constant_bytes(m, &shape, sizeof shape), operands};
    LLVMBuildCall2(m->builder, type, f, args, 3, "");
}

static void call_collective(stepping *w, const schedule_instruction *in)
{
    codegen_module *m = w->m;
    LLVMTypeRef type;
    LLVMValueRef f = abi_function(m, "esp_collective", &type);
    LLVMValueRef args[4] = {w->context, LLVMConstInt(m->i32, (unsigned long long)in->collective, 0),
                            view_pointer(w, &in->operands[0]), whole(w, in->count)};
    LLVMBuildCall2(m->builder, type, f, args, 4, "");
}

static void run_block(stepping *w, const schedule_block *block);

static void run_loop(stepping *w, const schedule_instruction *in)
{
    codegen_module *m = w->m;
    LLVMBuilderRef b = m->builder;
    LLVMBasicBlockRef before = LLVMGetInsertBlock(b);
    LLVMBasicBlockRef body = LLVMAppendBasicBlockInContext(m->context, w->function, "slice");
    LLVMBasicBlockRef done = LLVMAppendBasicBlockInContext(m->context, w->function, "done");
    LLVMValueRef zero = whole(w, 0);
    LLVMBuildCondBr(b, LLVMConstInt(m->i1, in->iterations > 0, 0), body, done);
    LLVMPositionBuilderAtEnd(b, body);
    LLVMValueRef turn = LLVMBuildPhi(b, m->i64, "");
    LLVMAddIncoming(turn, &zero, &before, 1);
    LLVMValueRef slice =
        in->reverse ? LLVMBuildSub(b, whole(w, in->iterations - 1), turn, "") : turn;
    LLVMBuildStore(b, slice, arena_at(w, m->s->buffers.items[in->counter].offset));
    assert(w->depth < SCHEDULE_MAX_LOOPS);
    w->loops[w->depth++] = in;
    run_block(w, &in->body);
    w->depth--;
    LLVMValueRef next = LLVMBuildAdd(b, turn, whole(w, 1), "");
    LLVMBasicBlockRef last = LLVMGetInsertBlock(b);
    LLVMAddIncoming(turn, &next, &last, 1);
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntSLT, next, whole(w, in->iterations), ""), body,
                    done);
    LLVMPositionBuilderAtEnd(b, done);
}

static void run_block(stepping *w, const schedule_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        const schedule_instruction *in = block->items[i];
        debug_at(w->m, in->at);
        switch (in->kind) {
        case SCHEDULE_KERNEL:
            call_kernel(w, in->kernel);
            break;
        case SCHEDULE_GEMM:
            call_gemm(w, in);
            break;
        case SCHEDULE_COLLECTIVE:
            call_collective(w, in);
            break;
        case SCHEDULE_LOOP:
            run_loop(w, in);
            break;
        case SCHEDULE_CONV:
            call_window(w, in);
            break;
        case SCHEDULE_ATTENTION:
            call_attention(w, in);
            break;
        }
    }
}

static void kernels_generate(codegen_module *m, const schedule_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        const schedule_instruction *in = block->items[i];
        if (in->kernel) {
            kernel_function k = {in->kernel, kernel_generate(m, in->kernel)};
            LLVMSetLinkage(k.function, LLVMInternalLinkage);
            vec_push(m->memory, &m->kernels, k);
        }
        kernels_generate(m, &in->body);
    }
}

void functions_generate(codegen_module *m)
{
    LLVMTypeRef parameters[2] = {m->ptr, m->ptr};
    LLVMTypeRef type = LLVMFunctionType(m->nothing, parameters, 2, 0);
    for (size_t i = 0; i < m->s->functions.count; i++) {
        const schedule_function *f = m->s->functions.items[i];
        kernels_generate(m, &f->body);
        const char *name = arena_format(m->memory, "plan_%s", f->name);
        span at = f->body.count ? f->body.items[0]->at : SPAN_NONE;
        stepping w = {.m = m, .function = function_new(m, name, type, at)};
        w.arena = LLVMGetParam(w.function, 0);
        w.context = LLVMGetParam(w.function, 1);
        run_block(&w, &f->body);
        LLVMBuildRetVoid(m->builder);
    }
}

static LLVMValueRef function_table(codegen_module *m)
{
    size_t count = m->s->functions.count;
    LLVMValueRef *items = arena_array(m->memory, LLVMValueRef, count + 1);
    for (size_t i = 0; i < count; i++)
        items[i] = LLVMGetNamedFunction(
            m->module, arena_format(m->memory, "plan_%s", m->s->functions.items[i]->name));
    LLVMValueRef array = LLVMConstArray2(m->ptr, items, count);
    LLVMValueRef table = LLVMAddGlobal(m->module, LLVMTypeOf(array), "functions");
    LLVMSetInitializer(table, array);
    LLVMSetLinkage(table, LLVMInternalLinkage);
    return table;
}

/* The image, laid out as esp_image, and main. */
void main_generate(codegen_module *m)
{
    image_options how = {m->cpu_name, m->features, &m->sites};
    const char *json = image_write(m->s, m->t, &how);
    size_t length = strlen(json);
    LLVMTypeRef fields[5] = {m->i32, m->i32, m->ptr, m->i64, m->ptr};
    LLVMValueRef values[5] = {
        LLVMConstInt(m->i32, ESP_ABI_VERSION, 0), LLVMConstInt(m->i32, m->s->functions.count, 0),
        constant_bytes(m, json, length + 1), LLVMConstInt(m->i64, length, 0), function_table(m)};
    LLVMTypeRef type = LLVMStructTypeInContext(m->context, fields, 5, 0);
    LLVMValueRef image = LLVMAddGlobal(m->module, type, "espalier_image");
    LLVMSetInitializer(image, LLVMConstStructInContext(m->context, values, 5, 0));
    LLVMTypeRef run_parameters[3] = {m->i32, m->ptr, m->ptr};
    LLVMTypeRef run_type = LLVMFunctionType(m->i32, run_parameters, 3, 0);
    LLVMValueRef run = LLVMAddFunction(m->module, "esp_main", run_type);
    LLVMValueRef start =
        LLVMAddFunction(m->module, "main", LLVMFunctionType(m->i32, run_parameters, 2, 0));
    LLVMSetCurrentDebugLocation2(m->builder, NULL);
    LLVMPositionBuilderAtEnd(m->builder, LLVMAppendBasicBlockInContext(m->context, start, ""));
    LLVMValueRef args[3] = {LLVMGetParam(start, 0), LLVMGetParam(start, 1), image};
    LLVMBuildRet(m->builder, LLVMBuildCall2(m->builder, run_type, run, args, 3, ""));
}
