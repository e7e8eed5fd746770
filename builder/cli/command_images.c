// command_images.c - `airbuild images`: bakes what the spec needs and the store lacks.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/frozen_sets.h"
#include "cli/images.h"
#include "cli/table.h"
#include "cli/workspace.h"

static bool
in_plan(const struct bake_plan *plan, const char *key)
{
    for (size_t i = 0; i < plan->count; i++)
        if (str_equal(plan->items[i].key, key))
            return true;
    return false;
}

// Refuses when a disk, or an image outside the plan, is backed by one of the images.
static int
check_free(const struct workspace *workspace, const struct strv *in_use, struct error *err)
{
    IMAGE_LIST_AUTO struct image_list list = {0};
    STRV_AUTO struct strv damaged = {0};
    if (store_list(workspace->store, &list, &damaged, err) != 0)
        return -1;
    for (size_t i = 0; i < workspace->plan->count; i++) {
        const struct bake_item *item = &workspace->plan->items[i];
        STRV_AUTO struct strv folders = {0};
        if (store_users(workspace->store, item->key, &folders, err) != 0)
            return -1;
        if (folders.count == 0 && !strv_has(in_use, item->key))
            continue;
        FREE_AUTO char *names = strv_join(&folders, "', '");
        return error_set(err, ERR_CONFLICT,
            "image '%s' cannot be baked again while disks of a cluster are backed by it%s%s%s; run "
            "'airbuild destroy' for that cluster first",
            item->name, folders.count > 0 ? " ('" : "", names, folders.count > 0 ? "')" : "");
    }
    for (size_t i = 0; i < list.count; i++) {
        const struct image *image = list.items[i];
        if (image->backing != NULL && in_plan(workspace->plan, image->backing) &&
            !in_plan(workspace->plan, image->key))
            return error_set(err, ERR_CONFLICT,
                "the base cannot be baked again while image '%s' (%.*s) is backed by it; 'airbuild "
                "images prune' removes what no cluster needs",
                image->name, IMAGES_KEY_SHOWN, image->key);
    }
    return 0;
}

// Removes layers before their base, while no other process bakes.
static int
remove_planned(const struct workspace *workspace, const struct strv *in_use, struct error *err)
{
    CLOSE_AUTO int alone = -1;
    if (store_alone(workspace->store, &alone, err) != 0 || check_free(workspace, in_use, err) != 0)
        return -1;
    for (size_t i = workspace->plan->count; i > 0; i--)
        if (store_remove(workspace->store, workspace->plan->items[i - 1].key, err) != 0)
            return -1;
    return 0;
}

static int
make_ready(struct cli *cli, const struct spec *spec, struct workspace *workspace, struct error *err)
{
    struct progress *progress = cli_progress(cli);
    enum bake_ask ask = cli->given.offline ? BAKE_ASK_NEVER : BAKE_ASK_NEW;
    ACCEL_VERDICT_AUTO struct accel_verdict verdict = {0};
    STRV_AUTO struct strv in_use = {0};
    if (workspace_open(spec, cli->given.recipe, cli->given.refresh ? BAKE_ASK_AGAIN : ask, progress,
            workspace, err) != 0)
        return -1;
    if (!cli->given.rebuild && bake_plan_ready(workspace->plan))
        return 0;
    if (images_unpinned(workspace->store, &in_use, err) != 0)
        return -1;
    if (cli->given.rebuild) {
        if (remove_planned(workspace, &in_use, err) != 0)
            return -1;
        // Plan again without asking the network a second time. Keep the first plan's warnings.
        BAKE_PLAN_AUTO struct bake_plan *before = TAKE(workspace->plan);
        if (bake_plan_make(spec, workspace->store, cli->given.recipe, ask, progress,
                &workspace->plan, err) != 0)
            return -1;
        strv_free(&workspace->plan->warnings);
        workspace->plan->warnings = before->warnings;
        before->warnings = (struct strv){0};
    }
    if (workspace_accel(workspace->home, spec, NULL, progress, &verdict, err) != 0)
        return -1;
    struct bake_options options = {
        .kvm = verdict.kvm,
        .offline = cli->given.offline,
        .refresh = cli->given.refresh,
        .in_use = &in_use,
        .progress = progress,
    };
    return bake_run(workspace->plan, workspace->store, &options, err);
}

// frozen: of frozen_sets_make, which added to_add; or NULL.
static void
print_images(
    const struct cli *cli, const struct bake_plan *plan, json_t *frozen, const char *to_add)
{
    TABLE_AUTO struct table table = {0};
    BUF_AUTO struct buf text = {0};
    json_t *images = json_array();
    for (size_t i = 0; i < plan->count; i++) {
        const struct bake_item *item = &plan->items[i];
        FREE_AUTO char *size = str_bytes(item->image->disk_bytes);
        table_row(&table);
        table_cell(&table, COLOR_BOLD, item->name);
        table_cell(&table, COLOR_GREEN, item->baked ? "baked" : "ready");
        table_cellf(&table, COLOR_NONE, "%.*s", IMAGES_KEY_SHOWN, item->key);
        table_cell(&table, COLOR_NONE, size);
        json_t *image = images_json(item->image);
        json_object_set_new(image, "baked", json_boolean(item->baked));
        json_array_append_new(images, image);
    }
    table_print(&table, 0, cli->color, &text);
    json_auto_t *value = json_pack("{s:o, s:o, s:o}", "base", text_to_json(plan->base), "images",
        images, "warnings", cli_list_json(&plan->warnings));
    if (frozen != NULL)
        json_object_set(value, "frozen", frozen);
    buf_add(&text, to_add);
    cli_print_result(cli, text.data, value);
}

