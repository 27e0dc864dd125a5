/* driver/checkpoint_source: a training compiled again from a checkpoint alone, and files that are no checkpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver/checkpoint_source.h"
#include "graph/text_form.h"

static const char plan_text[] = "use nn, optim\n"
                                "import \"layers/own.plan\"\n"
                                "cluster box { node n { cpu w[4] { memory 1 GiB } } }\n"
                                "model mlp(H: dim, C: dim) {\n"
                                "  input image: f32[B, P]\n"
                                "  input digit: id[B] below C\n"
                                "  loss = cross_entropy(twice(image, H, C), digit) # \"quoted\"\n"
                                "}\n"
                                "train digits for mlp(H = 8, C = 10) {\n"
                                "  data csv(\"digits.csv\", image = 0..63, digit = 64)\n"
                                "  batch 64\n"
                                "  optimizer sgd(lr = 0.1)\n"
                                "  epochs 1\n"
                                "}\n"
                                "plan other for digits on box { }\n"
                                "plan two for digits on box { mesh dp = 2; split B over dp }\n";
static const char own_text[] = "use nn\n"
                               "layer twice(x: [B, D], H: dim, C: dim) -> [B, C] {\n"
                               "  return linear(relu(linear(x, H)), C)\n"
                               "}\n";

static char top[64], file_path[96], checkpoint[96];

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static int make_files(void **state)
{
    (void)state;
    char path[96];
    strcpy(top, "/tmp/espalier-source-XXXXXX");
    assert_non_null(mkdtemp(top));
    snprintf(file_path, sizeof file_path, "%s/a:b.plan", top);
    snprintf(checkpoint, sizeof checkpoint, "%s/x.safetensors", top);
    write_file(file_path, plan_text, strlen(plan_text));
    snprintf(path, sizeof path, "%s/layers", top);
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/layers/own.plan", top);
    write_file(path, own_text, strlen(own_text));
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -r '%s'", top);
    return system(command);
}

/* The graph of a compiled plan as text, in the session's memory. */
static const char *graph_of(const compilation *c)
{
    return graph_print(c->graph, c->session->memory);
}

static char *source_of_plan(const options *o, char **graph_text)
{
    session s;
    compilation c;
    char operand[128];
    snprintf(operand, sizeof operand, "%s:two", file_path);
    session_init(&s, o);
    if (!compile_plan(&s, operand, PASS_PARTITION, &c))
        session_finish(&s);
    assert_non_null(c.graph);
    *graph_text = strdup(graph_of(&c));
    char *json = strdup(checkpoint_source_text(&c));
    compile_clean_up(&c);
    session_clean_up(&s);
    return json;
}

/* A safetensors file of four bytes of data, with `source` in its metadata (NULL: without). */
static void write_checkpoint(const char *path, const char *source)
{
    cJSON *header = cJSON_CreateObject();
    cJSON *metadata = cJSON_AddObjectToObject(header, "__metadata__");
    cJSON_AddStringToObject(metadata, "espalier.train", "digits");
    if (source)
        cJSON_AddStringToObject(metadata, "espalier.source", source);
    cJSON_AddItemToObject(header, "w",
                          cJSON_Parse("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}"));
    char *json = cJSON_PrintUnformatted(header);
    size_t length = strlen(json);
    char *bytes = calloc(1, length + 12);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(length >> (8 * i));
    memcpy(bytes + 8, json, length);
    write_file(path, bytes, length + 12);
    free(bytes);
    cJSON_free(json);
    cJSON_Delete(header);
}

static void a_checkpoint_alone_compiles_again(void **state)
{
    (void)state;
    options said = {.sets = {"H=16", "batch=32"}, .set_count = 2}, none = {0};
    char *graph_text, *source = source_of_plan(&said, &graph_text);
    write_checkpoint(checkpoint, source);
    char moved[128];
    snprintf(moved, sizeof moved, "%s.away", file_path);
    assert_int_equal(rename(file_path, moved), 0); /* nothing is read but the checkpoint */
    session s;
    checkpoint_source from;
    compilation c;
    session_init(&s, &none);
    assert_true(checkpoint_source_open(&s, checkpoint, &from));
    assert_string_equal(from.path, checkpoint);
    assert_string_equal(from.plan, "two");
    bool fine = compile_plan(&s, from.operand, PASS_PARTITION, &c);
    assert_int_equal(session_finish(&s), EXIT_FINE);
    assert_true(fine);
    assert_string_equal(graph_of(&c), graph_text);
    assert_int_equal(c.training->batch, 32);
    assert_string_equal(checkpoint_source_text(&c), source);
    compile_clean_up(&c);
    session_clean_up(&s);
    assert_int_equal(rename(moved, file_path), 0);
    free(source);
    free(graph_text);
}

