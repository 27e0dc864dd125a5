/* fmt: plan files into the canonical form, in place; "-" from standard input to standard output. */
#include "driver/commands.h"
#include "base/text.h"
#include "parse/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_AT_ONCE = 65536 };

static int read_standard_input(session *s)
{
    text bytes = text_in(s->memory);
    char *piece = arena_alloc(s->memory, READ_AT_ONCE);
    for (size_t got; (got = fread(piece, 1, READ_AT_ONCE, stdin)) > 0;)
        text_add_bytes(&bytes, piece, got);
    return source_add(s->sources, "standard input", text_done(&bytes), bytes.length);
}

/* The new text beside the old one, then in its place: a file is never half written. */
static bool replace_file(session *s, const char *path, const char *bytes)
{
    struct stat old;
    char *aside = arena_format(s->memory, "%s.XXXXXX", path);
    int descriptor = stat(path, &old) == 0 ? mkstemp(aside) : -1;
    FILE *out = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (!out)
        return session_refuse(s, "cannot write '%s': %s", path, strerror(errno));
    fputs(bytes, out);
    if (fchmod(descriptor, old.st_mode & 07777) != 0 || !session_close(s, out, path) ||
        rename(aside, path) != 0) {
        unlink(aside);
        return session_refuse(s, "cannot write '%s': %s", path, strerror(errno));
    }
    return true;
}

static void format_one(session *s, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    int file = standard ? read_standard_input(s) : source_read(s->sources, path);
    if (file < 0) {
        session_refuse(s, "cannot read '%s': %s", path, strerror(errno));
        return;
    }
    parse_context context = {s->memory, s->atoms, s->sources, s->diags};
    const char *formatted = format_file(&context, file);
    if (!formatted)
        return;
    size_t length;
    const char *before = source_bytes(s->sources, file, &length);
    bool same = strlen(formatted) == length && memcmp(before, formatted, length) == 0;
    if (options_has(s->options, OPTION_CHECK)) {
        if (!same) {
            fprintf(stderr, "espalier: '%s' is not in the canonical form\n", path);
            s->code = s->code > EXIT_DIAGNOSED ? s->code : EXIT_DIAGNOSED;
        }
    } else if (standard) {
        fputs(formatted, stdout);
    } else if (!same) {
        replace_file(s, path, formatted);
    }
}

int command_fmt(session *s)
{
    const options *o = s->options;
    if (o->operand_count == 0)
        session_misuse(s, "fmt takes plan files, or - for standard input");
    for (int i = 0; i < o->operand_count; i++)
        format_one(s, o->operands[i]);
    return session_finish(s);
}
