#include "driver/paths.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *paths_folder(arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    if (slash == path)
        return "/";
    return arena_copy_text(a, path, (size_t)(slash - path));
}

static const char *own_folder(arena *a)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return ".";
    path[length] = '\0';
    return paths_folder(a, path);
}

/* The first of the candidates under which `probe` can be read. */
static const char *first_with(arena *a, const char *const *candidates, size_t count,
                              const char *probe)
{
    for (size_t i = 0; i < count; i++) {
        if (candidates[i] && access(arena_format(a, "%s/%s", candidates[i], probe), R_OK) == 0)
            return candidates[i];
    }
    return NULL;
}

const char *paths_stdlib(arena *a, const char *said)
{
    const char *own = own_folder(a);
    if (said)
        return first_with(a, &said, 1, "nn.plan");
    const char *candidates[] = {
        getenv("ESPALIER_STDLIB"),
        arena_format(a, "%s/stdlib", own),
        arena_format(a, "%s/../share/espalier/stdlib", own),
        ESPALIER_SOURCE_DIR "/stdlib",
    };
    return first_with(a, candidates, sizeof candidates / sizeof *candidates, "nn.plan");
}

const char *paths_runtime(arena *a)
{
    static const char library[] = "libespalier_rt.a";
    const char *own = own_folder(a);
    const char *candidates[] = {
        getenv("ESPALIER_RUNTIME"),
        own,
        arena_format(a, "%s/../lib", own),
        ESPALIER_INSTALL_LIBDIR,
    };
    const char *folder = first_with(a, candidates, sizeof candidates / sizeof *candidates, library);
    return folder ? arena_format(a, "%s/%s", folder, library) : NULL;
}

const char *paths_code_page(arena *a, const char *code)
{
    const char *own = own_folder(a);
    const char *candidates[] = {
        arena_format(a, "%s/../share/espalier/codes", own),
        ESPALIER_SOURCE_DIR "/docs/codes",
    };
    const char *page = arena_format(a, "%s.md", code);
    const char *folder = first_with(a, candidates, sizeof candidates / sizeof *candidates, page);
    return folder ? arena_format(a, "%s/%s", folder, page) : NULL;
}
