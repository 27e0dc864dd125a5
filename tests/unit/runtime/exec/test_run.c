/* Whole runs of esp_main with an image and step functions written by hand: a straight line fitted to a csv file. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "espalier/abi.h"
#include "state/checkpoint.h"
#include "exec/exit.h"
#include "support/topologies.h"

enum {
    BATCH = 8,
    FEATURES = 3,
    SAMPLES = 50, /* a fifth held out: 40 train, 10 are evaluated, in one whole batch and a part */
    /* offsets in the arena */
    WEIGHTS = 0,
    CLOCK = 64,
    GRADIENT = 128, /* and the loss behind it */
    LOSS = GRADIENT + 4 * FEATURES,
    INPUT_X = 192,
    INPUT_Y = INPUT_X + 4 * BATCH * FEATURES,
    TRACE = 384, /* TRACED numbers, split over the ranks */
    TRACED = 8,
    ARENA = 512,
    COLLECTIVE_LINE = 29
};

static char folder[] = "/tmp/espalier-run-XXXXXX";
static int rank_count;
static float learning_rate;
static int slow_rank = -1; /* sleeps in step 3 */
static int extra_bytes;

static float *at(char *arena, int offset)
{
    return (float *)(void *)(arena + offset);
}

/* The gradient of the mean squared error over the rows that count, and that error; this rank's part. */
static void accumulate(char *arena, int first, int rows, double valid)
{
    float *g = at(arena, GRADIENT);
    memset(g, 0, sizeof(float) * (FEATURES + 1));
    for (int r = 0; r < rows && first + r < (int)valid; r++) {
        const float *x = at(arena, INPUT_X) + r * FEATURES;
        float error = -at(arena, INPUT_Y)[r];
        for (int j = 0; j < FEATURES; j++)
            error += x[j] * at(arena, WEIGHTS)[j];
        for (int j = 0; j < FEATURES; j++)
            g[j] += 2 * error * x[j] / (float)valid;
        g[FEATURES] += error * error / (float)valid;
    }
}

static void forward(char *arena, esp_context *context)
{
    int rows = BATCH / rank_count;
    double valid;
    memcpy(&valid, arena + CLOCK + 16, sizeof valid);
    accumulate(arena, (int)esp_coordinate(context, 0) * rows, rows, valid);
    if (rank_count > 1)
        esp_collective(context, 0, arena + GRADIENT, FEATURES + 1);
}

static void step(char *arena, esp_context *context)
{
    double number;
    memcpy(&number, arena + CLOCK, sizeof number);
    if ((int)esp_coordinate(context, 0) == slow_rank && number >= 3)
        usleep(30 * 1000000);
    forward(arena, context);
    if (extra_bytes > 0) {
        memset(arena + ARENA, 0, (size_t)extra_bytes);
        esp_collective(context, 0, arena + ARENA, extra_bytes / 4);
    }
    for (int j = 0; j < FEATURES; j++)
        at(arena, WEIGHTS)[j] -= learning_rate * at(arena, GRADIENT)[j];
    int traced = TRACED / rank_count, first = (int)esp_coordinate(context, 0) * traced;
    for (int j = 0; j < traced; j++)
        at(arena, TRACE)[j] += (float)(first + j) + (float)number;
}

static void write_program(FILE *out, const char *topology)
{
    rt_program p = topology_make(topology, rank_count);
    fprintf(out, "{\"chunks\": %d, \"weights\": [", p.chunks);
    for (int c = 0; c < p.chunks; c++)
        fprintf(out, "%s1", c ? ", " : "");
    fprintf(out, "], \"steps\": [");
    int step_number = -1;
    for (int64_t i = 0; i < p.send_count; i++) {
        const rt_send *s = &p.sends[i];
        fprintf(out, s->step == step_number ? ", " : step_number < 0 ? "[" : "], [");
        step_number = s->step;
        fprintf(out, "[%d, %d, %d, \"%s\"]", s->chunk, s->from, s->to,
                s->reduce ? "reduce" : "copy");
    }
    fprintf(out, "%s]}", step_number < 0 ? "" : "]");
    rt_program_clean_up(&p);
}

