// command_launch.c - `airbuild launch`: boots the cluster, waits until it has converged, prints the
// recap. `airbuild reset` puts it back to its frozen set and does the same.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/hosts.h"
#include "cli/images.h"
#include "cli/message.h"
#include "cli/profile_show.h"
#include "cli/show.h"
#include "cli/workspace.h"
#include "cluster/cluster.h"
#include "probe/probe.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMEOUT_MAX_S 86400

// Checks --timeout and the options of the profile before anything is changed.
static int
check_launch_options(const struct cli *cli, unsigned long long *ret_seconds, struct error *err)
{
    const struct cli_given *given = &cli->given;
    if (given->timeout != NULL &&
        (!str_to_u64(given->timeout, TIMEOUT_MAX_S, ret_seconds) || *ret_seconds == 0))
        return cli_usage(cli, err, "'--timeout' is a number of seconds from 1 to %d, not '%s'",
            TIMEOUT_MAX_S, given->timeout);
    if (!given->profile && given->html == NULL)
        return 0;
    if (given->no_wait)
        return cli_usage(cli, err,
            "'--no-wait' excludes '%s', which waits until the nodes have booted",
            given->profile ? "--profile" : "--html");
    if (given->html == NULL)
        return 0;
    FREE_AUTO char *folder = path_folder(given->html);
    struct stat info;
    int number = access(folder, W_OK | X_OK) < 0 ? errno : 0;
    if (stat(given->html, &info) == 0 && S_ISDIR(info.st_mode))
        number = EISDIR;
    if (number != 0)
        return error_errno(err, number, "cannot write the page '%s'", given->html);
    return 0;
}

// Adds the profile to the recap, and writes its page.
static int
add_profile(const struct cli *cli, const struct spec *spec, const struct cluster_report *report,
    struct buf *text, json_t *value, struct error *err)
{
    FREE_AUTO char *page = NULL, *stamp = clock_stamp();
    const struct profile *profile = report->profile;
    if (profile == NULL)
        return 0;
    buf_add(text, "\n");
    profile_text(profile, cli->color, text);
    json_object_set_new(value, "profile", profile_json(profile));
    if (cli->given.html == NULL)
        return 0;
    if (profile->count == 0) {
        FREE_AUTO char *file = text_clean(TEXT_WORD, cli->given.html);
        buf_printf(text, "'%s' was not written\n", file);
        return 0;
    }
    if (profile_page(profile, spec->cluster, stamp, report->tcg, &page, err) < 0)
        return -1;
    return file_write(cli->given.html, 0644, page, strlen(page), err);
}

// Fails when a disk has to be made and an image for it is missing. Recipes may have changed since
// the launch: only new disks need their images.
static int
check_images(const struct spec *spec, const struct bake_plan *plan, struct error *err)
{
    bool whole = cluster_exists(spec);
    for (size_t i = 0; whole && i < spec->node_count; i++) {
        FREE_AUTO char *disk = cluster_node_path(spec, spec->nodes[i].name, "disk.qcow2");
        whole = file_exists(disk);
    }
    if (whole || (bake_image(plan, SPEC_HAPROXY) != NULL && bake_image(plan, SPEC_REDIS) != NULL))
        return 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct bake_item *item = &plan->items[i];
        if (item->state != BAKE_READY)
            return error_set(err, item->state == BAKE_DAMAGED ? ERR_DAMAGED : ERR_NOT_FOUND,
                "image '%s' is %s; run 'airbuild images' first", item->name,
                bake_state_name(item->state));
    }
    return error_set(err, ERR_NOT_FOUND, "the images are missing; run 'airbuild images' first");
}

// All data is lost: only --yes or a person at the terminal may agree to begin empty.
static int
agree_to_launch(void *context, const char *sentence, struct error *err)
{
    FREE_AUTO char *question = str_format("%s.\nLaunch it empty?", sentence);
    FREE_AUTO char *refusal =
        str_format("%s; without a terminal '--yes' is needed to agree", sentence);
    return cli_agree(context, question, refusal, "launched", err);
}

