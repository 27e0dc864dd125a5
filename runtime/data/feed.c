#include "data/feed.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "data/order.h"

enum { SLOTS = 2, ALIGNMENT = 64 };

typedef struct slot {
    feed_step step;
    rt_status status;
    rt_error error;
    void **blocks;
} slot;

struct feed {
    feed_options options;
    feed_field *fields;
    slot slots[SLOTS];
    char *memory;      /* of all blocks */
    uint64_t *samples; /* of each row of the step being read */
    char *scratch;     /* one sample of the widest field, for parts of a row */
    size_t allocated;
    /* The thread owns a slot between taking `empty` and posting `filled`, the consumer the other way about: glibc's
     * semaphores enter the kernel only when somebody sleeps. */
    sem_t filled, empty, again;
    atomic_bool stopping;
    pthread_t thread;
    bool started;
    uint64_t taken;  /* steps handed out */
    bool holding;    /* the consumer has the slot of step taken - 1 */
    rt_status ended; /* not RT_OK: what feed_next goes on saying */
    rt_error end_error;
    double waited;
};

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0 && errno == EINTR)
        ;
}

static rt_status read_row(feed *f, const feed_field *field, uint64_t sample, char *row,
                          rt_error *error)
{
    const dataset *set = f->options.set;
    size_t values = dataset_field_size(set, field->field);
    if (field->value_count == values)
        return dataset_read(set, f->options.part, sample, field->field, row, error);
    rt_status status = dataset_read(set, f->options.part, sample, field->field, f->scratch, error);
    if (status == RT_OK)
        memcpy(row, f->scratch + field->first_value * DATASET_VALUE_BYTES,
               field->value_count * DATASET_VALUE_BYTES);
    return status;
}

static void choose_samples(feed *f, const slot *s)
{
    const feed_options *o = &f->options;
    uint64_t count = dataset_count(o->set, o->part);
    uint64_t first = s->step.step * o->batch + o->first_row;
    for (uint64_t row = 0; row < s->step.valid_rows; row++)
        f->samples[row] = o->in_order ? first + row : order_sample(o->seed, count, first + row);
}

static rt_status fill_block(feed *f, slot *s, size_t index)
{
    const feed_options *o = &f->options;
    const feed_field *field = &f->fields[index];
    char *block = s->blocks[index];
    rt_status status = RT_OK;
    for (uint64_t row = 0; row < s->step.valid_rows && status == RT_OK; row++)
        status = read_row(f, field, f->samples[row], block + row * field->row_bytes, &s->error);
    if (s->step.valid_rows < o->rows)
        memset(block + s->step.valid_rows * field->row_bytes, 0,
               (o->rows - s->step.valid_rows) * field->row_bytes);
    return status;
}

static uint64_t at_most(uint64_t value, uint64_t bound)
{
    return value < bound ? value : bound;
}

static void fill_slot(feed *f, slot *s, uint64_t step)
{
    const feed_options *o = &f->options;
    s->step = (feed_step){
        .step = step, .valid_rows = o->rows, .batch_rows = o->batch, .blocks = s->blocks};
    s->status = RT_OK;
    if (o->in_order) {
        uint64_t count = dataset_count(o->set, o->part), start = step * o->batch;
        if (start >= count) {
            s->status = RT_END;
            return;
        }
        s->step.batch_rows = at_most(o->batch, count - start);
        s->step.valid_rows = s->step.batch_rows > o->first_row
                                 ? at_most(o->rows, s->step.batch_rows - o->first_row)
                                 : 0;
    }
    choose_samples(f, s);
    for (size_t i = 0; i < o->field_count && s->status == RT_OK; i++)
        s->status = fill_block(f, s, i);
}

static void *read_ahead(void *argument)
{
    feed *f = argument;
    uint64_t step = f->options.first_step;
    for (uint64_t turn = 0;; turn++, step++) {
        wait_for(&f->empty);
        if (atomic_load(&f->stopping))
            return NULL;
        slot *s = &f->slots[turn % SLOTS];
        fill_slot(f, s, step);
        rt_status status = s->status; /* the slot is the consumer's after the post */
        sem_post(&f->filled);
        if (status == RT_OK)
            continue;
        if (status != RT_END)
            return NULL;
        wait_for(&f->again);
        step = f->options.first_step - 1;
    }
}

static rt_status check_field(const feed_options *o, feed_field *field, rt_error *error)
{
    if (field->field >= dataset_field_count(o->set))
        return rt_fail(error, RT_INVALID, "the data have no field %zu", field->field);
    size_t values = dataset_field_size(o->set, field->field);
    if (field->value_count == 0 && field->first_value == 0)
        field->value_count = values;
    if (field->first_value > values || field->value_count > values - field->first_value)
        return rt_fail(error, RT_INVALID, "a sample of field %zu has %zu values, not %zu from %zu",
                       field->field, values, field->value_count, field->first_value);
    size_t bytes = field->value_count * DATASET_VALUE_BYTES;
    if (field->row_bytes == 0)
        field->row_bytes = bytes;
    if (field->row_bytes < bytes)
        return rt_fail(error, RT_INVALID, "rows of %zu bytes do not hold %zu", field->row_bytes,
                       bytes);
    if (o->rows > (SIZE_MAX / 4 - ALIGNMENT) / (field->row_bytes + 1) / (o->field_count + 1))
        return rt_fail(error, RT_INVALID, "%llu rows of %zu bytes are more than memory",
                       (unsigned long long)o->rows, field->row_bytes);
    return RT_OK;
}