static int
images_bake(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    WORKSPACE_AUTO struct workspace workspace = {0};
    BUF_AUTO struct buf text = {0};
    json_auto_t *frozen = NULL;
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0 ||
        make_ready(cli, spec, &workspace, err) != 0)
        return -1;
    if (cli->given.freeze && frozen_sets_make(cli, spec, &workspace, &text, &frozen, err) != 0)
        return -1;
    print_images(cli, workspace.plan, frozen, text.data != NULL ? text.data : "");
    images_warn(&workspace.plan->warnings);
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
    {"show", 1, false, false, false, images_show},
    {"export", 1, true, false, false, images_export},
    {"import", 1, false, false, false, images_import},
};
static const char *const action_names[] = {
    "bake", "list", "verify", "prune", "show", "export", "import", NULL};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static int
check_action(const struct cli *cli, const struct action *action, struct error *err)
{
    size_t given = cli->operands.count > 0 ? cli->operands.count - 1 : 0;
    if (given < action->operands)
        return cli_usage(cli, err, "usage: airbuild images %s %s", action->name,
            action->run == images_show ? "NAME" : "FOLDER");
    if (given > action->operands)
        return cli_usage(cli, err, "'airbuild images %s' does not take '%s'", action->name,
            cli->operands.items[action->operands + 1]);
    const char *wrong = NULL;
    if (cli->given.recipe != NULL && !action->recipe)
        wrong = "--recipe";
    if (cli->given.offline && !action->bake)
        wrong = "--offline";
    if (cli->given.rebuild && !action->bake)
        wrong = "--rebuild";
    if (cli->given.refresh && !action->bake)
        wrong = "--refresh";
    if (cli->given.freeze && !action->bake)
        wrong = "--freeze";
    if (cli->given.dry_run && !action->dry_run)
        wrong = "--dry-run";
    if (cli->given.forget_missing && !action->dry_run)
        wrong = "--forget-missing";
    if (wrong != NULL)
        return cli_usage(cli, err, "'airbuild images %s' does not take '%s'", action->name, wrong);
    if (cli->given.refresh && cli->given.offline)
        return cli_usage(cli, err, "'--refresh' asks the network, which '--offline' forbids");
    return 0;
}

static int
run_images(struct cli *cli, struct error *err)
{
    const char *name = cli->operands.count > 0 ? cli->operands.items[0] : "bake";
    for (size_t i = 0; i < ACTIONS; i++)
        if (str_equal(actions[i].name, name))
            return check_action(cli, &actions[i], err) == 0 ? actions[i].run(cli, err) : -1;
    FREE_AUTO char *hint = cli_suggest(name, action_names);
    return cli_usage(cli, err, "'images' has no action '%s'%s", name, hint);
}

static const struct cli_option options[] = {
    {"recipe", 0, "FILE", "a further recipe over the same base (bake, prune, export)",
        OPTION_TEXT(recipe)},
    {"offline", 0, NULL, "use only packages kept from an earlier bake (bake)",
        OPTION_FLAG(offline)},
    {"rebuild", 0, NULL, "bake existing images again, the base too (bake)", OPTION_FLAG(rebuild)},
    {"refresh", 0, NULL, "ask again what auto and latest mean, and for kept packages (bake)",
        OPTION_FLAG(refresh)},
    {"freeze", 0, NULL, "then make the frozen set that a first launch thaws (bake)",
        OPTION_FLAG(freeze)},
    {"dry-run", 'n', NULL, "only show what would be removed (prune)", OPTION_FLAG(dry_run)},
    {"forget-missing", 0, NULL, "forget clusters whose folders are missing (prune)",
        OPTION_FLAG(forget_missing)},
    {0},
};

const struct cli_command command_images = {
    .name = "images",
    .arguments = "[bake|list|verify|prune|show NAME|export FOLDER|import FOLDER]",
    .summary = "bake what the spec needs; list, verify, prune, export",
    .details =
        "bake, the default, makes the bases and role images that are missing; when none is "
        "missing it ends within milliseconds. The digest of a downloaded base is checked, and its "
        "signature if it has one. With --freeze it then launches the cluster, freezes it and "
        "removes "
        "it, unless the frozen set that a launch would thaw is there. list shows the store. verify "
        "reads every byte; the exit status is 10 when an image or a frozen set is damaged. prune "
        "removes what neither the spec nor a launched cluster needs, and frozen sets that cannot "
        "be thawed or have a newer one of their spec; and shows which clusters use the rest; a "
        "cluster whose folder is missing counts until --forget-missing. show prints the details of "
        "an image or a frozen set, selected by its name or the first digits of its key. export "
        "copies the images of the spec into a folder, without frozen sets, and import reads such a "
        "folder, for a machine without a network. A command that waits for another airbuild says "
        "for which process.\n",
    .options = options,
    .operand = CLI_ACTION,
    .actions = action_names,
    .operands_max = 2,
    .run = run_images,
};