/* What differs between the images of the tests. */
typedef struct variant {
    int ranks;
    const char *topology;
    const char *feature; /* of the processor */
    const char *length;  /* "\"epochs\": 4, \"steps\": null" */
    float learning_rate;
    const char *file;
    int extra; /* bytes of the arena behind the rest, summed over the ranks in each step */
    bool checkpoints;
} variant;

static char *image_text(const variant *v)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    fprintf(out,
            "{\"version\": 1, \"plan\": \"line\", \"train\": \"fit\", \"model\": \"m\","
            "\"cpu\": {\"name\": \"x86-64-v9\", \"features\": [\"%s\"]}, \"ranks\": %d,"
            "\"mesh\": [{\"name\": \"dp\", \"size\": %d}], \"files\": [\"fit.plan\"],"
            "\"sites\": [[0, 1], [0, %d]],"
            "\"arena\": {\"bytes\": %d, \"memory\": {\"parameters\": 12, \"gradients\": 16, "
            "\"optimizer\": 0,"
            "\"activations\": 0, \"communication\": 0, \"workspace\": 0}},",
            v->feature, v->ranks, v->ranks, COLLECTIVE_LINE, ARENA + v->extra);
    fprintf(out,
            "\"variables\": [{\"path\": \"w\", \"kind\": \"parameter\", \"type\": \"f32\", "
            "\"shape\": [3],"
            "\"axes\": [-1], \"offset\": 0, \"init\": {\"kind\": \"normal\", \"args\": [0, 0.5]},"
            "\"stacked\": false, \"site\": 0},"
            "{\"path\": \"trace\", \"kind\": \"state\", \"type\": \"f32\", \"shape\": [8], "
            "\"axes\": [0], "
            "\"offset\": 384, \"init\": {\"kind\": \"zeros\", \"args\": [0, 0]},"
            "\"stacked\": false, \"site\": 0}],"
            "\"inputs\": [{\"name\": \"x\", \"type\": \"f32\", \"shape\": [8, 3], \"axes\": [0, "
            "-1], \"below\": 0,"
            "\"offset\": %d, \"site\": 0}, {\"name\": \"y\", \"type\": \"f32\", \"shape\": [8], "
            "\"axes\": [0],"
            "\"below\": 0, \"offset\": %d, \"site\": 0}],"
            "\"clock\": {\"step\": %d, \"steps\": %d, \"valid\": %d},",
            INPUT_X, INPUT_Y, CLOCK, CLOCK + 8, CLOCK + 16);
    fprintf(out,
            "\"functions\": [{\"name\": \"step\", \"results\": [{\"name\": \"loss\", \"kind\": "
            "\"loss\","
            "\"type\": \"f32\", \"offset\": %d}]}, {\"name\": \"eval\", \"results\": [{\"name\": "
            "\"loss\","
            "\"kind\": \"loss\", \"type\": \"f32\", \"offset\": %d}]}],"
            "\"data\": {\"format\": \"csv\", \"base\": \"%s\", \"paths\": [\"%s\"], \"site\": 0,"
            "\"fields\": [{\"input\": \"x\", \"columns\": [0, 2], \"scale\": 1, \"shift\": 0},"
            "{\"input\": \"y\", \"columns\": [3, 3]}], \"holdout\": {\"share\": 0.2}},"
            "\"training\": {\"batch\": 8, \"microbatches\": 1, %s, \"seed\": \"7\"}, "
            "%s\"collectives\": [",
            LOSS, LOSS, folder, v->file, v->length,
            v->checkpoints
                ? "\"checkpoint\": {\"folder\": \"/nowhere\", \"base\": \"/\", \"every\": 3, "
                  "\"epochs\": false, \"keep\": 2, \"site\": 0},"
                : "");
    if (v->ranks > 1) {
        fprintf(out,
                "{\"kind\": \"all_reduce\", \"name\": \"%s\", \"axis\": 0, \"type\": \"f32\", "
                "\"site\": 1,"
                "\"clause\": 1, \"program\": ",
                v->topology);
        write_program(out, v->topology);
        fprintf(out, "}");
    }
    fprintf(out, "]}");
    fclose(out);
    return text;
}

