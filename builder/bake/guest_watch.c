// guest_watch.c - a thread that kills a hung appliance.
// SPDX-License-Identifier: Apache-2.0
#include "bake/guest_watch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/str.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LOOK_MS = 500, SPACE_MIN = 32 * 1024 * 1024, PROC_MAX = 1024 * 1024 };

struct watch {
    char *folder;
    char *doubled; // the folder with doubled commas, as in QEMU's options
    pthread_t thread;
    int stop; // eventfd
    _Atomic int64_t end_ms;
    _Atomic int reason;
};

// Whether it is our child, and its command line contains the folder.
static bool
is_ours(const char *pid, const struct watch *watch)
{
    FREE_AUTO char *about = str_format("/proc/%s/stat", pid);
    FREE_AUTO char *command = str_format("/proc/%s/cmdline", pid);
    FREE_AUTO char *stat = NULL, *data = NULL;
    ERROR_AUTO struct error gone = {0};
    size_t length = 0;
    int parent = 0;
    if (file_read(about, PROC_MAX, &stat, NULL, &gone) < 0)
        return false;
    const char *name_end = strrchr(stat, ')'); // proc(5): the name may contain anything
    if (name_end == NULL || sscanf(name_end + 1, " %*c %d", &parent) != 1 || parent != getpid() ||
        file_read(command, PROC_MAX, &data, &length, &gone) < 0)
        return false;
    return memmem(data, length, watch->folder, strlen(watch->folder)) != NULL ||
           memmem(data, length, watch->doubled, strlen(watch->doubled)) != NULL;
}

static void
kill_children(const struct watch *watch)
{
    STRV_AUTO struct strv names = {0};
    ERROR_AUTO struct error err = {0};
    unsigned long long pid;
    if (dir_list("/proc", &names, &err) < 0)
        return;
    for (size_t i = 0; i < names.count; i++)
        if (str_to_u64(names.items[i], INT32_MAX, &pid) && is_ours(names.items[i], watch))
            (void) kill((pid_t) pid, SIGKILL);
}

static void *
watch_thread(void *argument)
{
    struct watch *watch = argument;
    struct pollfd wait = {.fd = watch->stop, .events = POLLIN};
    while (poll(&wait, 1, LOOK_MS) <= 0) {
        ERROR_AUTO struct error err = {0};
        uint64_t space = 0;
        int none = WATCH_NONE, reason;
        if (interrupt_pending())
            reason = WATCH_INTERRUPTED;
        else if (clock_ms() > atomic_load(&watch->end_ms))
            reason = WATCH_LATE;
        else if (dir_space(watch->folder, &space, &err) == 0 && space < SPACE_MIN)
            reason = WATCH_SPACE;
        else
            continue;
        atomic_compare_exchange_strong(&watch->reason, &none, reason);
        kill_children(watch); // every time: a launch may not have forked yet
    }
    return NULL;
}

int
watch_new(const char *folder, struct watch **ret, struct error *err)
{
    struct watch *watch = mem_zero(1, sizeof *watch);
    STRV_AUTO struct strv parts = {0};
    watch->folder = str_dup(folder);
    strv_split(&parts, folder, ',');
    watch->doubled = strv_join(&parts, ",,");
    atomic_store(&watch->end_ms, INT64_MAX);
    watch->stop = eventfd(0, EFD_CLOEXEC);
    int failed = watch->stop < 0 ? errno : thread_start(&watch->thread, watch_thread, watch);
    if (failed != 0) {
        cleanup_close(&watch->stop);
        free(watch->folder);
        free(watch->doubled);
        free(watch);
        return error_errno(err, failed, "cannot start the thread that watches a bake");
    }
    *ret = watch;
    return 0;
}

void
watch_free(struct watch *watch)
{
    if (watch == NULL)
        return;
    (void) eventfd_write(watch->stop, 1);
    pthread_join(watch->thread, NULL);
    close(watch->stop);
    free(watch->folder);
    free(watch->doubled);
    free(watch);
}

void
watch_deadline(struct watch *watch, int64_t end_ms)
{
    atomic_store(&watch->end_ms, end_ms);
}

enum watch_reason
watch_reason(struct watch *watch)
{
    return (enum watch_reason) atomic_load(&watch->reason);
}
