// command_status.c - `airbuild status`: shows master, replicas, sentinels, and whether the head
// serves.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/show.h"
#include "cluster/cluster.h"

#include <unistd.h>

#define WATCH_PAUSE_MS 1000

// Redraws on a terminal, line by line against flicker; elsewhere prints each change, with --json on
// one line.
static int
watch(const struct cli *cli, const struct spec *spec, struct error *err)
{
    bool live = !cli->given.json && message_live(STDOUT_FILENO);
    FREE_AUTO char *before = NULL;
    int verdict = ERR_VERDICT;
    bool read = true; // the output is still read
    if (live)
        cli_print("\033[2J");
    do {
        CLUSTER_REPORT_AUTO struct cluster_report *report = NULL;
        if (cluster_status(spec, &report, err) != 0)
            break;
        verdict = report->converged ? 0 : ERR_VERDICT;
        struct buf text = {0};
        if (cli->given.json) {
            json_auto_t *value = show_json(spec, report);
            FREE_AUTO char *printed = print_json(value, false);
            buf_printf(&text, "%s\n", printed);
        } else {
            show_report(report, cli->color, &text);
        }
        if (live) {
            STRV_AUTO struct strv lines = {0};
            strv_split(&lines, text.data, '\n');
            FREE_AUTO char *cleared = strv_join(&lines, "\033[K\n");
            FREE_AUTO char *screen = str_format("\033[H%s\033[J", cleared);
            read = cli_print(screen);
        } else if (!str_equal(text.data, before)) {
            read = cli_print(text.data);
        }
        free(before);
        before = text.data;
    } while (read && clock_sleep(WATCH_PAUSE_MS, err) == 0);
    if (err->code != ERR_NONE && err->code != ERR_INTERRUPTED)
        return -1;
    error_clear(err);
    return verdict;
}

static int
run_status(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    CLUSTER_REPORT_AUTO struct cluster_report *report = NULL;
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0)
        return -1;
    if (cli->given.watch)
        return watch(cli, spec, err);
    if (cluster_status(spec, &report, err) != 0)
        return -1;
    BUF_AUTO struct buf text = {0};
    show_report(report, cli->color, &text);
    json_auto_t *value = show_json(spec, report);
    cli_print_result(cli, text.data, value);
    return report->converged ? 0 : ERR_VERDICT;
}

static const struct cli_option options[] = {
    {"watch", 'w', NULL, "query again every second until Ctrl-C", OPTION_FLAG(watch)},
    {0},
};

const struct cli_command command_status = {
    .name = "status",
    .arguments = "",
    .summary = "show the master, the replicas, the sentinels and the head",
    .details =
        "Queries every node once, for about two seconds at most, and prints one line per node and "
        "the verdict.\n"
        "The exit status is 0 when the cluster has converged, 15 when it has not, 14 when there is "
        "no such cluster. --watch ends with that of the last query.\n",
    .options = options,
    .run = run_status,
};