static const variant usual = {.ranks = 4,
                              .topology = "ring",
                              .feature = "sse2",
                              .length = "\"epochs\": 4, \"steps\": null",
                              .learning_rate = 0.05f,
                              .file = "line.csv"};

static char *in_folder(const char *name)
{
    static char path[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static int run_here(const variant *v, const char *const *options)
{
    rank_count = v->ranks;
    learning_rate = v->learning_rate;
    extra_bytes = v->extra;
    char *text = image_text(v);
    esp_function_fn *functions[] = {step, forward};
    esp_image image = {ESP_ABI_VERSION, 2, text, (int64_t)strlen(text), functions};
    char *arguments[16] = {(char *)(size_t) "fit"};
    int count = 1;
    for (; options && options[count - 1]; count++)
        arguments[count] = (char *)(size_t)options[count - 1];
    int status = esp_main(count, arguments, &image);
    free(text);
    return status;
}

/* Starts a run in a process of its own, its output in files `out` and `err` of the folder. */
static pid_t start(const variant *v, const char *const *options)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    int out = open(in_folder("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int err = open(in_folder("err"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    exit(run_here(v, options));
}

static int finish(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int run(const variant *v, const char *const *options)
{
    return finish(start(v, options));
}

static char *read_file(const char *name)
{
    static char text[1 << 16];
    FILE *file = fopen(in_folder(name), "r");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

static void assert_says(const char *file, const char *words)
{
    const char *text = read_file(file);
    if (!strstr(text, words))
        fail_msg("'%s' does not say '%s' but:\n%s", file, words, text);
}

/* The losses of the metrics file; returns how many rows there are. */
static int read_losses(double *losses, int room)
{
    int count = 0;
    char *text = read_file("m.jsonl");
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        const char *loss = strstr(line, "\"loss\": ");
        if (strstr(line, "\"summary\"") || !loss)
            continue;
        assert_true(count < room);
        losses[count++] = strtod(loss + 8, NULL);
    }
    return count;
}

enum { STEPS = 20 }; /* 4 epochs of 40 samples by 8 */

static void a_line_is_fitted_alike_on_every_layout(void **state)
{
    (void)state;
    const char *options[] = {"--metrics", in_folder("m.jsonl"), NULL};
    double alone[STEPS], losses[STEPS];
    variant v = usual;
    v.ranks = 1;
    assert_int_equal(run(&v, options), RT_EXIT_DONE);
    assert_int_equal(read_losses(alone, STEPS), STEPS);
    assert_true(alone[STEPS - 1] < alone[0] / 10);
    for (int t = 0; t < TOPOLOGY_COUNT; t++)
        for (v.ranks = 2; v.ranks <= 8; v.ranks *= 2) {
            v.topology = topology_names[t];
            assert_int_equal(run(&v, options), RT_EXIT_DONE);
            assert_int_equal(read_losses(losses, STEPS), STEPS);
            for (int i = 0; i < STEPS; i++)
                assert_true(fabs(losses[i] - alone[i]) <= 1e-5 * fabs(alone[i]));
        }
}

static void the_metrics_file_tells_all(void **state)
{
    (void)state;
    const char *options[] = {"--metrics", in_folder("m.jsonl"), NULL};
    assert_int_equal(run(&usual, options), RT_EXIT_DONE);
    assert_says("m.jsonl", "{\"step\": 0, \"loss\": ");
    assert_says("m.jsonl", "\"samples_per_s\": ");
    assert_says("m.jsonl", "\"epoch\": 4, \"holdout\": {\"loss\": ");
    assert_says("m.jsonl", "{\"summary\": {\"reserved_bytes\": 512, \"peak_resident_bytes\": ");
    assert_says("out", "fit by line: 20 steps on 4 ranks in ");
}

/* eval writes its loss where the step's stood. */
static void the_loss_told_last_is_the_last_steps(void **state)
{
    (void)state;
    const char *options[] = {"--metrics", in_folder("m.jsonl"), NULL};
    double losses[STEPS + 1];
    assert_int_equal(run(&usual, options), RT_EXIT_DONE);
    assert_int_equal(read_losses(losses, STEPS + 1), STEPS);
    const char *text = read_file("m.jsonl");
    const char *summary = strstr(text, "\"summary\"");
    assert_non_null(summary);
    assert_true(losses[STEPS - 1] == strtod(strstr(summary, "\"loss\": ") + 8, NULL));
    assert_true(losses[STEPS - 1] < losses[0]);
    const char *row = strstr(text, "{\"step\": 19, ");
    double holdout = strtod(strstr(strstr(row, "\"holdout\""), "\"loss\": ") + 8, NULL);
    assert_true(holdout != losses[STEPS - 1]);
}

static void assert_traced(int64_t steps)
{
    checkpoint_found found;
    rt_error error;
    if (checkpoint_open_latest(in_folder("kept"), &found, &error) != RT_OK)
        fail_msg("%s", error.text);
    assert_int_equal(found.progress.step, steps);
    assert_int_equal(found.progress.position, steps * BATCH);
    const safetensors_entry *trace = safetensors_find(found.file, "trace");
    assert_non_null(trace);
    assert_int_equal(trace->count, TRACED);
    for (int g = 0; g < TRACED; g++) {
        double wanted = (double)(steps * g) + (double)(steps * (steps - 1)) / 2;
        assert_true(rt_element_value(trace->type, trace->bytes + 4 * g, false) == wanted);
    }
    assert_non_null(safetensors_find(found.file, "w"));
    safetensors_close(found.file);
}

/* Each rank's part comes into one file, and goes to other ranks from it. */
static void what_ranks_hold_parts_of_is_whole_in_a_checkpoint(void **state)
{
    (void)state;
    variant v = usual;
    v.checkpoints = true;
    char kept[256];
    snprintf(kept, sizeof kept, "%s/kept", folder);
    const char *begin[] = {"--checkpoints", kept, "--steps", "7", NULL};
    const char *go_on[] = {"--resume", "--checkpoints", kept, "--steps", "11", NULL};
    const char *end[] = {"--checkpoints", kept, "--resume", NULL};
    assert_int_equal(run(&v, begin), RT_EXIT_DONE);
    assert_traced(7);
    v.ranks = 2;
    assert_int_equal(run(&v, begin), RT_EXIT_DATA);
    assert_says("err", "holds checkpoints of another run, up to step 7");
    assert_int_equal(run(&v, go_on), RT_EXIT_DONE);
    assert_says("out", "7 of 20 steps are done");
    assert_traced(11);
    v.ranks = 8;
    assert_int_equal(run(&v, end), RT_EXIT_DONE);
    assert_traced(STEPS);
}

/* The root of a server reads all others' data: seven times what it has itself, whose pages would count as its own. */
static void the_peak_stays_near_the_arena(void **state)
{
    (void)state;
    const char *options[] = {"--metrics", in_folder("m.jsonl"), "--steps", "2", NULL};
    variant v = usual;
    v.ranks = 8;
    v.extra = 16 << 20;
    for (int t = 0; t < TOPOLOGY_COUNT; t++) {
        v.topology = topology_names[t];
        assert_int_equal(run(&v, options), RT_EXIT_DONE);
        const char *text = read_file("m.jsonl");
        double peak = strtod(strstr(text, "\"peak_resident_bytes\": ") + 23, NULL);
        double reserved = strtod(strstr(text, "\"reserved_bytes\": ") + 18, NULL);
        assert_true(reserved == ARENA + v.extra);
        assert_true(peak >= v.extra);
        assert_true(peak <= 1.1 * reserved + (64 << 20));
    }
}

static void steps_and_quiet_are_obeyed(void **state)
{
    (void)state;
    const char *options[] = {"--metrics", in_folder("m.jsonl"), "--steps=3", "--quiet", NULL};
    double losses[STEPS];
    assert_int_equal(run(&usual, options), RT_EXIT_DONE);
    assert_int_equal(read_losses(losses, STEPS), 3);
    assert_string_equal(read_file("out"), "");
}

static void mistakes_have_their_exit_status(void **state)
{
    (void)state;
    const char *unknown[] = {"--haste", NULL};
    assert_int_equal(run(&usual, unknown), RT_EXIT_USAGE);
    assert_says("err", "unknown argument '--haste'");
    const char *few[] = {"--steps", "0", NULL};
    assert_int_equal(run(&usual, few), RT_EXIT_USAGE);
    const char *elsewhere[] = {"--metrics", "/nowhere/m.jsonl", NULL};
    assert_int_equal(run(&usual, elsewhere), RT_EXIT_DATA);
    assert_says("err", "cannot write '/nowhere/m.jsonl'");
    variant v = usual;
    v.file = "absent.csv";
    assert_int_equal(run(&v, NULL), RT_EXIT_DATA);
    assert_says("err", "fit.plan:1");
    assert_says("err", "absent.csv");
    const char *data[] = {"--data", "/nowhere", NULL};
    assert_int_equal(run(&usual, data), RT_EXIT_DATA);
    assert_says("err", "/nowhere/line.csv");
}

static void a_processor_without_the_feature_is_told_so(void **state)
{
    (void)state;
    variant v = usual;
    v.feature = "warp9";
    assert_int_equal(run(&v, NULL), RT_EXIT_CPU);
    assert_says("err", "no 'warp9'");
    assert_says("err", "--cpu x86-64");
}

static void another_launcher_is_told_so(void **state)
{
    (void)state;
    setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
    assert_int_equal(run(&usual, NULL), RT_EXIT_UNSUPPORTED);
    assert_says("err", "2 processes by mpirun");
    setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
    assert_int_equal(run(&usual, NULL), RT_EXIT_DONE);
    unsetenv("OMPI_COMM_WORLD_SIZE");
}

static void a_loss_that_is_not_finite_ends_the_run(void **state)
{
    (void)state;
    variant v = usual;
    v.learning_rate = 1e30f;
    assert_int_equal(run(&v, NULL), RT_EXIT_NOT_FINITE);
    assert_says("err", "the loss is ");
    const char *options[] = {"--allow-nan", NULL};
    assert_int_equal(run(&v, options), RT_EXIT_DONE);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The children of a process, once there are `count` of them. */
static void children_of(pid_t parent, pid_t *children, int count)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    for (double begin = seconds_now(); seconds_now() - begin < 10; usleep(1000)) {
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        size_t length = fread(text, 1, sizeof text - 1, file);
        text[length] = '\0';
        fclose(file);
        char *next = text;
        int found = 0;
        for (char *end; found < count; next = end) {
            long pid = strtol(next, &end, 10);
            if (end == next)
                break;
            children[found++] = (pid_t)pid;
        }
        if (found == count)
            return;
    }
    fail_msg("no %d children of %d", count, (int)parent);
}

/* Files of shared memory. The OpenMP library of clang leaves one for each process that is killed, which no program can
 * help; that of gcc makes none. */
static int shared_files(void)
{
    int count = 0;
    DIR *entries = opendir("/dev/shm");
    for (const struct dirent *e; entries && (e = readdir(entries));)
        count += strncmp(e->d_name, "__KMP_REGISTERED_LIB", 20) != 0;
    closedir(entries);
    return count;
}

static const variant endless = {.ranks = 4,
                                .topology = "ring",
                                .feature = "sse2",
                                .length = "\"epochs\": null, \"steps\": 1000000000",
                                .learning_rate = 0.0001f,
                                .file = "line.csv"};

static void assert_gone(const pid_t *pids, int count)
{
    for (int i = 0; i < count; i++)
        for (double begin = seconds_now(); kill(pids[i], 0) == 0; usleep(1000)) {
            waitpid(pids[i], NULL, WNOHANG); /* orphans come to this process */
            assert_true(seconds_now() - begin < 5);
        }
}

static void a_killed_rank_ends_all(void **state)
{
    (void)state;
    int shared = shared_files();
    pid_t ranks[4], launcher = start(&endless, NULL);
    children_of(launcher, ranks, 4);
    usleep(300000);
    double begin = seconds_now();
    kill(ranks[2], SIGKILL);
    assert_int_equal(finish(launcher), RT_EXIT_LOST);
    assert_true(seconds_now() - begin < 5);
    assert_says("err", "rank 2 was ended by signal 9 (Killed) in ");
    assert_says("err", " step ");
    assert_says("err", "its last collective: all_reduce by ring at fit.plan:29");
    assert_gone(ranks, 4);
    assert_int_equal(shared_files(), shared);
}

static void a_killed_launcher_takes_its_ranks_along(void **state)
{
    (void)state;
    pid_t ranks[4], launcher = start(&endless, NULL);
    children_of(launcher, ranks, 4);
    usleep(100000);
    kill(launcher, SIGKILL);
    assert_int_equal(finish(launcher), 1000 + SIGKILL);
    assert_gone(ranks, 4);
}

static void an_interrupt_ends_all(void **state)
{
    (void)state;
    pid_t ranks[4], launcher = start(&endless, NULL);
    children_of(launcher, ranks, 4);
    usleep(100000);
    kill(launcher, SIGINT);
    assert_int_equal(finish(launcher), RT_EXIT_SIGNAL + SIGINT);
    assert_says("err", "stopped by signal 2");
    assert_gone(ranks, 4);
}

/* `fit | head`: the reader goes away. */
static void a_closed_output_ends_all(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t launcher = fork();
    if (launcher == 0) {
        int err = open(in_folder("err"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(ends[1], STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        exit(run_here(&endless, NULL));
    }
    close(ends[1]);
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    assert_int_equal(finish(launcher), RT_EXIT_SIGNAL + SIGPIPE);
    assert_says("err", "nobody reads the output any more");
}

static void a_rank_that_stays_away_is_named_after_the_deadline(void **state)
{
    (void)state;
    const char *options[] = {"--timeout", "0.2", NULL};
    slow_rank = 1;
    double begin = seconds_now();
    assert_int_equal(run(&endless, options), RT_EXIT_TIMEOUT);
    slow_rank = -1;
    assert_true(seconds_now() - begin < 5);
    assert_says("err", "waited longer than 0.2 s for rank ");
    assert_says("err", "chunk ");
    assert_says("err", "in step 3, all_reduce by ring at fit.plan:29");
}

static int make_data(void **state)
{
    (void)state;
    setenv("OMP_WAIT_POLICY", "passive",
           1); /* esp_main would start this program once more to have it so */
    if (!mkdtemp(folder) || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return -1;
    FILE *csv = fopen(in_folder("line.csv"), "w");
    if (!csv)
        return -1;
    for (int i = 0; i < SAMPLES; i++) {
        double a = sin(i), b = cos(3 * i), c = sin(7 * i + 1);
        fprintf(csv, "%.6f,%.6f,%.6f,%.6f\n", a, b, c, a - 2 * b + 0.5 * c);
    }
    return fclose(csv);
}

static int remove_data(void **state)
{
    (void)state;
    static const char *const names[] = {"line.csv", "out", "err", "m.jsonl"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_folder(names[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_fitted_alike_on_every_layout),
        cmocka_unit_test(the_metrics_file_tells_all),
        cmocka_unit_test(the_loss_told_last_is_the_last_steps),
        cmocka_unit_test(what_ranks_hold_parts_of_is_whole_in_a_checkpoint),
        cmocka_unit_test(the_peak_stays_near_the_arena),
        cmocka_unit_test(steps_and_quiet_are_obeyed),
        cmocka_unit_test(mistakes_have_their_exit_status),
        cmocka_unit_test(a_processor_without_the_feature_is_told_so),
        cmocka_unit_test(another_launcher_is_told_so),
        cmocka_unit_test(a_loss_that_is_not_finite_ends_the_run),
        cmocka_unit_test(a_killed_rank_ends_all),
        cmocka_unit_test(a_killed_launcher_takes_its_ranks_along),
        cmocka_unit_test(an_interrupt_ends_all),
        cmocka_unit_test(a_closed_output_ends_all),
        cmocka_unit_test(a_rank_that_stays_away_is_named_after_the_deadline),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
