#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE = 2048 };

static int own_rank = -1;
static rt_log_level shown = RT_LOG_NOTE;
static const char *const level_texts[] = {"error: ", "warning: ", "", "debug: "};

void rt_log_set_rank(int rank, int rank_count)
{
    own_rank = rank_count > 1 ? rank : -1;
}

void rt_log_set_level(rt_log_level level)
{
    shown = level;
}

void rt_log(rt_log_level level, const char *format, ...)
{
    if (level > shown)
        return;
    char line[LINE];
    int length = own_rank < 0
                     ? snprintf(line, LINE, "espalier: %s", level_texts[level])
                     : snprintf(line, LINE, "espalier: rank %d: %s", own_rank, level_texts[level]);
    va_list arguments;
    va_start(arguments, format);
    int body = vsnprintf(line + length, (size_t)(LINE - 1 - length), format, arguments);
    va_end(arguments);
    length += body < 0 ? 0 : body;
    if (length > LINE - 2)
        length = LINE - 2;
    line[length++] = '\n';
    /* A log that cannot be written has nowhere to say so. */
    ssize_t written = write(STDERR_FILENO, line, (size_t)length);
    (void)written;
}
