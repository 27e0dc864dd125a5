/* The module: target, generation, optimisation, emission. */
#include "codegen/codegen_internal.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool codegen_cpu_known(const char *name)
{
    return !name || strcmp(name, "native") == 0 || strcmp(name, "x86-64-v3") == 0 ||
           strcmp(name, "x86-64-v4") == 0;
}

static void types_find(codegen_module *m)
{
    m->i1 = LLVMInt1TypeInContext(m->context);
    m->i8 = LLVMInt8TypeInContext(m->context);
    m->i32 = LLVMInt32TypeInContext(m->context);
    m->i64 = LLVMInt64TypeInContext(m->context);
    m->f32 = LLVMFloatTypeInContext(m->context);
    m->f64 = LLVMDoubleTypeInContext(m->context);
    m->ptr = LLVMPointerTypeInContext(m->context, 0);
    m->nothing = LLVMVoidTypeInContext(m->context);
    m->scope_kind = LLVMGetMDKindIDInContext(m->context, "alias.scope", 11);
    m->noalias_kind = LLVMGetMDKindIDInContext(m->context, "noalias", 7);
}

/* What a named level has, for the executable's check at start; LLVM knows it by the level's name alone. */
static const char *level_features(const char *cpu)
{
    static const char v3[] = "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+popcnt,+sse4.2";
    static const char v4[] = "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+popcnt,+sse4.2,"
                             "+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl";
    return strcmp(cpu, "x86-64-v3") == 0 ? v3 : v4;
}

static void cpu_choose(codegen_module *m, const char *asked)
{
    m->cpu_name = asked ? asked : "native";
    bool native = strcmp(m->cpu_name, "native") == 0;
    m->cpu = native ? LLVMGetHostCPUName() : LLVMCreateMessage(m->cpu_name);
    m->features =
        native ? LLVMGetHostCPUFeatures() : LLVMCreateMessage(level_features(m->cpu_name));
    m->vector_width = strstr(m->features, "+avx512f") ? "512" : "256";
}

static bool target_make(codegen_module *m, diag_sink *sink)
{
    char *triple = LLVMGetDefaultTargetTriple(), *problem = NULL;
    LLVMTargetRef target;
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    if (LLVMGetTargetFromTriple(triple, &target, &problem)) {
        diag_report(sink, E0524, SPAN_NONE, "no code for '%s': %s", triple, problem);
        LLVMDisposeMessage(problem);
        LLVMDisposeMessage(triple);
        return false;
    }
    m->machine =
        LLVMCreateTargetMachine(target, triple, m->cpu, m->features, LLVMCodeGenLevelDefault,
                                LLVMRelocPIC, LLVMCodeModelDefault);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(m->machine);
    LLVMSetModuleDataLayout(m->module, layout);
    LLVMSetTarget(m->module, triple);
    LLVMDisposeTargetData(layout);
    LLVMDisposeMessage(triple);
    return true;
}

static bool verified(codegen_module *m, diag_sink *sink)
{
    char *problem = NULL;
    bool broken = LLVMVerifyModule(m->module, LLVMReturnStatusAction, &problem);
    if (broken)
        diag_report(sink, E0524, SPAN_NONE, "the generated module is not well formed: %s", problem);
    LLVMDisposeMessage(problem);
    return !broken;
}

static bool optimized(codegen_module *m, diag_sink *sink)
{
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMPassBuilderOptionsSetLoopVectorization(options, 1);
    LLVMPassBuilderOptionsSetLoopInterleaving(options, 1);
    LLVMErrorRef error = LLVMRunPasses(m->module, "default<O2>", m->machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (!error)
        return true;
    char *problem = LLVMGetErrorMessage(error);
    diag_report(sink, E0524, SPAN_NONE, "optimisation failed: %s", problem);
    LLVMDisposeErrorMessage(problem);
    return false;
}

codegen_module *codegen_module_new(const schedule *s, const training *t, const codegen_options *how,
                                   diag_sink *sink)
{
    if (!codegen_cpu_known(how->cpu)) {
        diag *d = diag_report(sink, E0523, SPAN_NONE, "unknown CPU '%s'", how->cpu);
        diag_fix(d, "native, x86-64-v3 or x86-64-v4");
        return NULL;
    }
    codegen_module *m = arena_make(s->memory, codegen_module);
    m->memory = s->memory;
    m->s = s;
    m->t = t;
    m->context = LLVMContextCreate();
    m->module = LLVMModuleCreateWithNameInContext("plan", m->context);
    m->builder = LLVMCreateBuilderInContext(m->context);
    types_find(m);
    cpu_choose(m, how->cpu);
    if (!target_make(m, sink)) {
        codegen_module_free(m);
        return NULL;
    }
    debug_begin(m);
    functions_generate(m);
    main_generate(m);
    debug_end(m);
    if (!verified(m, sink) || (!how->unoptimized && !optimized(m, sink))) {
        codegen_module_free(m);
        return NULL;
    }
    return m;
}

void codegen_module_free(codegen_module *m)
{
    if (!m)
        return;
    if (m->debug)
        LLVMDisposeDIBuilder(m->debug);
    if (m->builder)
        LLVMDisposeBuilder(m->builder);
    if (m->machine)
        LLVMDisposeTargetMachine(m->machine);
    LLVMDisposeMessage(m->cpu);
    LLVMDisposeMessage(m->features);
    LLVMDisposeModule(m->module);
    LLVMContextDispose(m->context);
}

static bool bytes_write(const char *bytes, size_t size, const char *path, diag_sink *sink)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *out = standard ? stdout : fopen(path, "wb");
    bool fine = out && fwrite(bytes, 1, size, out) == size;
    if (out)
        fine = (standard ? fflush(out) : fclose(out)) == 0 && fine;
    if (!fine)
        diag_report(sink, E0522, SPAN_NONE, "cannot write '%s': %s", path, strerror(errno));
    return fine;
}

bool codegen_emit(codegen_module *m, codegen_form form, const char *path, diag_sink *sink)
{
    if (form == CODEGEN_LLVM) {
        char *ir = LLVMPrintModuleToString(m->module);
        bool fine = bytes_write(ir, strlen(ir), path, sink);
        LLVMDisposeMessage(ir);
        return fine;
    }
    char *problem = NULL;
    LLVMMemoryBufferRef buffer;
    LLVMCodeGenFileType type = form == CODEGEN_ASM ? LLVMAssemblyFile : LLVMObjectFile;
    if (LLVMTargetMachineEmitToMemoryBuffer(m->machine, m->module, type, &problem, &buffer)) {
        diag_report(sink, E0524, SPAN_NONE, "no machine code: %s", problem);
        LLVMDisposeMessage(problem);
        return false;
    }
    bool fine = bytes_write(LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer), path, sink);
    LLVMDisposeMemoryBuffer(buffer);
    return fine;
}
