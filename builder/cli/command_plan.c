// command_plan.c - `airbuild plan`: shows what images and launch would do. Changes nothing, but
// that a new store gets its empty folders.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/workspace.h"
#include "cluster/cluster.h"

static void
add_list(struct buf *text, bool color, const char *heading, const struct strv *list)
{
    if (list->count == 0)
        return;
    buf_add(text, "\n");
    message_paint(text, color, COLOR_RED, heading);
    buf_add(text, "\n");
    for (size_t i = 0; i < list->count; i++) {
        FREE_AUTO char *line = text_clean(TEXT_LINES, list->items[i]);
        buf_printf(text, "  %s\n", line);
    }
}

static void
add_plan_step(
    struct table *table, json_t *steps, const char *verb, const char *object, const char *detail)
{
    table_row(table);
    table_cell(table, str_equal(verb, "keep") ? COLOR_DIM : COLOR_YELLOW, verb);
    table_cell(table, COLOR_NONE, object);
    table_cell(table, COLOR_NONE, detail);
    json_array_append_new(steps, json_pack("{s:s, s:o, s:o}", "verb", verb, "object",
                                     text_to_json(object), "detail", text_to_json(detail)));
}

// Adds the images, then the plan's own steps, to table, and returns them as a list.
static json_t *
add_steps(const struct bake_plan *bake, const struct cluster_plan *plan, struct table *table)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < bake->count; i++) {
        const struct bake_item *item = &bake->items[i];
        FREE_AUTO char *object = str_format("image %s", item->name);
        add_plan_step(table, steps, item->state == BAKE_READY ? "keep" : "bake", object,
            item->why != NULL ? item->why : "");
    }
    for (size_t i = 0; i < plan->count; i++)
        add_plan_step(
            table, steps, plan->steps[i].verb, plan->steps[i].object, plan->steps[i].detail);
    return steps;
}

// libvirt: why it was not reached, or NULL.
static void
print_plan(const struct cli *cli, const struct spec *spec, const struct bake_plan *bake,
    const struct cluster_plan *plan, const char *libvirt)
{
    BUF_AUTO struct buf text = {0};
    TABLE_AUTO struct table table = {0};
    json_t *steps = add_steps(bake, plan, &table);
    FREE_AUTO char *origin = text_clean(TEXT_LINES, spec->origin);
    buf_printf(&text, "cluster %s (%s): %zu nodes on %s, %s, base %s, accel %s\n", spec->cluster,
        origin, spec->node_count, spec->network.subnet, spec->uri, bake->base,
        spec_accels[spec->accel]);
    if (bake->chosen != NULL)
        buf_printf(&text, "%s\n", bake->chosen);
    buf_add(&text, "\n");
    table_print(&table, 0, cli->color, &text);
    add_list(&text, cli->color, "missing:", &plan->notes);
    if (plan->empty)
        buf_add(&text, "\nno disk of a worker is left: the cluster begins empty, and launch needs "
                       "--yes\n");
    add_list(&text, cli->color, "launch refuses, as these names are in use:", &plan->conflicts);
    add_list(&text, cli->color, "launch refuses:", &plan->faults);
    add_list(&text, cli->color,
        "launch refuses, as the launched cluster differs from the spec:", &plan->differences);
    if (libvirt != NULL) {
        FREE_AUTO char *why = text_clean(TEXT_LINES, libvirt);
        buf_printf(&text, "\nlibvirt was not queried: %s\n", why);
    }
    STRV_AUTO struct strv nodes = {0};
    for (size_t i = 0; i < spec->node_count; i++)
        strv_add(&nodes, spec->nodes[i].name);
    json_auto_t *value = json_object();
    json_object_set_new(value, "cluster", text_to_json(spec->cluster));
    json_object_set_new(value, "spec", text_to_json(spec->origin));
    json_object_set_new(value, "base", text_to_json(bake->base));
    json_object_set_new(value, "chosen", text_to_json(bake->chosen));
    json_object_set_new(value, "nodes", cli_list_json(&nodes));
    json_object_set_new(value, "steps", steps);
    json_object_set_new(value, "missing", cli_list_json(&plan->notes));
    json_object_set_new(value, "begins_empty", json_boolean(plan->empty));
    json_object_set_new(value, "conflicts", cli_list_json(&plan->conflicts));
    json_object_set_new(value, "faults", cli_list_json(&plan->faults));
    json_object_set_new(value, "differences", cli_list_json(&plan->differences));
    json_object_set_new(value, "libvirt_error", text_to_json(libvirt));
    cli_print_result(cli, text.data, value);
}

static int
run_plan(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    WORKSPACE_AUTO struct workspace workspace = {0};
    CLUSTER_PLAN_AUTO struct cluster_plan *plan = NULL;
    ACCEL_VERDICT_AUTO struct accel_verdict verdict = {0};
    FREE_AUTO char *libvirt = NULL;
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0 ||
        workspace_open(spec, NULL, BAKE_LOOK, NULL, &workspace, err) != 0)
        return -1;
    struct launch_options launch = {
        .spec = spec,
        .haproxy = bake_image(workspace.plan, SPEC_HAPROXY),
        .redis = bake_image(workspace.plan, SPEC_REDIS),
    };
    // Proves the accelerator, which may take seconds, only when there are domains to compare with.
    if (cluster_exists(spec) &&
        workspace_accel(workspace.home, spec, launch.redis, NULL, &verdict, err) != 0)
        return -1;
    launch.kvm = verdict.kvm;
    if (cluster_plan_make(&launch, &plan, &libvirt, err) != 0)
        return -1;
    print_plan(cli, spec, workspace.plan, plan, libvirt);
    return (int) plan->refusal;
}

const struct cli_command command_plan = {
    .name = "plan",
    .arguments = "",
    .summary = "what images and launch would do; changes nothing",
    .details = "Prints what would be baked, made, defined and started, what is kept, and which "
               "disks are missing. Works without libvirt too, and reports that.\n"
               "The exit status is 9 when launch would refuse: a name is in use by something that "
               "is not this cluster's, a disk was replaced, or the launched cluster differs from "
               "the spec; 10 when a disk is damaged; 7 when the nodes need more memory than the "
               "host has free.\n",
    .run = run_plan,
};
