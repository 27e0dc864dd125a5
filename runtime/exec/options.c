#include "exec/options.h"

#include <string.h>

#include "base/number.h"

enum { DEFAULT_TIMEOUT = 300, MAX_THREADS = 1024 };

typedef rt_status option_fn(const char *value, rt_options *options, rt_error *error);

static rt_status take_metrics(const char *value, rt_options *options, rt_error *error)
{
    (void)error;
    options->metrics = value;
    return RT_OK;
}

static rt_status take_data(const char *value, rt_options *options, rt_error *error)
{
    (void)error;
    options->data = value;
    return RT_OK;
}

static rt_status take_weights(const char *value, rt_options *options, rt_error *error)
{
    (void)error;
    options->weights = value;
    return RT_OK;
}

static rt_status take_save(const char *value, rt_options *options, rt_error *error)
{
    (void)error;
    options->save = value;
    return RT_OK;
}

static rt_status take_resume(const char *value, rt_options *options, rt_error *error)
{
    (void)error;
    options->resume = true;
    options->resume_from = value;
    return RT_OK;
}

static rt_status take_checkpoints(const char *value, rt_options *options, rt_error *error)
{
    (void)error;
    options->checkpoints = value;
    return RT_OK;
}

static rt_status take_export(const char *value, rt_options *options, rt_error *error)
{
    (void)error;
    options->export = value;
    return RT_OK;
}

static rt_status take_to(const char *value, rt_options *options, rt_error *error)
{
    (void)error;
    options->to = value;
    return RT_OK;
}

static rt_status take_shard_bytes(const char *value, rt_options *options, rt_error *error)
{
    int64_t bytes;
    if (!rt_parse_int64(value, strlen(value), &bytes) || bytes < 1)
        return rt_fail(error, RT_INVALID, "'--shard-bytes' takes a number of bytes, not '%s'",
                       value);
    options->shard_bytes = (uint64_t)bytes;
    return RT_OK;
}

static rt_status take_steps(const char *value, rt_options *options, rt_error *error)
{
    if (!rt_parse_int64(value, strlen(value), &options->steps) || options->steps < 1)
        return rt_fail(error, RT_INVALID, "'--steps' takes a number of steps, not '%s'", value);
    return RT_OK;
}

static rt_status take_threads(const char *value, rt_options *options, rt_error *error)
{
    int64_t threads;
    if (!rt_parse_int64(value, strlen(value), &threads) || threads < 1 || threads > MAX_THREADS)
        return rt_fail(error, RT_INVALID, "'--threads' takes a number from 1 to %d, not '%s'",
                       MAX_THREADS, value);
    options->threads = (int)threads;
    return RT_OK;
}

static rt_status take_timeout(const char *value, rt_options *options, rt_error *error)
{
    if (!rt_parse_double(value, strlen(value), &options->timeout) ||
        !(options->timeout >= 0 && options->timeout < 1e9))
        return rt_fail(error, RT_INVALID, "'--timeout' takes seconds, not '%s'", value);
    return RT_OK;
}

static rt_status take_quiet(const char *value, rt_options *options, rt_error *error)
{
    (void)value;
    (void)error;
    options->quiet = true;
    return RT_OK;
}

static rt_status take_allow_nan(const char *value, rt_options *options, rt_error *error)
{
    (void)value;
    (void)error;
    options->allow_nan = true;
    return RT_OK;
}

static rt_status take_prompt(const char *value, rt_options *options, rt_error *error)
{
    options->sampling.named = "--prompt";
    (void)error;
    options->sampling.prompt = value;
    return RT_OK;
}

static rt_status take_prompt_ids(const char *value, rt_options *options, rt_error *error)
{
    options->sampling.named = "--prompt-ids";
    (void)error;
    options->sampling.prompt_ids = value;
    return RT_OK;
}

static rt_status take_length(const char *value, rt_options *options, rt_error *error)
{
    options->sampling.named = "--length";
    int64_t *length = &options->sampling.length;
    if (!rt_parse_int64(value, strlen(value), length) || *length < 1 || *length > INT32_MAX)
        return rt_fail(error, RT_INVALID, "'--length' takes a number of ids, not '%s'", value);
    return RT_OK;
}

static rt_status take_temperature(const char *value, rt_options *options, rt_error *error)
{
    options->sampling.named = "--temperature";
    double *t = &options->sampling.temperature;
    if (!rt_parse_double(value, strlen(value), t) || !(*t >= 0 && *t <= 1000))
        return rt_fail(error, RT_INVALID, "'--temperature' takes a number from 0 to 1000, not '%s'",
                       value);
    return RT_OK;
}

static rt_status take_top_k(const char *value, rt_options *options, rt_error *error)
{
    options->sampling.named = "--top-k";
    int64_t *k = &options->sampling.top_k;
    if (!rt_parse_int64(value, strlen(value), k) || *k < 0)
        return rt_fail(error, RT_INVALID, "'--top-k' takes a number of ids, 0 for all, not '%s'",
                       value);
    return RT_OK;
}

static rt_status take_top_p(const char *value, rt_options *options, rt_error *error)
{
    options->sampling.named = "--top-p";
    double *p = &options->sampling.top_p;
    if (!rt_parse_double(value, strlen(value), p) || !(*p >= 0 && *p <= 1))
        return rt_fail(error, RT_INVALID, "'--top-p' takes a share from 0 to 1, not '%s'", value);
    return RT_OK;
}

