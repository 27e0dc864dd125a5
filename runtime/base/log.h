/* log.h: lines to standard error, each with the rank that speaks.
 *
 * A line is one write(2), so the lines of several ranks do not mix. Before rt_log_set_rank, and in a run of one
 * rank, no rank is shown.
 *
 *     rt_log_set_rank(2, 4);
 *     rt_log_error("cannot open '%s'", path);      # espalier: rank 2: error: cannot open 'x'
 */
#ifndef ESPALIER_RUNTIME_LOG_H
#define ESPALIER_RUNTIME_LOG_H

typedef enum rt_log_level { RT_LOG_ERROR, RT_LOG_WARNING, RT_LOG_NOTE, RT_LOG_DEBUG } rt_log_level;

/* Called once at start, before threads. */
void rt_log_set_rank(int rank, int rank_count);

/* Levels above this are dropped; RT_LOG_NOTE at start. */
void rt_log_set_level(rt_log_level level);

void rt_log(rt_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define rt_log_error(...) rt_log(RT_LOG_ERROR, __VA_ARGS__)
#define rt_log_warning(...) rt_log(RT_LOG_WARNING, __VA_ARGS__)
#define rt_log_note(...) rt_log(RT_LOG_NOTE, __VA_ARGS__)
#define rt_log_debug(...) rt_log(RT_LOG_DEBUG, __VA_ARGS__)

#endif
