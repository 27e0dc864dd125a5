/* transport.h: how the bytes of a message get from one rank to another; who talks to whom is the program's business.
 *
 * A transport implements the table below. Ranks are numbers of the whole run. The messages of an ordered pair of ranks in
 * one lane are numbered by a counter that never goes back; a message is released by its sender, seen and read by its
 * receiver, and finished. Nothing is buffered by contract: the sender keeps the bytes unchanged until the message is
 * `consumed`. Shared memory reads them where they lie; a transport that pushes (MPI) starts a synchronous send on release
 * and a receive into its own landing buffer when `arrived` is first asked, and shows that buffer when it is full.
 *
 *     ops->release(t, key, data, bytes);                          // sender
 *     while (!(theirs = ops->arrived(t, key, mine, bytes))) ...   // receiver
 *     ops->finish(t, key, bytes);
 *     while (!ops->consumed(t, key)) ...                          // sender again
 *
 * Waiting is `rt_pause_wait`: it spins briefly, then yields (ranks may outnumber cores), then sleeps until a peer rings;
 * it ends when the run is being stopped or the deadline has passed. What is being waited for stands in the pause's
 * owner, who words the message.
 */
#ifndef ESPALIER_RUNTIME_TRANSPORT_H
#define ESPALIER_RUNTIME_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct rt_transport rt_transport;

typedef struct rt_message {
    int peer; /* the other rank */
    int lane;
    uint32_t number;
} rt_message;

/* One row per transport. None of these waits or allocates. */
typedef struct rt_transport_ops {
    const char *name;
    /* Sender: lets the peer read the bytes. */
    void (*release)(rt_transport *t, rt_message m, const void *data, size_t bytes);
    /* Receiver: where the peer's bytes can be read; NULL while they are not there. `mine` is the receiver's own place for
     * them, which lies where the sender's data lies in the sender's arena. */
    const void *(*arrived)(rt_transport *t, rt_message m, const void *mine, size_t bytes);
    /* Receiver: the bytes have been read. */
    void (*finish)(rt_transport *t, rt_message m, size_t bytes);
    /* Sender: whether the peer has finished. */
    bool (*consumed)(rt_transport *t, rt_message m);
    /* To sleep: arm, ask once more for what is awaited, then sleep until a peer rings or the time is over. */
    uint32_t (*arm)(rt_transport *t);
    void (*sleep)(rt_transport *t, uint32_t armed, int64_t nanoseconds);
    /* Whether the run is being stopped. */
    bool (*stopped)(rt_transport *t);
} rt_transport_ops;

struct rt_transport {
    const rt_transport_ops *ops;
    int rank, ranks;
    int64_t deadline; /* longest wait in nanoseconds; 0: for ever */
    int spins;        /* polls before yielding; few when ranks outnumber cores */
};

/* One wait: begins zeroed, and counts how often nothing had come. */
typedef struct rt_pause {
    int polls;
    int64_t since; /* nanoseconds, when it first gave way */
    bool asleep;   /* it has yielded long enough to sleep */
    bool armed;
    uint32_t seen; /* what arm gave */
} rt_pause;

/* Gives way once. RT_OK: look again; RT_TIMEOUT; RT_CANCELLED when the run is being stopped. */
rt_status rt_pause_wait(rt_pause *pause, rt_transport *t);

int64_t rt_nanoseconds(void); /* a steady clock */

#endif
