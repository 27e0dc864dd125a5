/* The executable, linked, and run on this machine. */
#include "driver/compile.h"
#include "driver/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

bool compile_link(compilation *c, const char *output)
{
    session *s = c->session;
    codegen_link_options how = {.output = output, .runtime = paths_runtime(s->memory)};
    return codegen_link(c->module, &how, s->diags);
}

/* Starts the executable and waits for it; its exit code, 128 + signal for one that a signal ended. Signals of the terminal
 * reach it by itself, as it shares our process group. */
static int execute(session *s, char *path, char *const *behind)
{
    size_t count = 0;
    while (behind[count])
        count++;
    char **arguments = arena_array(s->memory, char *, count + 2);
    arguments[0] = path;
    for (size_t i = 0; i < count; i++)
        arguments[1 + i] = behind[i];
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

int compile_execute(compilation *c, char *const *arguments)
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
    if (compile_link(c, path) && session_finish(s) == EXIT_FINE)
        code = execute(s, path, arguments);
    else
        code = session_finish(s);
    unlink(path);
    rmdir(place);
    return code;
}