static void the_command_lines_settings_win(void **state)
{
    (void)state;
    options said = {.sets = {"H=16", "batch=32"}, .set_count = 2};
    options other = {.sets = {"batch=48"}, .set_count = 1};
    char *graph_text, *source = source_of_plan(&said, &graph_text);
    write_checkpoint(checkpoint, source);
    session s;
    checkpoint_source from;
    session_init(&s, &other);
    assert_true(checkpoint_source_open(&s, checkpoint, &from));
    assert_int_equal(s.options->set_count, 2);
    assert_string_equal(s.options->sets[0], "batch=48");
    assert_string_equal(s.options->sets[1], "H=16");
    session_clean_up(&s);
    free(source);
    free(graph_text);
}

static void the_newest_whole_file_of_a_folder_is_taken(void **state)
{
    (void)state;
    options none = {0};
    char *graph_text, *source = source_of_plan(&none, &graph_text);
    char folder[96], path[160];
    static const char *const names[] = {"step-00000900.safetensors", "step-100000000.safetensors",
                                        "step-00001000.safetensors", "step-x.safetensors"};
    snprintf(folder, sizeof folder, "%s/ckpt", top);
    assert_int_equal(mkdir(folder, 0777), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        write_checkpoint(path, source);
    }
    session s;
    checkpoint_source from;
    session_init(&s, &none);
    assert_true(checkpoint_source_open(&s, folder, &from));
    snprintf(path, sizeof path, "%s/%s", folder, names[1]);
    assert_string_equal(from.path, path);
    assert_int_equal(truncate(path, 40), 0);
    assert_true(checkpoint_source_open(&s, folder, &from));
    snprintf(path, sizeof path, "%s/%s", folder, names[2]);
    assert_string_equal(from.path, path);
    session_clean_up(&s);
    free(source);
    free(graph_text);
}

static void assert_refused(const char *path)
{
    options none = {0};
    session s;
    checkpoint_source from;
    session_init(&s, &none);
    assert_false(checkpoint_source_open(&s, path, &from));
    assert_int_equal(s.code, EXIT_SYSTEM);
    session_clean_up(&s);
}

static void what_is_no_checkpoint_is_refused(void **state)
{
    (void)state;
    static const char *const sources[] = {
        NULL,
        "",
        "{",
        "[]",
        "7",
        "{\"version\":2,\"file\":\"a\",\"plan\":\"p\",\"settings\":[],\"files\":[{\"name\":\"a\","
        "\"text\":\"\"}]}",
        "{\"version\":1,\"file\":\"a\",\"plan\":\"p\",\"settings\":[],\"files\":[]}",
        "{\"version\":1,\"file\":\"a\",\"plan\":7,\"settings\":[],\"files\":[{\"name\":\"a\","
        "\"text\":"
        "\"\"}]}",
        "{\"version\":1,\"file\":\"a\",\"plan\":\"p\",\"settings\":[\"x\"],\"files\":[{\"name\":"
        "\"a\","
        "\"text\":\"\"}]}",
        "{\"version\":1,\"file\":\"a\",\"plan\":\"p\",\"settings\":[\"=x\"],\"files\":[{\"name\":"
        "\"a\","
        "\"text\":\"\"}]}",
        "{\"version\":1,\"file\":\"a\",\"plan\":\"p\",\"settings\":{},\"files\":[{\"name\":\"a\"}]"
        "}",
        "{\"version\":1,\"file\":\"a\",\"plan\":\"p\",\"settings\":[],\"files\":[{\"name\":\"a\"}]"
        "}",
        "{\"version\":1,\"file\":\"a\",\"plan\":\"p\",\"settings\":[],\"files\":[[[]]]}",
    };
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        write_checkpoint(checkpoint, sources[i]);
        assert_refused(checkpoint);
    }
    static const char *const files[] = {"",
                                        "abc",
                                        "\377\377\377\377\377\377\377\377{}",
                                        "\1\0\0\0\0\0\0\0",
                                        "\2\0\0\0\0\0\0\0{}",
                                        "\2\0\0\0\0\0\0\0[]"};
    static const size_t sizes[] = {0, 3, 10, 8, 10, 10};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        write_file(checkpoint, files[i], sizes[i]);
        assert_refused(checkpoint);
    }
    assert_refused("/nowhere/at/all");
    assert_refused("/proc");
}

/* A checkpoint from elsewhere cannot make the compiler read this machine's files. */
static void imports_stay_inside(void **state)
{
    (void)state;
    options none = {0};
    session s;
    checkpoint_source from;
    compilation c;
    write_checkpoint(
        checkpoint, "{\"version\":1,\"file\":\"a.plan\",\"plan\":\"p\",\"settings\":[],\"files\":[{"
                    "\"name\":\"a.plan\",\"text\":\"import \\\"/etc/passwd\\\"\\n\"}]}");
    session_init(&s, &none);
    assert_true(checkpoint_source_open(&s, checkpoint, &from));
    assert_false(compile_plan(&s, from.operand, PASS_PARTITION, &c));
    assert_int_equal(diag_error_count(s.diags), 1);
    assert_int_equal(source_count(s.sources), 1);
    session_clean_up(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_alone_compiles_again),
        cmocka_unit_test(the_command_lines_settings_win),
        cmocka_unit_test(the_newest_whole_file_of_a_folder_is_taken),
        cmocka_unit_test(what_is_no_checkpoint_is_refused),
        cmocka_unit_test(imports_stay_inside),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
