// command_freeze.c - `airbuild freeze`: saves the converged cluster as a set that launch thaws.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/workspace.h"
#include "cluster/freeze.h"

static int
run_freeze(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    WORKSPACE_AUTO struct workspace workspace = {0};
    ACCEL_VERDICT_AUTO struct accel_verdict verdict = {0};
    struct freeze_report report = {0};
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0 ||
        workspace_open(spec, NULL, BAKE_LOOK, NULL, &workspace, err) != 0 ||
        workspace_accel(workspace.home, spec, bake_image(workspace.plan, SPEC_REDIS),
            cli_progress(cli), &verdict, err) != 0 ||
        cluster_freeze(spec, verdict.kvm, cli_progress(cli), &report, err) != 0)
        return -1;
    FREE_AUTO char *size = str_bytes(report.bytes);
    FREE_AUTO char *line =
        str_format("frozen: %.12s, %s, in %.1f s; the nodes stood still for %.1f s and run again\n",
            report.key, size, report.seconds, report.stopped_s);
    json_auto_t *value = json_pack("{s:o, s:s, s:o, s:I, s:o, s:o}", "cluster",
        text_to_json(spec->cluster), "key", report.key, "folder", text_to_json(report.folder),
        "bytes", (json_int_t) report.bytes, "seconds", real_to_json(report.seconds),
        "stopped_seconds", real_to_json(report.stopped_s));
    free(report.folder);
    cli_print_result(cli, line, value);
    return 0;
}

const struct cli_command command_freeze = {
    .name = "freeze",
    .arguments = "",
    .summary = "save the converged cluster, for launch to thaw in seconds",
    .details =
        "Saves memory, disk and seed of all nodes at one moment, and the secrets, in the store; "
        "the cluster runs on after some seconds. A launch of a cluster that does not exist thaws "
        "the set that was made from the same spec and images, on the same emulator, libvirt and "
        "accelerator. Whoever can read the set has the cluster's data and passwords.\n",
    .run = run_freeze,
};
