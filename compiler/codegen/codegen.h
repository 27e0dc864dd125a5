/* codegen.h: a placed schedule through LLVM to one executable.
 *
 *     codegen_module *m = codegen_module_new(schedule, training, &(codegen_options){.cpu = "native"}, sink);
 *     codegen_emit(m, CODEGEN_ASM, "-", sink);                  // a text form, to standard output
 *     codegen_link(m, &(codegen_link_options){.output = "digits"}, sink);
 *     codegen_module_free(m);
 *
 * Each kernel is a function of its own, each function of the plan another; both carry line tables to the plan file, so a
 * debugger stops at `digits.plan:14`. The executable holds the plan image (image.h) and libespalier_rt, and neither LLVM
 * nor anything of the compiler.
 *
 * Numbers. Products and sums may be contracted into fused multiply-adds, and reductions are vectorised, which
 * reassociates them; nothing else is relaxed: infinities and NaN mean what they mean in IEEE 754.
 */
#ifndef ESPALIER_CODEGEN_CODEGEN_H
#define ESPALIER_CODEGEN_CODEGEN_H

#include "pass/schedule.h"

typedef struct codegen_module codegen_module;

typedef struct codegen_options {
    const char *cpu;  /* "native", "x86-64-v3", "x86-64-v4"; NULL: native */
    bool unoptimized; /* straight from the loop form, for reading and debugging */
} codegen_options;

typedef enum codegen_form { CODEGEN_LLVM, CODEGEN_ASM, CODEGEN_OBJECT } codegen_form;

/* NULL after a diagnostic. `t` may be NULL (a schedule read from text): then the image has no data. */
codegen_module *codegen_module_new(const schedule *s, const training *t, const codegen_options *how,
                                   diag_sink *sink);
void codegen_module_free(codegen_module *m);

/* `path` "-" is standard output. False after a diagnostic. */
bool codegen_emit(codegen_module *m, codegen_form form, const char *path, diag_sink *sink);

typedef struct codegen_link_options {
    const char *output;
    const char *runtime; /* libespalier_rt.a; NULL: found beside the compiler */
    const char *cc;      /* NULL: $CC, then the compiler that built Espalier, then "cc" */
    bool shared; /* a shared object, for tests: its functions are called plan_step, plan_eval */
} codegen_link_options;

bool codegen_link(codegen_module *m, const codegen_link_options *how, diag_sink *sink);

/* Whether `name` is a CPU that --cpu takes. */
bool codegen_cpu_known(const char *name);

#endif
