/* message.h: a program as messages and what each waits for: the form that is timed and exported.
 *
 * Sends of one step that follow one another from one rank to another, with one operation, the same route and chunks
 * that lie side by side, go as one message. A message goes when its sender and its receiver have all they receive in
 * earlier steps, and the receiver's chunk has been read by whom it was sent to before. Within a step a rank
 * receives from several at once.
 *
 * The waits form a graph over messages and, to keep it small, one node for each step of each rank ("the rank has
 * come so far"). Nodes are numbered messages first.
 */
#ifndef ESPALIER_COLL_MESSAGE_H
#define ESPALIER_COLL_MESSAGE_H

#include "coll/program.h"

typedef struct coll_message {
    int32_t first; /* sends first .. first + count - 1 of the program */
    int32_t count;
    int64_t weight; /* of its chunks */
} coll_message;

typedef struct coll_message_graph {
    VEC(coll_message) messages;
    int32_t nodes;  /* messages, then steps of ranks */
    int32_t *waits; /* [nodes]: how many nodes each waits for */
    int32_t *first; /* [nodes + 1]: those that wait for node i are followers[first[i]] .. */
    int32_t *followers;
} coll_message_graph;

/* How many sends from `first` on go as one message. */
int32_t coll_message_length(const coll_program *p, size_t first);

coll_message_graph *coll_message_graph_of(const coll_program *p, arena *a);

#endif
