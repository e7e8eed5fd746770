// command_drill.c - `airbuild drill`: runs drills and prints their results. The drills themselves
// and their documents are in drill/.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "cli/commands.h"
#include "cli/drill_table.h"
#include "cli/table.h"
#include "cli/workspace.h"
#include "drill/drill.h"

#include <string.h>

#define REPEAT_MAX 1000

struct drills { // those to run, and the results so far
    struct cli *cli;
    struct spec *spec;
    const struct drill_info **infos;
    size_t info_count;
    const struct drill_info *fresh; // the first that begins with new disks, or NULL
    struct drill_result *results;   // report's
    struct drill_report report;
    bool kvm;
};

static void
drills_close(struct drills *drills)
{
    for (size_t i = 0; i < drills->report.count; i++)
        drill_result_free(&drills->results[i]);
    free(drills->results);
    free(drills->infos);
    spec_free(drills->spec);
}

// ---- choice ---------------------------------------------------------------------------------------

// Chooses the named drills, in that order; else those that keep the data, or all.
static int
choose_drills(struct drills *drills, struct error *err)
{
    const struct strv *names = &drills->cli->operands;
    STRV_AUTO struct strv known = {0};
    for (size_t i = 0; drill_at(i) != NULL; i++)
        strv_add(&known, drill_at(i)->name);
    drills->infos = mem_zero(names->count + known.count, sizeof(const struct drill_info *));
    for (size_t i = 0; i < names->count; i++) {
        const struct drill_info *info = drill_find(names->items[i]);
        FREE_AUTO char *hint = cli_suggest(names->items[i], (const char *const *) known.items);
        if (info == NULL)
            return error_set(err, ERR_NOT_FOUND,
                "there is no drill '%s'%s; 'airbuild drill --list' lists them", names->items[i],
                hint);
        drills->infos[drills->info_count++] = info;
    }
    for (size_t i = 0; names->count == 0 && i < known.count; i++)
        if (drills->cli->given.all || drills->cli->given.list || !drill_at(i)->new_data)
            drills->infos[drills->info_count++] = drill_at(i);
    for (size_t i = 0; drills->fresh == NULL && i < drills->info_count; i++)
        if (drills->infos[i]->new_data)
            drills->fresh = drills->infos[i];
    return 0;
}

static void
print_drill_list(const struct drills *drills)
{
    TABLE_AUTO struct table table = {0};
    BUF_AUTO struct buf text = {0};
    json_auto_t *list = json_array();
    for (size_t i = 0; i < drills->info_count; i++) {
        const struct drill_info *info = drills->infos[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:b}", "drill", info->name, "what", info->what,
                      "limit", info->limit, "new_data", info->new_data));
        table_row(&table);
        table_cell(&table, COLOR_BOLD, info->name);
        table_cellf(
            &table, COLOR_NONE, "%s%s", info->what, info->new_data ? " (all data is lost)" : "");
        table_row(&table);
        table_cell(&table, COLOR_NONE, "");
        table_cell(&table, COLOR_DIM, info->limit);
    }
    table_print(&table, 0, drills->cli->color, &text);
    cli_print_result(drills->cli, text.data, list);
}

// ---- preparation ----------------------------------------------------------------------------------

static int
agree_to_drills(const struct drills *drills, struct error *err)
{
    if (drills->fresh == NULL)
        return 0;
    FREE_AUTO char *question =
        str_format("Drill '%s' begins with new disks: all data in cluster '%s' is lost. Continue?",
            drills->fresh->name, drills->spec->cluster);
    FREE_AUTO char *refusal =
        str_format("drill '%s' begins with new disks and needs --yes without a terminal; see "
                   "'airbuild drill --help'",
            drills->fresh->name);
    return cli_agree(drills->cli, question, refusal, "broken", err);
}

// Only new nodes need an accelerator.
static int
find_accel(struct drills *drills, struct error *err)
{
    WORKSPACE_AUTO struct workspace workspace = {0};
    ACCEL_VERDICT_AUTO struct accel_verdict verdict = {0};
    if (drills->fresh == NULL)
        return 0;
    if (workspace_open(drills->spec, NULL, BAKE_LOOK, NULL, &workspace, err) != 0)
        return -1;
    const struct image *redis = bake_image(workspace.plan, SPEC_REDIS);
    if (workspace_accel(
            workspace.home, drills->spec, redis, cli_progress(drills->cli), &verdict, err) != 0)
        return -1;
    drills->kvm = verdict.kvm;
    return 0;
}

// ---- the run --------------------------------------------------------------------------------------

