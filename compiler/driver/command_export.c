/* export: the training of a checkpoint compiled, to write its weights under the names of published files. */
#include "driver/checkpoint_source.h"
#include "driver/commands.h"
#include "driver/paths.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    double bytes;
} sizes[] = {{"", 1},     {"B", 1},         {"KB", 1e3},      {"MB", 1e6},
             {"GB", 1e9}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

/* "5GB" or "500 MB" in bytes; 0: it is none. */
static uint64_t size_of(const char *said)
{
    char *end;
    double number = strtod(said, &end);
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        double bytes = number * sizes[i].bytes;
        if (end != said && strcmp(end, sizes[i].name) == 0 && bytes >= 1 && bytes < 1e18)
            return (uint64_t)bytes;
    }
    return 0;
}

/* The library's own blocks, for a checkpoint of a plan that does not use them. */
static void offer_library(session *s, const char *bytes, size_t length)
{
    if (bytes && source_is_overlaid(s->sources))
        source_overlay(s->sources, "stdlib/weights.plan", bytes, length);
}

static const char *library_text(session *s, size_t *length)
{
    const char *folder = paths_stdlib(s->memory, s->options->value[OPTION_STDLIB]);
    if (!folder || !options_has(s->options, OPTION_AS))
        return NULL;
    source_set *aside = source_set_new(s->memory);
    int file = source_read(aside, arena_format(s->memory, "%s/weights.plan", folder));
    return file < 0 ? NULL : source_bytes(aside, file, length);
}

static char **executable_arguments(session *s, const char *checkpoint, uint64_t shard_bytes)
{
    char **arguments = arena_array(s->memory, char *, 4);
    arguments[0] = arena_format(s->memory, "--export=%s", checkpoint);
    arguments[1] = arena_format(s->memory, "--to=%s", s->options->value[OPTION_OUTPUT]);
    if (shard_bytes)
        arguments[2] =
            arena_format(s->memory, "--shard-bytes=%llu", (unsigned long long)shard_bytes);
    return arguments;
}

int command_export(session *s)
{
    const options *o = s->options;
    const char *said = o->value[OPTION_SHARD_SIZE];
    uint64_t shard_bytes = said ? size_of(said) : 0;
    checkpoint_source from;
    compilation c = {0};
    size_t length = 0;
    const char *library = library_text(s, &length);
    if (o->operand_count != 1)
        session_misuse(s, "export takes one checkpoint: a file or a folder");
    else if (!options_has(o, OPTION_OUTPUT))
        session_misuse(s, "export needs a file to write: -o model.safetensors");
    else if (said && !shard_bytes)
        session_misuse(s, "--shard-size takes a size, as 5GB, and not '%s'", said);
    else if (checkpoint_source_find(s, o->operands[0], &from)) {
        offer_library(s, library, length);
        if (compile_plan(s, from.operand, PASS_GENERATE, &c)) {
            int code = compile_execute(&c, executable_arguments(s, from.path, shard_bytes));
            compile_clean_up(&c);
            return code;
        }
    }
    compile_clean_up(&c);
    return session_finish(s);
}
