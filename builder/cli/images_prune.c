// images_prune.c - `airbuild images prune`: removes what neither the spec nor a cluster needs, and
// shows which clusters use the rest.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/images.h"
#include "cli/message.h"
#include "cli/workspace.h"

// An image that stays, and the clusters that use it.
struct kept {
    char *key, *name;
    struct strv folders;
};

struct pruned {
    struct strv removed, missing; // "NAME KEY"; folders of clusters that are missing
    struct kept *kept;
    size_t kept_count;
    uint64_t bytes;
};

static void
pruned_clear(struct pruned *pruned)
{
    for (size_t i = 0; i < pruned->kept_count; i++) {
        free(pruned->kept[i].key);
        free(pruned->kept[i].name);
        strv_free(&pruned->kept[i].folders);
    }
    free(pruned->kept);
    strv_free(&pruned->removed);
    strv_free(&pruned->missing);
}

static int
find_kept_images(struct store *store, struct pruned *pruned, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (store_pinned(store, &keys, err) != 0)
        return -1;
    pruned->kept = mem_zero(keys.count + 1, sizeof *pruned->kept);
    for (size_t i = 0; i < keys.count; i++) {
        IMAGE_AUTO struct image *image = NULL;
        ERROR_AUTO struct error ignored = {0};
        struct kept *kept = &pruned->kept[pruned->kept_count];
        if (!store_has(store, keys.items[i]))
            continue;
        pruned->kept_count++;
        kept->key = str_dup(keys.items[i]);
        kept->name =
            str_dup(store_find(store, keys.items[i], &image, &ignored) == 0 ? image->name : "?");
        if (store_users(store, kept->key, &kept->folders, err) != 0)
            return -1;
    }
    return 0;
}

// Collects the images that the spec or the disks of clusters without pins need.
static int
collect_needed(const struct workspace *workspace, struct strv *keep, struct error *err)
{
    for (size_t i = 0; i < workspace->plan->count; i++)
        strv_add(keep, workspace->plan->items[i].key);
    return images_unpinned(workspace->store, keep, err);
}

static int
prune(const struct images_values *values, const struct workspace *workspace, struct pruned *pruned,
    struct error *err)
{
    STRV_AUTO struct strv keep = {0};
    bool forget = values->forget_missing && !values->dry_run;
    if (collect_needed(workspace, &keep, err) != 0 ||
        store_missing_users(workspace->store, forget, &pruned->missing, err) != 0 ||
        store_prune(
            workspace->store, &keep, values->dry_run, &pruned->removed, &pruned->bytes, err) != 0)
        return -1;
    return find_kept_images(workspace->store, pruned, err);
}

static void
print_prune_json(const struct images_values *values, const struct pruned *pruned)
{
    json_auto_t *value = json_object();
    json_t *kept = json_array();
    for (size_t i = 0; i < pruned->kept_count; i++) {
        json_t *one = json_object();
        json_array_append_new(kept, one);
        json_object_set_new(one, "name", text_to_json(pruned->kept[i].name));
        json_object_set_new(one, "key", text_to_json(pruned->kept[i].key));
        json_object_set_new(one, "clusters", cli_list_json(&pruned->kept[i].folders));
    }
    json_object_set_new(value, "dry_run", json_boolean(values->dry_run));
    json_object_set_new(value, "removed", cli_list_json(&pruned->removed));
    json_object_set_new(value, "bytes", json_integer((long long) pruned->bytes));
    json_object_set_new(value, "kept", kept);
    json_object_set_new(value, "missing", cli_list_json(&pruned->missing));
    cli_print_json(value);
}

static void
add_kept(struct buf *text, const struct kept *kept)
{
    FREE_AUTO char *name = text_clean(TEXT_LINES, kept->name);
    buf_printf(text, "kept: %s %.*s, used by ", name, IMAGES_KEY_SHOWN, kept->key);
    for (size_t i = 0; i < kept->folders.count; i++) {
        FREE_AUTO char *folder = text_clean(TEXT_LINES, kept->folders.items[i]);
        buf_printf(text, "%s'%s'", i == 0 ? "" : ", ", folder);
    }
    buf_add(text, "\n");
}

static void
add_missing(struct buf *text, const struct images_values *values, const struct pruned *pruned)
{
    for (size_t i = 0; i < pruned->missing.count; i++) {
        FREE_AUTO char *folder = text_clean(TEXT_LINES, pruned->missing.items[i]);
        if (!values->forget_missing)
            buf_printf(text,
                "missing: '%s' does not exist on this host; if that cluster is gone, 'airbuild "
                "images "
                "prune --forget-missing' releases its images\n",
                folder);
        else
            buf_printf(text, "missing: '%s' %s\n", folder,
                values->dry_run ? "would be forgotten" : "is forgotten");
    }
}

static void
print_prune_text(const struct images_values *values, const struct pruned *pruned)
{
    BUF_AUTO struct buf text = {0};
    FREE_AUTO char *size = str_bytes(pruned->bytes);
    for (size_t i = 0; i < pruned->removed.count; i++)
        buf_printf(&text, "%s\n", pruned->removed.items[i]);
    for (size_t i = 0; i < pruned->kept_count; i++)
        add_kept(&text, &pruned->kept[i]);
    add_missing(&text, values, pruned);
    buf_printf(&text, "%s %s\n", size, values->dry_run ? "would be freed" : "freed");
    cli_print(text.data);
}

int
images_prune(struct cli *cli, struct error *err)
{
    const struct images_values *values = cli->values;
    SPEC_AUTO struct spec *spec = NULL;
    WORKSPACE_AUTO struct workspace workspace = {0};
    CLEANUP(pruned_clear) struct pruned pruned = {0};
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0 ||
        workspace_open(spec, values->recipe, BAKE_LOOK, NULL, &workspace, err) != 0)
        return -1;
    PROGRESS_AUTO struct progress *progress = cli_progress(cli);
    store_set_patience(workspace.store, progress, WORKSPACE_WAIT_MS);
    int status = prune(values, &workspace, &pruned, err);
    progress_clear(progress);
    if (status != 0)
        return -1;
    if (cli->globals.json)
        print_prune_json(values, &pruned);
    else
        print_prune_text(values, &pruned);
    return 0;
}
