/* Diagnostics for programs, in the shape of the language server protocol. */
#include "base/text.h"
#include "diag/diag_json.h"
#include "diag/diag_sink.h"

#include <stdlib.h>
#include <string.h>

/* UTF-16 units between two places of one line: two for what lies beyond the basic plane. */
static int utf16_units(const char *from, const char *to)
{
    int units = 0;
    for (; from < to; from++) {
        unsigned char byte = (unsigned char)*from;
        units += (byte & 0xc0) != 0x80;
        units += byte >= 0xf0;
    }
    return units;
}

static cJSON *position_json(const source_set *sources, int file, uint32_t offset)
{
    size_t length;
    int line = source_locate(sources, (span){file, offset, offset}).line;
    const char *bytes = source_bytes(sources, file, &length);
    const char *start = source_line(sources, file, line, &length);
    cJSON *position = cJSON_CreateObject();
    cJSON_AddNumberToObject(position, "line", line - 1);
    cJSON_AddNumberToObject(position, "character", utf16_units(start, bytes + offset));
    return position;
}

cJSON *diag_range_json(const source_set *sources, span at)
{
    cJSON *range = cJSON_CreateObject();
    cJSON_AddItemToObject(range, "start", position_json(sources, at.file, at.begin));
    cJSON_AddItemToObject(range, "end", position_json(sources, at.file, at.end));
    return range;
}

static bool needs_no_escape(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._~/:", c) != NULL;
}

const char *diag_uri(arena *a, const char *path)
{
    text uri = text_in(a);
    char *absolute = realpath(path, NULL);
    text_add(&uri, absolute ? "file://" : "");
    for (const char *at = absolute ? absolute : path; *at; at++)
        if (needs_no_escape(*at))
            text_add_bytes(&uri, at, 1);
        else
            text_add(&uri, "%%%02X", (unsigned char)*at);
    free(absolute);
    return text_done(&uri);
}

static cJSON *note_json(const diag_sink *sink, const diag_remark *note)
{
    cJSON *related = cJSON_CreateObject();
    cJSON *location = cJSON_AddObjectToObject(related, "location");
    const char *path = source_path(sink->sources, note->at.file);
    cJSON_AddStringToObject(location, "uri", diag_uri(sink->memory, path));
    cJSON_AddItemToObject(location, "range", diag_range_json(sink->sources, note->at));
    cJSON_AddStringToObject(related, "message", note->words);
    return related;
}

static cJSON *fix_json(const diag_sink *sink, const diag_repair *fix)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "title", fix->words);
    if (fix->replacement) {
        cJSON *edit = cJSON_AddObjectToObject(object, "edit");
        cJSON_AddItemToObject(edit, "range", diag_range_json(sink->sources, fix->at));
        cJSON_AddStringToObject(edit, "newText", fix->replacement);
    }
    return object;
}

static void add_notes(const diag_sink *sink, const diag *d, cJSON *object)
{
    cJSON *related = cJSON_AddArrayToObject(object, "relatedInformation");
    for (size_t i = 0; i < d->notes.count; i++)
        if (d->notes.items[i].at.file >= 0)
            cJSON_AddItemToArray(related, note_json(sink, &d->notes.items[i]));
}

cJSON *diag_json(const diag_sink *sink, const diag *d)
{
    cJSON *object = cJSON_CreateObject();
    span start = {d->at.file < 0 ? 0 : d->at.file, 0, 0};
    cJSON_AddItemToObject(object, "range",
                          diag_range_json(sink->sources, d->at.file < 0 ? start : d->at));
    cJSON_AddNumberToObject(object, "severity", 1);
    cJSON_AddStringToObject(object, "code", diag_code_text(d->code));
    cJSON_AddStringToObject(object, "source", "espalier");
    const char *message =
        d->label ? arena_format(sink->memory, "%s (%s)", d->message, d->label) : d->message;
    cJSON_AddStringToObject(object, "message", message);
    add_notes(sink, d, object);
    cJSON *fixes = cJSON_AddArrayToObject(cJSON_AddObjectToObject(object, "data"), "fixes");
    for (size_t i = 0; i < d->fixes.count; i++)
        cJSON_AddItemToArray(fixes, fix_json(sink, &d->fixes.items[i]));
    return object;
}

cJSON *diag_file_json(const diag_sink *sink, int file)
{
    size_t count;
    const diag *const *ordered = diag_ordered(sink, &count);
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < count && i < DIAG_KEPT; i++)
        if ((ordered[i]->at.file < 0 ? 0 : ordered[i]->at.file) == file)
            cJSON_AddItemToArray(array, diag_json(sink, ordered[i]));
    return array;
}

void diag_print_json(const diag_sink *sink, FILE *out)
{
    cJSON *files = cJSON_CreateArray();
    for (int file = 0; file < source_count(sink->sources); file++) {
        cJSON *diagnostics = diag_file_json(sink, file);
        /* The file that was asked for is listed even where nothing is wrong with it. */
        if (file > 0 && cJSON_GetArraySize(diagnostics) == 0) {
            cJSON_Delete(diagnostics);
            continue;
        }
        cJSON *object = cJSON_CreateObject();
        const char *path = source_path(sink->sources, file);
        cJSON_AddStringToObject(object, "uri", diag_uri(sink->memory, path));
        cJSON_AddItemToObject(object, "diagnostics", diagnostics);
        cJSON_AddItemToArray(files, object);
    }
    char *printed = cJSON_Print(files);
    fprintf(out, "%s\n", printed ? printed : "[]");
    cJSON_free(printed);
    cJSON_Delete(files);
}
