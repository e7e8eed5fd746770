// images_prune.c - `airbuild images prune`: removes what neither the spec nor a cluster needs, and
// shows which clusters use the rest.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/images.h"
#include "cli/workspace.h"

// Adds the images that stay for the clusters that use them.
static int
add_kept(struct store *store, struct buf *text, json_t *list, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (store_pinned(store, &keys, err) != 0)
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
    STRV_AUTO struct strv keep = {0}, removed = {0}, missing = {0};
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