static rt_status take_seed(const char *value, rt_options *options, rt_error *error)
{
    options->sampling.named = "--seed";
    int64_t seed;
    if (!rt_parse_int64(value, strlen(value), &seed) || seed < 0)
        return rt_fail(error, RT_INVALID, "'--seed' takes a whole number, not '%s'", value);
    options->sampling.seed = (uint64_t)seed;
    options->sampling.seeded = true;
    return RT_OK;
}

static rt_status take_speed(const char *value, rt_options *options, rt_error *error)
{
    options->sampling.named = "--speed";
    (void)value;
    (void)error;
    options->sampling.speed = true;
    return RT_OK;
}

static rt_status take_help(const char *value, rt_options *options, rt_error *error)
{
    (void)value;
    (void)error;
    options->help = true;
    return RT_OK;
}

static const struct {
    const char *name;
    const char *value; /* what the option takes, in brackets if it may be left out; NULL: nothing */
    option_fn *take;
    const char *description;
} rows[] = {
    {"--metrics", "FILE", take_metrics,
     "write one JSON object a line: a step each, then a summary"},
    {"--data", "DIR", take_data, "relative data paths start here, not at the plan file's folder"},
    {"--weights", "FILE", take_weights, "begin from the variables of a safetensors file"},
    {"--save", "FILE", take_save,
     "write variables and the last step's gradients to a safetensors file at the end"},
    {"--resume", "[PATH]", take_resume,
     "go on from a checkpoint, or from a folder's newest (default: the plan's folder)"},
    {"--checkpoints", "DIR", take_checkpoints, "folder for checkpoints in place of the plan's"},
    {"--export", "CHECKPOINT", take_export,
     "train nothing: write a checkpoint's weights under their published names"},
    {"--to", "FILE", take_to, "the file that '--export' writes"},
    {"--shard-bytes", "N", take_shard_bytes,
     "'--export' writes files of at most N bytes of tensors, and an index"},
    {"--steps", "N", take_steps, "stop after N steps; schedules keep their length"},
    {"--threads", "N", take_threads, "threads of each rank (default: cores / ranks)"},
    {"--timeout", "SECONDS", take_timeout,
     "longest wait of a rank for another (default: 300; 0: none)"},
    {"--allow-nan", NULL, take_allow_nan, "go on when the loss is not finite"},
    {"--quiet", NULL, take_quiet, "print errors alone"},
    {"--prompt", "TEXT", take_prompt, "a sample begins with this text"},
    {"--prompt-ids", "LIST", take_prompt_ids, "a sample begins with these ids: 464,3290"},
    {"--length", "N", take_length, "ids that a sample draws"},
    {"--temperature", "X", take_temperature, "0: the likeliest id; below 1: the likelier"},
    {"--top-k", "K", take_top_k, "a sample draws among the K likeliest; 0: all"},
    {"--top-p", "P", take_top_p, "and among the likeliest that reach this share"},
    {"--seed", "N", take_seed, "of the sample"},
    {"--speed", NULL, take_speed, "print a sample's speed on standard error"},
    {"--help", NULL, take_help, "print this"},
};

enum { ROW_COUNT = sizeof rows / sizeof *rows };

/* Takes one argument, or two; how many is added to *next. */
static rt_status take(int argc, char **argv, int *next, rt_options *options, rt_error *error)
{
    const char *argument = argv[*next];
    for (int i = 0; i < ROW_COUNT; i++) {
        size_t length = strlen(rows[i].name);
        if (strncmp(argument, rows[i].name, length) != 0)
            continue;
        if (argument[length] == '\0') {
            (*next)++;
            bool optional = rows[i].value && rows[i].value[0] == '[';
            bool given = *next < argc && strncmp(argv[*next], "--", 2) != 0;
            if (!rows[i].value || (optional && !given))
                return rows[i].take(NULL, options, error);
            if (*next == argc)
                return rt_fail(error, RT_INVALID, "'%s' takes %s", rows[i].name, rows[i].value);
            return rows[i].take(argv[(*next)++], options, error);
        }
        if (argument[length] == '=' && rows[i].value) {
            (*next)++;
            return rows[i].take(argument + length + 1, options, error);
        }
    }
    return rt_fail(error, RT_INVALID, "unknown argument '%s'; '--help' lists what there is",
                   argument);
}

rt_status rt_options_read(int argc, char **argv, rt_options *options, rt_error *error)
{
    *options = (rt_options){.timeout = DEFAULT_TIMEOUT,
                            .sampling = {.temperature = -1, .top_p = -1, .top_k = -1}};
    int next = 1;
    while (next < argc) {
        rt_status status = take(argc, argv, &next, options, error);
        if (status != RT_OK)
            return status;
    }
    if (options->resume && options->weights)
        return rt_fail(
            error, RT_INVALID,
            "'--resume' goes on with what a checkpoint holds, so '--weights' has no place");
    if (!options->export != !options->to)
        return rt_fail(error, RT_INVALID, "'--export' and '--to' go together");
    return RT_OK;
}

void rt_options_print_help(FILE *out, const char *program)
{
    fprintf(out, "usage: %s [options]\n", program);
    for (int i = 0; i < ROW_COUNT; i++) {
        char left[32];
        snprintf(left, sizeof left, "%s %s", rows[i].name, rows[i].value ? rows[i].value : "");
        fprintf(out, "  %-20s %s\n", left, rows[i].description);
    }
}
