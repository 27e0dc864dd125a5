/* commands.h: what `espalier` can do. Each takes a session whose options are read, and returns the exit code. */
#ifndef ESPALIER_DRIVER_COMMANDS_H
#define ESPALIER_DRIVER_COMMANDS_H

#include "driver/session.h"

int command_check(session *s);
int command_build(session *s);
int command_run(session *s);
int command_sample(session *s);
int command_export(session *s);
int command_explain(session *s);
int command_fmt(session *s);
int command_topology(session *s);
int command_lsp(session *s);
int command_read(session *s);
int command_manual(session *s);
int command_completions(session *s);
int command_help(session *s);

#endif
