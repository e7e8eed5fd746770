// clock.c - a private clock for the processes of a test. Preloaded, it adds the number in the file
// $AIRBUILD_TEST_CLOCK to CLOCK_REALTIME at every call; setting the clock changes that file. So the
// clock of a whole machine can be shifted while it runs, without changing the host's.
// Not shifted: the kernel's use of that clock (absolute timers, times of files).
// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BILLION 1000000000LL

// The file: one number, nanoseconds.
static const int64_t *
shift_map(void)
{
    static const int64_t none = 0;
    const char *path = getenv("AIRBUILD_TEST_CLOCK");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return &none;
    void *map = mmap(NULL, sizeof none, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    return map == MAP_FAILED ? &none : map;
}

static int64_t
shift(void)
{
    static const volatile int64_t *map;
    if (map == NULL)
        map = shift_map();
    return *map;
}

static int64_t
host_clock(clockid_t clock)
{
    static int (*get)(clockid_t, struct timespec *);
    if (get == NULL)
        *(void **) &get = dlsym(RTLD_NEXT, "clock_gettime");
    struct timespec now = {0};
    get(clock, &now);
    return now.tv_sec * BILLION + now.tv_nsec;
}

int
clock_gettime(clockid_t clock, struct timespec *ret)
{
    int64_t now = host_clock(clock);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        now += shift();
    *ret = (struct timespec){.tv_sec = now / BILLION, .tv_nsec = now % BILLION};
    return 0;
}

int
timespec_get(struct timespec *ret, int base)
{
    clock_gettime(CLOCK_REALTIME, ret);
    return base;
}

int
gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    (void) zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t
time(time_t *ret)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret != NULL)
        *ret = now.tv_sec;
    return now.tv_sec;
}

int
clock_settime(clockid_t clock, const struct timespec *wanted)
{
    int64_t now = host_clock(clock);
    int64_t value = wanted->tv_sec * BILLION + wanted->tv_nsec - now;
    const char *path = getenv("AIRBUILD_TEST_CLOCK");
    int fd = path != NULL ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return -1;
    ssize_t written = pwrite(fd, &value, sizeof value, 0);
    close(fd);
    return written == sizeof value ? 0 : -1;
}
