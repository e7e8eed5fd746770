// images.c - see images.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/images.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/frozen_sets.h"
#include "cli/table.h"
#include "cli/workspace.h"
#include "cluster/cluster.h"
#include "cluster/sets.h"

#include <string.h>

// A wait for another airbuild is shown by progress.
static int
open_store(struct progress *progress, struct store **ret, struct error *err)
{
    FREE_AUTO char *home = cluster_home();
    if (interrupt_install(err) != 0 || store_open(home, ret, err) != 0)
        return -1;
    store_set_patience(*ret, progress, WORKSPACE_WAIT_MS);
    return 0;
}

int
images_unpinned(struct store *store, struct strv *ret_keys, struct error *err)
{
    if (cluster_images_in_use(ret_keys, err) != 0)
        return -1;
    return store_add_bases(store, ret_keys, err);
}

void
images_warn(const struct strv *warnings)
{
    for (size_t i = 0; i < warnings->count; i++) {
        FREE_AUTO char *sentence = text_clean(TEXT_LINES, warnings->items[i]);
        fprintf(stderr, "airbuild: warning: %s\n", sentence);
    }
}

json_t *
images_json(const struct image *image)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "name", text_to_json(image->name),
        "key", text_to_json(image->key), "family", text_to_json(image->family), "backing",
        text_to_json(image->backing), "disk", text_to_json(image->disk), "disk_bytes",
        (json_int_t) image->disk_bytes, "virtual_bytes", (json_int_t) image->virtual_bytes,
        "created", text_to_json(image->created));
}

// ---- list and verify ------------------------------------------------------------------------------

static void
add_sentences(const struct cli *cli, struct buf *text, const struct strv *sentences)
{
    for (size_t i = 0; i < sentences->count; i++) {
        FREE_AUTO char *sentence = text_clean(TEXT_LINES, sentences->items[i]);
        message_paint(text, cli->color, COLOR_RED, "damaged:");
        buf_printf(text, " %s\n", sentence);
    }
}

int
images_list(struct cli *cli, struct error *err)
{
    STORE_AUTO struct store *store = NULL;
    IMAGE_LIST_AUTO struct image_list list = {0};
    STRV_AUTO struct strv damaged = {0};
    TABLE_AUTO struct table table = {0};
    BUF_AUTO struct buf text = {0};
    if (open_store(NULL, &store, err) != 0 || store_list(store, &list, &damaged, err) != 0)
        return -1;
    json_t *images = json_array();
    json_auto_t *frozen = json_array();
    table_heads(&table, "NAME", "KEY", "FAMILY", "SIZE", "DISK", "BACKING", "CREATED", NULL);
    for (size_t i = 0; i < list.count; i++) {
        const struct image *image = list.items[i];
        FREE_AUTO char *size = str_bytes(image->disk_bytes);
        FREE_AUTO char *disk = str_bytes(image->virtual_bytes);
        const char *backing = image->backing != NULL ? image->backing : "-";
        table_row(&table);
        table_cell(&table, COLOR_BOLD, image->name);
        table_cellf(&table, COLOR_NONE, "%.*s", IMAGES_KEY_SHOWN, image->key);
        table_cell(&table, COLOR_NONE, image->family);
        table_cell(&table, COLOR_NONE, size);
        table_cell(&table, COLOR_NONE, disk);
        table_cellf(&table, COLOR_NONE, "%.*s", IMAGES_KEY_SHOWN, backing);
        table_cell(&table, COLOR_NONE, image->created);
        json_array_append_new(images, images_json(image));
    }
    if (list.count > 0)
        table_print(&table, 0, cli->color, &text);
    if (frozen_sets_list(cli, store, &text, frozen, &damaged, err) != 0) {
        json_decref(images);
        return -1;
    }
    if (text.length == 0 && damaged.count == 0)
        buf_add(&text, "there are no images; 'airbuild images' bakes them\n");
    add_sentences(cli, &text, &damaged);
    json_auto_t *value = json_pack(
        "{s:o, s:O, s:o}", "images", images, "frozen", frozen, "damaged", cli_list_json(&damaged));
    cli_print_result(cli, text.data, value);
    return 0;
}

