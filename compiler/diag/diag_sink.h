/* diag_sink.h: the inside of a sink, for the files of diag/ alone. */
#ifndef ESPALIER_DIAG_DIAG_SINK_H
#define ESPALIER_DIAG_DIAG_SINK_H

#include "diag/diag.h"

struct diag_sink {
    arena *memory;
    const source_set *sources;
    VEC(diag *) diags; /* in the order of reporting */
    size_t reports;    /* calls of diag_report */
    size_t dropped;    /* reported behind DIAG_KEPT */
};

#endif
