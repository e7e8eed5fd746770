// command_images.c - `airbuild images`: bake whatever the spec needs and the store has not.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/images.h"
#include "cli/needs.h"
#include "cli/table.h"
#include "cluster/cluster.h"

#define KEY_SHOWN 12 // digits of a key that people are shown

static bool
in_plan(const struct bake_plan *plan, const char *key)
{
    for (size_t i = 0; i < plan->count; i++)
        if (str_equal(plan->items[i].key, key))
            return true;
    return false;
}

// An image cannot be baked again below something that lies over it.
static int
check_free(const struct needs *needs, const struct strv *in_use, struct error *err)
{
    IMAGE_LIST_AUTO struct image_list list = {0};
    STRV_AUTO struct strv damaged = {0};
    if (store_list(needs->store, &list, &damaged, err) != 0)
        return -1;
    for (size_t i = 0; i < needs->plan->count; i++)
        if (strv_has(in_use, needs->plan->items[i].key))
            return error_set(err, ERR_CONFLICT,
                "image '%s' cannot be baked again while disks of a cluster lie over it; run "
                "'airbuild destroy' first",
                needs->plan->items[i].name);
    for (size_t i = 0; i < list.count; i++) {
        const struct image *image = list.items[i];
        if (image->backing != NULL && in_plan(needs->plan, image->backing) &&
            !in_plan(needs->plan, image->key))
            return error_set(err, ERR_CONFLICT,
                "the base cannot be baked again while image '%s' (%.*s) lies over it; 'airbuild "
                "images prune' removes what no cluster needs",
                image->name, KEY_SHOWN, image->key);
    }
    return 0;
}

static enum bake_ask
how_to_ask(const struct images_values *values)
{
    return values->offline ? BAKE_ASK_NEVER : values->refresh ? BAKE_ASK_AGAIN : BAKE_ASK_NEW;
}

// Remove what the plan has in the store, layers before their base, and plan anew.
static int
forget(const struct cli *cli, const struct spec *spec, struct needs *needs,
    const struct strv *in_use, struct error *err)
{
    const struct images_values *values = cli->values;
    if (check_free(needs, in_use, err) != 0)
        return -1;
    for (size_t i = needs->plan->count; i > 0; i--)
        if (store_remove(needs->store, needs->plan->items[i - 1].key, err) != 0)
            return -1;
    needs_close(needs);
    return needs_open(spec, values->recipe, how_to_ask(values), needs, err);
}

static int
bake_missing(const struct cli *cli, const struct spec *spec, struct needs *needs,
    const struct strv *in_use, struct error *err)
{
    const struct images_values *values = cli->values;
    ACCEL_VERDICT_AUTO struct accel_verdict verdict = {0};
    PROGRESS_AUTO struct progress *progress = cli_progress(cli);
    struct bake_options options = {
        .offline = values->offline,
        .refresh = values->refresh,
        .in_use = in_use,
        .progress = progress,
    };
    int status = needs_accel(needs->home, spec, NULL, progress, &verdict, err);
    options.kvm = verdict.kvm;
    if (status == 0)
        status = bake_run(needs->plan, needs->store, &options, err);
    progress_clear(progress);
    return status;
}

// baked: by item, whether it was made just now.
static void
print_text(const struct cli *cli, const struct bake_plan *plan, const bool *baked)
{
    TABLE_AUTO struct table table = {0};
    BUF_AUTO struct buf text = {0};
    for (size_t i = 0; i < plan->count; i++) {
        FREE_AUTO char *size = str_bytes(plan->items[i].image->disk_bytes);
        table_row(&table);
        table_cell(&table, COLOR_BOLD, plan->items[i].name);
        table_cell(&table, COLOR_GREEN, baked[i] ? "baked" : "ready");
        table_cellf(&table, COLOR_NONE, "%.*s", KEY_SHOWN, plan->items[i].key);
        table_cell(&table, COLOR_NONE, size);
    }
    table_print(&table, 0, cli->color, &text);
    cli_print(text.data);
}

static void
print_json(const struct bake_plan *plan, const bool *baked)
{
    struct jv *images = jv_array();
    for (size_t i = 0; i < plan->count; i++) {
        struct jv *image = images_json(plan->items[i].image);
        jv_set_bool(image, "baked", baked[i]);
        jv_push(images, image);
    }
    JV_AUTO struct jv *value = jv_object();
    jv_set_string(value, "base", plan->base);
    jv_set(value, "images", images);
    cli_print_json(value);
}

