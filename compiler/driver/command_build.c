/* build, run: a plan to one executable, or to a printed form on the way there. */
#include "driver/commands.h"
#include "driver/compile.h"
#include "driver/forms.h"
#include "driver/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *only_operand(session *s)
{
    const options *o = s->options;
    if (o->operand_count == 1)
        return o->operands[0];
    session_misuse(s, "%s takes one plan: FILE or FILE:PLAN", options_command_name(o->command));
    return NULL;
}

static bool link_executable(compilation *c, const char *output)
{
    session *s = c->session;
    codegen_link_options how = {.output = output, .runtime = paths_runtime(s->memory)};
    return codegen_link(c->module, &how, s->diags);
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
        link_executable(&c, output ? output : c.training->plan);
    }
    compile_clean_up(&c);
    return session_finish(s);
}

/* The executable's command line: its name, --metrics, what stands behind `--`. */
static char **executable_arguments(session *s, char *path)
{
    const options *o = s->options;
    size_t count = 0;
    while (o->rest[count])
        count++;
    char **arguments = arena_array(s->memory, char *, count + 4);
    size_t at = 0;
    arguments[at++] = path;
    if (options_has(o, OPTION_METRICS)) {
        arguments[at++] = arena_copy_text(s->memory, "--metrics", 9);
        arguments[at++] = arena_format(s->memory, "%s", o->value[OPTION_METRICS]);
    }
    for (size_t i = 0; i < count; i++)
        arguments[at++] = o->rest[i];
    return arguments;
}

/* Starts the executable and waits for it; its exit code, 128 + signal for one that a signal ended. Signals of the terminal
 * reach it by itself, as it shares our process group. */
static int execute(session *s, char *const *arguments)
{
    pid_t child = fork();
    if (child < 0) {
        session_refuse(s, "cannot start '%s': %s", arguments[0], strerror(errno));
        return EXIT_SYSTEM;
    }
    if (child == 0) {
        execv(arguments[0], arguments);
        fprintf(stderr, "espalier: cannot start '%s': %s\n", arguments[0], strerror(errno));
        _exit(EXIT_SYSTEM);
    }
    int status;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            return EXIT_SYSTEM;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int build_and_execute(compilation *c)
{
    session *s = c->session;
    const char *folder = getenv("TMPDIR");
    char *place =
        arena_format(s->memory, "%s/espalier-XXXXXX", folder && *folder ? folder : "/tmp");
    if (!mkdtemp(place)) {
        session_refuse(s, "cannot make a folder '%s': %s", place, strerror(errno));
        return session_finish(s);
    }
    char *path = arena_format(s->memory, "%s/%s", place, c->training->plan);
    int code = EXIT_SYSTEM;
    if (link_executable(c, path) && session_finish(s) == EXIT_FINE)
        code = execute(s, executable_arguments(s, path));
    else
        code = session_finish(s);
    unlink(path);
    rmdir(place);
    return code;
}

int command_run(session *s)
{
    const char *operand = only_operand(s);
    compilation c = {0};
    int code;
    if (operand && compile_plan(s, operand, PASS_GENERATE, &c))
        code = build_and_execute(&c);
    else
        code = session_finish(s);
    compile_clean_up(&c);
    return code;
}