// Runs a drill and writes the files with all results so far, so that an interruption loses none.
static int
run_one(struct drills *drills, const struct drill_info *info, struct error *err)
{
    const struct cli_given *given = &drills->cli->given;
    struct progress *progress = cli_progress(drills->cli);
    struct drill_run run = {
        .spec = drills->spec, .info = info, .kvm = drills->kvm, .progress = progress};
    struct drill_result result;
    if (drill_execute(&run, &result, err) != 0) {
        // The cause of the first one's error is likely to stop all others too.
        if (err->code == ERR_INTERRUPTED || drills->report.count == 0)
            return -1;
        result.info = info;
        result.converged_s = result.promoted_s = -1;
        result.verdict = str_format("the drill failed to run: %s", err->message);
        error_clear(err);
    }
    progress_done(progress, info->name, "%s: %llu of %llu writes lost, no writes for %.2f s",
        drill_result_word(&result), result.lost, result.acked, result.write_outage_s);
    drills->results[drills->report.count++] = result;
    FREE_AUTO char *html = NULL;
    FREE_AUTO char *junit = drill_report_junit(&drills->report, given->strict);
    if (given->html != NULL && (drill_report_page(&drills->report, &html, err) != 0 ||
                                   file_write(given->html, 0644, html, strlen(html), err) != 0))
        return -1;
    if (given->junit != NULL && file_write(given->junit, 0644, junit, strlen(junit), err) != 0)
        return -1;
    return 0;
}

static int
run_drill(struct cli *cli, struct error *err)
{
    CLEANUP(drills_close) struct drills drills = {.cli = cli};
    FREE_AUTO char *stamp = clock_stamp();
    unsigned long long repeat = 1;
    if (cli->given.all && cli->operands.count > 0)
        return cli_usage(cli, err, "'--all' and names of drills exclude each other");
    if (choose_drills(&drills, err) != 0)
        return -1;
    if (cli->given.repeat != NULL &&
        (!str_to_u64(cli->given.repeat, REPEAT_MAX, &repeat) || repeat == 0))
        return cli_usage(cli, err, "'--repeat' is a number from 1 to %d, not '%s'", REPEAT_MAX,
            cli->given.repeat);
    if (cli->given.list) {
        print_drill_list(&drills);
        return 0;
    }
    // Until interrupt_install Ctrl-C, at the question, ends the program.
    if (cli_spec(cli, &drills.spec, err) != 0 || cli_launched(drills.spec, err) != 0 ||
        agree_to_drills(&drills, err) != 0 || interrupt_install(err) != 0)
        return -1;
    drills.results = mem_zero(repeat * drills.info_count, sizeof *drills.results);
    drills.report = (struct drill_report){drills.spec->cluster, stamp, drills.results, 0};
    int status = find_accel(&drills, err);
    for (size_t i = 0; status == 0 && i < repeat * drills.info_count; i++)
        status = run_one(&drills, drills.infos[i % drills.info_count], err);
    // With --json an error is the one document that is printed.
    if (drills.report.count > 0 && (status == 0 || !cli->given.json)) {
        json_auto_t *list = drill_report_json(&drills.report);
        BUF_AUTO struct buf text = {0};
        drill_table(&drills.report, cli->color, &text);
        cli_print_result(cli, text.data, list);
    }
    for (size_t i = 0; status == 0 && i < drills.report.count; i++)
        if (drill_result_failed(&drills.results[i], cli->given.strict))
            status = ERR_VERDICT;
    return status;
}

static const struct cli_option options[] = {
    {"all", 0, NULL, "also those that begin with new disks", OPTION_FLAG(all)},
    {"list", 0, NULL, "list the drills, and break nothing", OPTION_FLAG(list)},
    {"repeat", 0, "COUNT", "run them COUNT times", OPTION_TEXT(repeat)},
    {"strict", 0, NULL, "count SLOW as a failure", OPTION_FLAG(strict)},
    {"html", 0, "FILE", "write a page with a timeline of each drill", OPTION_TEXT(html)},
    {"junit", 0, "FILE", "write the results as JUnit XML", OPTION_TEXT(junit)},
    {"yes", 'y', NULL, "do not ask", OPTION_FLAG(yes)},
    {0},
};

const struct cli_command command_drill = {
    .name = "drill",
    .arguments = "[NAME...]",
    .summary = "break the cluster on purpose, and measure how it survives",
    .details =
        "A drill pulls the power, presses the power button, cuts the network, kills a process, "
        "pauses a machine or keeps the host's processors busy, while one client writes and another "
        "reads through the head. The nodes recover by themselves. The results are how long no "
        "write and no read was answered, how many acknowledged writes were lost, whether two "
        "masters took writes at the same time, and how long it took to converge again.\n"
        "Without a name it runs all drills that keep the data. A drill that begins with new disks "
        "asks first; without a terminal it needs --yes.\n"
        "PASS: all limits are met. SLOW: a time limit was missed, which depends on the host. FAIL: "
        "acknowledged writes were lost, two masters took writes, a healthy master was replaced, or "
        "the cluster did not converge again; the exit status is then 15.\n",
    .options = options,
    .operand = CLI_DRILL,
    .operands_max = SIZE_MAX,
    .run = run_drill,
};