int
images_verify(struct cli *cli, struct error *err)
{
    STORE_AUTO struct store *store = NULL;
    IMAGE_LIST_AUTO struct image_list list = {0};
    STRV_AUTO struct strv damaged = {0};
    if (open_store(NULL, &store, err) != 0 || store_list(store, &list, &damaged, err) != 0)
        return -1;
    struct progress *progress = cli_progress(cli);
    for (size_t i = 0; i < list.count; i++) {
        const struct image *image = list.items[i];
        ERROR_AUTO struct error found = {0};
        bool below = false; // it is the base of another, and is read with that
        for (size_t j = 0; j < list.count; j++)
            below |= str_equal(list.items[j]->backing, image->key);
        if (below)
            continue;
        progress_step(progress, image->name, "reading %.*s", IMAGES_KEY_SHOWN, image->key);
        if (store_verify(store, image->key, &found) == 0) {
            progress_done(progress, image->name, "%.*s is OK", IMAGES_KEY_SHOWN, image->key);
            continue;
        }
        if (found.code != ERR_DAMAGED)
            return error_move(err, &found);
        progress_done(progress, image->name, "%.*s is damaged", IMAGES_KEY_SHOWN, image->key);
        strv_add(&damaged, found.message);
    }
    size_t sets = 0;
    if (frozen_sets_verify(cli, store, &damaged, &sets, err) != 0)
        return -1;
    BUF_AUTO struct buf text = {0};
    add_sentences(cli, &text, &damaged);
    buf_printf(&text, "%zu images", list.count);
    if (sets > 0)
        buf_printf(&text, " and %zu frozen sets", sets);
    buf_printf(&text, " read, %zu damaged\n", damaged.count);
    json_auto_t *value = json_pack("{s:I, s:I, s:o}", "read", (json_int_t) list.count,
        "frozen_read", (json_int_t) sets, "damaged", cli_list_json(&damaged));
    cli_print_result(cli, text.data, value);
    return damaged.count > 0 ? ERR_DAMAGED : 0;
}

// ---- show ----------------------------------------------------------------------------------------

// Members of the manifest about the origin of an image, with their titles.
static const struct {
    const char *member, *title;
} origins[] = {
    {"system", "system"},
    {"image", "image"},
    {"instead_of", "instead of"},
    {"url", "from"},
    {"file", "from"},
    {"mirror", "mirror"},
    {"suite", "suite"},
    {"download", "sha256"},
    {"backing", "backed by"},
};

static void
add_image_row(struct table *table, const char *title, const char *text)
{
    table_row(table);
    table_cell(table, COLOR_DIM, title);
    table_cell(table, COLOR_NONE, text);
}

static void
add_image(const struct cli *cli, const struct image *image, const json_t *value, struct buf *text)
{
    TABLE_AUTO struct table table = {0};
    const json_t *clusters = json_object_get(value, "clusters");
    FREE_AUTO char *size = str_bytes(image->disk_bytes);
    add_image_row(&table, "name", image->name);
    add_image_row(&table, "key", image->key);
    add_image_row(&table, "family", image->family);
    add_image_row(&table, "size", size);
    add_image_row(&table, "created", image->created);
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        if (json_is_string(json_object_get(value, origins[i].member)))
            add_image_row(&table, origins[i].title,
                json_string_value(json_object_get(value, origins[i].member)));
    FREE_AUTO char *packages = str_format("%lld, listed in manifest.json beside the disk",
        (long long) json_integer_value(json_object_get(value, "packages")));
    add_image_row(&table, "packages", packages);
    add_image_row(&table, "disk", image->disk);
    for (size_t i = 0; i < json_array_size(clusters); i++)
        add_image_row(&table, "used by", json_string_value(json_array_get(clusters, i)));
    table_print(&table, 0, cli->color, text);
}

