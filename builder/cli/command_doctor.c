// command_doctor.c - `airbuild doctor`: whether this host can run the cluster, one line per fact.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/message.h"
#include "cli/table.h"
#include "cluster/cluster.h"

#include <unistd.h>

static int
run_checks(struct doctor *doctor, struct progress *progress, struct error *err)
{
    static const struct {
        const char *subject;
        int (*run)(struct doctor *doctor, struct error *err);
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
        if (checks[i].run(doctor, err) != 0)
            return -1;
    }
    return 0;
}

static void
print_facts(const struct cli *cli, const struct doctor *doctor)
{
    static const enum message_color colors[] = {
        [DOCTOR_PASS] = COLOR_GREEN, [DOCTOR_WARN] = COLOR_YELLOW, [DOCTOR_FAIL] = COLOR_RED};
    TABLE_AUTO struct table table = {0};
    BUF_AUTO struct buf text = {0};
    json_auto_t *list = json_array();
    for (size_t i = 0; i < doctor->count; i++) {
        const struct doctor_fact *fact = &doctor->facts[i];
        const char *result = doctor_result_name(fact->result);
        table_row(&table);
        table_cell(&table, colors[fact->result], result);
        table_cell(&table, COLOR_NONE, fact->name);
        if (fact->fix == NULL)
            table_cell(&table, COLOR_NONE, fact->detail);
        else
            table_cellf(&table, COLOR_NONE, "%s; fix: %s", fact->detail, fact->fix);
        // "mend" is the key of the first release.
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:o, s:o}", "name", fact->name, "result", result, "detail",
                      text_to_json(fact->detail), "mend", text_to_json(fact->fix)));
    }
    table_print(&table, 0, cli->color, &text);
    cli_print_result(cli, text.data, list);
}

static int
run_doctor(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0)
        return -1;
    FREE_AUTO char *home = cluster_home();
    DOCTOR_AUTO struct doctor doctor = {.spec = spec, .home = home};
    // On a terminal only: in a log the facts are enough.
    if (run_checks(&doctor, message_live(STDERR_FILENO) ? cli_progress(cli) : NULL, err) != 0)
        return -1;
    print_facts(cli, &doctor);
    for (size_t i = 0; i < doctor.count; i++)
        if (doctor.facts[i].result == DOCTOR_FAIL)
            return ERR_VERDICT;
    return 0;
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
