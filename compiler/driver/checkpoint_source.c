#include "driver/checkpoint_source.h"

#include <cJSON.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { VERSION = 1, LARGEST_HEADER = 100 * 1000 * 1000, MOST_TEXTS = 256 };

static const char metadata_key[] = "espalier.source";

/* Settings stand among the sources, for diagnostics; they are recorded as what was said. */
static bool is_setting(const char *name)
{
    return strncmp(name, "--set ", 6) == 0;
}

static cJSON *texts_json(const source_set *sources, arena *a)
{
    cJSON *files = cJSON_CreateArray();
    for (int i = 0; i < source_count(sources); i++) {
        size_t length;
        const char *bytes = source_bytes(sources, i, &length), *name = source_path(sources, i);
        if (is_setting(name))
            continue;
        cJSON *file = cJSON_CreateObject();
        cJSON_AddStringToObject(file, "name", name);
        cJSON_AddStringToObject(file, "text", arena_copy_text(a, bytes, length));
        cJSON_AddItemToArray(files, file);
    }
    return files;
}

const char *checkpoint_source_text(const compilation *c)
{
    session *s = c->session;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "version", VERSION);
    cJSON_AddStringToObject(json, "file", c->path);
    cJSON_AddStringToObject(json, "plan", c->training->plan);
    cJSON *settings = cJSON_AddArrayToObject(json, "settings");
    for (int i = 0; i < s->options->set_count; i++)
        cJSON_AddItemToArray(settings, cJSON_CreateString(s->options->sets[i]));
    cJSON_AddItemToObject(json, "files", texts_json(s->sources, s->memory));
    char *printed = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    const char *kept = printed ? arena_copy_text(s->memory, printed, strlen(printed)) : NULL;
    cJSON_free(printed);
    return kept;
}

/* The bytes that the entries of a header say they reach to; -1 where an entry is none. */
static double data_end(const cJSON *header)
{
    double end = 0;
    for (const cJSON *entry = header->child; entry; entry = entry->next) {
        if (strcmp(entry->string, "__metadata__") == 0)
            continue;
        const cJSON *last = cJSON_GetArrayItem(cJSON_GetObjectItem(entry, "data_offsets"), 1);
        if (!cJSON_IsNumber(last))
            return -1;
        end = last->valuedouble > end ? last->valuedouble : end;
    }
    return end;
}

/* Parsed, or NULL with why. */
static cJSON *parse_header(FILE *in, const char **why)
{
    unsigned char prefix[8];
    uint64_t length = 0;
    *why = "it is no safetensors file";
    if (fread(prefix, 1, sizeof prefix, in) != sizeof prefix)
        return NULL;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | prefix[i];
    struct stat file;
    if (fstat(fileno(in), &file) != 0 || length > LARGEST_HEADER ||
        (uint64_t)file.st_size < length + sizeof prefix)
        return NULL;
    char *bytes = malloc((size_t)length + 1);
    bool whole = bytes && fread(bytes, 1, (size_t)length, in) == length;
    cJSON *header = whole ? cJSON_ParseWithLength(bytes, (size_t)length) : NULL;
    free(bytes);
    if (cJSON_IsObject(header)) {
        *why = "it is cut short";
        if (data_end(header) == (double)(file.st_size - (off_t)length) - sizeof prefix)
            return header;
    }
    cJSON_Delete(header);
    return NULL;
}

static cJSON *read_header(const char *path, const char **why)
{
    FILE *in = fopen(path, "rb");
    *why = strerror(errno);
    cJSON *header = in ? parse_header(in, why) : NULL;
    if (in)
        fclose(in);
    return header;
}

/* The step in "step-00001000.safetensors"; -1 for another name. */
static long long step_of(const char *name)
{
    if (strncmp(name, "step-", 5) != 0 || !isdigit((unsigned char)name[5]))
        return -1;
    char *end;
    errno = 0;
    long long step = strtoll(name + 5, &end, 10);
    return errno == 0 && strcmp(end, ".safetensors") == 0 ? step : -1;
}

/* The name of the folder's newest checkpoint before step `before`; NULL: there is none. */
static const char *newest_before(session *s, const char *folder, long long before, long long *step)
{
    const char *newest = NULL;
    DIR *open_folder = opendir(folder);
    *step = -1;
    for (struct dirent *entry; open_folder && (entry = readdir(open_folder));) {
        long long found = step_of(entry->d_name);
        if (found <= *step || found >= before)
            continue;
        *step = found;
        newest = arena_format(s->memory, "%s/%s", folder, entry->d_name);
    }
    if (open_folder)
        closedir(open_folder);
    return newest;
}

