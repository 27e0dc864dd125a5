/* exit.h: the exit status of a compiled plan; docs/internals/runtime.md lists them for users. */
#ifndef ESPALIER_RUNTIME_EXEC_EXIT_H
#define ESPALIER_RUNTIME_EXEC_EXIT_H

#include "base/status.h"

typedef enum rt_exit {
    RT_EXIT_DONE = 0,
    RT_EXIT_USAGE = 2, /* the command line is wrong */
    RT_EXIT_IMAGE = 3, /* the executable's own description is damaged, or of another version */
    RT_EXIT_CPU = 4,   /* the processor lacks what the plan was built for */
    RT_EXIT_DATA = 5,  /* data or a file that cannot be read or written */
    RT_EXIT_UNSUPPORTED = 6, /* started in a way that is not carried out */
    RT_EXIT_LOST = 7,        /* a rank ended before its time */
    RT_EXIT_TIMEOUT = 8,     /* a rank waited for another longer than the deadline */
    RT_EXIT_NOT_FINITE = 9,  /* the loss became infinite or not a number */
    RT_EXIT_RESOURCES = 10,  /* the system refused memory or processes */
    RT_EXIT_STOPPED = 11,    /* of a rank: it was told to stop; the launcher ends with the cause */
    RT_EXIT_SIGNAL = 128     /* + the number of the signal that ended the run: 130 is Ctrl-C */
} rt_exit;

/* What a failure amounts to. */
rt_exit rt_exit_of_status(rt_status status);

#endif