int
images_show(struct cli *cli, struct error *err)
{
    const char *word = cli->operands.items[1];
    STORE_AUTO struct store *store = NULL;
    IMAGE_LIST_AUTO struct image_list list = {0};
    STRV_AUTO struct strv damaged = {0};
    BUF_AUTO struct buf text = {0};
    json_auto_t *images = json_array(), *frozen = json_array();
    if (open_store(NULL, &store, err) != 0 || store_list(store, &list, &damaged, err) != 0)
        return -1;
    for (size_t i = 0; i < list.count; i++) {
        const struct image *image = list.items[i];
        STRV_AUTO struct strv folders = {0};
        bool by_key = strlen(word) >= IMAGES_PREFIX_LEAST && str_starts(image->key, word);
        if (!by_key && !str_equal(image->name, word))
            continue;
        if (store_users(store, image->key, &folders, err) != 0)
            return -1;
        json_t *value = images_json(image);
        json_array_append_new(images, value);
        for (size_t j = 0; j < sizeof origins / sizeof *origins; j++)
            json_object_set_new(value, origins[j].member,
                text_to_json(
                    json_string_value(json_object_get(image->manifest, origins[j].member))));
        json_object_set_new(value, "packages",
            json_integer(
                (json_int_t) json_array_size(json_object_get(image->manifest, "packages"))));
        json_object_set_new(value, "clusters", cli_list_json(&folders));
        add_image(cli, image, value, &text);
    }
    if (frozen_sets_show(cli, store, word, &text, frozen, err) != 0)
        return -1;
    if (json_array_size(images) + json_array_size(frozen) == 0)
        return error_set(err, ERR_NOT_FOUND,
            "the store '%s' has no image '%s'; 'airbuild images list' shows those it has",
            store->folder, word);
    json_auto_t *value = json_pack("{s:O, s:O}", "images", images, "frozen", frozen);
    cli_print_result(cli, text.data, value);
    return 0;
}

// ---- prune ---------------------------------------------------------------------------------------

// Adds the images that stay for the clusters that use them.
static int
add_kept(struct store *store, struct buf *text, json_t *list, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (store_keys(store->users, &keys, err) != 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++) {
        const char *key = keys.items[i];
        IMAGE_AUTO struct image *image = NULL;
        STRV_AUTO struct strv folders = {0};
        ERROR_AUTO struct error ignored = {0};
        if (!store_has(store, key))
            continue;
        const char *name = store_find(store, key, &image, &ignored) == 0 ? image->name : "?";
        if (store_users(store, key, &folders, err) != 0)
            return -1;
        if (folders.count == 0)
            continue;
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "name", text_to_json(name), "key",
                                        text_to_json(key), "clusters", cli_list_json(&folders)));
        FREE_AUTO char *joined = strv_join(&folders, "', '");
        FREE_AUTO char *line =
            str_format("%s %.*s, used by '%s'", name, IMAGES_KEY_SHOWN, key, joined);
        FREE_AUTO char *clean = text_clean(TEXT_LINES, line);
        buf_printf(text, "kept: %s\n", clean);
    }
    return 0;
}

static void
add_missing(const struct cli *cli, const struct strv *missing, struct buf *text)
{
    for (size_t i = 0; i < missing->count; i++) {
        FREE_AUTO char *folder = text_clean(TEXT_LINES, missing->items[i]);
        if (!cli->given.forget_missing)
            buf_printf(text,
                "missing: '%s' does not exist on this host; if that cluster is gone, 'airbuild "
                "images prune --forget-missing' releases its images\n",
                folder);
        else
            buf_printf(text, "missing: '%s' %s\n", folder,
                cli->given.dry_run ? "would be forgotten" : "is forgotten");
    }
}

