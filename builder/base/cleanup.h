// cleanup.h - variables that release what they own at the end of their scope, and moves of
// ownership. The folder that owns a library defines the cleanup of the library's handles.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_CLEANUP_H
#define AIRBUILD_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// CLEANUP(f) type *p = NULL;  calls f(&p) when p leaves its scope.
#define CLEANUP(function) __attribute__((cleanup(function)))

// DEFINE_FREEP(struct thing, thing_free) defines thing_freep for CLEANUP.
#define DEFINE_FREEP(type, release)             \
    static inline void release##p(type **owner) \
    {                                           \
        release(*owner);                        \
    }

// Yield the pointer (descriptor) and leave NULL (-1) behind.
#define TAKE(pointer)                             \
    (__extension__({                              \
        __auto_type take_pointer_ = &(pointer);   \
        __auto_type take_value_ = *take_pointer_; \
        *take_pointer_ = NULL;                    \
        take_value_;                              \
    }))
#define TAKE_FD(fd)                  \
    (__extension__({                 \
        int *take_fd_ = &(fd);       \
        int take_value_ = *take_fd_; \
        *take_fd_ = -1;              \
        take_value_;                 \
    }))

static inline void
cleanup_free(void *pointer)
{
    free(*(void **) pointer);
}

static inline void
cleanup_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void
cleanup_closedir(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

#define FREE_AUTO CLEANUP(cleanup_free)
#define CLOSE_AUTO CLEANUP(cleanup_close)
#define CLOSEDIR_AUTO CLEANUP(cleanup_closedir)

#endif
