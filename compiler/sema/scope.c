#include "sema/scope.h"

#include "parse/parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { KIND_PATH = -1, MOST_FILES = 256 };

static const char *const library_names[] = {"nn", "optim", "topology", "weights"};
enum { LIBRARY_COUNT = sizeof library_names / sizeof *library_names };

/* The text of a diagnostic in the arena; diag_report takes no va_list. */
static const char *words_of(sema *s, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *words = arena_alloc(s->kept, (size_t)(length < 0 ? 0 : length) + 1);
    if (length > 0)
        vsnprintf(words, (size_t)length + 1, format, arguments);
    return words;
}

/* Inside the library while it is carried out for a call: the call is what is wrong. */
static bool is_inside_library(const sema *s, span at)
{
    for (size_t i = 0; s->entry.end > 0 && i < s->files.count; i++)
        if (s->files.items[i]->library && s->files.items[i]->tree->at.file == at.file)
            return true;
    return false;
}

/* In a clause that is written otherwise, or says things twice, what else seems wrong comes from the same mistake. */
static bool comes_of_clause(sema *s, diag_code code, span at)
{
    bool inside =
        s->clause.file == at.file && at.begin >= s->clause.begin && at.end <= s->clause.end;
    if (!inside || s->clause.file < 0)
        return false;
    if (s->clause_code == (int)E0225 || s->clause_code == (int)code ||
        (s->clause_reported && code == E0225))
        return true;
    if (code == E0225 || code == E0203)
        s->clause_code = (int)code;
    s->clause_reported = true;
    return false;
}

diag *sema_report(sema *s, diag_code code, span at, const char *format, ...)
{
    bool inside = is_inside_library(s, at);
    span place = at;
    if (inside)
        at = s->entry;
    if (comes_of_clause(s, code, at))
        return NULL;
    if (at.file >= 0) {
        atom key = atom_of(s->atoms, arena_format(s->kept, "%u-%u", at.begin, at.end));
        if (table_get(&s->reported, key, at.file))
            return NULL;
        table_set(&s->reported, key, at.file, s);
    }
    va_list arguments;
    va_start(arguments, format);
    const char *words = words_of(s, format, arguments);
    va_end(arguments);
    diag *d = diag_report(s->diags, code, at, "%s", words);
    if (inside)
        diag_note(d, place, "found here, where the call leads");
    return d;
}

bool sema_reported_in(const sema *s, span whole)
{
    size_t count;
    const diag *const *all = diag_ordered(s->diags, &count);
    for (size_t i = 0; i < count; i++)
        if (all[i]->at.file == whole.file && all[i]->at.begin >= whole.begin &&
            all[i]->at.end <= whole.end)
            return true;
    return false;
}

bool sema_suggests(const sema *s)
{
    return diag_error_count(s->diags) < 4 * DIAG_LIMIT;
}

static parameter_kind kind_of(const sema *s, const ast_node *type, const ast_node *preset)
{
    const sema_words *w = &s->words;
    if (!type)
        return preset && preset->kind == AST_NAME &&
                       (preset->name == w->w_yes || preset->name == w->w_no)
                   ? PARAMETER_FLAG
                   : PARAMETER_NUMBER;
    if (ast_child(type, AST_DIMS))
        return PARAMETER_TENSOR;
    if (type->name == w->w_dim)
        return PARAMETER_DIM;
    if (type->name == w->w_int)
        return PARAMETER_INT;
    return type->name == w->w_flag ? PARAMETER_FLAG : PARAMETER_NUMBER;
}

