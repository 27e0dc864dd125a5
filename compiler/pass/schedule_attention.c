#include "pass/schedule_internal.h"

void lower_attention(lower *l, graph_op *op)
{
    (void)op;
    lower_refuse(l, "attention is not carried out yet");
}
