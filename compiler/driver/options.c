#include "driver/options.h"

#include <string.h>

static const command_row command_rows[] = {
#define COMMAND(id, name, operands, summary) {name, operands, summary},
#include "driver/commands.def"
#undef COMMAND
};

static const option_row option_rows[] = {
#define OPTION(id, name, value, commands, summary) {name, value, commands, summary},
#include "driver/options.def"
#undef OPTION
};

const char *options_command_name(command_id id)
{
    return command_rows[id].name;
}

const command_row *options_command(command_id id)
{
    return &command_rows[id];
}

const option_row *options_option(option_id id)
{
    return &option_rows[id];
}

int options_find_command(const char *word)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(command_rows[i].name, word) == 0)
            return i;
    }
    return -1;
}

bool options_command_knows(command_id command, option_id option)
{
    const option_row *row = &option_rows[option];
    const char *name = command_rows[command].name;
    size_t length = strlen(name);
    for (const char *at = row->commands; (at = strstr(at, name)) != NULL; at += length) {
        bool begins = at == row->commands || at[-1] == ' ';
        bool ends = at[length] == ' ' || at[length] == '\0';
        if (begins && ends)
            return true;
    }
    return false;
}

void options_print_overview(FILE *out)
{
    fputs("espalier: plans for training a model on many devices, compiled\n\n"
          "usage: espalier COMMAND [OPTIONS] OPERANDS\n\n",
          out);
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-12s %s\n", command_rows[i].name, command_rows[i].summary);
    fputs("\n'espalier help COMMAND' lists a command's options.\n"
          "exit codes: 0 fine, 1 the plan file has errors, 2 the command line has errors,\n"
          "3 a file, a tool or the system refused; 'run' gives the executable's own code.\n",
          out);
}

void options_print_command(command_id id, FILE *out)
{
    const command_row *command = &command_rows[id];
    fprintf(out, "usage: espalier %s [OPTIONS] %s\n\n%s\n\n", command->name, command->operands,
            command->summary);
    for (int i = 0; i < OPTION_COUNT; i++) {
        const option_row *row = &option_rows[i];
        if (!options_command_knows(id, (option_id)i))
            continue;
        char name[64];
        snprintf(name, sizeof name, "%s%s%s", row->name, *row->value ? "=" : "", row->value);
        fprintf(out, "  %-24s %s\n", name, row->summary);
    }
}

static bool usage_error(FILE *errors, command_id command, const char *problem, const char *word)
{
    fprintf(errors, "espalier: %s '%s'\nfix: espalier help %s\n", problem, word,
            command_rows[command].name);
    return false;
}

int options_find_option(const char *word)
{
    if (strcmp(word, "-o") == 0)
        return OPTION_OUTPUT;
    if (strcmp(word, "-h") == 0)
        return OPTION_HELP;
    size_t length = strcspn(word, "=");
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (strlen(option_rows[i].name) == length &&
            strncmp(option_rows[i].name, word, length) == 0)
            return i;
    }
    return -1;
}

const char *options_known_value(option_id id, int i)
{
    static const struct {
        option_id id;
        const char *value;
    } known[] = {
        {OPTION_DIAGNOSTICS, "json"},
        {OPTION_COLOUR, "auto"},
        {OPTION_COLOUR, "always"},
        {OPTION_COLOUR, "never"},
    };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        if (known[k].id == id && i-- == 0)
            return known[k].value;
    }
    return NULL;
}

static bool value_is_known(int id, const char *value)
{
    const char *known = options_known_value((option_id)id, 0);
    for (int i = 1; known; known = options_known_value((option_id)id, i++)) {
        if (strcmp(known, value) == 0)
            return true;
    }
    return options_known_value((option_id)id, 0) == NULL;
}

static bool store_value(options *o, int id, const char *value, FILE *errors)
{
    if (id == OPTION_SET) {
        if (o->set_count == OPTIONS_MOST_SETS)
            return usage_error(errors, o->command, "too many of", "--set");
        if (!strchr(value, '='))
            return usage_error(errors, o->command, "--set takes NAME=VALUE, not", value);
        o->sets[o->set_count++] = value;
    } else if (o->value[id] && *option_rows[id].value) {
        return usage_error(errors, o->command, "said twice:", option_rows[id].name);
    }
    if (!value_is_known(id, value))
        return usage_error(errors, o->command, "this option does not take", value);
    o->value[id] = value;
    return true;
}

/* Reads the option at argv[*at], and its value, which may stand behind it. */
static bool parse_option(options *o, char *const *argv, int *at, FILE *errors)
{
    const char *word = argv[*at];
    int id = options_find_option(word);
    if (id < 0)
        return usage_error(errors, o->command, "no such option:", word);
    const option_row *row = &option_rows[id];
    if (!options_command_knows(o->command, (option_id)id))
        return usage_error(errors, o->command, "this command does not take", row->name);
    const char *value = strchr(word, '=');
    if (!*row->value)
        return value ? usage_error(errors, o->command, "takes no value:", row->name)
                     : store_value(o, id, "", errors);
    if (value)
        return store_value(o, id, value + 1, errors);
    if (!argv[*at + 1])
        return usage_error(errors, o->command, "a value is missing after", word);
    return store_value(o, id, argv[++*at], errors);
}

static bool parse_command(options *o, int argc, char *const *argv, FILE *errors)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        o->command = COMMAND_HELP;
        return true;
    }
    int command = options_find_command(argv[1]);
    if (command < 0) {
        fprintf(errors, "espalier: no such command: '%s'\nfix: espalier help\n", argv[1]);
        return false;
    }
    o->command = (command_id)command;
    return true;
}

bool options_parse(options *o, int argc, char *const *argv, FILE *errors)
{
    static char *const none[] = {NULL};
    *o = (options){.rest = none};
    if (!parse_command(o, argc, argv, errors))
        return false;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            o->rest = argv + i + 1;
            break;
        }
        if (argv[i][0] == '-' && argv[i][1]) {
            if (!parse_option(o, argv, &i, errors))
                return false;
        } else if (o->operand_count == OPTIONS_MOST_OPERANDS) {
            return usage_error(errors, o->command, "too many operands:", argv[i]);
        } else {
            o->operands[o->operand_count++] = argv[i];
        }
    }
    return true;
}
