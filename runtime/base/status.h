/* status.h: how the runtime reports failure.
 *
 * Each function that can fail returns a status, whose meaning is the contract below, and fills the error it was
 * given: one line that names the file and the place in it (line and column, tensor, byte, element). Nothing in the
 * runtime prints and goes on, and nothing below main() exits.
 *
 *     rt_error error;
 *     rt_status status = dataset_open(&spec, &set, &error);
 *     if (status != RT_OK)
 *         rt_log_error("%s", error.text);
 */
#ifndef ESPALIER_RUNTIME_STATUS_H
#define ESPALIER_RUNTIME_STATUS_H

typedef enum rt_status {
    RT_OK = 0,    /* done; outputs are set */
    RT_END,       /* nothing is left to read; outputs are not set; not an error */
    RT_NO_MEMORY, /* an allocation was refused; the object is unchanged or was not made */
    RT_NOT_FOUND, /* no such file, tensor, column or member */
    RT_IO,        /* the system refused to open, read, write or sync; the text gives its reason */
    RT_DAMAGED, /* a file breaks its own format: truncated, overlapping, not a number, checksum differs */
    RT_MISMATCH,    /* well formed, but not what was asked for: another shape, type or count */
    RT_RANGE,       /* a value lies outside its declared bound */
    RT_INVALID,     /* the request makes no sense: unknown option, share over 100 %, empty range */
    RT_UNSUPPORTED, /* a valid form that this runtime does not read or do */
    RT_TIMEOUT,     /* a deadline passed while waiting */
    RT_PEER_LOST,   /* another rank ended or stopped answering */
    RT_CANCELLED,   /* stopped because it was asked to */
    RT_STATUS_COUNT
} rt_status;

enum { RT_ERROR_TEXT = 1024 };

/* What went wrong, in one line without a full stop. */
typedef struct rt_error {
    rt_status status;
    char text[RT_ERROR_TEXT];
} rt_error;

/* The status in two or three words ("file damaged"), for messages that have nothing better. */
const char *rt_status_text(rt_status status);

/* Sets the error (which may be NULL) and returns the status, for `return rt_fail(...)`. */
rt_status rt_fail(rt_error *error, rt_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As rt_fail, and adds the reason of errno: "cannot open 'x': no such file". ENOENT makes RT_IO an RT_NOT_FOUND. */
rt_status rt_fail_errno(rt_error *error, rt_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "WHERE: " before an error's text, for the caller that knows the larger place. Returns its status. */
rt_status rt_error_prefix(rt_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
