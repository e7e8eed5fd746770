// output.c - reading a child's output: the end of it is kept, its lines are told.
// SPDX-License-Identifier: Apache-2.0
#include "base/output.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

enum { LINE_LONGEST = 65536, KEPT_USUALLY = 1024 * 1024, READ_BYTES = 16384, READS_AT_END = 64 };

static void
pass_line(const struct proc_options *options, const char *text, size_t length)
{
    FREE_AUTO char *line = str_ndup(text, length);
    options->line(options->context, line);
}

// Whole lines are told; what is longer than any sensible line is told in pieces.
static void
tell_lines(struct output *output, const struct proc_options *options)
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
keep_last(struct output *output, const struct proc_options *options, size_t times)
{
    size_t max = options->output_max == 0 ? KEPT_USUALLY : options->output_max;
    if (output->kept.length > times * max)
        buf_drop(&output->kept, output->kept.length - max);
}

static void
end_output(struct output *output, const struct proc_options *options)
{
    if (output->fd < 0)
        return;
    close(TAKE_FD(output->fd));
    if (output->line.length > 0)
        pass_line(options, output->line.data, output->line.length);
    keep_last(output, options, 1);
}

bool
output_read(struct output *output, const struct proc_options *options)
{
    char room[READ_BYTES];
    ssize_t got = output->fd < 0 ? 0 : read(output->fd, room, sizeof room);
    if (got < 0)
        return errno == EINTR;
    if (got == 0) {
        end_output(output, options);
        return false;
    }
    buf_add_bytes(&output->kept, room, (size_t) got);
    keep_last(output, options, 2);
    if (options->line != NULL) {
        buf_add_bytes(&output->line, room, (size_t) got);
        tell_lines(output, options);
    }
    return true;
}

// Bounded, because a process in the background may never stop writing.
void
output_finish(struct output *output, const struct proc_options *options)
{
    for (size_t i = 0; i < READS_AT_END; i++)
        if (!output_read(output, options))
            break;
    end_output(output, options);
}

void
output_free(struct output *output)
{
    cleanup_close(&output->fd);
    buf_free(&output->kept);
    buf_free(&output->line);
}
