// proc.c - see proc.h. Only this file and cpu_burn.c start processes.
// SPDX-License-Identifier: Apache-2.0
#include "base/proc.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

enum { GRACE_MS = 2000, POLL_MS = 20 };
enum { LINE_LONGEST = 65536, OUTPUT_USUALLY = 1024 * 1024, READ_BYTES = 16384, READS_AT_END = 64 };

// One output of a child, read from a pipe.
struct output {
    int fd;           // the pipe, non-blocking; owned; -1 at its end
    struct buf *last; // the last options->output_max bytes; up to twice as much until the end
    struct buf line;  // the incomplete last line; only when options->line is set
};

struct run {
    const struct proc_options *options;
    const char *name;
    pid_t pid;
    int pid_fd;
    struct output outputs[2]; // standard output, standard error
};

// ---- outputs ------------------------------------------------------------------------------------

static void
pass_line(const struct proc_options *options, const char *text, size_t length)
{
    FREE_AUTO char *line = str_ndup(text, length);
    options->line(options->context, line);
}

// Passes very long lines in pieces.
static void
pass_lines(struct output *output, const struct proc_options *options)
{
    const char *begin = output->line.data, *end;
    size_t left = output->line.length;
    while ((end = memchr(begin, '\n', left)) != NULL) {
        pass_line(options, begin, (size_t) (end - begin));
        left -= (size_t) (end - begin) + 1;
        begin = end + 1;
    }
    if (left > LINE_LONGEST) {
        pass_line(options, begin, left);
        left = 0;
    }
    buf_drop(&output->line, output->line.length - left);
}

static void
trim_output(struct output *output, const struct proc_options *options, size_t times)
{
    size_t max = options->output_max == 0 ? OUTPUT_USUALLY : options->output_max;
    if (output->last->length > times * max)
        buf_drop(output->last, output->last->length - max);
}

static void
end_output(struct output *output, const struct proc_options *options)
{
    if (output->fd < 0)
        return;
    close(TAKE_FD(output->fd));
    if (output->line.length > 0)
        pass_line(options, output->line.data, output->line.length);
    trim_output(output, options, 1);
}

// Reads the available bytes and passes complete lines; false: no more for the moment, or the end.
static bool
read_output(struct output *output, const struct proc_options *options)
{
    char room[READ_BYTES];
    ssize_t got = output->fd < 0 ? 0 : read(output->fd, room, sizeof room);
    if (got < 0)
        return errno == EINTR;
    if (got == 0) {
        end_output(output, options);
        return false;
    }
    buf_add_bytes(output->last, room, (size_t) got);
    trim_output(output, options, 2);
    if (options->line != NULL) {
        buf_add_bytes(&output->line, room, (size_t) got);
        pass_lines(output, options);
    }
    return true;
}

// ---- the child ----------------------------------------------------------------------------------

static void
run_free(struct run *run)
{
    for (size_t i = 0; i < 2; i++) {
        cleanup_close(&run->outputs[i].fd);
        buf_free(&run->outputs[i].line);
    }
    cleanup_close(&run->pid_fd);
}

// Programs report in English, because airbuild reads their messages and shows them with its own.
// The variables are those of gettext(3); file names stay UTF-8.
static const char *const language[] = {"LC_ALL=C.UTF-8", "LANGUAGE=", NULL};

// Adds the variables that list does not set yet.
static void
add_unset(struct strv *list, const char *const *entries)
{
    for (; entries != NULL && *entries != NULL; entries++) {
        size_t length = strcspn(*entries, "=") + 1, i = 0;
        while (i < list->count && strncmp(list->items[i], *entries, length) != 0)
            i++;
        if (i == list->count)
            strv_add(list, *entries);
    }
}

// The child gets its own process group, so that all of it can be ended, and default signals.
static int
spawn(const char *path, const char *const *argv, char **environment, const int fds[2], pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (int i = 0; i < 2; i++)
        posix_spawn_file_actions_adddup2(&actions, fds[i], i + 1);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3); // descriptors of libraries
    int number = posix_spawn(ret, path, &actions, &attributes, (char *const *) argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return number;
}

static int
find_program(const char *name, char **ret_path, struct error *err)
{
    *ret_path = path_program(name);
    if (*ret_path != NULL)
        return 0;
    return error_set(err, ERR_MISSING,
        "the program '%s' is not installed; install it and try again ('airbuild doctor' names "
        "the package)",
        name);
}

static int
start_child(struct run *run, const char *const *argv, struct error *err)
{
    FREE_AUTO char *path = NULL;
    STRV_AUTO struct strv environment = {0};
    CLOSE_AUTO int out = -1, errors = -1;
    int *const ends[2] = {&out, &errors};
    if (find_program(argv[0], &path, err) < 0)
        return -1;
    for (size_t i = 0; i < 2; i++) {
        int ends_of_pipe[2];
        if (pipe2(ends_of_pipe, O_CLOEXEC) < 0)
            return error_errno(err, errno, "cannot run '%s'", run->name);
        run->outputs[i].fd = ends_of_pipe[0];
        *ends[i] = ends_of_pipe[1];
        fcntl(run->outputs[i].fd, F_SETFL, O_NONBLOCK);
    }
    add_unset(&environment, run->options->env);
    add_unset(&environment, language);
    add_unset(&environment, (const char *const *) environ);
    const int fds[2] = {out, errors};
    int number = spawn(path, argv, environment.items, fds, &run->pid);
    if (number != 0)
        return error_errno(err, number, "cannot run '%s'", path);
    run->pid_fd = pidfd_open(run->pid, 0);
    return 0;
}

