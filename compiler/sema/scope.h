/* scope.h: the files of one plan and the definitions that each of them sees.
 *
 * A file sees its own definitions first, then those of the files that it uses and imports, in the order written. A
 * name may be defined again over an imported one; twice in one file is an error. `use nn` reads nn.plan of the
 * standard library, `import "mine.plan"` a file relative to the importing one.
 *
 *     sema_file *main = scope_load(s, tree, false);
 *     definition *d = scope_find(s, main, AST_LAYER, name);
 */
#ifndef ESPALIER_SEMA_SCOPE_H
#define ESPALIER_SEMA_SCOPE_H

#include "ast/ast.h"
#include "cluster/synthesis.h"
#include "coll/evaluate.h"
#include "diag/diag.h"
#include "sema/sema.h"
#include "sema/table.h"

/* Names that the language itself knows. */
/* clang-format off */
#define SEMA_WORDS(X)                                                                              \
    X(yes) X(no) X(pi) X(inf) X(step) X(steps) X(training) X(loss) X(dim) X(int) X(id) X(f32)      \
    X(f64) X(bf16) X(zeros) X(ones) X(constant) X(normal) X(uniform) X(lr) X(grad) X(memory)       \
    X(deterministic) X(canonical) X(holdout) X(scale) X(shift) X(flag) X(mean) X(std)
/* clang-format on */

typedef struct sema_words {
#define WORD(name) atom w_##name;
    SEMA_WORDS(WORD)
#undef WORD
} sema_words;

typedef enum parameter_kind {
    PARAMETER_NUMBER, /* a number, a schedule, a tuple: whatever is written */
    PARAMETER_DIM,
    PARAMETER_INT,
    PARAMETER_FLAG,
    PARAMETER_TENSOR
} parameter_kind;

typedef struct parameter {
    atom name;
    parameter_kind kind;
    const ast_node *node;
    const ast_node *type;   /* NULL without one */
    const ast_node *preset; /* the default's expression; NULL without one */
} parameter;

typedef struct sema_file sema_file;

typedef struct definition {
    ast_kind kind; /* AST_MODEL, AST_LAYER, … */
    atom name;
    const ast_node *node;
    sema_file *file;
    parameter *parameters;
    int parameter_count;
    bool poisoned;  /* holds a mistake that is reported already */
    int searched;   /* recursion.c: how far */
    table *unknown; /* names in it that nothing has: reported, once each */
    table names;    /* lint.c: what it binds and uses */
} definition;

typedef VEC(definition *) definition_vec;

struct sema_file {
    const ast_node *tree;
    const char *path;
    bool library; /* part of the standard library */
    bool lost; /* uses or imports what cannot be read: reported, and an unknown name may be in it */
    table own; /* (name, kind) -> definition */
    definition_vec definitions;
    VEC(sema_file *) sees;
};

/* Trees of the ranks on these nodes of a cluster's links, or why there are none; kept for other plans. */
typedef struct sema_trees_found {
    const definition *cluster;
    const int *nodes;
    int count;
    synthesis made;
} sema_trees_found;

struct sema {
    arena *kept;   /* of files and definitions */
    arena *memory; /* of what is elaborated: in a check each train and each plan has its own */
    atom_table *atoms;
    source_set *sources;
    diag_sink *diags;
    const char *library;
    bool body_lost;   /* statements of a model or layer could not be read, or are wrong */
    bool misread;     /* some file has an error of syntax */
    bool checking;    /* for errors alone: nothing is differentiated */
    bool reads_files; /* files of weights that are there are compared with the model */
    atom published;   /* the weights block that sema_publish asks for, or NULL */
    bool sampling;    /* for samples alone, on one rank */
    sema_words words;
    table paths; /* path of a file -> sema_file */
    VEC(sema_file *) files;
    sema_file *main;
    size_t own_bytes; /* of all plan files but the library's */
    coll_budget work; /* of topologies, and what spend.h adds */
    int64_t most_work;
    bool spent;           /* more than it may: reported */
    table programs;       /* of topologies, proved, by what they were made from */
    size_t program_sends; /* of all of them */
    VEC(sema_trees_found) found;
    size_t found_edges; /* of all that are found */
    effort trees;       /* what all trees of the file's plans may take */
    table missing;      /* libraries whose `use` is missing, by file */
    table reported;     /* places that have an error already */
    span
        clause; /* that is read; SPAN_NONE outside. An error of how it is written is its only one */
    int clause_code;      /* of that error, or of what it says twice; -1: none yet */
    bool clause_reported; /* it has an error already */
    span entry;           /* of the library, while it is elaborated: the call in one's own file */
};

/* A diagnostic, unless one stands at that very place already: then NULL, which notes and fixes accept. */
diag *sema_report(sema *s, diag_code code, span at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Is there an error whose place is inside `whole`? */
bool sema_reported_in(const sema *s, span whole);

/* Are there so few errors yet that looking for the name that was meant is worth its time? */
bool sema_suggests(const sema *s);

/* The file and all that it uses and imports, with their definitions. Never NULL. */
sema_file *scope_load(sema *s, const ast_node *tree, const char *path, bool library);

/* A file of the standard library; NULL if there is none of that name. */
sema_file *scope_library(sema *s, atom name);

/* Is a file of the standard library called so? */
bool scope_library_name(const char *name);

/* NULL if the file sees no such definition. */
definition *scope_find(const sema *s, const sema_file *from, ast_kind kind, atom name);

/* Has the file, or one that it sees, lost something with an unknown name? Reported already, and an unknown name may be it. */
bool file_has_gap(const sema_file *file);

/* Reports (code, "no <kind> '<name>'") with the nearest name of that kind, or the `use` that would bring it. */
diag *scope_report_unknown(sema *s, const sema_file *from, ast_kind kind, const ast_node *name);

/* Could its head not be read? Then nothing is known of what its body is about. */
bool definition_head_lost(const definition *d);

/* Is it the first time that the definition does not know the name? One mistake, however often it stands there. */
bool definition_first_unknown(const definition *d, atom name);

/* `True` for yes, and the like in other languages. */
bool definition_offer_flag(nearest *n);

/* The parameter of that name, or NULL. */
const parameter *definition_parameter(const definition *d, atom name);

#endif
