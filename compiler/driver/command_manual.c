/* manual: the manual pages. */
#include "driver/commands.h"
#include "driver/manual.h"

#include <string.h>

static bool write_all(session *s, const char *folder)
{
    for (int i = 0; manual_page_name(s->memory, i); i++) {
        const char *path = arena_format(s->memory, "%s/%s.%s", folder,
                                        manual_page_name(s->memory, i), manual_page_section(i));
        FILE *out = session_open(s, path);
        if (!out)
            return false;
        fputs(manual_page(s->memory, i), out);
        if (!session_close(s, out, path))
            return false;
    }
    return true;
}

/* "espalier-check" or "check" */
static int find_page(session *s, const char *word)
{
    const char *name;
    for (int i = 0; (name = manual_page_name(s->memory, i)) != NULL; i++) {
        if (strcmp(name, word) == 0 || (i > 0 && strcmp(name + strlen("espalier-"), word) == 0))
            return i;
    }
    return -1;
}

int command_manual(session *s)
{
    const options *o = s->options;
    if (options_has(s->options, OPTION_ALL)) {
        write_all(s, o->value[OPTION_ALL]);
    } else if (o->operand_count == 0) {
        for (int i = 0; manual_page_name(s->memory, i); i++)
            puts(manual_page_name(s->memory, i));
    } else {
        int page = find_page(s, o->operands[0]);
        if (page < 0)
            session_misuse(s, "no such page: '%s'; 'espalier manual' lists them", o->operands[0]);
        else
            fputs(manual_page(s->memory, page), stdout);
    }
    return session_finish(s);
}
