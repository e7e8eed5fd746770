// servers.h - real server processes, started in the test's folder and network; they die with the
// test.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_SERVERS_H
#define AIRBUILD_TESTS_SERVERS_H

#include "unit.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

// Its output goes to FOLDER/log.
static inline pid_t
server_start(const char *folder, const char *const *argv)
{
    FREE_AUTO char *program = path_program(argv[0]), *log = path_join(folder, "log");
    assert_non_null(program);
    pid_t child = fork();
    if (child != 0) {
        setpgid(child, child); // also in the child, as either may run first
        return child;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execv(program, (char *const *) (uintptr_t) argv);
    _exit(127);
}

// Kill the server and its children that save or send data. *pid 0: not running.
static inline void
server_end(pid_t *pid)
{
    if (*pid == 0)
        return;
    kill(-*pid, SIGKILL);
    waitpid(*pid, NULL, 0);
    *pid = 0;
}

// Write text to FOLDER/NAME and return the path; caller frees.
static inline char *
server_file(const char *folder, const char *name, const char *text)
{
    ERROR_AUTO struct error err = {0};
    char *path = path_join(folder, name);
    assert_ok(file_write(path, 0600, text, strlen(text), &err), &err);
    return path;
}

#endif