static rt_status check(feed *f, const feed_options *o, rt_error *error)
{
    if (o->batch == 0 || o->first_row > o->batch || o->rows > o->batch - o->first_row)
        return rt_fail(error, RT_INVALID, "a batch of %llu rows has no rows from %llu of %llu",
                       (unsigned long long)o->batch, (unsigned long long)o->first_row,
                       (unsigned long long)o->rows);
    if (dataset_count(o->set, o->part) == 0)
        return rt_fail(error, RT_INVALID, "the data have no %s sample",
                       o->part == DATASET_TRAIN ? "training" : "held-out");
    rt_status status = RT_OK;
    for (size_t i = 0; i < o->field_count && status == RT_OK; i++)
        status = check_field(o, &f->fields[i], error);
    return status;
}

static size_t block_bytes(const feed *f, size_t field)
{
    size_t bytes = (size_t)f->options.rows * f->fields[field].row_bytes;
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static rt_status allocate(feed *f, rt_error *error)
{
    size_t bytes = 0, widest = 0, fields = f->options.field_count;
    for (size_t i = 0; i < fields; i++) {
        size_t values = dataset_field_size(f->options.set, f->fields[i].field);
        widest = values > widest ? values : widest;
        bytes += block_bytes(f, i);
    }
    f->allocated = SLOTS * bytes + ALIGNMENT + widest * DATASET_VALUE_BYTES;
    f->memory = aligned_alloc(ALIGNMENT, (f->allocated + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    f->samples = calloc(f->options.rows + 1, sizeof *f->samples);
    if (!f->memory || !f->samples)
        return rt_fail(error, RT_NO_MEMORY, "no memory for %zu bytes of samples", f->allocated);
    memset(f->memory, 0, f->allocated);
    f->allocated += (f->options.rows + 1) * sizeof *f->samples;
    char *block = f->memory;
    for (int s = 0; s < SLOTS; s++)
        for (size_t i = 0; i < fields; i++) {
            f->slots[s].blocks[i] = block;
            block += block_bytes(f, i);
        }
    f->scratch = block;
    return RT_OK;
}

static rt_status copy_options(feed *f, const feed_options *options, rt_error *error)
{
    size_t fields = options->field_count;
    f->options = *options;
    f->fields = calloc(fields + 1, sizeof *f->fields);
    for (int s = 0; s < SLOTS; s++) {
        f->slots[s].blocks = calloc(fields + 1, sizeof(void *));
        if (!f->slots[s].blocks)
            return rt_fail(error, RT_NO_MEMORY, "no memory for a feed");
    }
    if (!f->fields)
        return rt_fail(error, RT_NO_MEMORY, "no memory for a feed");
    if (fields)
        memcpy(f->fields, options->fields, fields * sizeof *f->fields);
    f->options.fields = f->fields;
    return RT_OK;
}

/* Signals are the main thread's business. */
static rt_status start_thread(feed *f, rt_error *error)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&f->thread, NULL, read_ahead, f);
    int failed = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failed;
    if (failed)
        return rt_fail_errno(error, RT_NO_MEMORY, "cannot start the thread that reads data");
    f->started = true;
    return RT_OK;
}

rt_status feed_start(const feed_options *options, feed **made, rt_error *error)
{
    *made = NULL;
    feed *f = calloc(1, sizeof *f);
    if (!f)
        return rt_fail(error, RT_NO_MEMORY, "no memory for a feed");
    sem_init(&f->filled, 0, 0);
    sem_init(&f->empty, 0, SLOTS);
    sem_init(&f->again, 0, 0);
    rt_status status = copy_options(f, options, error);
    if (status == RT_OK)
        status = check(f, &f->options, error);
    if (status == RT_OK)
        status = allocate(f, error);
    if (status == RT_OK)
        status = start_thread(f, error);
    if (status != RT_OK) {
        feed_stop(f);
        return status;
    }
    *made = f;
    return RT_OK;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void take_filled(feed *f)
{
    if (sem_trywait(&f->filled) == 0)
        return;
    double start = now();
    wait_for(&f->filled);
    f->waited += now() - start;
}

rt_status feed_next(feed *f, feed_step *step, rt_error *error)
{
    if (f->ended == RT_OK) {
        if (f->holding)
            sem_post(&f->empty);
        f->holding = false;
        take_filled(f);
        slot *s = &f->slots[f->taken++ % SLOTS];
        if (s->status == RT_OK) {
            f->holding = true;
            *step = s->step;
            return RT_OK;
        }
        f->ended = s->status;
        f->end_error = s->error;
    }
    if (error && f->ended != RT_END)
        *error = f->end_error;
    return f->ended;
}

rt_status feed_rewind(feed *f)
{
    if (f->ended != RT_END)
        return RT_INVALID;
    f->ended = RT_OK;
    sem_post(&f->empty); /* the slot that said so */
    sem_post(&f->again);
    return RT_OK;
}

void feed_stop(feed *f)
{
    if (!f)
        return;
    atomic_store(&f->stopping, true);
    sem_post(&f->again);
    sem_post(&f->empty);
    if (f->started)
        pthread_join(f->thread, NULL);
    sem_destroy(&f->filled);
    sem_destroy(&f->empty);
    sem_destroy(&f->again);
    for (int s = 0; s < SLOTS; s++)
        free(f->slots[s].blocks);
    free(f->fields);
    free(f->samples);
    free(f->memory);
    free(f);
}

size_t feed_allocated_bytes(const feed *f)
{
    return f->allocated;
}

double feed_waited_seconds(const feed *f)
{
    return f->waited;
}
