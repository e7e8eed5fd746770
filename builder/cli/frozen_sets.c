// frozen_sets.c - see frozen_sets.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/frozen_sets.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/images.h"
#include "cli/table.h"
#include "cluster/freeze.h"
#include "cluster/sets.h"

#include <string.h>

static const char *
member(const struct frozen_set *set, const char *name)
{
    return json_string_value(json_object_get(set->manifest, name));
}

static const json_t *
depends_on(const struct frozen_set *set, const char *name)
{
    return json_object_get(json_object_get(set->manifest, "depends"), name);
}

static const char *
state_name(const struct store *store, const struct frozen_set *set)
{
    return set->newer                    ? "of a later airbuild"
           : set->damage != NULL         ? "damaged"
           : sets_has_images(store, set) ? "ready"
                                         : "lacks its images";
}

static json_t *
set_json(const struct store *store, const struct frozen_set *set)
{
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:o, s:o}", "key", text_to_json(set->key), "folder",
        text_to_json(set->folder), "cluster", text_to_json(member(set, "cluster")), "nodes",
        (json_int_t) json_object_size(depends_on(set, "images")), "bytes",
        (json_int_t) sets_folder_bytes(set->folder), "created",
        text_to_json(member(set, "created")), "state", text_to_json(state_name(store, set)));
}

int
frozen_sets_list(const struct cli *cli, const struct store *store, struct buf *text, json_t *list,
    struct strv *damaged, struct error *err)
{
    SETS_AUTO struct sets sets = {0};
    TABLE_AUTO struct table table = {0};
    if (sets_list(store, &sets, damaged, err) != 0)
        return -1;
    table_heads(&table, "FROZEN SET", "CLUSTER", "NODES", "SIZE", "CREATED", "STATE", NULL);
    for (size_t i = 0; i < sets.count; i++) {
        const struct frozen_set *set = sets.items[i];
        json_t *value = set_json(store, set);
        json_array_append_new(list, value);
        FREE_AUTO char *size =
            str_bytes((uint64_t) json_integer_value(json_object_get(value, "bytes")));
        const char *state = state_name(store, set);
        table_row(&table);
        table_cellf(&table, COLOR_BOLD, "%.*s", IMAGES_KEY_SHOWN, set->key);
        table_cell(&table, COLOR_NONE, member(set, "cluster"));
        table_cellf(&table, COLOR_NONE, "%zu", json_object_size(depends_on(set, "images")));
        table_cell(&table, COLOR_NONE, size);
        table_cell(&table, COLOR_NONE, member(set, "created"));
        table_cell(&table, str_equal(state, "ready") ? COLOR_GREEN : COLOR_RED, state);
        if (set->damage != NULL)
            strv_addf(damaged, "the frozen set %.*s %s; 'airbuild images prune' removes it",
                IMAGES_KEY_SHOWN, set->key, set->damage);
    }
    if (sets.count > 0) {
        buf_add(text, text->length > 0 ? "\n" : "");
        table_print(&table, 0, cli->color, text);
    }
    return 0;
}

// ---- show ----------------------------------------------------------------------------------------

static void
add_set_row(struct table *table, const char *title, const char *text)
{
    if (text == NULL)
        return;
    table_row(table);
    table_cell(table, COLOR_DIM, title);
    table_cell(table, COLOR_NONE, text);
}

