// bare_child.h - run a part of a test where no program is found: in a child with its own mounts, as
// the sbin folders are searched after PATH, and on Arch /usr/sbin is /usr/bin.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_BARE_CHILD_H
#define AIRBUILD_TESTS_BARE_CHILD_H

#include "unit.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BARE_CHILD_NO_MOUNT = 90 };

// Returns body(argument), 0 to 89, run with the empty folder in place of PATH and /usr/sbin.
static inline int
bare_child(const char *empty, int (*body)(void *argument), void *argument)
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int flags = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
        if (unshare(flags) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount(empty, "/usr/sbin", "none", MS_BIND, NULL) < 0 || setenv("PATH", empty, 1) < 0)
            _exit(BARE_CHILD_NO_MOUNT);
        _exit(body(argument));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#endif
