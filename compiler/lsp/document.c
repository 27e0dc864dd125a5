#include "lsp/document.h"

#include "parse/parse.h"
#include "pass/partition.h"
#include "pass/simplify.h"
#include "sema/scope.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PLANS = 16 };

/* "file:///a%20b.plan" -> "/a b.plan"; another scheme stays as it is. */
static char *path_of_uri(const char *uri)
{
    if (strncmp(uri, "file://", 7) == 0)
        uri += 7;
    char *path = malloc(strlen(uri) + 1), *to = path;
    for (const char *from = uri; *from; from++) {
        if (from[0] == '%' && isxdigit((unsigned char)from[1]) &&
            isxdigit((unsigned char)from[2])) {
            char digits[3] = {from[1], from[2], '\0'};
            *to++ = (char)strtol(digits, NULL, 16);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return path;
}

void lsp_document_forget(lsp_document *d)
{
    if (d->analysis)
        arena_free(d->analysis->memory);
    d->analysis = NULL;
}

lsp_document *lsp_documents_find(const lsp_documents *all, const char *uri)
{
    for (lsp_document *d = all->first; d; d = d->next) {
        if (strcmp(d->uri, uri) == 0)
            return d;
    }
    return NULL;
}

lsp_document *lsp_documents_put(lsp_documents *all, const char *uri, const char *bytes)
{
    lsp_document *d = lsp_documents_find(all, uri);
    if (!d) {
        d = calloc(1, sizeof *d);
        d->uri = strdup(uri);
        d->path = path_of_uri(uri);
        d->next = all->first;
        all->first = d;
    }
    lsp_document_forget(d);
    free(d->text);
    d->text = strdup(bytes);
    return d;
}

void lsp_document_edit(lsp_document *d, const cJSON *range, const char *replacement)
{
    uint32_t begin = lsp_offset(d->text, cJSON_GetObjectItem(range, "start"));
    uint32_t end = lsp_offset(d->text, cJSON_GetObjectItem(range, "end"));
    if (end < begin)
        end = begin;
    size_t length = strlen(replacement), behind = strlen(d->text + end);
    char *made = malloc(begin + length + behind + 1);
    memcpy(made, d->text, begin);
    memcpy(made + begin, replacement, length);
    memcpy(made + begin + length, d->text + end, behind + 1);
    lsp_document_forget(d);
    free(d->text);
    d->text = made;
}

static void document_free(lsp_document *d)
{
    lsp_document_forget(d);
    free(d->uri);
    free(d->path);
    free(d->text);
    cJSON_Delete(d->foreign);
    free(d);
}

void lsp_documents_drop(lsp_documents *all, const char *uri)
{
    for (lsp_document **at = &all->first; *at; at = &(*at)->next) {
        if (strcmp((*at)->uri, uri) == 0) {
            lsp_document *d = *at;
            *at = d->next;
            document_free(d);
            return;
        }
    }
}

void lsp_documents_clean_up(lsp_documents *all)
{
    while (all->first)
        lsp_documents_drop(all, all->first->uri);
}

bool lsp_analysis_reads(const lsp_analysis *known, const char *path)
{
    char *whole = realpath(path, NULL);
    bool reads = false;
    for (size_t i = 0; whole && known->meaning && i < known->meaning->files.count; i++) {
        char *one = realpath(known->meaning->files.items[i]->path, NULL);
        reads = reads || (one && strcmp(one, whole) == 0);
        free(one);
    }
    free(whole);
    return reads;
}

const lsp_analysis *lsp_document_analyse(lsp_document *d, const lsp_documents *all,
                                         const char *library)
{
    if (d->analysis)
        return d->analysis;
    arena *memory = arena_new();
    lsp_analysis *known = arena_make(memory, lsp_analysis);
    known->memory = memory;
    known->atoms = atom_table_new(memory);
    known->sources = source_set_new(memory);
    known->diags = diag_sink_new(memory, known->sources);
    known->file = source_add(known->sources, d->path, d->text, strlen(d->text));
    for (const lsp_document *other = all->first; other; other = other->next)
        if (other != d)
            source_hold(known->sources, other->path, other->text, strlen(other->text));
    parse_context parsing = {memory, known->atoms, known->sources, known->diags};
    known->tree = parse_file(&parsing, known->file);
    known->plans = arena_make(memory, lsp_plans);
    d->analysis = known;
    if (!library)
        return known;
    sema_context context = {.memory = memory,
                            .atoms = known->atoms,
                            .sources = known->sources,
                            .diags = known->diags,
                            .library = library};
    known->meaning = sema_new(&context, known->tree);
    sema_check(known->meaning);
    return known;
}

/* With errors elsewhere in the file a plan is elaborated as `check` does it, and keeps its graph form. */
static void add_plan(const lsp_analysis *known, const definition *d)
{
    sema_output out = {0};
    bool sound = diag_error_count(known->diags) == 0;
    known->meaning->checking = !sound;
    bool whole = sema_elaborate(known->meaning, d->name, NULL, 0, &out);
    known->meaning->checking = false;
    if (!out.graph)
        return;
    diag_sink *unheard = diag_sink_new(known->memory, known->sources);
    if (sound && whole)
        pass_simplify(out.graph);
    if (sound && whole)
        pass_partition(out.graph, out.training, unheard);
    vec_push(known->memory, &known->plans->all, (lsp_plan){d->name, out.graph});
}

const lsp_plans *lsp_plans_of(const lsp_analysis *known)
{
    if (known->plans->known || !known->meaning)
        return known->plans;
    known->plans->known = true;
    const definition_vec *all = &known->meaning->main->definitions;
    for (size_t i = 0; i < all->count && known->plans->all.count < MOST_PLANS; i++) {
        const definition *d = all->items[i];
        if (d->kind == AST_PLAN && !d->poisoned)
            add_plan(known, d);
    }
    return known->plans;
}

static int whole_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e9
               ? (int)item->valuedouble
               : 0;
}

static const char *line_start(const char *bytes, int line)
{
    for (; line > 0 && bytes; line--) {
        bytes = strchr(bytes, '\n');
        bytes += bytes != NULL;
    }
    return bytes;
}

uint32_t lsp_offset(const char *bytes, const cJSON *position)
{
    const char *line = line_start(bytes, whole_number(position, "line")), *at = line;
    if (!line)
        return (uint32_t)strlen(bytes);
    for (int units = whole_number(position, "character"); units > 0 && *at && *at != '\n';) {
        units -= (unsigned char)*at >= 0xf0 ? 2 : 1;
        for (at++; ((unsigned char)*at & 0xc0) == 0x80; at++) {}
    }
    return (uint32_t)(at - bytes);
}

const char *lsp_text(const lsp_analysis *known)
{
    size_t length;
    return source_bytes(known->sources, known->file, &length);
}

const ast_node *lsp_node_at(const lsp_analysis *known, uint32_t offset)
{
    const ast_node *node = known->tree;
    for (bool deeper = true; deeper;) {
        deeper = false;
        for (size_t i = 0; i < node->count && !deeper; i++) {
            const ast_node *child = node->children[i];
            if (child->at.begin <= offset && offset <= child->at.end) {
                node = child;
                deeper = true;
            }
        }
    }
    return node;
}
