#include "driver/commands.h"

#include <malloc.h>
#include <string.h>

/* Blocks of arenas are taken from the system and given back one by one: tables that grow are then moved, not copied. */
enum { LEAST_MAPPED = 256 * 1024 };

typedef int command_fn(session *s);

static command_fn *const commands[COMMAND_COUNT] = {
    [COMMAND_CHECK] = command_check,       [COMMAND_BUILD] = command_build,
    [COMMAND_RUN] = command_run,           [COMMAND_EXPLAIN] = command_explain,
    [COMMAND_FMT] = command_fmt,           [COMMAND_LSP] = command_lsp,
    [COMMAND_TOPOLOGY] = command_topology, [COMMAND_READ] = command_read,
    [COMMAND_MANUAL] = command_manual,     [COMMAND_COMPLETIONS] = command_completions,
    [COMMAND_HELP] = command_help,         [COMMAND_SAMPLE] = command_sample,
    [COMMAND_EXPORT] = command_export,
};

int main(int argc, char **argv)
{
    options o;
    if (!options_parse(&o, argc, argv, stderr))
        return EXIT_USAGE;
    if (options_has(&o, OPTION_HELP)) {
        options_print_command(o.command, stdout);
        return EXIT_FINE;
    }
    mallopt(M_MMAP_THRESHOLD, LEAST_MAPPED);
    session s;
    session_init(&s, &o);
    int code = commands[o.command](&s);
    session_clean_up(&s);
    return code;
}
