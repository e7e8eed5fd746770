// accel_probe.c - one proof of KVM: a kernel is booted under it until its first word on the serial
// line. With no root file system it panics at once, and qemu ends (panic=-1, -no-reboot).
// SPDX-License-Identifier: Apache-2.0
#include "virt/accel_probe.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/proc.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define PATIENCE 5 // times the deadline, on a host that gives QEMU no time

struct hearing {
    int64_t begin_ms;
    double seconds; // until the kernel spoke; 0: it did not
};

struct attempt {
    int64_t timeout_ms;
    struct proc_result *result;
    double spoken; // seconds until the kernel spoke; 0: it did not
    double busy;   // seconds that QEMU had a processor
    bool late;     // the deadline ended it
    char *failure; // why QEMU could not be run at all; NULL: it was
};

// The firmware speaks even where no kernel runs: only the kernel's own first line counts.
static void
on_kernel_line(void *context, const char *line)
{
    struct hearing *hearing = context;
    if (hearing->seconds <= 0 && strstr(line, "Linux version ") != NULL)
        hearing->seconds = (double) (clock_ms() - hearing->begin_ms + 1) / 1000;
}

static int
open_device(const char *device, struct error *err)
{
    CLOSE_AUTO int fd = open(device, O_RDWR | O_CLOEXEC);
    if (fd >= 0)
        return 0;
    if (errno == EACCES || errno == EPERM)
        return error_set(err, ERR_ACCESS,
            "'%s' may not be opened (join its group, mostly 'kvm', and log in again)", device);
    if (errno == ENOENT)
        return error_set(err, ERR_MISSING, "there is no '%s'", device);
    return error_set(err, ERR_MISSING, "'%s' cannot be opened: %s", device, strerror(errno));
}

int
accel_probe_check(const struct accel_places *places, struct error *err)
{
    if (open_device(places->device, err) < 0)
        return -1;
    if (places->qemu == NULL)
        return error_set(
            err, ERR_MISSING, "there is no qemu-system-x86_64 to try KVM with (install QEMU)");
    return 0;
}

static const char *
last_words(struct proc_result *result)
{
    struct buf *errors = &result->errors;
    while (errors->length > 0 && errors->data[errors->length - 1] == '\n')
        errors->data[--errors->length] = '\0';
    if (errors->length == 0)
        return NULL;
    const char *newline = strrchr(errors->data, '\n');
    return newline != NULL ? newline + 1 : errors->data;
}

static char *
why_not(const struct accel_places *places, const struct attempt *attempt)
{
    const char *words = last_words(attempt->result);
    if (attempt->late)
        return str_format("'%s' opens, but a kernel said nothing under KVM within %.1f s, in which "
                          "QEMU ran for %.1f s",
            places->device, (double) attempt->timeout_ms / 1000, attempt->busy);
    if (words != NULL)
        return str_format("QEMU cannot use KVM: %s", words);
    return str_format("QEMU ended with status %d under KVM before the kernel said anything",
        attempt->result->status);
}

// Processor time of the children that have ended, in seconds; a guest's is among it.
static double
children_time(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// Boot the kernel once. -1 only for ERR_INTERRUPTED.
static int
try(const struct accel_places *places, struct attempt *attempt, struct error *err)
{
    const char *argv[] = {places->qemu, "-nodefaults", "-no-user-config", "-machine", "q35",
        "-accel", "kvm", "-cpu", "host", "-m", "256", "-display", "none", "-serial", "stdio",
        "-monitor", "none", "-no-reboot", "-kernel", places->kernel, "-append",
        "console=ttyS0 panic=-1", NULL};
    struct hearing hearing = {.begin_ms = clock_ms()};
    struct proc_options options = {
        .timeout_ms = attempt->timeout_ms, .line = on_kernel_line, .context = &hearing};
    double before = children_time();
    bool ended = proc_run(argv, &options, attempt->result, err) == 0;
    if (!ended && err->code == ERR_INTERRUPTED)
        return -1;
    attempt->spoken = hearing.seconds;
    attempt->late = !ended && err->code == ERR_TIMEOUT;
    attempt->busy = children_time() - before;
    attempt->failure = !ended && !attempt->late ? str_dup(err->message) : NULL;
    error_clear(err);
    return 0;
}

// A kernel that hangs under KVM spins: a QEMU that hardly ran had no chance on a busy host.
static bool
was_starved(const struct accel_places *places, const struct attempt *attempt)
{
    return attempt->spoken <= 0 && attempt->late &&
           attempt->busy < (double) places->timeout_ms / 1000 / 2;
}

static void
judge_attempt(const struct accel_places *places, struct attempt *attempt, struct accel_verdict *ret)
{
    ret->kvm = attempt->spoken > 0;
    ret->unsure = was_starved(places, attempt);
    if (ret->kvm)
        ret->why = str_format("a kernel spoke under KVM after %.1f s", attempt->spoken);
    else if (attempt->failure != NULL)
        ret->why = str_dup(attempt->failure);
    else
        ret->why = why_not(places, attempt);
}

int
accel_probe_run(const struct accel_places *places, struct accel_verdict *ret, struct error *err)
{
    PROC_RESULT_AUTO struct proc_result result = {0};
    struct attempt attempt = {.timeout_ms = places->timeout_ms, .result = &result};
    int64_t begin_ms = clock_ms();
    if (places->kernel == NULL)
        return error_set(err, ERR_MISSING,
            "there is no kernel to try KVM with (none of /boot/vmlinuz-* and "
            "/usr/lib/modules/*/vmlinuz can be read)");
    if (try(places, &attempt, err) < 0)
        return -1;
    if (was_starved(places, &attempt)) {
        attempt.timeout_ms = places->timeout_ms * PATIENCE;
        if (try(places, &attempt, err) < 0)
            return -1;
    }
    judge_attempt(places, &attempt, ret);
    free(attempt.failure);
    ret->seconds = (double) (clock_ms() - begin_ms) / 1000;
    return 0;
}
