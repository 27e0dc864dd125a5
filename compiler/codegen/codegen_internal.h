/* codegen_internal.h: what the files of codegen/ share. */
#ifndef ESPALIER_CODEGEN_CODEGEN_INTERNAL_H
#define ESPALIER_CODEGEN_CODEGEN_INTERNAL_H

#include "codegen/codegen.h"
#include "codegen/image.h"

#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>
#include <llvm-c/TargetMachine.h>

/* LLVMAttributeFunctionIndex, which the C API declares as a negative int. */
#define FUNCTION_INDEX ((LLVMAttributeIndex)~0u)

typedef struct kernel_function {
    const loop_kernel *kernel;
    LLVMValueRef function;
} kernel_function;

struct codegen_module {
    arena *memory;
    const schedule *s;
    const training *t;
    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMBuilderRef builder;
    LLVMTargetMachineRef machine;
    LLVMTypeRef i1, i8, i32, i64, f32, f64, ptr, nothing;
    char *cpu, *features;
    const char *cpu_name; /* as asked for */
    const char *vector_width;
    VEC(kernel_function) kernels;
    LLVMDIBuilderRef debug;
    VEC(LLVMMetadataRef) files; /* by number in the source set */
    LLVMMetadataRef unit;       /* compile unit */
    LLVMMetadataRef subprogram; /* of the function being written */
    LLVMMetadataRef subprogram_file;
    image_sites sites;
    unsigned scope_kind, noalias_kind;
};

/* debug.c: line tables to the plan file. */
void debug_begin(codegen_module *m);
void debug_function(codegen_module *m, LLVMValueRef f, const char *name, span at);
void debug_at(codegen_module *m, span at);
void debug_end(codegen_module *m);

/* math.c: a call of the module's own function for `op` in `type` (f32 or f64), made when first used. */
LLVMValueRef math_call(codegen_module *m, op_kind op, dtype type, const LLVMValueRef *args);
LLVMValueRef math_intrinsic(codegen_module *m, const char *name, LLVMTypeRef type,
                            const LLVMValueRef *args, int count);
LLVMValueRef math_random(codegen_module *m, LLVMValueRef index, LLVMValueRef step, uint64_t key);

/* kernel.c */
LLVMValueRef kernel_generate(codegen_module *m, const loop_kernel *k);
LLVMTypeRef type_of(const codegen_module *m, int type);
LLVMTypeRef stored_type(const codegen_module *m, int type);
LLVMValueRef function_new(codegen_module *m, const char *name, LLVMTypeRef type, span at);

/* step.c */
void functions_generate(codegen_module *m);
void main_generate(codegen_module *m);
LLVMValueRef abi_function(codegen_module *m, const char *name, LLVMTypeRef *type);

#endif
