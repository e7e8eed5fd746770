// cleanup.h - scope cleanup for plain pointers, descriptors and streams; handing ownership over.
// Handles of foreign libraries have theirs in the folder that owns the library.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_CLEANUP_H
#define AIRBUILD_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// CLEANUP(f) type *p = NULL;  calls f(&p) when p leaves its scope.
#define CLEANUP(function) __attribute__((cleanup(function)))

// Hand over: yields the pointer (descriptor) and leaves NULL (-1) behind.
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
cleanup_fclose(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

static inline void
cleanup_closedir(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

#define FREE_AUTO CLEANUP(cleanup_free)
#define CLOSE_AUTO CLEANUP(cleanup_close)
#define FCLOSE_AUTO CLEANUP(cleanup_fclose)
#define CLOSEDIR_AUTO CLEANUP(cleanup_closedir)

#endif
