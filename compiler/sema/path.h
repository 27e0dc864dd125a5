/* path.h: layers, results and parameters by name, for the clauses that speak of them: `block.attn`, `*.linear`, `block[0..5]`.
 *
 * While `step` is elaborated, each layer that is called, each name that a result is bound to and each parameter becomes a
 * `path_node` below the one around it. A path goes from the model inwards. It names the layers on its way and may leave
 * out names of results: where `x = repeat L: block(x)` and, in block, `attn = self_attention(x, A)`, both `block.attn` and
 * `block.self_attention` are found, and so is `x.block.attn.self_attention`.
 *
 *     path_set set;
 *     if (path_find(u, expression, PATH_OPERATIONS, &set))        // else reported
 *         … set.nodes, set.first, set.last …
 */
#ifndef ESPALIER_SEMA_PATH_H
#define ESPALIER_SEMA_PATH_H

#include "ast/ast.h"
#include "base/vec.h"
#include "sema/table.h"

struct setup;

typedef enum path_kind { PATH_MODEL, PATH_LAYER, PATH_RESULT, PATH_PARAMETER } path_kind;

typedef struct path_node {
    path_kind kind;
    atom name;
    struct path_node *parent; /* NULL for the model */
    VEC(struct path_node *) inside;
    table names;
    int64_t rounds; /* of the repeat that calls the layer; 0: it is called once */
    atom count;     /* what the rounds are called: L */
    int variable;   /* of a parameter: of the graph; else -1 */
    span at;
    unsigned mark; /* number of the search that met it last; of the model: of the last search */
} path_node;

path_node *path_model(arena *a);

/* The node of that name below `parent`, made when it is met first; NULL below NULL. */
path_node *path_inside(path_node *parent, path_kind kind, atom name, span at);

typedef struct path_set {
    VEC(path_node *) nodes; /* at least one */
    bool ranged;            /* of the rounds around them, `first` to `last` alone */
    int64_t first, last;
    span range_at;
    const ast_node *said;
} path_set;

/* What a clause speaks of: operations, or parameters and what holds them. */
typedef enum path_sort { PATH_OPERATIONS, PATH_PARAMETERS } path_sort;

/* Everything that the path names; false after a report. */
bool path_find(struct setup *u, const ast_node *path, path_sort sort, path_set *out);

/* "block.attn": the node's layers, and its own name. */
const char *path_words(const path_node *node, arena *a);

bool path_sets_overlap(const path_set *a, const path_set *b);
bool path_sets_equal(const path_set *a, const path_set *b);

/* Is x the other one, or inside it? */
bool path_is_under(const path_node *x, const path_node *other);

#endif
