#include "base/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static rt_status map_open_file(int file, const char *path, rt_mapping *mapping, rt_error *error)
{
    struct stat about;
    if (fstat(file, &about) != 0)
        return rt_fail_errno(error, RT_IO, "cannot examine '%s'", path);
    if (!S_ISREG(about.st_mode))
        return rt_fail(error, RT_IO, "'%s' is not a regular file", path);
    if (about.st_size == 0)
        return RT_OK;
    void *bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED)
        return rt_fail_errno(error, RT_IO, "cannot map '%s'", path);
    *mapping = (rt_mapping){.bytes = bytes, .size = (size_t)about.st_size};
    return RT_OK;
}

rt_status rt_map_file(const char *path, rt_mapping *mapping, rt_error *error)
{
    *mapping = (rt_mapping){0};
    /* Without O_NONBLOCK opening a FIFO would wait for a writer. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return rt_fail_errno(error, RT_IO, "cannot open '%s'", path);
    rt_status status = map_open_file(file, path, mapping, error);
    close(file);
    return status;
}

void rt_unmap(rt_mapping *mapping)
{
    if (mapping->bytes)
        munmap((void *)(uintptr_t)mapping->bytes, mapping->size);
    *mapping = (rt_mapping){0};
}
