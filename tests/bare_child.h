// bare_child.h - a part of a test where no program is found: in a child with mounts of its own,
// since the sbin folders are searched beside PATH, and on Arch /usr/sbin is /usr/bin itself.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_BARE_CHILD_H
#define AIRBUILD_TESTS_BARE_CHILD_H

#include "unit.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BARE_CHILD_NO_MOUNT = 90 };

// The answer of body(argument), 0 to 89, run where empty, an empty folder, is all there is of both.
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
