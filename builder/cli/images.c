// images.c - see images.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/images.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/table.h"
#include "cli/workspace.h"
#include "cluster/cluster.h"

int
images_open_store(struct progress *progress, struct store **ret, struct error *err)
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
    json_t *value = json_object();
    json_object_set_new(value, "name", text_to_json(image->name));
    json_object_set_new(value, "key", text_to_json(image->key));
    json_object_set_new(value, "family", text_to_json(image->family));
    json_object_set_new(value, "backing", text_to_json(image->backing));
    json_object_set_new(value, "disk", text_to_json(image->disk));
    json_object_set_new(value, "disk_bytes", json_integer((long long) image->disk_bytes));
    json_object_set_new(value, "virtual_bytes", json_integer((long long) image->virtual_bytes));
    json_object_set_new(value, "created", text_to_json(image->created));
    return value;
}

static void
add_image(struct table *table, const struct image *image)
{
    FREE_AUTO char *disk = str_bytes(image->disk_bytes);
    FREE_AUTO char *space = str_bytes(image->virtual_bytes);
    table_row(table);
    table_cell(table, COLOR_BOLD, image->name);
    table_cellf(table, COLOR_NONE, "%.*s", IMAGES_KEY_SHOWN, image->key);
    table_cell(table, COLOR_NONE, image->family);
    table_cell(table, COLOR_NONE, disk);
    table_cell(table, COLOR_NONE, space);
    if (image->backing != NULL)
        table_cellf(table, COLOR_NONE, "%.*s", IMAGES_KEY_SHOWN, image->backing);
    else
        table_cell(table, COLOR_NONE, NULL);
    table_cell(table, COLOR_NONE, image->created);
}

static void
add_sentences(const struct cli *cli, struct buf *text, const struct strv *sentences)
{
    for (size_t i = 0; i < sentences->count; i++) {
        FREE_AUTO char *sentence = text_clean(TEXT_LINES, sentences->items[i]);
        message_paint(text, cli->color, COLOR_RED, "damaged:");
        buf_printf(text, " %s\n", sentence);
    }
}

static void
print_image_list(const struct cli *cli, const struct image_list *list, const struct strv *damaged)
{
    TABLE_AUTO struct table table = {0};
    BUF_AUTO struct buf text = {0};
    table_heads(&table, "NAME", "KEY", "FAMILY", "SIZE", "DISK", "BACKING", "CREATED", NULL);
    for (size_t i = 0; i < list->count; i++)
        add_image(&table, list->items[i]);
    if (list->count > 0)
        table_print(&table, 0, cli->color, &text);
    else if (damaged->count == 0)
        buf_add(&text, "there are no images; 'airbuild images' bakes them\n");
    add_sentences(cli, &text, damaged);
    cli_print(text.data);
}

int
images_list(struct cli *cli, struct error *err)
{
    STORE_AUTO struct store *store = NULL;
    IMAGE_LIST_AUTO struct image_list list = {0};
    STRV_AUTO struct strv damaged = {0};
    if (images_open_store(NULL, &store, err) != 0 || store_list(store, &list, &damaged, err) != 0)
        return -1;
    if (!cli->globals.json) {
        print_image_list(cli, &list, &damaged);
        return 0;
    }
    json_auto_t *value = json_object();
    json_t *images = json_array();
    for (size_t i = 0; i < list.count; i++)
        json_array_append_new(images, images_json(list.items[i]));
    json_object_set_new(value, "images", images);
    json_object_set_new(value, "damaged", cli_list_json(&damaged));
    cli_print_json(value);
    return 0;
}

static bool
is_below_another(const struct image_list *list, const struct image *image)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->items[i]->backing, image->key))
            return true;
    return false;
}

// Reads every image, and adds the faults to damaged. A base is read with its layers.
static int
verify_all(const struct image_list *list, struct store *store, struct progress *progress,
    struct strv *damaged, struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct image *image = list->items[i];
        ERROR_AUTO struct error found = {0};
        if (is_below_another(list, image))
            continue;
        progress_step(progress, image->name, "reading %.*s", IMAGES_KEY_SHOWN, image->key);
        if (store_verify(store, image->key, &found) == 0) {
            progress_done(progress, image->name, "%.*s is OK", IMAGES_KEY_SHOWN, image->key);
            continue;
        }
        if (found.code != ERR_DAMAGED)
            return error_set(err, found.code, "%s", found.message);
        progress_done(progress, image->name, "%.*s is damaged", IMAGES_KEY_SHOWN, image->key);
        strv_add(damaged, found.message);
    }
    return 0;
}

