#include "driver/complete.h"

#include "driver/compile.h"
#include "driver/forms.h"
#include "driver/manual.h"
#include "driver/paths.h"
#include "parse/parse.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct completion {
    session *session;
    const char *before; /* what of the word stands before the part that is completed: "--emit=" */
    const char *part;
    text *out;
} completion;

static void offer(completion *c, const char *word, const char *ending, const char *meaning)
{
    if (strncmp(word, c->part, strlen(c->part)) == 0)
        text_add(c->out, "%s%s%s\t%s\n", c->before, word, ending, meaning);
}

/* ------------------------------------------------------------------ files, and what they hold */

static bool is_folder(const char *path)
{
    struct stat known;
    return stat(path, &known) == 0 && S_ISDIR(known.st_mode);
}

static bool ends_with(const char *word, const char *ending)
{
    size_t length = strlen(word), wanted = strlen(ending);
    return length >= wanted && strcmp(word + length - wanted, ending) == 0;
}

/* "~/x" as the shell will read it. */
static const char *opened_path(completion *c, const char *path)
{
    const char *home = getenv("HOME");
    return strncmp(path, "~/", 2) == 0 && home
               ? arena_format(c->session->memory, "%s%s", home, path + 1)
               : path;
}

static void offer_item(completion *c, const char *head, const char *name, const char *ending)
{
    const char *path = arena_format(c->session->memory, "%s%s", head, name);
    bool hidden = *name == '.' && c->part[strlen(head)] != '.';
    if (hidden || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return;
    if (is_folder(opened_path(c, path)))
        offer(c, path, "/", "folder");
    else if (ending && ends_with(name, ending))
        offer(c, path, "", "file");
}

/* Files whose names have that ending ("": all, NULL: none), and folders. */
static void offer_files(completion *c, const char *ending)
{
    const char *slash = strrchr(c->part, '/');
    size_t length = slash ? (size_t)(slash - c->part) + 1 : 0;
    const char *head = arena_copy_text(c->session->memory, c->part, length);
    DIR *folder = opendir(length ? opened_path(c, head) : ".");
    if (!folder)
        return;
    for (const struct dirent *item; (item = readdir(folder)) != NULL;)
        offer_item(c, head, item->d_name, ending);
    closedir(folder);
}

/* The name of each plan or cluster of the file, behind `before`: "FILE:". */
static void offer_blocks(completion *c, const char *path, ast_kind kind, const char *before)
{
    session *s = c->session;
    int file = source_read(s->sources, opened_path(c, path));
    if (file < 0)
        return;
    parse_context context = {s->memory, s->atoms, s->sources, s->diags};
    const ast_node *tree = parse_file(&context, file);
    for (size_t i = 0; i < tree->count; i++) {
        const ast_node *item = tree->children[i];
        if (item->kind == kind && item->name)
            offer(c, arena_format(s->memory, "%s%s", before, item->name), "", ast_kind_name(kind));
    }
}

static void offer_plan_files(completion *c, ast_kind kind)
{
    const char *path, *name;
    bool whole = ends_with(c->part, ".plan");
    session_split_operand(c->session, c->part, &path, &name);
    if (whole || strlen(path) < strlen(c->part))
        offer_blocks(c, path, kind, arena_format(c->session->memory, "%s:", path));
    if (whole || strlen(path) == strlen(c->part))
        offer_files(c, ".plan");
}

/* ------------------------------------------------------------------ words of the tables */

static void offer_commands(completion *c)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        offer(c, options_command((command_id)i)->name, "", options_command((command_id)i)->summary);
}

static void offer_forms(completion *c, bool read_back)
{
    for (int i = 0; form_name(i, read_back); i++)
        offer(c, form_name(i, read_back), "", "form");
}

static void offer_codes(completion *c)
{
    for (int i = 0; i < DIAG_CODE_COUNT; i++)
        offer(c, diag_code_text((diag_code)i), "", diag_code_title((diag_code)i));
}

static void offer_pages(completion *c)
{
    for (int i = 0; manual_page_name(c->session->memory, i); i++)
        offer(c, manual_page_name(c->session->memory, i), "", "manual page");
}

static void offer_passes(completion *c)
{
    for (int i = 0; i < PASS_COUNT; i++)
        offer(c, compile_pass_name((pass_id)i), "", "pass");
}

static void offer_options(completion *c, command_id command)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        const option_row *row = options_option((option_id)i);
        if (options_command_knows(command, (option_id)i))
            offer(c, row->name, *row->value ? "=" : "", row->summary);
    }
}

static void offer_weights(completion *c)
{
    const char *library = paths_stdlib(c->session->memory, NULL);
    if (library)
        offer_blocks(c, arena_format(c->session->memory, "%s/weights.plan", library), AST_WEIGHTS,
                     "");
}

