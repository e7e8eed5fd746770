// console.c - standard input and output connected to a domain's console through a libvirt stream.
// The event loop's thread only signals that the stream is ready; this thread reads and writes.
// SPDX-License-Identifier: Apache-2.0
#include "virt/console.h"

#include "base/interrupt.h"
#include "virt/domain_handle.h"
#include "virt/virt_error.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE 0x1d   // ^]
#define WRITE_MAX 512 // bytes: a pipe or terminal that is ready takes them without waiting
#define READABLE_AND_END \
    (VIR_STREAM_EVENT_READABLE | VIR_STREAM_EVENT_ERROR | VIR_STREAM_EVENT_HANGUP)

// Set by the event loop's thread. Not freed: its callback may still run when a console is closed,
// and libvirt does not always report when it is done with it (the remote driver never does).
static struct {
    atomic_int events; // of the stream
    int fd;            // eventfd: readable when events is not 0
} signal_of_stream = {.fd = -1};

struct console {
    virStreamPtr stream;
    bool raw; // the terminal is in raw mode; saved: its mode before
    struct termios saved;
    char input[1024]; // typed, not sent yet
    size_t input_length;
    bool ended;
};

static void
console_close(struct console *console)
{
    if (console->raw)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &console->saved);
    if (console->stream != NULL) {
        virStreamEventRemoveCallback(console->stream);
        virStreamAbort(console->stream);
        virStreamFree(console->stream);
    }
}

// Runs in the event loop's thread. Asks for no more events until this thread has handled these.
static void
on_stream(virStreamPtr stream, int events, void *context)
{
    (void) context;
    virStreamEventUpdateCallback(stream, 0);
    atomic_fetch_or(&signal_of_stream.events, events);
    eventfd_write(signal_of_stream.fd, 1);
}

static int
run_open_console(struct call *call)
{
    const char *name = virDomainGetName(call->domain);
    call->stream = virStreamNew(call->conn, VIR_STREAM_NONBLOCK);
    if (call->stream == NULL)
        return virt_error_set(&call->err, "cannot make a stream to '%s'", name);
    if (virDomainOpenConsole(call->domain, NULL, call->stream, call->flags) == 0)
        return 0;
    // The code with which libvirt's qemuDomainOpenConsole reports a console in use, and nothing
    // else.
    if ((call->flags & VIR_DOMAIN_CONSOLE_FORCE) == 0 &&
        virGetLastErrorCode() == VIR_ERR_OPERATION_FAILED)
        return error_set(&call->err, ERR_BUSY,
            "another console of '%s' is open: close it, or take it over with --force", name);
    return virt_error_set(&call->err, "cannot open the console of '%s'", name);
}

static int
open_stream(
    struct virt *virt, virDomainPtr domain, bool force, struct console *console, struct error *err)
{
    const char *name = virDomainGetName(domain);
    CALL_AUTO struct call *call =
        call_new(virt->conn, domain, NULL, "opening the console of '%s'", name);
    call->flags = VIR_DOMAIN_CONSOLE_SAFE | (force ? VIR_DOMAIN_CONSOLE_FORCE : 0U);
    if (call_run(&call, CALL_MS, run_open_console, err) < 0)
        return -1;
    console->stream = TAKE(call->stream);
    if (signal_of_stream.fd < 0)
        signal_of_stream.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (signal_of_stream.fd < 0)
        return error_errno(err, errno, "cannot make an event descriptor");
    atomic_store(&signal_of_stream.events, 0);
    if (virStreamEventAddCallback(console->stream, READABLE_AND_END, on_stream, NULL, NULL) < 0)
        return virt_error_set(err, "cannot follow the console");
    return 0;
}

// Installs the signal handlers whatever the caller did: a signal must restore the terminal before
// the program ends.
static int
make_raw(struct console *console, struct error *err)
{
    if (interrupt_install(err) < 0)
        return -1;
    if (tcgetattr(STDIN_FILENO, &console->saved) < 0)
        return 0; // no terminal
    struct termios raw = console->saved;
    cfmakeraw(&raw);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) < 0)
        return error_errno(err, errno, "cannot set up the terminal");
    console->raw = true;
    return 0;
}

