#define _GNU_SOURCE /* strerror_r that returns the text */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[RT_STATUS_COUNT] = {
    [RT_OK] = "done",
    [RT_END] = "end reached",
    [RT_NO_MEMORY] = "out of memory",
    [RT_NOT_FOUND] = "not found",
    [RT_IO] = "input or output failed",
    [RT_DAMAGED] = "file damaged",
    [RT_MISMATCH] = "not what was asked for",
    [RT_RANGE] = "value out of bounds",
    [RT_INVALID] = "invalid request",
    [RT_UNSUPPORTED] = "not supported",
    [RT_TIMEOUT] = "deadline passed",
    [RT_PEER_LOST] = "a rank was lost",
    [RT_CANCELLED] = "cancelled",
};

const char *rt_status_text(rt_status status)
{
    return (unsigned)status < RT_STATUS_COUNT ? texts[status] : "unknown status";
}

rt_status rt_fail(rt_error *error, rt_status status, const char *format, ...)
{
    if (!error)
        return status;
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return status;
}

rt_status rt_fail_errno(rt_error *error, rt_status status, const char *format, ...)
{
    int reason = errno;
    if (reason == ENOENT && status == RT_IO)
        status = RT_NOT_FOUND;
    if (!error)
        return status;
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    size_t length = strlen(error->text);
    char buffer[128];
    snprintf(error->text + length, sizeof error->text - length, ": %s",
             strerror_r(reason, buffer, sizeof buffer));
    return status;
}

rt_status rt_error_prefix(rt_error *error, const char *format, ...)
{
    if (!error)
        return RT_INVALID;
    char prefix[RT_ERROR_TEXT / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix - 3, format, arguments);
    va_end(arguments);
    strcat(prefix, ": ");
    size_t length = strlen(prefix), rest = strlen(error->text);
    if (rest > sizeof error->text - 1 - length)
        rest = sizeof error->text - 1 - length;
    memmove(error->text + length, error->text, rest);
    memcpy(error->text, prefix, length);
    error->text[length + rest] = '\0';
    return error->status;
}
