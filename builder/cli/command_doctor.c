// command_doctor.c - `airbuild doctor`: whether this host can run the cluster, one line per fact.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/message.h"
#include "cluster/cluster.h"

#include <unistd.h>

void
doctor_add(struct doctor *doctor, const char *name, enum doctor_result result, const char *fix,
    const char *format, ...)
{
    static const struct {
        const char *name;
        enum message_color color;
    } results[] = {
        [DOCTOR_PASS] = {"PASS", COLOR_GREEN},
        [DOCTOR_WARN] = {"WARN", COLOR_YELLOW},
        [DOCTOR_FAIL] = {"FAIL", COLOR_RED},
    };
    va_list args;
    va_start(args, format);
    FREE_AUTO char *detail = str_formatv(format, args);
    va_end(args);
    doctor->failed |= result == DOCTOR_FAIL;
    table_row(doctor->table);
    table_cell(doctor->table, results[result].color, results[result].name);
    table_cell(doctor->table, COLOR_NONE, name);
    table_cellf(doctor->table, COLOR_NONE, "%s%s%s", detail, fix != NULL ? "; fix: " : "",
        fix != NULL ? fix : "");
    // "mend" is the key of the first release.
    json_array_append_new(doctor->list,
        json_pack("{s:s, s:s, s:o, s:o}", "name", name, "result", results[result].name, "detail",
            text_to_json(detail), "mend", text_to_json(fix)));
}

static int
run_checks(struct doctor *doctor, struct progress *progress, struct error *err)
{
    static const struct {
        const char *subject;
        void (*run)(struct doctor *doctor);
    } checks[] = {
        {"the processor, and KVM by booting a kernel", doctor_check_processor},
        {"libvirt", doctor_check_libvirt},
        {"images", doctor_check_images},
        {"programs", doctor_check_programs},
        {"memory, disk and clock", doctor_check_resources},
        {"the network", doctor_check_network},
    };
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        progress_step(progress, "doctor", "%s", checks[i].subject);
        checks[i].run(doctor);
        if (interrupt_check(err) != 0)
            return -1;
    }
    return 0;
}

static int
run_doctor(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0)
        return -1;
    FREE_AUTO char *home = cluster_home();
    TABLE_AUTO struct table table = {0};
    json_auto_t *list = json_array();
    struct doctor doctor = {.spec = spec, .home = home, .table = &table, .list = list};
    // On a terminal only: in a log the facts are enough.
    if (run_checks(&doctor, message_live(STDERR_FILENO) ? cli_progress(cli) : NULL, err) != 0)
        return -1;
    BUF_AUTO struct buf text = {0};
    table_print(&table, 0, cli->color, &text);
    cli_print_result(cli, text.data, list);
    return doctor.failed ? ERR_VERDICT : 0;
}

const struct cli_command command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "check this host, one line per fact, with fixes",
    .details =
        "Checks processor, KVM (by booting a kernel under it), libvirt, images, programs, memory, "
        "disk, clock, subnet, bridge, firewall, DNS and names, and prints PASS, WARN or FAIL for "
        "each, with a fix. It changes nothing; the result for KVM is remembered for this boot of "
        "the host.\n"
        "The exit status is 15 when a fact is FAIL.\n",
    .run = run_doctor,
};
