#include "driver/manual.h"

#include "driver/options.h"

#include <ctype.h>
#include <string.h>

typedef struct manual_row {
    command_id command;
    const char *line; /* of an example; NULL: paragraphs */
    const char *words;
} manual_row;

static const manual_row rows[] = {
#define ABOUT(command, words) {COMMAND_##command, NULL, words},
#define EXAMPLE(command, line, words) {COMMAND_##command, line, words},
#include "driver/manual.def"
};
enum { ROW_COUNT = sizeof rows / sizeof *rows, OVERVIEW = 0, PLAN = COMMAND_COUNT + 1 };

const char *manual_page_name(arena *a, int i)
{
    if (i == OVERVIEW)
        return "espalier";
    if (i == PLAN)
        return "espalier-plan";
    return i < PLAN ? arena_format(a, "espalier-%s", options_command_name((command_id)(i - 1)))
                    : NULL;
}

const char *manual_page_section(int i)
{
    return i == PLAN ? "5" : "1";
}

void manual_words(text *t, const char *words)
{
    bool line_begins = true;
    for (const char *at = words; *at; at++) {
        if (line_begins && (*at == '.' || *at == '\''))
            text_add(t, "\\&");
        line_begins = *at == '\n';
        if (*at == '\\')
            text_add(t, "\\e");
        else if (*at == '-')
            text_add(t, "\\-");
        else if (*at == '"')
            text_add(t, "\\(dq");
        else if (*at == '\'')
            text_add(t, "\\(aq");
        else if (*at == '^')
            text_add(t, "\\(ha");
        else if (*at == '~')
            text_add(t, "\\(ti");
        else
            text_add_bytes(t, at, 1);
    }
}

static void section(text *t, const char *title)
{
    text_add(t, ".SH %s\n", title);
}

void manual_item(text *t, const char *tag, const char *words)
{
    text_add(t, ".TP\n\\fB");
    manual_words(t, tag);
    text_add(t, "\\fR\n");
    manual_words(t, words);
    text_add(t, "\n");
}

/* Paragraphs stand apart by an empty line. */
static void paragraphs(text *t, const char *words)
{
    for (const char *end; (end = strstr(words, "\n\n")) != NULL; words = end + 2) {
        manual_words(t, arena_copy_text(t->memory, words, (size_t)(end - words)));
        text_add(t, "\n.PP\n");
    }
    manual_words(t, words);
    text_add(t, "\n");
}

static void heading(text *t, const char *name, const char *number, const char *summary)
{
    char *title = arena_format(t->memory, "%s", name);
    for (char *at = title; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    text_add(t, ".\\\" Made by `espalier manual`.\n.TH %s %s \"\" \"espalier %s\" \"Espalier\"\n",
             title, number, ESPALIER_VERSION);
    section(t, "NAME");
    text_add(t, "%s \\- ", name);
    manual_words(t, summary);
    text_add(t, "\n");
}

static void exit_codes(text *t)
{
    section(t, "EXIT STATUS");
    manual_item(t, "0", "everything is fine");
    manual_item(t, "1", "the plan file has errors, which are printed");
    manual_item(t, "2", "the command line has errors");
    manual_item(t, "3", "a file, a tool or the system refused");
    text_add(t, ".PP\n");
    paragraphs(t, "The command run gives the code of the executable once that has started.");
}

static void environment(text *t)
{
    section(t, "ENVIRONMENT");
    manual_item(t, "ESPALIER_STDLIB",
                "folder of the standard library, in place of the installed one");
    manual_item(t, "ESPALIER_RUNTIME", "folder of libespalier_rt.a, in place of the installed one");
    manual_item(t, "NO_COLOR", "diagnostics have no colours unless --color=always is given");
}

static void see_also(text *t, const char *but)
{
    section(t, "SEE ALSO");
    text_add(t, "%s", strcmp(but, "espalier") ? ".BR espalier (1)" : ".BR espalier\\-plan (5)");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const char *name = options_command_name((command_id)i);
        if (strcmp(arena_format(t->memory, "espalier-%s", name), but) != 0)
            text_add(t, " ,\n.BR espalier\\-%s (1)", name);
    }
    if (strcmp(but, "espalier") && strcmp(but, "espalier-plan"))
        text_add(t, " ,\n.BR espalier\\-plan (5)");
    text_add(t, "\n");
}

static void overview(text *t)
{
    heading(t, "espalier", "1", "plans for training a model on many devices, compiled");
    section(t, "SYNOPSIS");
    text_add(t, ".B espalier\n.I COMMAND\n[\\fIOPTIONS\\fR] \\fIOPERANDS\\fR\n");
    section(t, "DESCRIPTION");
    paragraphs(t, "A plan file says four things apart from one another: what is computed (model), "
                  "on what and for how long (train), on which "
                  "machine (cluster), and how the training is laid out on it (plan). The compiler "
                  "turns a plan into one native "
                  "executable for all its ranks. Memory, communication and correctness are known "
                  "before a run starts.\n\n"
                  "FILE:PLAN names a plan of a file; FILE alone its first one. espalier-plan(5) "
                  "describes the language.");
    section(t, "COMMANDS");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const command_row *row = options_command((command_id)i);
        manual_item(t, arena_format(t->memory, "%s %s", row->name, row->operands), row->summary);
    }
    exit_codes(t);
    environment(t);
}

static void options_of(text *t, command_id command)
{
    section(t, "OPTIONS");
    for (int i = 0; i < OPTION_COUNT; i++) {
        const option_row *row = options_option((option_id)i);
        if (!options_command_knows(command, (option_id)i))
            continue;
        text_add(t, ".TP\n\\fB");
        manual_words(t, row->name);
        text_add(t, "\\fR%s", *row->value ? "=\\fI" : "");
        manual_words(t, row->value);
        text_add(t, "%s\n", *row->value ? "\\fR" : "");
        manual_words(t, row->summary);
        text_add(t, "\n");
    }
}

static void examples_of(text *t, command_id command)
{
    bool first = true;
    for (int i = 0; i < ROW_COUNT; i++) {
        if (rows[i].command != command || !rows[i].line)
            continue;
        if (first)
            section(t, "EXAMPLES");
        first = false;
        manual_item(t, rows[i].line, rows[i].words);
    }
}

static void command_page(text *t, command_id command)
{
    const command_row *row = options_command(command);
    const char *name = arena_format(t->memory, "espalier-%s", row->name);
    heading(t, name, "1", row->summary);
    section(t, "SYNOPSIS");
    text_add(t, ".B espalier %s\n[\\fIOPTIONS\\fR]", row->name);
    text_add(t, "%s", *row->operands ? " " : "");
    manual_words(t, row->operands);
    text_add(t, "\n");
    section(t, "DESCRIPTION");
    bool said = false;
    for (int i = 0; i < ROW_COUNT; i++) {
        if (rows[i].command == command && !rows[i].line) {
            paragraphs(t, rows[i].words);
            said = true;
        }
    }
    if (!said)
        paragraphs(t, row->summary);
    options_of(t, command);
    examples_of(t, command);
    exit_codes(t);
    environment(t);
    see_also(t, name);
}

const char *manual_page(arena *a, int i)
{
    text t = text_in(a);
    if (i == OVERVIEW) {
        overview(&t);
        see_also(&t, "espalier");
    } else if (i == PLAN) {
        heading(&t, "espalier-plan", "5", "the language of plan files, in brief");
        manual_plan(&t);
        see_also(&t, "espalier-plan");
    } else {
        command_page(&t, (command_id)(i - 1));
    }
    return text_done(&t);
}