static void read_parameters(sema *s, definition *d)
{
    d->parameters = arena_array(s->kept, parameter, d->node->count + 1);
    table seen = table_in(s->kept);
    for (size_t i = 0; i < d->node->count; i++) {
        const ast_node *node = d->node->children[i];
        if (node->kind != AST_PARAMETER)
            continue;
        const ast_node *preset = ast_child(node, AST_DEFAULT);
        parameter p = {.name = node->name, .node = node, .type = ast_child(node, AST_TYPE)};
        p.preset = preset ? preset->children[0] : NULL;
        p.kind = kind_of(s, p.type, p.preset);
        const parameter *before = table_get(&seen, p.name, 0);
        if (before) {
            diag *e = sema_report(s, E0203, node->name_at, "parameter '%s' stands twice in '%s'",
                                  p.name, d->name);
            diag_note(e, before->node->name_at, "first here");
            d->poisoned = true;
            continue;
        }
        d->parameters[d->parameter_count] = p;
        table_set(&seen, p.name, 0, &d->parameters[d->parameter_count++]);
    }
}

static bool is_definition(ast_kind kind)
{
    return kind == AST_MODEL || kind == AST_LAYER || kind == AST_OPTIMIZER ||
           kind == AST_SCHEDULE || kind == AST_TRAIN || kind == AST_CLUSTER || kind == AST_PLAN ||
           kind == AST_TOPOLOGY || kind == AST_WEIGHTS;
}

/* Their statements are carried out one by one, those that could be read. */
static bool has_statements(ast_kind kind)
{
    return kind == AST_MODEL || kind == AST_LAYER || kind == AST_OPTIMIZER || kind == AST_SCHEDULE;
}

static void define(sema *s, sema_file *file, const ast_node *node)
{
    if (!node->name)
        return;
    const definition *before = table_get(&file->own, node->name, (int)node->kind);
    if (before && before->node->poisoned)
        return; /* what it lost may be what tells them apart */
    if (before) {
        diag *e = sema_report(s, E0203, node->name_at, "%s '%s' is defined twice",
                              ast_kind_name(node->kind), node->name);
        diag_note(e, before->node->name_at, "first here");
        return;
    }
    definition *d = arena_make(s->kept, definition);
    *d = (definition){.kind = node->kind, .name = node->name, .node = node, .file = file};
    d->poisoned = has_statements(node->kind) ? definition_head_lost(d) : node->poisoned;
    d->unknown = arena_make(s->kept, table);
    *d->unknown = table_in(s->kept);
    read_parameters(s, d);
    table_set(&file->own, d->name, (int)d->kind, d);
    vec_push(s->kept, &file->definitions, d);
}

/* One file is one file, however its path is written: two that import each other end. */
static atom path_key(sema *s, const char *path)
{
    char *whole = realpath(path, NULL);
    atom key = atom_of(s->atoms, whole ? whole : path);
    free(whole);
    return key;
}

static size_t bytes_of(const sema *s, int file)
{
    size_t length;
    source_bytes(s->sources, file, &length);
    return length;
}

/* NULL: errno says why; 0 where there are too many files. */
static sema_file *load_path(sema *s, const char *path, const char *shown, bool library)
{
    sema_file *known = table_get(&s->paths, path_key(s, path), KIND_PATH);
    if (known)
        return known;
    if (s->files.count >= MOST_FILES)
        return NULL;
    int number = source_read_as(s->sources, path, shown);
    if (number < 0)
        return NULL;
    if (!library && s->own_bytes + bytes_of(s, number) > PARSE_LARGEST_FILE) {
        errno = EFBIG;
        return NULL;
    }
    parse_context parsing = {s->kept, s->atoms, s->sources, s->diags};
    return scope_load(s, parse_file(&parsing, number), path, library);
}

sema_file *scope_library(sema *s, atom name)
{
    const char *path = arena_format(s->kept, "%s/%s.plan", s->library, name);
    return load_path(s, path, arena_format(s->kept, "stdlib/%s.plan", name), true);
}

bool scope_library_name(const char *name)
{
    for (int i = 0; i < LIBRARY_COUNT; i++)
        if (!strcmp(library_names[i], name))
            return true;
    return false;
}