int
images_verify(struct cli *cli, struct error *err)
{
    STORE_AUTO struct store *store = NULL;
    IMAGE_LIST_AUTO struct image_list list = {0};
    STRV_AUTO struct strv damaged = {0};
    if (images_open_store(NULL, &store, err) != 0 || store_list(store, &list, &damaged, err) != 0)
        return -1;
    PROGRESS_AUTO struct progress *progress = cli_progress(cli);
    int status = verify_all(&list, store, progress, &damaged, err);
    progress_clear(progress);
    if (status != 0)
        return -1;
    if (cli->globals.json) {
        json_auto_t *value = json_object();
        json_object_set_new(value, "read", json_integer((long long) list.count));
        json_object_set_new(value, "damaged", cli_list_json(&damaged));
        cli_print_json(value);
    } else {
        BUF_AUTO struct buf text = {0};
        add_sentences(cli, &text, &damaged);
        buf_printf(&text, "%zu images read, %zu damaged\n", list.count, damaged.count);
        cli_print(text.data);
    }
    return damaged.count > 0 ? ERR_DAMAGED : 0;
}

// Fails unless every image of the plan is ready.
static int
check_ready(const struct bake_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].state != BAKE_READY)
            return error_set(err, ERR_NOT_FOUND,
                "image '%s' is not ready: %s; run 'airbuild images'", plan->items[i].name,
                plan->items[i].why);
    return 0;
}

int
images_export(struct cli *cli, struct error *err)
{
    const struct images_values *values = cli->values;
    const char *folder = cli->operands.items[1];
    SPEC_AUTO struct spec *spec = NULL;
    WORKSPACE_AUTO struct workspace workspace = {0};
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0 ||
        workspace_open(spec, values->recipe, BAKE_LOOK, NULL, &workspace, err) != 0 ||
        check_ready(workspace.plan, err) != 0)
        return -1;
    json_auto_t *value = json_object();
    json_t *images = json_array();
    json_object_set_new(value, "folder", text_to_json(folder));
    json_object_set_new(value, "images", images);
    STRV_AUTO struct strv keys = {0};
    for (size_t i = 0; i < workspace.plan->count; i++) {
        strv_add(&keys, workspace.plan->items[i].key);
        json_array_append_new(images, images_json(workspace.plan->items[i].image));
    }
    PROGRESS_AUTO struct progress *progress = cli_progress(cli);
    store_set_patience(workspace.store, progress, WORKSPACE_WAIT_MS);
    progress_step(progress, "export", "copying to %s", folder);
    if (store_export(workspace.store, &keys, folder, err) != 0)
        return -1;
    progress_clear(progress);
    if (cli->globals.json)
        cli_print_json(value);
    return 0;
}

// Adds "haproxy 24f1ada42e4c" for an image that was imported.
static void
add_imported(struct store *store, const char *key, struct buf *text)
{
    IMAGE_AUTO struct image *image = NULL;
    ERROR_AUTO struct error ignored = {0};
    const char *name = store_find(store, key, &image, &ignored) == 0 ? image->name : "?";
    FREE_AUTO char *clean = text_clean(TEXT_LINES, name);
    buf_printf(text, "%s %.*s\n", clean, IMAGES_KEY_SHOWN, key);
}

int
images_import(struct cli *cli, struct error *err)
{
    const char *folder = cli->operands.items[1];
    STORE_AUTO struct store *store = NULL;
    STRV_AUTO struct strv keys = {0};
    PROGRESS_AUTO struct progress *progress = cli_progress(cli);
    if (images_open_store(progress, &store, err) != 0)
        return -1;
    progress_step(progress, "import", "copying and checking %s", folder);
    int status = store_import(store, folder, &keys, err);
    progress_clear(progress);
    if (status != 0)
        return -1;
    if (cli->globals.json) {
        json_auto_t *value = json_object();
        json_object_set_new(value, "imported", cli_list_json(&keys));
        cli_print_json(value);
        return 0;
    }
    BUF_AUTO struct buf text = {0};
    for (size_t i = 0; i < keys.count; i++)
        add_imported(store, keys.items[i], &text);
    buf_printf(&text, "%zu images imported\n", keys.count);
    cli_print(text.data);
    return 0;
}
