/* From the object to the executable, by the system's compiler driver. */
#include "codegen/codegen_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef struct linking {
    codegen_module *m;
    const codegen_link_options *how;
    diag_sink *sink;
    const char *cc, *runtime, *object, *log;
    VEC(const char *) arguments;
} linking;

static const char *compiler_folder(arena *a)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return ".";
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    return arena_copy_text(a, path, strlen(path));
}

/* Beside the compiler in a build folder, or in ../lib of an installation. */
static const char *runtime_find(linking *l)
{
    static const char *const places[] = {"", "/..", "/../lib", "/../lib/x86_64-linux-gnu"};
    const char *folder = compiler_folder(l->m->memory);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *path = arena_format(l->m->memory, "%s%s/libespalier_rt.a", folder, places[i]);
        if (access(path, R_OK) == 0)
            return path;
    }
    diag *d =
        diag_report(l->sink, E0521, SPAN_NONE, "'libespalier_rt.a' is not beside '%s'", folder);
    diag_fix(d, "build the target espalier_rt, or install Espalier whole");
    return NULL;
}

static void argument(linking *l, const char *word)
{
    vec_push(l->m->memory, &l->arguments, word);
}

/* What stands in espalier_rt.link beside the archive: its own libraries. */
static void runtime_libraries(linking *l)
{
    const char *slash = strrchr(l->runtime, '/');
    size_t folder = slash ? (size_t)(slash - l->runtime) + 1 : 0;
    const char *path = arena_format(l->m->memory, "%.*sespalier_rt.link", (int)folder, l->runtime);
    FILE *f = fopen(path, "r");
    char line[1024] = "-ldnnl -lgomp -lcjson -lz -lpthread -lm";
    if (f) {
        if (!fgets(line, sizeof line, f))
            line[0] = '\0';
        fclose(f);
    }
    char *rest = arena_copy_text(l->m->memory, line, strlen(line)), *next = NULL;
    for (char *w = strtok_r(rest, " \n", &next); w; w = strtok_r(NULL, " \n", &next))
        argument(l, w);
}

static int run(linking *l)
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, l->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 2, 1);
    int failed = posix_spawnp(&child, l->cc, &actions, NULL, (char **)l->arguments.items, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed) {
        diag *d =
            diag_report(l->sink, E0520, SPAN_NONE, "cannot run '%s': %s", l->cc, strerror(failed));
        diag_fix(d, "install a C compiler, or name one in CC");
        return -1;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static void report_failure(linking *l)
{
    char line[512] = "";
    FILE *f = fopen(l->log, "r");
    if (f) {
        while (fgets(line, sizeof line, f))
            if (strstr(line, "undefined") || strstr(line, "cannot find") || strstr(line, "error"))
                break;
        fclose(f);
    }
    line[strcspn(line, "\n")] = '\0';
    diag_report(l->sink, E0520, SPAN_NONE, "'%s' does not link '%s': %s", l->cc, l->how->output,
                line);
}

static bool link_object(linking *l)
{
    argument(l, l->cc);
    if (l->how->shared)
        argument(l, "-shared");
    argument(l, l->object);
    argument(l, l->runtime);
    runtime_libraries(l);
    argument(l, "-o");
    argument(l, l->how->output);
    argument(l, NULL);
    int status = run(l);
    if (status > 0)
        report_failure(l);
    return status == 0;
}

static const char *compiler_choose(const codegen_link_options *how)
{
    const char *named = getenv("CC");
    if (how->cc)
        return how->cc;
    return named && *named ? named : ESPALIER_CC;
}

bool codegen_link(codegen_module *m, const codegen_link_options *how, diag_sink *sink)
{
    linking l = {.m = m, .how = how, .sink = sink, .cc = compiler_choose(how)};
    l.runtime = how->runtime ? how->runtime : runtime_find(&l);
    if (!l.runtime)
        return false;
    l.object = arena_format(m->memory, "%s.%ld.o", how->output, (long)getpid());
    l.log = arena_format(m->memory, "%s.%ld.log", how->output, (long)getpid());
    bool fine = codegen_emit(m, CODEGEN_OBJECT, l.object, sink) && link_object(&l);
    unlink(l.object);
    unlink(l.log);
    return fine;
}