int
images_prune(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    WORKSPACE_AUTO struct workspace workspace = {0};
    STRV_AUTO struct strv keep = {0}, removed = {0}, missing = {0}, sets = {0};
    BUF_AUTO struct buf text = {0};
    json_auto_t *kept = json_array();
    uint64_t bytes = 0;
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0 ||
        workspace_open(spec, cli->given.recipe, BAKE_LOOK, NULL, &workspace, err) != 0)
        return -1;
    struct store *store = workspace.store;
    store_set_patience(store, cli_progress(cli), WORKSPACE_WAIT_MS);
    for (size_t i = 0; i < workspace.plan->count; i++)
        strv_add(&keep, workspace.plan->items[i].key);
    bool forget = cli->given.forget_missing && !cli->given.dry_run;
    if (images_unpinned(store, &keep, err) != 0 ||
        store_missing_users(store, forget, &missing, err) != 0 ||
        store_prune(store, &keep, cli->given.dry_run, &removed, &bytes, err) != 0)
        return -1;
    const struct launch_options launch = {
        .spec = spec,
        .haproxy = bake_image(workspace.plan, SPEC_HAPROXY),
        .redis = bake_image(workspace.plan, SPEC_REDIS),
    };
    if (sets_prune(store, &launch, &removed, cli->given.dry_run, &sets, &bytes, err) != 0)
        return -1;
    for (size_t i = 0; i < sets.count; i++)
        strv_add(&removed, sets.items[i]);
    for (size_t i = 0; i < removed.count; i++)
        buf_printf(&text, "%s\n", removed.items[i]);
    if (add_kept(store, &text, kept, err) != 0)
        return -1;
    add_missing(cli, &missing, &text);
    FREE_AUTO char *size = str_bytes(bytes);
    buf_printf(&text, "%s %s\n", size, cli->given.dry_run ? "would be freed" : "freed");
    json_auto_t *value = json_pack("{s:b, s:o, s:I, s:O, s:o}", "dry_run", cli->given.dry_run,
        "removed", cli_list_json(&removed), "bytes", (json_int_t) bytes, "kept", kept, "missing",
        cli_list_json(&missing));
    cli_print_result(cli, text.data, value);
    return 0;
}

// ---- export and import ---------------------------------------------------------------------------

int
images_export(struct cli *cli, struct error *err)
{
    const char *folder = cli->operands.items[1];
    SPEC_AUTO struct spec *spec = NULL;
    WORKSPACE_AUTO struct workspace workspace = {0};
    STRV_AUTO struct strv keys = {0};
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0 ||
        workspace_open(spec, cli->given.recipe, BAKE_LOOK, NULL, &workspace, err) != 0)
        return -1;
    json_t *images = json_array();
    json_auto_t *value = json_pack("{s:o, s:o}", "folder", text_to_json(folder), "images", images);
    for (size_t i = 0; i < workspace.plan->count; i++) {
        const struct bake_item *item = &workspace.plan->items[i];
        if (item->state != BAKE_READY)
            return error_set(err, ERR_NOT_FOUND,
                "image '%s' is not ready: %s; run 'airbuild images'", item->name, item->why);
        strv_add(&keys, item->key);
        json_array_append_new(images, images_json(item->image));
    }
    store_set_patience(workspace.store, cli_progress(cli), WORKSPACE_WAIT_MS);
    progress_step(cli_progress(cli), "export", "copying to %s", folder);
    if (store_export(workspace.store, &keys, folder, err) != 0)
        return -1;
    cli_print_result(cli, "", value);
    return 0;
}

int
images_import(struct cli *cli, struct error *err)
{
    const char *folder = cli->operands.items[1];
    STORE_AUTO struct store *store = NULL;
    STRV_AUTO struct strv keys = {0};
    if (open_store(cli_progress(cli), &store, err) != 0)
        return -1;
    progress_step(cli_progress(cli), "import", "copying and checking %s", folder);
    if (store_import(store, folder, &keys, err) != 0)
        return -1;
    BUF_AUTO struct buf text = {0};
    for (size_t i = 0; i < keys.count; i++) {
        const char *key = keys.items[i];
        IMAGE_AUTO struct image *image = NULL;
        ERROR_AUTO struct error ignored = {0};
        const char *name = store_find(store, key, &image, &ignored) == 0 ? image->name : "?";
        FREE_AUTO char *clean = text_clean(TEXT_LINES, name);
        buf_printf(&text, "%s %.*s\n", clean, IMAGES_KEY_SHOWN, key);
    }
    buf_printf(&text, "%zu images imported\n", keys.count);
    json_auto_t *value = json_pack("{s:o}", "imported", cli_list_json(&keys));
    cli_print_result(cli, text.data, value);
    return 0;
}