static void
add_recap(const struct cli *cli, const struct spec *spec, const struct cluster_report *report,
    struct buf *text)
{
    BUF_AUTO struct buf airbuild = {0}; // its name and the spec's option
    const struct spec_node *head = spec_head(spec);
    bool known = hosts_know(head->name, head->address);
    const char *name = known ? head->name : head->address;
    buf_add(&airbuild, "airbuild");
    if (cli->given.spec != NULL) {
        FREE_AUTO char *path = text_clean(TEXT_LINES, cli->given.spec);
        buf_add(&airbuild, " -f ");
        message_quote(&airbuild, path);
    }
    show_report(report, cli->color, text);
    if (report->unchanged)
        buf_add(text, "nothing to do\n");
    else
        buf_printf(text, "after %.1f s%s\n", report->seconds,
            report->tcg ? ", without KVM: the nodes are emulated" : "");
    buf_add(text, "\n");
    if (spec->redis.auth)
        buf_printf(text, "  eval \"$(%s env)\"    # the password, for redis-cli\n", airbuild.data);
    buf_printf(text, "  redis-cli -h %s -p %d set hello1 world1\n", name, PROBE_WRITE_PORT);
    buf_printf(text, "  redis-cli -h %s -p %d get hello1\n", name, PROBE_READ_PORT);
    buf_printf(text, "  %s ssh %s\n", airbuild.data, spec_first_master(spec)->name);
    if (!known)
        buf_printf(
            text, "  %s env --hosts    # lines for /etc/hosts, to use names\n", airbuild.data);
}

// Asks before a reset, unless --yes is given.
static int
agree_to_reset(const struct cli *cli, const struct spec *spec, struct error *err)
{
    FREE_AUTO char *question = str_format("This resets cluster '%s' to its frozen set: all data "
                                          "since the freeze is lost.\nReset it?",
        spec->cluster);
    FREE_AUTO char *refusal =
        str_format("resetting cluster '%s' needs --yes without a terminal", spec->cluster);
    return cli_agree(cli, question, refusal, "reset", err);
}

// Runs `launch` and `reset`, which differ in the function that starts the nodes.
static int
run_launch(struct cli *cli, struct error *err)
{
    bool reset = cli->command == &command_reset;
    SPEC_AUTO struct spec *spec = NULL;
    CLUSTER_REPORT_AUTO struct cluster_report *report = NULL;
    WORKSPACE_AUTO struct workspace workspace = {0};
    ACCEL_VERDICT_AUTO struct accel_verdict verdict = {0};
    BUF_AUTO struct buf text = {0};
    unsigned long long seconds = 0;
    if (cli_spec(cli, &spec, err) != 0 || (reset && agree_to_reset(cli, spec, err) != 0) ||
        interrupt_install(err) != 0)
        return -1;
    if (check_launch_options(cli, &seconds, err) != 0 ||
        workspace_open(spec, NULL, BAKE_LOOK, NULL, &workspace, err) != 0 ||
        check_images(spec, workspace.plan, err) != 0)
        return -1;
    const struct image *redis = bake_image(workspace.plan, SPEC_REDIS);
    if (workspace_accel(workspace.home, spec, redis, cli_progress(cli), &verdict, err) != 0)
        return -1;
    struct launch_options launch = {
        .spec = spec,
        .haproxy = bake_image(workspace.plan, SPEC_HAPROXY),
        .redis = redis,
        .kvm = verdict.kvm,
        .accel_why = verdict.why,
        .cold = cli->given.cold,
        .new_secrets = cli->given.new_secrets,
        .no_wait = cli->given.no_wait,
        .profile = cli->given.profile || cli->given.html != NULL,
        .timeout_ms = (int64_t) seconds * 1000,
        .agree = agree_to_launch,
        .context = cli,
        .progress = cli->progress,
    };
    if ((reset ? cluster_reset : cluster_launch)(&launch, &report, err) != 0)
        return -1;
    add_recap(cli, spec, report, &text);
    json_auto_t *value = show_json(spec, report);
    json_object_set_new(value, "accel", json_string(report->tcg ? "tcg" : "kvm"));
    json_object_set_new(value, "seconds", real_to_json(report->seconds));
    json_object_set_new(value, "unchanged", json_boolean(report->unchanged));
    json_object_set_new(value, "warnings", cli_list_json(&workspace.plan->warnings));
    int result = add_profile(cli, spec, report, &text, value, err);
    if (result == 0 || !cli->given.json) // with --json an error is the one document
        cli_print_result(cli, text.data, value);
    images_warn(&workspace.plan->warnings);
    return result;
}

