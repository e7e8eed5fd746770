// command_logs.c - `airbuild logs NODE`: prints the console log of a node.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/console_filter.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cluster/cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PIECE 65536
#define FOLLOW_PAUSE_MS 200

struct log {
    const char *path;
    int fd;
    bool unread; // nobody reads the output any more
    struct console_filter filter;
};

// Reads up to the current end. Adds it to all or, when that is NULL, prints it piece by piece.
static int
log_read(struct log *log, struct buf *all, struct error *err)
{
    char piece[PIECE];
    ssize_t length = 1;
    while (length > 0 && !log->unread) {
        BUF_AUTO struct buf text = {0};
        if (interrupt_check(err) != 0)
            return -1;
        length = read(log->fd, piece, sizeof(piece));
        if (length < 0)
            return error_errno(err, errno, "cannot read the console log '%s'", log->path);
        console_filter_add(&log->filter, piece, (size_t) length, all != NULL ? all : &text);
        if (text.length > 0)
            log->unread = !cli_print(text.data);
    }
    return 0;
}

// Starts again at the begin of a log that was truncated or replaced.
static void
log_reopen(struct log *log)
{
    struct stat now, there;
    if (fstat(log->fd, &now) != 0 || stat(log->path, &there) != 0)
        return;
    if (now.st_dev == there.st_dev && now.st_ino == there.st_ino) {
        if (lseek(log->fd, 0, SEEK_CUR) > now.st_size)
            lseek(log->fd, 0, SEEK_SET);
        return;
    }
    int fd = open(log->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    close(log->fd);
    log->fd = fd;
}

static int
follow(struct log *log, struct error *err)
{
    while (log_read(log, NULL, err) == 0 && !log->unread && clock_sleep(FOLLOW_PAUSE_MS, err) == 0)
        log_reopen(log);
    if (err->code != ERR_NONE && err->code != ERR_INTERRUPTED)
        return -1;
    error_clear(err);
    return 0;
}

static int
print_log_json(struct log *log, const char *node, struct error *err)
{
    BUF_AUTO struct buf text = {0};
    if (log_read(log, &text, err) != 0)
        return -1;
    STRV_AUTO struct strv lines = {0};
    if (text.length > 0)
        strv_split(&lines, text.data, '\n');
    json_t *list = cli_list_json(&lines);
    if (lines.count > 0 && lines.items[lines.count - 1][0] == '\0') // after the last newline
        json_array_remove(list, lines.count - 1);
    json_auto_t *value = json_pack("{s:o, s:o, s:o}", "node", text_to_json(node), "path",
        text_to_json(log->path), "lines", list);
    cli_print_json(value);
    return 0;
}

static int
run_logs(struct cli *cli, struct error *err)
{
    if (cli->given.follow && cli->given.json)
        return cli_usage(cli, err, "--follow does not end and --json prints one value; choose one");
    SPEC_AUTO struct spec *spec = NULL;
    const struct spec_node *node = NULL;
    if (cli_spec_node(cli, &spec, &node, err) != 0 || cli_launched(spec, err) != 0 ||
        interrupt_install(err) != 0)
        return -1;
    FREE_AUTO char *path = cluster_node_path(spec, node->name, "console.log");
    struct log log = {.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (log.fd < 0 && errno == ENOENT)
        return error_set(err, ERR_NOT_FOUND,
            "node '%s' has no console log, as it has never been started; run 'airbuild launch'",
            node->name);
    if (log.fd < 0)
        return error_errno(err, errno, "cannot read the console log '%s'", path);
    int status = cli->given.follow ? follow(&log, err)
                 : cli->given.json ? print_log_json(&log, node->name, err)
                                   : log_read(&log, NULL, err);
    close(log.fd);
    return status;
}

static const struct cli_option options[] = {
    {"follow", 'f', NULL, "keep printing what the node writes, until Ctrl-C", OPTION_FLAG(follow)},
    {0},
};

const struct cli_command command_logs = {
    .name = "logs",
    .arguments = "NODE",
    .summary = "print what a node wrote to its serial console",
    .details =
        "Prints the console log of all boots of the node: kernel, services, and the lines "
        "'airbuild: NODE: STEP' of the cluster's own units. Escape sequences and control "
        "characters are left out.\n"
        "After the command's name -f means --follow; choose the spec with --spec, or with -f "
        "before the name.\n",
    .options = options,
    .operand = CLI_NODE,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_logs,
};