// The reader of our output may stop reading for any time; a signal ends this wait, too.
static int
write_terminal(const char *data, size_t length, struct error *err)
{
    while (length > 0) {
        struct pollfd fds[] = {{STDOUT_FILENO, POLLOUT, 0}, {interrupt_fd(), POLLIN, 0}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return error_errno(err, errno, "cannot wait for the reader of the console");
        if (interrupt_check(err) < 0)
            return -1;
        ssize_t written = write(STDOUT_FILENO, data, length < WRITE_MAX ? length : WRITE_MAX);
        if (written < 0 && errno != EINTR && errno != EAGAIN)
            return error_errno(err, errno, "cannot write the output of the console");
        if (written > 0) {
            data += written;
            length -= (size_t) written;
        }
    }
    return 0;
}

static int
show_output(struct console *console, struct error *err)
{
    char data[4096];
    int length;
    while ((length = virStreamRecv(console->stream, data, sizeof(data))) > 0)
        if (write_terminal(data, (size_t) length, err) < 0)
            return -1;
    if (length != -2)
        console->ended = true;
    return 0;
}

static void
send_input(struct console *console)
{
    int sent = virStreamSend(console->stream, console->input, console->input_length);
    if (sent < 0) {
        console->ended = console->ended || sent != -2;
        return;
    }
    console->input_length -= (size_t) sent;
    memmove(console->input, console->input + sent, console->input_length);
}

static void
take_input(struct console *console)
{
    ssize_t length = read(STDIN_FILENO, console->input, sizeof(console->input));
    if (length < 0 && errno == EINTR)
        return;
    if (length <= 0) {
        console->ended = true;
        return;
    }
    const char *escape = memchr(console->input, ESCAPE, (size_t) length);
    console->input_length = escape != NULL ? (size_t) (escape - console->input) : (size_t) length;
    if (console->input_length > 0)
        send_input(console);
    if (escape != NULL)
        console->ended = true;
}

static int
relay(struct console *console, struct error *err)
{
    while (!console->ended) {
        bool full = console->input_length > 0;
        virStreamEventUpdateCallback(
            console->stream, READABLE_AND_END | (full ? VIR_STREAM_EVENT_WRITABLE : 0));
        struct pollfd fds[] = {
            {signal_of_stream.fd, POLLIN, 0},
            {interrupt_fd(), POLLIN, 0},
            {full ? -1 : STDIN_FILENO, POLLIN, 0},
        };
        if (poll(fds, 3, -1) < 0 && errno != EINTR)
            return error_errno(err, errno, "cannot wait for the console");
        if (interrupt_check(err) < 0)
            return -1;
        eventfd_t ignored;
        eventfd_read(signal_of_stream.fd, &ignored);
        int events = atomic_exchange(&signal_of_stream.events, 0);
        if ((events & VIR_STREAM_EVENT_READABLE) != 0 && show_output(console, err) < 0)
            return -1;
        if ((events & (VIR_STREAM_EVENT_ERROR | VIR_STREAM_EVENT_HANGUP)) != 0)
            console->ended = true;
        if ((events & VIR_STREAM_EVENT_WRITABLE) != 0 && console->input_length > 0)
            send_input(console);
        if (fds[2].revents != 0)
            take_input(console);
    }
    return 0;
}

int
virt_console(
    struct virt *virt, const char *cluster, const char *name, bool force, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_find(virt, cluster, name, &found, err) < 0)
        return -1;
    if (!state_is_up(found->info.state))
        return error_set(err, ERR_GUEST,
            "'%s' does not run (%s), so it has no console: start it with 'airbuild launch', or "
            "read 'airbuild logs %s'",
            name, virt_state_name(found->info.state), name);
    CLEANUP(console_close) struct console console = {0};
    if (open_stream(virt, found->domain, force, &console, err) < 0 || make_raw(&console, err) < 0)
        return -1;
    return relay(&console, err);
}
