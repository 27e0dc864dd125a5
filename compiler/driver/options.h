/* options.h: the command line of `espalier`.
 *
 * One table gives every option: its name, whether it takes a value, which commands know it, and its line of help;
 * help pages, man page and shell completions come from the same table.
 *
 *     options o;
 *     if (!options_parse(&o, argc, argv, stderr))
 *         return EXIT_USAGE;
 */
#ifndef ESPALIER_DRIVER_OPTIONS_H
#define ESPALIER_DRIVER_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

/* Exit codes of `espalier`; `run` gives the trained executable's own code once that has started. */
enum {
    EXIT_FINE = 0,
    EXIT_DIAGNOSED = 1, /* the plan file has errors */
    EXIT_USAGE = 2,     /* the command line has errors */
    EXIT_SYSTEM = 3     /* a file, a tool or the system refused */
};

typedef enum command_id {
#define COMMAND(id, name, operands, summary) COMMAND_##id,
#include "driver/commands.def"
#undef COMMAND
    COMMAND_COUNT
} command_id;

typedef enum option_id {
#define OPTION(id, name, value, commands, summary) OPTION_##id,
#include "driver/options.def"
#undef OPTION
    OPTION_COUNT
} option_id;

enum { OPTIONS_MOST_SETS = 64, OPTIONS_MOST_OPERANDS = 64 };

typedef struct options {
    command_id command;
    const char *operands[OPTIONS_MOST_OPERANDS]; /* FILE:PLAN and the like, in order */
    int operand_count;
    const char *value[OPTION_COUNT];     /* NULL: not given; "" for an option without a value */
    const char *sets[OPTIONS_MOST_SETS]; /* NAME=VALUE of each --set */
    int set_count;
    char *const *rest; /* what stands behind `--`: for the executable; ends with NULL */
} options;

typedef struct command_row {
    const char *name;
    const char *operands; /* as the usage line shows them */
    const char *summary;
} command_row;

typedef struct option_row {
    const char *name;     /* "--emit" */
    const char *value;    /* "FORM"; "" for an option without a value */
    const char *commands; /* separated by spaces */
    const char *summary;
} option_row;

const command_row *options_command(command_id id);
const option_row *options_option(option_id id);
bool options_command_knows(command_id command, option_id option);

/* The option that `word` names, up to its '='; -1 if there is none. */
int options_find_option(const char *word);

/* False after printing what is wrong and what would do. */
bool options_parse(options *o, int argc, char *const *argv, FILE *errors);

static inline bool options_has(const options *o, option_id id)
{
    return o->value[id] != NULL;
}

void options_print_overview(FILE *out);
void options_print_command(command_id id, FILE *out);

/* -1 for a word that is no command. */
int options_find_command(const char *word);
const char *options_command_name(command_id id);

/* Value `i` of those that the option takes, NULL behind the last; options that take any have none. */
const char *options_known_value(option_id id, int i);

#endif
