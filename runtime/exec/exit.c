#include "exec/exit.h"

rt_exit rt_exit_of_status(rt_status status)
{
    switch (status) {
    case RT_OK:
    case RT_END:
        return RT_EXIT_DONE;
    case RT_NO_MEMORY:
        return RT_EXIT_RESOURCES;
    case RT_TIMEOUT:
        return RT_EXIT_TIMEOUT;
    case RT_PEER_LOST:
        return RT_EXIT_LOST;
    case RT_CANCELLED:
        return RT_EXIT_STOPPED;
    case RT_UNSUPPORTED:
        return RT_EXIT_UNSUPPORTED;
    default:
        return RT_EXIT_DATA;
    }
}
