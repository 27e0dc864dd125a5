/* help, check, read, lsp. */
#include "driver/commands.h"
#include "driver/forms.h"
#include "driver/paths.h"
#include "lsp/server.h"

int command_help(session *s)
{
    const options *o = s->options;
    if (o->operand_count == 0) {
        options_print_overview(stdout);
        return EXIT_FINE;
    }
    int command = options_find_command(o->operands[0]);
    if (command < 0) {
        session_misuse(s, "no such command: '%s'", o->operands[0]);
        return s->code;
    }
    options_print_command((command_id)command, stdout);
    return EXIT_FINE;
}

/* A file is checked whole; with a plan's name or with settings, that plan is taken as far as memory is laid out. */
int command_check(session *s)
{
    const options *o = s->options;
    if (o->operand_count == 0)
        session_misuse(s, "check takes plan files");
    for (int i = 0; i < o->operand_count; i++) {
        const char *path, *plan;
        session_split_operand(s, o->operands[i], &path, &plan);
        compilation c;
        compile_plan(s, o->operands[i], plan || o->set_count ? PASS_PLACE : PASS_SHAPE, &c);
    }
    return session_finish(s);
}

int command_read(session *s)
{
    const options *o = s->options;
    if (o->operand_count != 2)
        session_misuse(s, "read takes a form and a file");
    else
        form_read_back(s, o->operands[0], o->operands[1]);
    return session_finish(s);
}

int command_lsp(session *s)
{
    return lsp_serve(stdin, stdout, paths_stdlib(s->memory, s->options->value[OPTION_STDLIB]));
}