// Waits for output or the end of the child; true when it has ended, and is a zombie until reap().
// Polls where there are no pidfds (Linux before 5.3, valgrind).
static bool
wait_once(struct run *run, int64_t wait_ms, bool interruptible)
{
    struct pollfd watched[4] = {
        {.fd = run->pid_fd, .events = POLLIN},
        {.fd = run->outputs[0].fd, .events = POLLIN},
        {.fd = run->outputs[1].fd, .events = POLLIN},
        {.fd = interruptible ? interrupt_fd() : -1, .events = POLLIN},
    };
    int64_t most = run->pid_fd < 0 ? POLL_MS : INT_MAX;
    if (poll(watched, 4, (int) (wait_ms < most ? wait_ms : most)) > 0)
        for (size_t i = 0; i < 2; i++)
            if (watched[i + 1].revents != 0)
                read_output(&run->outputs[i], run->options);
    siginfo_t info = {.si_pid = 0};
    if (waitid(P_PID, (id_t) run->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return errno != EINTR;
    return info.si_pid != 0;
}

// The child is a zombie until it is reaped, so its process group is not reused.
static int
end_group(struct run *run)
{
    int64_t end = clock_ms() + GRACE_MS;
    kill(-run->pid, SIGTERM);
    while (clock_left(end) > 0)
        if (wait_once(run, clock_left(end), false))
            break;
    kill(-run->pid, SIGKILL);
    return -1;
}

static int
wait_for_child(struct run *run, struct error *err)
{
    int64_t end = clock_ms() + run->options->timeout_ms;
    for (;;) {
        if (interrupt_check(err) < 0) {
            error_context(err, "'%s' was ended", run->name);
            return end_group(run);
        }
        if (clock_left(end) == 0) {
            error_set(err, ERR_TIMEOUT,
                "'%s' timed out after %lld s and was ended; try again when the host is less busy",
                run->name, (long long) (run->options->timeout_ms + 999) / 1000);
            return end_group(run);
        }
        if (wait_once(run, clock_left(end), true))
            return 0;
    }
}

// Does not wait for background processes that still hold the pipes, and reads little of those that
// never stop writing.
static int
reap(struct run *run)
{
    int status = 0;
    while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
        ;
    for (size_t i = 0; i < 2; i++) {
        for (size_t reads = 0; reads < READS_AT_END; reads++)
            if (!read_output(&run->outputs[i], run->options))
                break;
        end_output(&run->outputs[i], run->options);
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void
proc_result_free(struct proc_result *result)
{
    buf_free(&result->output);
    buf_free(&result->errors);
    result->status = 0;
}

int
proc_run(const char *const *argv, const struct proc_options *options, struct proc_result *ret,
    struct error *err)
{
    PROC_RESULT_AUTO struct proc_result own = {0};
    ret = ret == NULL ? &own : ret;
    CLEANUP(run_free)
    struct run run = {.options = options,
        .name = argv[0],
        .pid_fd = -1,
        .outputs = {{.fd = -1, .last = &ret->output}, {.fd = -1, .last = &ret->errors}}};
    if (options->timeout_ms <= 0)
        return error_set(err, ERR_FAILED, "'%s' has no timeout set (bug)", argv[0]);
    if (interrupt_check(err) < 0 || start_child(&run, argv, err) < 0)
        return -1;
    proc_result_free(ret);
    int answer = wait_for_child(&run, err);
    ret->status = reap(&run);
    return answer;
}

static const char *
last_line(struct buf *text)
{
    while (text->length > 0 && text->data[text->length - 1] == '\n')
        text->data[--text->length] = '\0';
    if (text->length == 0)
        return "no error output";
    const char *newline = strrchr(text->data, '\n');
    return newline == NULL ? text->data : newline + 1;
}

int
proc_check(const char *const *argv, const struct proc_options *options, struct proc_result *ret,
    struct error *err)
{
    PROC_RESULT_AUTO struct proc_result own = {0};
    struct proc_result *result = ret == NULL ? &own : ret;
    if (proc_run(argv, options, result, err) < 0)
        return -1;
    if (result->status == 0)
        return 0;
    // Programs report a full disk only in words, which are English here.
    const char *const full_disk[] = {strerrordesc_np(ENOSPC), strerrordesc_np(EDQUOT), NULL};
    bool full = str_has_any(result->errors.data, full_disk);
    return error_set(err, full ? ERR_SPACE : ERR_FAILED, "'%s' failed with status %d: %s%s",
        argv[0], result->status, last_line(&result->errors),
        full ? "; free some space and run it again" : "");
}

int
proc_exec(const char *const *argv, struct error *err)
{
    FREE_AUTO char *path = NULL;
    if (find_program(argv[0], &path, err) < 0)
        return -1;
    execv(path, (char *const *) argv);
    return error_errno(err, errno, "cannot run '%s'", path);
}
