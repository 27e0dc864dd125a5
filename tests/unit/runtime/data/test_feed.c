/* data/feed.h: the rows that every rank gets, whatever the number of ranks, and how a feed ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/feed.h"
#include "data/order.h"

enum { SAMPLES = 23, WIDTH = 3 };

/* Sample i holds 10 i, 10 i + 1, 10 i + 2 and the id i. */
static int make_set(void **state)
{
    char path[] = "/tmp/espalier-feed-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    for (int i = 0; i < SAMPLES; i++)
        fprintf(file, "%d,%d,%d,%d\n", 10 * i, 10 * i + 1, 10 * i + 2, i);
    fclose(file);
    dataset_field_spec fields[] = {{.name = "x", .source = "0..2", .type = DATASET_F32},
                                   {.name = "y", .source = "3", .type = DATASET_ID}};
    dataset_spec spec = {.format = "csv",
                         .paths = (const char *const[]){path},
                         .path_count = 1,
                         .fields = fields,
                         .field_count = 2};
    rt_status status = dataset_open(&spec, (dataset **)state, NULL);
    unlink(path);
    return status != RT_OK;
}

static int free_set(void **state)
{
    dataset_close(*state);
    return 0;
}

static const feed_field both[] = {{.field = 0}, {.field = 1}};

static feed_options options_for(void **state, uint64_t batch, uint64_t first_row, uint64_t rows)
{
    return (feed_options){.set = *state,
                          .seed = 5,
                          .batch = batch,
                          .first_row = first_row,
                          .rows = rows,
                          .fields = both,
                          .field_count = 2};
}

static void assert_row(const feed_step *step, uint64_t row, uint64_t sample)
{
    const float *x = step->blocks[0];
    const int32_t *y = step->blocks[1];
    for (int j = 0; j < WIDTH; j++)
        assert_true(x[row * WIDTH + (uint64_t)j] == (float)(10 * sample + (uint64_t)j));
    assert_true((uint64_t)y[row] == sample);
}

static void each_rank_gets_its_rows(void **state)
{
    enum { BATCH = 12, STEPS = 9 };
    for (uint64_t ranks = 1; ranks <= 4; ranks++)
        for (uint64_t rank = 0; rank < ranks; rank++) {
            feed *f;
            feed_options options = options_for(state, BATCH, rank * BATCH / ranks, BATCH / ranks);
            assert_int_equal(feed_start(&options, &f, NULL), RT_OK);
            for (uint64_t s = 0; s < STEPS; s++) {
                feed_step step;
                assert_int_equal(feed_next(f, &step, NULL), RT_OK);
                assert_true(step.step == s && step.valid_rows == options.rows);
                for (uint64_t row = 0; row < options.rows; row++)
                    assert_row(&step, row,
                               order_sample(5, SAMPLES, s * BATCH + options.first_row + row));
            }
            feed_stop(f);
        }
}

static void a_resumed_feed_goes_on(void **state)
{
    feed *f;
    feed_step step;
    feed_options options = options_for(state, 4, 1, 2);
    options.first_step = 1000;
    assert_int_equal(feed_start(&options, &f, NULL), RT_OK);
    assert_int_equal(feed_next(f, &step, NULL), RT_OK);
    assert_true(step.step == 1000);
    assert_row(&step, 0, order_sample(5, SAMPLES, 4001));
    assert_row(&step, 1, order_sample(5, SAMPLES, 4002));
    feed_stop(f);
}

static void check_pass(feed *f)
{
    feed_step step;
    for (uint64_t s = 0; s < 3; s++) {
        assert_int_equal(feed_next(f, &step, NULL), RT_OK);
        assert_true(step.valid_rows == (s < 2 ? 4 : 3));
        assert_true(step.batch_rows == (s < 2 ? 8 : 7));
        for (uint64_t row = 0; row < step.valid_rows; row++)
            assert_row(&step, row, s * 8 + 4 + row);
    }
    const float *x = step.blocks[0];
    for (int j = 0; j < WIDTH; j++)
        assert_true(x[3 * WIDTH + j] == 0);
    assert_int_equal(feed_next(f, &step, NULL), RT_END);
    assert_int_equal(feed_next(f, &step, NULL), RT_END);
}

/* 23 samples in batches of 8, rows 4..7: 4, 4 and 3 of 7. */
static void evaluation_ends_with_the_samples(void **state)
{
    feed *f;
    feed_step step;
    rt_error error;
    feed_options options = options_for(state, 8, 4, 4);
    options.in_order = true;
    assert_int_equal(feed_start(&options, &f, &error), RT_OK);
    for (int pass = 0; pass < 5; pass++) {
        check_pass(f);
        assert_int_equal(feed_rewind(f), RT_OK);
    }
    assert_int_equal(feed_next(f, &step, &error), RT_OK);
    assert_int_equal(feed_rewind(f), RT_INVALID);
    feed_stop(f);
}
static void a_part_of_a_row_fits_wider_rows(void **state)
{
    feed *f;
    feed_step step;
    feed_options options = options_for(state, 2, 0, 2);
    const feed_field part = {.field = 0, .first_value = 1, .value_count = 2, .row_bytes = 12};
    options.fields = &part;
    options.field_count = 1;
    options.in_order = true;
    assert_int_equal(feed_start(&options, &f, NULL), RT_OK);
    assert_int_equal(feed_next(f, &step, NULL), RT_OK);
    static const float expected[] = {1, 2, 0, 11, 12, 0};
    assert_memory_equal(step.blocks[0], expected, sizeof expected);
    assert_true(feed_allocated_bytes(f) >= 2 * sizeof expected);
    assert_true(feed_waited_seconds(f) >= 0);
    feed_stop(f);
}

static void a_feed_stops_at_any_time(void **state)
{
    for (int taken = 0; taken < 30; taken++) {
        feed *f;
        feed_step step;
        feed_options options = options_for(state, 6, 0, 6);
        assert_int_equal(feed_start(&options, &f, NULL), RT_OK);
        for (int i = 0; i < taken; i++)
            assert_int_equal(feed_next(f, &step, NULL), RT_OK);
        feed_stop(f);
    }
    feed_stop(NULL);
}

static void nonsense_is_refused(void **state)
{
    feed *f;
    rt_error error;
    feed_options options = options_for(state, 4, 3, 2);
    assert_int_equal(feed_start(&options, &f, &error), RT_INVALID);
    options = options_for(state, 0, 0, 0);
    assert_int_equal(feed_start(&options, &f, &error), RT_INVALID);
    options = options_for(state, 4, 0, 4);
    options.part = DATASET_HELD_OUT;
    assert_int_equal(feed_start(&options, &f, &error), RT_INVALID);
    const feed_field wrong[] = {{.field = 2},
                                {.field = 0, .first_value = 3, .value_count = 1},
                                {.field = 0, .row_bytes = 4}};
    for (size_t i = 0; i < 3; i++) {
        options = options_for(state, 4, 0, 4);
        options.fields = &wrong[i];
        options.field_count = 1;
        assert_int_equal(feed_start(&options, &f, &error), RT_INVALID);
        assert_null(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rank_gets_its_rows),
        cmocka_unit_test(a_resumed_feed_goes_on),
        cmocka_unit_test(evaluation_ends_with_the_samples),
        cmocka_unit_test(a_part_of_a_row_fits_wider_rows),
        cmocka_unit_test(a_feed_stops_at_any_time),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, make_set, free_set);
}
