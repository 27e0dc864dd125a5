#include "driver/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void session_init(session *s, const options *o)
{
    *s = (session){.options = o, .memory = arena_new()};
    s->atoms = atom_table_new(s->memory);
    s->sources = source_set_new(s->memory);
    s->diags = diag_sink_new(s->memory, s->sources);
}

void session_clean_up(session *s)
{
    arena_free(s->memory);
}

static void complain(session *s, int code, const char *format, va_list arguments)
{
    fputs("espalier: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    if (code > s->code)
        s->code = code;
}

bool session_refuse(session *s, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(s, EXIT_SYSTEM, format, arguments);
    va_end(arguments);
    return false;
}

bool session_misuse(session *s, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(s, EXIT_USAGE, format, arguments);
    va_end(arguments);
    return false;
}

static bool wants_colour(const session *s)
{
    const char *when = s->options->value[OPTION_COLOUR];
    if (when && strcmp(when, "always") == 0)
        return true;
    if (when && strcmp(when, "never") == 0)
        return false;
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) && !getenv("NO_COLOR") && terminal &&
           strcmp(terminal, "dumb") != 0;
}

int session_finish(session *s)
{
    if (options_has(s->options, OPTION_DIAGNOSTICS))
        diag_print_json(s->diags, stdout);
    else
        diag_print(s->diags, stderr, wants_colour(s));
    if (diag_error_count(s->diags) > 0 && s->code < EXIT_DIAGNOSED)
        s->code = EXIT_DIAGNOSED;
    return s->code;
}

void session_split_operand(session *s, const char *operand, const char **path, const char **plan)
{
    const char *colon = strrchr(operand, ':');
    *path = operand;
    *plan = NULL;
    if (!colon || strchr(colon, '/') || colon == operand)
        return;
    *path = arena_copy_text(s->memory, operand, (size_t)(colon - operand));
    *plan = colon[1] ? colon + 1 : NULL;
}

FILE *session_open(session *s, const char *path)
{
    if (!path || strcmp(path, "-") == 0)
        return stdout;
    FILE *out = fopen(path, "wb");
    if (!out)
        session_refuse(s, "cannot write '%s': %s", path, strerror(errno));
    return out;
}

bool session_close(session *s, FILE *out, const char *path)
{
    bool failed = fflush(out) != 0 || ferror(out) != 0;
    if (out != stdout)
        failed = fclose(out) != 0 || failed;
    return failed ? session_refuse(s, "cannot write '%s': %s", path ? path : "standard output",
                                   strerror(errno))
                  : true;
}
