/* diag_json.h: the pieces of diag_print_json, for the language server. The caller owns what it gets: cJSON_Delete. */
#ifndef ESPALIER_DIAG_DIAG_JSON_H
#define ESPALIER_DIAG_DIAG_JSON_H

#include "diag/diag.h"
#include <cjson/cJSON.h>

/* {"start": {"line", "character"}, "end": …}, from 0, in UTF-16 units. */
cJSON *diag_range_json(const source_set *sources, span at);

/* "file:///…", escaped; the path itself where no such file exists (stdlib). */
const char *diag_uri(arena *a, const char *path);

/* One LSP diagnostic. */
cJSON *diag_json(const diag_sink *sink, const diag *d);

/* The array of LSP diagnostics of one file. */
cJSON *diag_file_json(const diag_sink *sink, int file);

#endif