// Adds the values of the spec, one a row.
static void
add_spec(struct table *table, const char *canonical)
{
    STRV_AUTO struct strv lines = {0};
    if (canonical != NULL)
        strv_split(&lines, canonical, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (lines.items[i][0] != '\0')
            add_set_row(table, i == 0 ? "spec" : "", lines.items[i]);
}

static void
add_set(const struct cli *cli, const struct frozen_set *set, const json_t *value, struct buf *text)
{
    static const char *const facts[][2] = {
        {"hypervisor", "emulator"}, {"libvirt", "libvirt"}, {"accel", "accelerator"}};
    TABLE_AUTO struct table table = {0};
    FREE_AUTO char *size =
        str_bytes((uint64_t) json_integer_value(json_object_get(value, "bytes")));
    const char *node;
    const json_t *image;
    add_set_row(&table, "frozen set", set->key);
    add_set_row(&table, "cluster", member(set, "cluster"));
    add_set_row(&table, "size", size);
    add_set_row(&table, "created", member(set, "created"));
    add_set_row(&table, "airbuild", member(set, "airbuild"));
    add_set_row(&table, "state", json_string_value(json_object_get(value, "state")));
    add_set_row(&table, "damage", set->damage);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        add_set_row(&table, facts[i][1], json_string_value(depends_on(set, facts[i][0])));
    json_object_foreach((json_t *) depends_on(set, "images"), node, image)
    {
        const char *key = json_string_value(json_object_get(image, "key"));
        FREE_AUTO char *line =
            str_format("%s over image %.*s", node, IMAGES_KEY_SHOWN, key != NULL ? key : "unknown");
        add_set_row(&table, "node", line);
    }
    add_set_row(&table, "folder", set->folder);
    add_spec(&table, json_string_value(depends_on(set, "spec")));
    table_print(&table, 0, cli->color, text);
}

int
frozen_sets_show(const struct cli *cli, const struct store *store, const char *word,
    struct buf *text, json_t *list, struct error *err)
{
    SETS_AUTO struct sets sets = {0};
    STRV_AUTO struct strv strangers = {0};
    if (sets_list(store, &sets, &strangers, err) != 0)
        return -1;
    for (size_t i = 0; i < sets.count; i++) {
        if (strlen(word) < IMAGES_PREFIX_LEAST || !str_starts(sets.items[i]->key, word))
            continue;
        json_t *value = set_json(store, sets.items[i]);
        json_object_set_new(value, "airbuild", text_to_json(member(sets.items[i], "airbuild")));
        json_object_set_new(value, "damage", text_to_json(sets.items[i]->damage));
        json_object_set(value, "depends", json_object_get(sets.items[i]->manifest, "depends"));
        json_array_append_new(list, value);
        add_set(cli, sets.items[i], value, text);
    }
    return 0;
}

// ---- verify --------------------------------------------------------------------------------------

int
frozen_sets_verify(struct cli *cli, const struct store *store, struct strv *damaged,
    size_t *ret_count, struct error *err)
{
    SETS_AUTO struct sets sets = {0};
    STRV_AUTO struct strv strangers = {0};
    struct progress *progress = cli_progress(cli);
    *ret_count = 0;
    if (sets_list(store, &sets, &strangers, err) != 0)
        return -1;
    for (size_t i = 0; i < sets.count; i++) {
        const struct frozen_set *set = sets.items[i];
        ERROR_AUTO struct error found = {0};
        CLOSE_AUTO int lock = -1;
        if (set->newer || store_share(store, set->key, 0, &lock, &found) != 0)
            continue; // it is being made or removed
        ++*ret_count;
        if (set->damage != NULL) {
            strv_addf(damaged, "the frozen set %.*s %s; 'airbuild images prune' removes it",
                IMAGES_KEY_SHOWN, set->key, set->damage);
            continue;
        }
        progress_step(progress, "frozen set", "reading %.*s", IMAGES_KEY_SHOWN, set->key);
        if (frozen_verify(set, &found) == 0) {
            progress_done(progress, "frozen set", "%.*s is OK", IMAGES_KEY_SHOWN, set->key);
            continue;
        }
        if (found.code != ERR_DAMAGED)
            return error_move(err, &found);
        progress_done(progress, "frozen set", "%.*s is damaged", IMAGES_KEY_SHOWN, set->key);
        frozen_give_up(set, &found);
        strv_add(damaged, found.message);
    }
    return 0;
}

// ---- make ----------------------------------------------------------------------------------------

int
frozen_sets_make(struct cli *cli, const struct spec *spec, const struct workspace *workspace,
    struct buf *text, json_t **ret, struct error *err)
{
    ACCEL_VERDICT_AUTO struct accel_verdict verdict = {0};
    FROZEN_SET_AUTO struct frozen_set *set = NULL;
    FREE_AUTO char *why = NULL;
    struct freeze_report report = {0};
    const struct image *redis = bake_image(workspace->plan, SPEC_REDIS);
    if (workspace_accel(workspace->home, spec, redis, cli_progress(cli), &verdict, err) != 0)
        return -1;
    struct launch_options options = {
        .spec = spec,
        .haproxy = bake_image(workspace->plan, SPEC_HAPROXY),
        .redis = redis,
        .kvm = verdict.kvm,
        .accel_why = verdict.why,
        .progress = cli->progress,
    };
    if (cluster_find_set(&options, &set, &why, err) != 0)
        return -1;
    if (set == NULL && cluster_make_set(&options, &report, err) != 0)
        return -1;
    uint64_t bytes = set != NULL ? sets_folder_bytes(set->folder) : report.bytes;
    const char *key = set != NULL ? set->key : report.key;
    FREE_AUTO char *size = str_bytes(bytes), *folder = report.folder;
    if (set != NULL)
        buf_printf(text, "frozen: %.*s, %s, is there; 'airbuild launch' thaws it\n",
            IMAGES_KEY_SHOWN, key, size);
    else
        buf_printf(text,
            "frozen: %.*s, %s, in %.1f s; 'airbuild launch' thaws it, and the cluster it was made "
            "of is removed\n",
            IMAGES_KEY_SHOWN, key, size, report.seconds);
    *ret = json_pack("{s:s, s:o, s:I, s:b, s:o}", "key", key, "folder",
        text_to_json(set != NULL ? set->folder : folder), "bytes", (json_int_t) bytes, "made",
        set == NULL, "seconds", real_to_json(report.seconds));
    return 0;
}
