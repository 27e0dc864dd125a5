/* lsp: the bytes as what a client sends, and as a document that everything is asked about at many places. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "lsp/server.h"

enum { PLACES = 24, LARGEST_DOCUMENT = 1 << 16 };

static void as_a_client(const uint8_t *bytes, size_t size)
{
    char *answer = NULL;
    size_t length = 0;
    FILE *in = fmemopen((void *)(uintptr_t)bytes, size, "r");
    FILE *out = open_memstream(&answer, &length);
    fuzz_require(in && out, "no stream");
    lsp_serve(in, out, FUZZ_LIBRARY);
    fclose(in);
    fclose(out);
    free(answer);
}

static void ask_at(const lsp_analysis *known, uint32_t offset)
{
    cJSON_Delete(lsp_hover(known, offset));
    cJSON_Delete(lsp_definition(known, offset));
    cJSON_Delete(lsp_completion(known, offset));
    cJSON_Delete(lsp_signature(known, offset));
    cJSON_Delete(lsp_references(known, offset));
    cJSON_Delete(lsp_rename(known, offset, "renamed"));
    cJSON_Delete(lsp_actions(known, offset / 2, offset));
    cJSON_Delete(lsp_range_formatting(known, offset / 2, offset));
}

static void as_a_document(const uint8_t *bytes, size_t size)
{
    char *held = malloc(size + 1);
    fuzz_require(held != NULL, "no memory");
    memcpy(held, bytes, size);
    held[size] = '\0';
    lsp_documents all = {0};
    lsp_document *d = lsp_documents_put(&all, "file:///nowhere/a.plan", held);
    const lsp_analysis *known = lsp_document_analyse(d, &all, FUZZ_LIBRARY);
    size_t length = strlen(held);
    for (size_t i = 0; i <= PLACES; i++)
        ask_at(known, (uint32_t)(length * i / PLACES));
    cJSON_Delete(lsp_symbols(known));
    cJSON_Delete(lsp_formatting(known));
    lsp_documents_clean_up(&all);
    free(held);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0 || size > LARGEST_DOCUMENT)
        return 0;
    as_a_client(bytes, size);
    as_a_document(bytes, size);
    return 0;
}