/* The header of the file, or of the folder's newest file that has a whole one. */
static cJSON *find_header(session *s, const char *path, const char **file)
{
    const char *why;
    struct stat there;
    *file = path;
    if (stat(path, &there) == 0 && S_ISDIR(there.st_mode)) {
        long long step = INT64_MAX;
        while ((*file = newest_before(s, path, step, &step))) {
            cJSON *header = read_header(*file, &why);
            if (header)
                return header;
            fprintf(stderr, "espalier: warning: '%s' is passed over: %s\n", *file, why);
        }
        session_refuse(s, "'%s' holds no checkpoint that can be read", path);
        return NULL;
    }
    cJSON *header = read_header(path, &why);
    if (!header)
        session_refuse(s, "cannot read '%s': %s", path, why);
    return header;
}

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) && *item->valuestring ? item->valuestring : NULL;
}

static bool is_said(const options *o, const char *setting, size_t name)
{
    for (int i = 0; i < o->set_count; i++)
        if (strncmp(o->sets[i], setting, name + 1) == 0)
            return true;
    return false;
}

/* The recorded settings beside those of the command line, in options of the session's own. */
static bool take_settings(session *s, const cJSON *settings)
{
    options *own = arena_make(s->memory, options);
    *own = *s->options;
    for (const cJSON *x = settings->child; x; x = x->next) {
        const char *equals = cJSON_IsString(x) ? strchr(x->valuestring, '=') : NULL;
        if (!equals || equals == x->valuestring || own->set_count == OPTIONS_MOST_SETS)
            return false;
        if (!is_said(s->options, x->valuestring, (size_t)(equals - x->valuestring)))
            own->sets[own->set_count++] =
                arena_copy_text(s->memory, x->valuestring, strlen(x->valuestring));
    }
    s->options = own;
    return true;
}

static bool take_texts(session *s, const cJSON *files)
{
    int count = 0;
    for (const cJSON *file = files->child; file; file = file->next) {
        const char *name = text_of(file, "name");
        const cJSON *bytes = cJSON_GetObjectItemCaseSensitive(file, "text");
        if (!name || !cJSON_IsString(bytes) || ++count > MOST_TEXTS)
            return false;
        source_overlay(s->sources, name, bytes->valuestring, strlen(bytes->valuestring));
    }
    return count > 0;
}

static bool take_source(session *s, const cJSON *json, checkpoint_source *out)
{
    const cJSON *settings = cJSON_GetObjectItemCaseSensitive(json, "settings");
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(json, "files");
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(json, "version");
    const char *file = text_of(json, "file"), *plan = text_of(json, "plan");
    if (!cJSON_IsNumber(version) || !cJSON_IsArray(settings) || !cJSON_IsArray(files) || !file ||
        !plan)
        return session_refuse(s, "'%s': what it was compiled from cannot be read", out->path);
    if (version->valueint != VERSION)
        return session_refuse(s, "'%s' was written by another version of Espalier", out->path);
    out->plan = arena_copy_text(s->memory, plan, strlen(plan));
    out->operand = arena_format(s->memory, "%s:%s", file, plan);
    if (!take_texts(s, files) || !take_settings(s, settings))
        return session_refuse(s, "'%s': what it was compiled from cannot be read", out->path);
    return true;
}

bool checkpoint_source_open(session *s, const char *path, checkpoint_source *out)
{
    *out = (checkpoint_source){0};
    cJSON *header = find_header(s, path, &out->path);
    if (!header)
        return false;
    const char *said =
        text_of(cJSON_GetObjectItemCaseSensitive(header, "__metadata__"), metadata_key);
    cJSON *json = said ? cJSON_Parse(said) : NULL;
    bool fine = said ? take_source(s, json, out)
                     : session_refuse(s,
                                      "'%s' does not say what it was compiled from: it is no "
                                      "checkpoint of Espalier",
                                      out->path);
    cJSON_Delete(json);
    cJSON_Delete(header);
    return fine;
}

bool checkpoint_source_find(session *s, const char *checkpoint, checkpoint_source *from)
{
    struct stat status;
    if (!options_has(s->options, OPTION_PLAN))
        return checkpoint_source_open(s, checkpoint, from);
    *from = (checkpoint_source){.path = checkpoint, .operand = s->options->value[OPTION_PLAN]};
    if (stat(checkpoint, &status))
        return session_refuse(s, "cannot read '%s': %s", checkpoint, strerror(errno));
    return !S_ISDIR(status.st_mode) ||
           session_misuse(s, "with --plan the checkpoint is a file, and '%s' is a folder",
                          checkpoint);
}