static void load_uses(sema *s, sema_file *file, const ast_node *use)
{
    for (size_t i = 0; i < use->count; i++) {
        const ast_node *name = use->children[i];
        if (name->kind != AST_NAME)
            continue;
        sema_file *used = scope_library_name(name->name) ? scope_library(s, name->name) : NULL;
        if (used) {
            vec_push(s->kept, &file->sees, used);
            continue;
        }
        nearest n = nearest_to(name->name);
        for (int k = 0; k < LIBRARY_COUNT; k++)
            nearest_offer(&n, library_names[k]);
        file->lost = true;
        diag *e = sema_report(s, E0204, name->at, "the standard library has no '%s'", name->name);
        if (nearest_found(&n))
            diag_fix_edit(e, name->at, n.best, "use %s", n.best);
        else
            diag_fix(e,
                     "the library has nn, optim, topology and weights; a file of yours: import "
                     "\"%s.plan\"",
                     name->name);
    }
}

/* A device or a pipe has no end, or one that others wait for; what is not there is said by whoever opens it. */
static bool is_no_file(const char *path)
{
    struct stat known;
    return stat(path, &known) == 0 && !S_ISREG(known.st_mode);
}

static void load_import(sema *s, sema_file *file, const ast_node *import)
{
    const ast_node *said = import->count ? import->children[0] : NULL;
    if (!said || said->kind != AST_STRING)
        return;
    const char *slash = strrchr(file->path, '/');
    int folder = slash && said->name[0] != '/' ? (int)(slash - file->path + 1) : 0;
    const char *path = arena_format(s->kept, "%.*s%s", folder, file->path, said->name);
    errno = 0;
    bool other = is_no_file(path);
    sema_file *seen = other ? NULL : load_path(s, path, path, false);
    if (seen) {
        vec_push(s->kept, &file->sees, seen);
        return;
    }
    file->lost = true;
    const char *why = other            ? "it is no file"
                      : errno == EFBIG ? "with it there is more than 1 MiB of plan files"
                      : errno          ? strerror(errno)
                                       : "too many files";
    sema_report(s, E0205, said->at, "cannot read '%s': %s", path, why);
}

sema_file *scope_load(sema *s, const ast_node *tree, const char *path, bool library)
{
    sema_file *file = arena_make(s->kept, sema_file);
    *file = (sema_file){.tree = tree, .path = path, .library = library};
    file->own = table_in(s->kept);
    table_set(&s->paths, path_key(s, path), KIND_PATH, file);
    vec_push(s->kept, &s->files, file);
    if (!library)
        s->own_bytes += bytes_of(s, tree->at.file);
    for (size_t i = 0; i < tree->count; i++) {
        const ast_node *item = tree->children[i];
        if (item->kind == AST_USE)
            load_uses(s, file, item);
        else if (item->kind == AST_IMPORT)
            load_import(s, file, item);
        else if (is_definition(item->kind))
            define(s, file, item);
    }
    return file;
}

definition *scope_find(const sema *s, const sema_file *from, ast_kind kind, atom name)
{
    (void)s;
    definition *own = table_get(&from->own, name, (int)kind);
    for (size_t i = 0; !own && i < from->sees.count; i++)
        own = table_get(&from->sees.items[i]->own, name, (int)kind);
    return own;
}

/* The library file that defines such a thing and is not used by `from`. */
static const char *library_with(sema *s, ast_kind kind, atom name)
{
    for (int i = 0; i < LIBRARY_COUNT; i++) {
        sema_file *file = scope_library(s, atom_of(s->atoms, library_names[i]));
        if (file && table_get(&file->own, name, (int)kind))
            return library_names[i];
    }
    return NULL;
}

static diag_code unknown_code(ast_kind kind)
{
    return kind == AST_TOPOLOGY ? E0301 : E0201;
}

