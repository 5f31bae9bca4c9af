/* Answers for /dev/udmabuf and /dev/dma_heap where the kernel has neither: libcamera's buffers are plain memory files.
   Loaded before the C library (LD_PRELOAD) in tests alone. linux/udmabuf.h, linux/dma-heap.h, linux/dma-buf.h. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static int ours(const char *path) {
    return !strcmp(path, "/dev/udmabuf") || !strcmp(path, "/dev/dma_heap/system");
}

#define OPEN(name)                                                                      \
    int name(const char *path, int flags, ...) {                                        \
        va_list rest;                                                                   \
        va_start(rest, flags);                                                          \
        mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(rest, mode_t) : 0;     \
        va_end(rest);                                                                   \
        if (ours(path)) return memfd_create("heap", MFD_CLOEXEC);                       \
        int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #name);                  \
        return real(path, flags, mode);                                                 \
    }
OPEN(open)
OPEN(open64)

int ioctl(int handle, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *given = va_arg(rest, void *);
    va_end(rest);
    if (request == UDMABUF_CREATE) return fcntl(((struct udmabuf_create *)given)->memfd, F_DUPFD_CLOEXEC, 0);
    if (request == DMA_HEAP_IOCTL_ALLOC) {
        struct dma_heap_allocation_data *wanted = given;
        int made = memfd_create("buffer", MFD_CLOEXEC);
        if (made < 0 || ftruncate(made, wanted->len) < 0) return -1;
        wanted->fd = made;
        return 0;
    }
    if (_IOC_TYPE(request) == 'b') return 0; /* a name, or a sync: nothing to do for plain memory */
    int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
    return real(handle, request, given);
}
