// command_plan.c - `airbuild plan`: shows what images and launch would do. Changes nothing, but
// that a new store gets its empty folders.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/images.h"
#include "cli/table.h"
#include "cli/workspace.h"
#include "cluster/cluster.h"

struct plan_view {
    const struct spec *spec;
    const struct workspace *workspace;
    const struct cluster_plan *plan;
    const char *libvirt; // why it was not reached, or NULL
};

static void
add_images(struct table *table, const struct bake_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct bake_item *item = &plan->items[i];
        bool ready = item->state == BAKE_READY;
        table_row(table);
        table_cell(table, ready ? COLOR_DIM : COLOR_YELLOW, ready ? "keep" : "bake");
        table_cellf(table, COLOR_NONE, "image %s", item->name);
        table_cell(table, COLOR_NONE, ready ? "" : item->why);
    }
}

static void
add_plan_rows(struct table *table, const struct cluster_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct cluster_step *step = &plan->steps[i];
        bool keep = str_equal(step->verb, "keep");
        table_row(table);
        table_cell(table, keep ? COLOR_DIM : COLOR_YELLOW, step->verb);
        table_cell(table, COLOR_NONE, step->object);
        table_cell(table, COLOR_NONE, step->detail);
    }
}

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
print_plan_text(const struct cli *cli, const struct plan_view *view)
{
    BUF_AUTO struct buf text = {0};
    TABLE_AUTO struct table table = {0};
    const struct spec *spec = view->spec;
    FREE_AUTO char *origin = text_clean(TEXT_LINES, spec->origin);
    buf_printf(&text, "cluster %s (%s): %zu nodes on %s, %s, base %s, accel %s\n", spec->cluster,
        origin, spec->node_count, spec->network.subnet, spec->uri, view->workspace->plan->base,
        spec_accel_name(spec->accel));
    if (view->workspace->plan->chosen != NULL)
        buf_printf(&text, "%s\n", view->workspace->plan->chosen);
    buf_add(&text, "\n");
    add_images(&table, view->workspace->plan);
    add_plan_rows(&table, view->plan);
    table_print(&table, 0, cli->color, &text);
    add_list(&text, cli->color, "missing:", &view->plan->notes);
    if (view->plan->empty)
        buf_add(&text, "\nno disk of a worker is left: the cluster begins empty, and launch needs "
                       "--yes\n");
    add_list(
        &text, cli->color, "launch refuses, as these names are in use:", &view->plan->conflicts);
    add_list(&text, cli->color, "launch refuses, as data could be lost:", &view->plan->faults);
    add_list(&text, cli->color,
        "launch refuses, as the launched cluster differs from the spec:", &view->plan->differences);
    if (view->libvirt != NULL) {
        FREE_AUTO char *why = text_clean(TEXT_LINES, view->libvirt);
        buf_printf(&text, "\nlibvirt was not queried: %s\n", why);
    }
    cli_print(text.data);
}

static void
push_step(json_t *steps, const char *verb, const char *object, const char *detail)
{
    json_t *step = json_object();
    json_object_set_new(step, "verb", text_to_json(verb));
    json_object_set_new(step, "object", text_to_json(object));
    json_object_set_new(step, "detail", text_to_json(detail));
    json_array_append_new(steps, step);
}

static void
print_plan_json(const struct plan_view *view)
{
    json_t *nodes = json_array();
    for (size_t i = 0; i < view->spec->node_count; i++)
        json_array_append_new(nodes, text_to_json(view->spec->nodes[i].name));
    json_t *steps = json_array();
    for (size_t i = 0; i < view->workspace->plan->count; i++) {
        const struct bake_item *item = &view->workspace->plan->items[i];
        FREE_AUTO char *object = str_format("image %s", item->name);
        push_step(steps, item->state == BAKE_READY ? "keep" : "bake", object,
            item->why != NULL ? item->why : "");
    }
    for (size_t i = 0; i < view->plan->count; i++)
        push_step(steps, view->plan->steps[i].verb, view->plan->steps[i].object,
            view->plan->steps[i].detail);
    json_auto_t *value = json_object();
    json_object_set_new(value, "cluster", text_to_json(view->spec->cluster));
    json_object_set_new(value, "spec", text_to_json(view->spec->origin));
    json_object_set_new(value, "base", text_to_json(view->workspace->plan->base));
    json_object_set_new(value, "chosen", text_to_json(view->workspace->plan->chosen));
    json_object_set_new(value, "nodes", nodes);
    json_object_set_new(value, "steps", steps);
    json_object_set_new(value, "missing", cli_list_json(&view->plan->notes));
    json_object_set_new(value, "begins_empty", json_boolean(view->plan->empty));
    json_object_set_new(value, "conflicts", cli_list_json(&view->plan->conflicts));
    json_object_set_new(value, "faults", cli_list_json(&view->plan->faults));
    json_object_set_new(value, "differences", cli_list_json(&view->plan->differences));
    json_object_set_new(value, "libvirt_error", text_to_json(view->libvirt));
    cli_print_json(value);
}

// Proves the accelerator, which may take seconds, only when there are domains to compare with.
static int
plan_launch(const struct spec *spec, const struct workspace *workspace, struct cluster_plan **ret,
    char **ret_libvirt, struct error *err)
{
    ACCEL_VERDICT_AUTO struct accel_verdict verdict = {0};
    struct launch_options launch = {
        .spec = spec,
        .haproxy = bake_image(workspace->plan, SPEC_HAPROXY),
        .redis = bake_image(workspace->plan, SPEC_REDIS),
    };
    const char *kernel = launch.redis != NULL ? launch.redis->kernel : NULL;
    if (cluster_exists(spec) &&
        workspace_accel(workspace->home, spec, kernel, NULL, &verdict, err) != 0)
        return -1;
    launch.kvm = verdict.kvm;
    return cluster_plan_make(&launch, ret, ret_libvirt, err);
}

static int
run_plan(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    WORKSPACE_AUTO struct workspace workspace = {0};
    CLUSTER_PLAN_AUTO struct cluster_plan *plan = NULL;
    FREE_AUTO char *libvirt = NULL;
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0 ||
        workspace_open(spec, NULL, BAKE_LOOK, NULL, &workspace, err) != 0 ||
        plan_launch(spec, &workspace, &plan, &libvirt, err) != 0)
        return -1;
    struct plan_view view = {spec, &workspace, plan, libvirt};
    if (cli->globals.json)
        print_plan_json(&view);
    else
        print_plan_text(cli, &view);
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
               "the spec; 10 when a disk is damaged.\n",
    .run = run_plan,
};
