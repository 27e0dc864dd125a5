/* state/checkpoint.h: the newest whole one is found, whatever stands beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/checkpoint.h"

static char top[64], folder[96];

static int make_folder(void **state)
{
    (void)state;
    strcpy(top, "/tmp/espalier-check-XXXXXX");
    if (!mkdtemp(top))
        return 1;
    snprintf(folder, sizeof folder, "%s/deep/ckpt", top);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[160];
    snprintf(command, sizeof command, "rm -r '%s'", top);
    return system(command);
}

static void write_checkpoint(uint64_t step, bool finish)
{
    checkpoint_progress progress = {"digits", step, step * 64, UINT64_MAX};
    checkpoint_texts texts;
    checkpoint_describe(&progress, &texts);
    static const safetensors_tensor tensor = {"w", RT_F32, 1, {100}};
    char path[CHECKPOINT_PATH];
    float values[100];
    for (int i = 0; i < 100; i++)
        values[i] = (float)step + (float)i;
    rt_slice slice = rt_slice_whole(1, tensor.shape);
    assert_int_equal(checkpoint_path(path, folder, step, NULL), RT_OK);
    safetensors_plan plan = {.path = path,
                             .tensors = &tensor,
                             .tensor_count = 1,
                             .metadata = texts.texts,
                             .metadata_count = CHECKPOINT_TEXTS};
    safetensors_writer *writer;
    assert_int_equal(safetensors_create(&plan, &writer, NULL), RT_OK);
    assert_int_equal(safetensors_write(writer, 0, &slice, values, NULL), RT_OK);
    if (finish)
        assert_int_equal(safetensors_finish(writer, NULL, NULL), RT_OK);
    else
        assert_int_equal(safetensors_leave(writer, NULL), RT_OK); /* as if killed before the end */
}

static void damage(uint64_t step, long from_end)
{
    char path[CHECKPOINT_PATH];
    assert_int_equal(checkpoint_path(path, folder, step, NULL), RT_OK);
    FILE *file = fopen(path, "r+b");
    assert_int_equal(fseek(file, -from_end, SEEK_END), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, -from_end, SEEK_END), 0);
    fputc(byte ^ 1, file);
    fclose(file);
}

static void assert_latest(uint64_t step, size_t damaged)
{
    checkpoint_found found;
    rt_error error = {0};
    assert_int_equal(checkpoint_open_latest(folder, &found, &error), RT_OK);
    assert_true(found.progress.step == step && found.progress.position == step * 64);
    assert_true(found.progress.seed == UINT64_MAX);
    assert_string_equal(found.progress.train, "digits");
    assert_int_equal(found.damaged, damaged);
    float first;
    rt_slice slice = {.rank = 1, .shape = {100}, .begin = {1}, .size = {1}};
    assert_int_equal(
        safetensors_read(found.file, &(safetensors_request){"w", &slice, NULL}, &first, &error),
        RT_OK);
    assert_true(first == (float)step + 1);
    safetensors_close(found.file);
}

static void the_last_good_one_is_used(void **state)
{
    (void)state;
    checkpoint_found found;
    rt_error error;
    assert_int_equal(checkpoint_open_latest(folder, &found, &error), RT_NOT_FOUND);
    write_checkpoint(0, false); /* makes the folder */
    assert_int_equal(checkpoint_open_latest(folder, &found, &error), RT_NOT_FOUND);
    write_checkpoint(10, true);
    assert_latest(10, 0);
    write_checkpoint(20, true);
    write_checkpoint(100000000, true); /* one digit more than the names are padded to */
    assert_latest(100000000, 0);
    damage(100000000, 5);
    assert_latest(20, 1);
    assert_int_equal(checkpoint_open_latest(folder, &found, &error), RT_OK);
    assert_non_null(strstr(found.skipped.text, "step-100000000.safetensors"));
    assert_non_null(strstr(found.skipped.text, "tensor 'w': its checksum is"));
    safetensors_close(found.file);
    damage(20, 5);
    damage(10, 5);
    assert_int_equal(checkpoint_open_latest(folder, &found, &error), RT_DAMAGED);
}

static void old_ones_and_remains_are_removed(void **state)
{
    (void)state;
    for (uint64_t step = 1000; step <= 5000; step += 1000)
        write_checkpoint(step, true);
    write_checkpoint(6000, false);
    char stranger[CHECKPOINT_PATH];
    snprintf(stranger, sizeof stranger, "%s/step-final.safetensors", folder);
    fclose(fopen(stranger, "w"));
    damage(100000000, 5); /* undone: the file is whole again */
    assert_int_equal(checkpoint_prune(folder, UINT64_MAX, 3, NULL), RT_OK);
    assert_latest(100000000, 0);
    static const struct {
        const char *name;
        int there;
    } files[] = {{"step-100000000.safetensors", 0}, {"step-00005000.safetensors", 0},
                 {"step-00004000.safetensors", 0},  {"step-00003000.safetensors", -1},
                 {"step-00000010.safetensors", -1}, {"step-00006000.safetensors.partial", -1},
                 {"step-final.safetensors", 0}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[CHECKPOINT_PATH];
        snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        assert_int_equal(access(path, F_OK), files[i].there);
    }
}

static void files_of_later_steps_stay(void **state)
{
    (void)state;
    uint64_t newest;
    assert_int_equal(checkpoint_prune(folder, 4000, 1, NULL), RT_OK);
    assert_int_equal(checkpoint_newest(folder, &newest, NULL), RT_OK);
    assert_true(newest == 100000000);
    assert_int_equal(checkpoint_prune(folder, 4999, 1, NULL), RT_OK);
    char path[CHECKPOINT_PATH];
    assert_int_equal(checkpoint_path(path, folder, 5000, NULL), RT_OK);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(checkpoint_newest("/nowhere/at/all", &newest, NULL), RT_NOT_FOUND);
}

static void other_files_are_no_checkpoints(void **state)
{
    (void)state;
    checkpoint_found found;
    rt_error error;
    assert_int_equal(
        checkpoint_open(TEST_SOURCE_DIR "/tests/reference/files/types.safetensors", &found, &error),
        RT_DAMAGED);
    assert_non_null(strstr(error.text, "not those of a checkpoint"));
    assert_null(found.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_good_one_is_used),
        cmocka_unit_test(old_ones_and_remains_are_removed),
        cmocka_unit_test(files_of_later_steps_stay),
        cmocka_unit_test(other_files_are_no_checkpoints),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