bool file_has_gap(const sema_file *file)
{
    bool gap = file->lost || ast_has_gap(file->tree);
    for (size_t i = 0; i < file->sees.count; i++)
        gap = gap || ast_has_gap(file->sees.items[i]->tree);
    return gap;
}

/* One mistake, however often the name stands there, and however much is in the library that is not used. */
static bool said_unknown(sema *s, const sema_file *from, ast_kind kind, const ast_node *name)
{
    const char *library = library_with(s, kind, name->name);
    const char *key = library ? arena_format(s->kept, "use %s", library)
                              : arena_format(s->kept, "%d %s", (int)kind, name->name);
    atom place = atom_of(s->atoms, arena_format(s->kept, "%s in %s", key, from->path));
    if (table_get(&s->reported, place, -1))
        return true;
    table_set(&s->reported, place, -1, s);
    return false;
}

/* What is called so, of another kind. */
static void note_other_kind(sema *s, diag *e, const sema_file *from, const ast_node *name)
{
    for (ast_kind kind = AST_MODEL; kind <= AST_WEIGHTS; kind++) {
        const definition *d = scope_find(s, from, kind, name->name);
        if (d && d->node->name_at.file >= 0) {
            diag_note(e, d->node->name_at, "'%s' is %s %s", d->name,
                      kind == AST_OPTIMIZER ? "an" : "a", ast_kind_name(kind));
            return;
        }
    }
}

diag *scope_report_unknown(sema *s, const sema_file *from, ast_kind kind, const ast_node *name)
{
    if (file_has_gap(from) || said_unknown(s, from, kind, name))
        return NULL;
    nearest n = nearest_to(name->name);
    bool suggests = sema_suggests(s);
    if (suggests)
        nearest_offer_all(&n, &from->own, (int)kind);
    for (size_t i = 0; suggests && i < from->sees.count; i++)
        nearest_offer_all(&n, &from->sees.items[i]->own, (int)kind);
    /* One `use` that is missing is one mistake, however many names come from it. */
    const char *library = library_with(s, kind, name->name);
    if (library && table_get(&s->missing, atom_of(s->atoms, library), from->tree->at.file))
        return NULL;
    if (library)
        table_set(&s->missing, atom_of(s->atoms, library), from->tree->at.file, s);
    diag *e = sema_report(s, unknown_code(kind), name->at, "no %s is called '%s'",
                          ast_kind_name(kind), name->name);
    if (!e)
        return NULL;
    if (library)
        diag_fix_edit(e, (span){name->at.file, 0, 0}, arena_format(s->kept, "use %s\n", library),
                      "use %s", library);
    else if (nearest_found(&n))
        diag_fix_edit(e, name->at, n.best, "did you mean '%s'?", n.best);
    note_other_kind(s, e, from, name);
    return e;
}

bool definition_offer_flag(nearest *n)
{
    static const char *const words[][2] = {{"True", "yes"}, {"true", "yes"}, {"TRUE", "yes"},
                                           {"on", "yes"},   {"False", "no"}, {"false", "no"},
                                           {"FALSE", "no"}, {"off", "no"},   {"None", "no"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i][0], n->wanted)) {
            n->best = words[i][1];
            n->distance = 0;
            return true;
        }
    return false;
}

bool definition_head_lost(const definition *d)
{
    bool lost = d->node->broken || d->node->spoiled;
    for (size_t i = 0; i < d->node->count; i++)
        lost = lost || (d->node->children[i]->poisoned && d->node->children[i]->kind != AST_BODY);
    return lost;
}

bool definition_first_unknown(const definition *d, atom name)
{
    if (table_get(d->unknown, name, 0))
        return false;
    table_set(d->unknown, name, 0, d->unknown);
    return true;
}

const parameter *definition_parameter(const definition *d, atom name)
{
    for (int i = 0; i < d->parameter_count; i++)
        if (d->parameters[i].name == name)
            return &d->parameters[i];
    return NULL;
}
