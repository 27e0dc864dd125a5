/* build, run: a plan to one executable, or to a printed form on the way there. */
#include "driver/commands.h"
#include "driver/compile.h"
#include "driver/forms.h"

static const char *only_operand(session *s)
{
    const options *o = s->options;
    if (o->operand_count == 1)
        return o->operands[0];
    session_misuse(s, "%s takes one plan: FILE or FILE:PLAN", options_command_name(o->command));
    return NULL;
}

int command_build(session *s)
{
    const options *o = s->options;
    const char *operand = only_operand(s);
    compilation c = {0};
    if (operand && options_has(o, OPTION_EMIT)) {
        if (form_emit(s, operand, o->value[OPTION_EMIT]))
            return session_finish(s);
    } else if (operand && compile_plan(s, operand, PASS_GENERATE, &c) && c.module) {
        const char *output = o->value[OPTION_OUTPUT];
        compile_link(&c, output ? output : c.training->plan);
    }
    compile_clean_up(&c);
    return session_finish(s);
}

/* The executable's command line behind its name: --metrics, what stands behind `--`. */
static char **executable_arguments(session *s)
{
    const options *o = s->options;
    size_t count = 0;
    while (o->rest[count])
        count++;
    char **arguments = arena_array(s->memory, char *, count + 3);
    size_t at = 0;
    if (options_has(o, OPTION_METRICS)) {
        arguments[at++] = arena_copy_text(s->memory, "--metrics", 9);
        arguments[at++] = arena_format(s->memory, "%s", o->value[OPTION_METRICS]);
    }
    for (size_t i = 0; i < count; i++)
        arguments[at++] = o->rest[i];
    return arguments;
}

int command_run(session *s)
{
    const char *operand = only_operand(s);
    compilation c = {0};
    int code;
    if (operand && compile_plan(s, operand, PASS_GENERATE, &c))
        code = compile_execute(&c, executable_arguments(s));
    else
        code = session_finish(s);
    compile_clean_up(&c);
    return code;
}
