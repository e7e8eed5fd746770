// command_doctor.c - `airbuild doctor`: whether this host can run the cluster, one line per fact.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/interrupt.h"
#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/message.h"
#include "cluster/cluster.h"

#include <unistd.h>

static int
run_doctor(struct cli *cli, struct error *err)
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
    SPEC_AUTO struct spec *spec = NULL;
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0)
        return -1;
    FREE_AUTO char *home = cluster_home();
    TABLE_AUTO struct table table = {0};
    json_auto_t *list = json_array();
    struct doctor doctor = {.spec = spec, .home = home, .table = &table, .list = list};
    // On a terminal only: in a log the facts are enough.
    struct progress *progress = message_live(STDERR_FILENO) ? cli_progress(cli) : NULL;
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        progress_step(progress, "doctor", "%s", checks[i].subject);
        checks[i].run(&doctor);
        if (interrupt_check(err) != 0)
            return -1;
    }
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