static const struct cli_option options[] = {
    {"cold", 0, NULL, "boot the nodes even if a frozen set matches", OPTION_FLAG(cold)},
    {"new-secrets", 0, NULL, "a thawed cluster gets passwords and SSH keys of its own",
        OPTION_FLAG(new_secrets)},
    {"profile", 0, NULL, "print what the nodes that boot spent their time on",
        OPTION_FLAG(profile)},
    {"html", 0, "FILE", "write the profile as a page, too", OPTION_TEXT(html)},
    {"no-wait", 0, NULL, "return when the machines run, before they converge",
        OPTION_FLAG(no_wait)},
    {"timeout", 0, "SECONDS", "how long to wait (default: 2 minutes, 10 without KVM)",
        OPTION_TEXT(timeout)},
    {"yes", 'y', NULL, "begin empty when the disks of all workers are lost, without asking",
        OPTION_FLAG(yes)},
    {0},
};

const struct cli_command command_launch = {
    .name = "launch",
    .arguments = "",
    .summary = "boot the cluster, wait until it has converged, print the recap",
    .details =
        "Makes what is missing, starts what is off, and waits until the sentinels agree on a "
        "master, every replica follows it, and a value written through the head is read "
        "back. Run again, it changes nothing; after Ctrl-C the next launch continues.\n"
        "It refuses, with exit status 7, 9 or 10 and before anything is changed, when a name is in "
        "use by something that is not this cluster's, when a disk is damaged or was replaced, "
        "when the launched cluster differs from the spec, or when the nodes need more memory than "
        "the host has free; 'airbuild plan' lists the reasons. A "
        "missing disk of a worker is made empty and copies its data from the others. When no "
        "worker's disk is left the cluster begins empty, and launch asks first; without a terminal "
        "it needs --yes. When the wait fails, launch reports where a node is stuck, with the last "
        "lines of its console.\n"
        "With --profile or --html the nodes that booted are asked, once the cluster has converged, "
        "what they spent their time on. Nodes that ran already or were thawed are not.\n",
    .options = options,
    .run = run_launch,
};

static const struct cli_option reset_options[] = {
    {"new-secrets", 0, NULL, "the cluster gets other passwords and SSH keys than the set has",
        OPTION_FLAG(new_secrets)},
    {"timeout", 0, "SECONDS", "how long to wait (default: 2 minutes, 10 without KVM)",
        OPTION_TEXT(timeout)},
    {"yes", 'y', NULL, "do not ask", OPTION_FLAG(yes)},
    {0},
};

const struct cli_command command_reset = {
    .name = "reset",
    .arguments = "",
    .summary = "put the cluster back to its frozen set, in seconds",
    .details =
        "Replaces the cluster by the frozen set that a first launch would thaw, whatever state its "
        "nodes are in; all data since the freeze is lost. It asks first; without a terminal it "
        "needs --yes. Without a set that matches it changes nothing; 'airbuild freeze' makes "
        "one.\n",
    .options = reset_options,
    .run = run_launch,
};
