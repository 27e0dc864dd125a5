#include "lsp/document.h"

#include "parse/parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

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

static void forget_analysis(lsp_document *d)
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
    forget_analysis(d);
    free(d->text);
    d->text = strdup(bytes);
    return d;
}

static void document_free(lsp_document *d)
{
    forget_analysis(d);
    free(d->uri);
    free(d->path);
    free(d->text);
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

const lsp_analysis *lsp_document_analyse(lsp_document *d, const char *library)
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
    parse_context parsing = {memory, known->atoms, known->sources, known->diags};
    known->tree = parse_file(&parsing, known->file);
    d->analysis = known;
    if (!library)
        return known;
    sema_context context = {.memory = memory,
                            .atoms = known->atoms,
                            .sources = known->sources,
                            .diags = known->diags,
                            .library = library};
    known->meaning = sema_new(&context, known->tree);
    if (diag_error_count(known->diags) == 0 && sema_check(known->meaning) &&
        sema_plan(known->meaning, NULL))
        sema_elaborate(known->meaning, NULL, NULL, 0, &known->planned);
    return known;
}

static int whole_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e9
               ? (int)item->valuedouble
               : 0;
}

uint32_t lsp_offset(const lsp_analysis *known, const cJSON *position)
{
    size_t whole, length;
    const char *bytes = source_bytes(known->sources, known->file, &whole);
    const char *line =
        source_line(known->sources, known->file, whole_number(position, "line") + 1, &length);
    if (!line)
        return (uint32_t)whole;
    size_t at = 0;
    for (int units = whole_number(position, "character"); units > 0 && at < length;) {
        unsigned char byte = (unsigned char)line[at];
        units -= byte >= 0xf0 ? 2 : 1;
        for (at++; at < length && ((unsigned char)line[at] & 0xc0) == 0x80; at++) {}
    }
    return (uint32_t)(line - bytes) + (uint32_t)at;
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
