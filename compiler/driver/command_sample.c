/* sample: the training of a checkpoint compiled for one rank, to draw what follows a prompt. */
#include "driver/checkpoint_source.h"
#include "driver/commands.h"

/* Options that the executable takes as they are. */
static const struct {
    option_id id;
    const char *name;
} handed_on[] = {{OPTION_PROMPT, "--prompt"}, {OPTION_PROMPT_IDS, "--prompt-ids"},
                 {OPTION_LENGTH, "--length"}, {OPTION_TEMPERATURE, "--temperature"},
                 {OPTION_TOP_K, "--top-k"},   {OPTION_TOP_P, "--top-p"},
                 {OPTION_SEED, "--seed"}};
enum { HANDED_ON = sizeof handed_on / sizeof *handed_on };

static char **executable_arguments(session *s, const char *checkpoint)
{
    const options *o = s->options;
    char **arguments = arena_array(s->memory, char *, HANDED_ON + 3);
    size_t at = 0;
    arguments[at++] = arena_format(s->memory, "--weights=%s", checkpoint);
    for (int i = 0; i < HANDED_ON; i++)
        if (options_has(o, handed_on[i].id))
            arguments[at++] =
                arena_format(s->memory, "%s=%s", handed_on[i].name, o->value[handed_on[i].id]);
    if (options_has(o, OPTION_SPEED))
        arguments[at++] = arena_format(s->memory, "--speed");
    return arguments;
}

int command_sample(session *s)
{
    const options *o = s->options;
    checkpoint_source from;
    compilation c = {0};
    if (o->operand_count != 1)
        session_misuse(s, "sample takes one checkpoint: a file or a folder");
    else if (checkpoint_source_find(s, o->operands[0], &from) &&
             compile_plan(s, from.operand, PASS_GENERATE, &c)) {
        int code = compile_execute(&c, executable_arguments(s, from.path));
        compile_clean_up(&c);
        return code;
    }
    compile_clean_up(&c);
    return session_finish(s);
}
