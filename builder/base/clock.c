// clock.c - see clock.h. The only file that sleeps.
// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include "base/interrupt.h"
#include "base/str.h"

#include <limits.h>
#include <poll.h>
#include <time.h>

int64_t
clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_left(int64_t end_ms)
{
    int64_t now = clock_ms();
    return end_ms > now ? end_ms - now : 0;
}

int64_t
clock_up_s(void)
{
    struct timespec up;
    clock_gettime(CLOCK_BOOTTIME, &up);
    return up.tv_sec;
}

char *
clock_stamp_of(int64_t s)
{
    time_t when = (time_t) s;
    struct tm utc;
    char text[sizeof "2026-11-22T17:41:20Z"];
    gmtime_r(&when, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return str_dup(text);
}

char *
clock_stamp(void)
{
    return clock_stamp_of(clock_wall_ms() / 1000);
}

int
clock_sleep(int64_t ms, struct error *err)
{
    int64_t end = clock_ms() + ms;
    for (;;) {
        if (interrupt_check(err) < 0)
            return -1;
        int64_t left = clock_left(end);
        if (left == 0)
            return 0;
        struct pollfd watched = {.fd = interrupt_fd(), .events = POLLIN};
        poll(&watched, 1, left > INT_MAX ? INT_MAX : (int) left);
    }
}