static void offer_values(completion *c, option_id id)
{
    const char *value = options_option(id)->value;
    if (strcmp(value, "FILE") == 0)
        offer_files(c, "");
    else if (strcmp(value, "FOLDER") == 0 || strcmp(value, "DIR") == 0)
        offer_files(c, NULL);
    else if (strcmp(value, "FILE[:PLAN]") == 0)
        offer_plan_files(c, AST_PLAN);
    else if (strcmp(value, "FORM") == 0)
        offer_forms(c, false);
    else if (strcmp(value, "PASS") == 0)
        offer_passes(c);
    else if (strcmp(value, "WEIGHTS") == 0)
        offer_weights(c);
    for (int i = 0; options_known_value(id, i); i++)
        offer(c, options_known_value(id, i), "", value);
}

/* ------------------------------------------------------------------ operands */

/* One alternative of an operand, as a command's usage line writes it. */
static void offer_alternative(completion *c, const char *shape)
{
    if (strncmp(shape, "FILE[:PLAN]", 11) == 0)
        offer_plan_files(c, AST_PLAN);
    else if (strncmp(shape, "FILE[:CLUSTER]", 14) == 0)
        offer_plan_files(c, AST_CLUSTER);
    else if (strncmp(shape, "FILE", 4) == 0)
        offer_files(c, strchr(shape, '.') == shape + 4 && shape[5] != '.' ? shape + 4 : "");
    else if (strcmp(shape, "FORM") == 0)
        offer_forms(c, true);
    else if (strcmp(shape, "CODE") == 0)
        offer_codes(c);
    else if (strcmp(shape, "[PAGE]") == 0)
        offer_pages(c);
    else if (strcmp(shape, "[COMMAND]") == 0)
        offer_commands(c);
    else if (*shape >= 'a' && *shape <= 'z')
        offer(c, shape, "", "");
    else if (*shape >= 'A' && *shape <= 'Z')
        offer_files(c, "");
}

/* Operand `which` of a usage line: alternatives stand between " | ", operands between blanks. */
static void offer_operand(completion *c, command_id command, int which)
{
    char *save = NULL;
    char *shapes = arena_format(c->session->memory, "%s", options_command(command)->operands);
    int at = 0;
    bool more = false; /* behind a '|': another way to say the operand before */
    for (char *word = strtok_r(shapes, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        bool bar = strcmp(word, "|") == 0;
        bool repeats = ends_with(word, "...");
        if (!bar && (at == which || (more && at - 1 == which) || (repeats && at <= which)))
            offer_alternative(c, word);
        at += !bar && !more;
        more = bar;
    }
}

/* The option whose value the word at `i` is, if it stands behind its option; -1 if it is none. */
static int option_before(command_id command, char *const *words, int i)
{
    if (i < 2 || words[i - 1][0] != '-' || strchr(words[i - 1], '='))
        return -1;
    int id = options_find_option(words[i - 1]);
    bool takes = id >= 0 && options_command_knows(command, (option_id)id) &&
                 *options_option((option_id)id)->value;
    return takes ? id : -1;
}

static int operands_before(command_id command, char *const *words, int last)
{
    int operands = 0;
    for (int i = 1; i < last; i++) {
        bool option = words[i][0] == '-' && words[i][1];
        operands += !option && option_before(command, words, i) < 0;
    }
    return operands;
}

static bool is_behind_dashes(char *const *words, int last)
{
    for (int i = 1; i < last; i++) {
        if (strcmp(words[i], "--") == 0)
            return true;
    }
    return false;
}

static void complete_for(completion *c, command_id command, char *const *words, int last)
{
    const char *word = words[last], *is = strchr(word, '=');
    int before = option_before(command, words, last);
    if (is_behind_dashes(words, last)) {
        offer_files(c, "");
    } else if (before >= 0) {
        offer_values(c, (option_id)before);
    } else if (word[0] == '-' && is) {
        int id = options_find_option(word);
        c->before = arena_copy_text(c->session->memory, word, (size_t)(is - word) + 1);
        c->part = is + 1;
        if (id >= 0 && options_command_knows(command, (option_id)id))
            offer_values(c, (option_id)id);
    } else if (word[0] == '-') {
        offer_options(c, command);
    } else {
        offer_operand(c, command, operands_before(command, words, last));
    }
}

void complete_words(session *s, char *const *words, int count, text *out)
{
    if (count < 1)
        return;
    completion c = {.session = s, .before = "", .part = words[count - 1], .out = out};
    int command = count > 1 ? options_find_command(words[0]) : -1;
    if (count == 1)
        offer_commands(&c);
    else if (command >= 0)
        complete_for(&c, (command_id)command, words, count - 1);
}