static int
images_bake(struct cli *cli, struct error *err)
{
    const struct images_values *values = cli->values;
    SPEC_AUTO struct spec *spec = NULL;
    NEEDS_AUTO struct needs needs = {0};
    STRV_AUTO struct strv in_use = {0};
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0 ||
        needs_open(spec, values->recipe, how_to_ask(values), &needs, err) != 0)
        return -1;
    if (values->rebuild || !bake_plan_ready(needs.plan))
        if (cluster_images_in_use(&in_use, err) != 0)
            return -1;
    if (values->rebuild && forget(cli, spec, &needs, &in_use, err) != 0)
        return -1;
    FREE_AUTO bool *baked = mem_zero(needs.plan->count, sizeof(*baked));
    for (size_t i = 0; i < needs.plan->count; i++)
        baked[i] = needs.plan->items[i].state != BAKE_READY;
    if (!bake_plan_ready(needs.plan) && bake_missing(cli, spec, &needs, &in_use, err) != 0)
        return -1;
    if (cli->globals.json)
        print_json(needs.plan, baked);
    else
        print_text(cli, needs.plan, baked);
    return 0;
}

static const struct action {
    const char *name;
    size_t operands;            // after the name
    bool recipe, bake, dry_run; // the options it understands
    int (*run)(struct cli *cli, struct error *err);
} actions[] = {
    {"bake", 0, true, true, false, images_bake},
    {"list", 0, false, false, false, images_list},
    {"verify", 0, false, false, false, images_verify},
    {"prune", 0, true, false, true, images_prune},
    {"export", 1, true, false, false, images_export},
    {"import", 1, false, false, false, images_import},
};
static const char *const action_names[] = {
    "bake", "list", "verify", "prune", "export", "import", NULL};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static int
check_action(const struct cli *cli, const struct action *action, struct error *err)
{
    const struct images_values *values = cli->values;
    size_t given = cli->operands.count > 0 ? cli->operands.count - 1 : 0;
    if (given < action->operands)
        return cli_usage(cli, err, "write 'airbuild images %s FOLDER'", action->name);
    if (given > action->operands)
        return cli_usage(cli, err, "'airbuild images %s' does not take '%s'", action->name,
            cli->operands.items[action->operands + 1]);
    const char *wrong = NULL;
    if (values->recipe != NULL && !action->recipe)
        wrong = "--recipe";
    if (values->offline && !action->bake)
        wrong = "--offline";
    if (values->rebuild && !action->bake)
        wrong = "--rebuild";
    if (values->refresh && !action->bake)
        wrong = "--refresh";
    if (values->dry_run && !action->dry_run)
        wrong = "--dry-run";
    if (wrong != NULL)
        return cli_usage(cli, err, "'airbuild images %s' does not take '%s'", action->name, wrong);
    if (values->refresh && values->offline)
        return cli_usage(cli, err, "'--refresh' asks the network, which '--offline' forbids");
    return 0;
}

static int
run(struct cli *cli, struct error *err)
{
    const char *name = cli->operands.count > 0 ? cli->operands.items[0] : "bake";
    for (size_t i = 0; i < ACTIONS; i++)
        if (str_equal(actions[i].name, name))
            return check_action(cli, &actions[i], err) == 0 ? actions[i].run(cli, err) : -1;
    const char *near = str_nearest(name, action_names, ACTIONS);
    if (near != NULL)
        return cli_usage(cli, err, "images knows no '%s' (did you mean '%s'?)", name, near);
    return cli_usage(cli, err, "images knows no '%s'", name);
}

static const struct cli_option options[] = {
    {"recipe", 0, "FILE", "a further recipe over the same base (bake, prune, export)",
        OPTION_TEXT(struct images_values, recipe)},
    {"offline", 0, NULL, "use only packages kept from an earlier bake (bake)",
        OPTION_FLAG(struct images_values, offline)},
    {"rebuild", 0, NULL, "bake again what is there already, the base too (bake)",
        OPTION_FLAG(struct images_values, rebuild)},
    {"refresh", 0, NULL, "ask again what auto and latest mean, and for kept packages (bake)",
        OPTION_FLAG(struct images_values, refresh)},
    {"dry-run", 'n', NULL, "only tell what would be removed (prune)",
        OPTION_FLAG(struct images_values, dry_run)},
    {0},
};

const struct cli_command command_images = {
    .name = "images",
    .arguments = "[bake|list|verify|prune|export FOLDER|import FOLDER]",
    .summary = "bake what the spec needs; list, verify, prune, carry",
    .details =
        "bake, which is meant when nothing is said, makes the bases and the role images that "
        "are missing; when all are there it does nothing, in milliseconds. A base that is "
        "downloaded is checked by its digest, and by its signature where it has one. list shows "
        "the "
        "store. verify reads every byte; the exit status is 10 when an image is damaged. "
        "prune removes what neither the spec nor a launched cluster needs. export copies the "
        "images of the spec into a folder, import takes such a folder in, for a machine "
        "without a network.\n",
    .options = options,
    .values_size = sizeof(struct images_values),
    .operand = CLI_ACTION,
    .actions = action_names,
    .operands_max = 2,
    .run = run,
};
