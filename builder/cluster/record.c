// record.c - see record.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/record.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"

#include <string.h>

#define RECORD_FORMAT 2                // 1: without id, founded and old
#define RECORD_MAX ((size_t) 16 << 20) // of a thousand nodes: less than 1 MiB

struct record *
record_new(const struct spec *spec, const char *id)
{
    struct record *record = mem_zero(1, sizeof *record);
    record->id = str_dup(id);
    record->spec = spec_canonical(spec);
    if (spec->network.mode != SPEC_NETWORK_BRIDGE)
        record->network = str_dup(spec->network.name);
    record->images = json_object();
    return record;
}

void
record_freep(struct record **owner)
{
    struct record *record = *owner;
    if (record == NULL)
        return;
    json_decref(record->images);
    free(record->id);
    free(record->spec);
    free(record->network);
    free(record->thaws);
    free(record);
}

const char *
record_image(const struct record *record, const char *node)
{
    return json_string_value(json_object_get(record->images, node));
}

int
record_save(const char *folder, const struct record *record, struct error *err)
{
    json_auto_t *root =
        json_pack("{s:i, s:o, s:b, s:b, s:o, s:o, s:o, s:O}", "format", RECORD_FORMAT, "id",
            text_to_json(record->id), "old", record->old, "founded", record->founded, "spec",
            text_to_json(record->spec), "network", text_to_json(record->network), "thaws",
            text_to_json(record->thaws), "images", record->images);
    FREE_AUTO char *path = path_join(folder, RECORD_FILE);
    return write_json_file(path, 0644, root, err);
}

char *
record_value(const char *spec, const char *key)
{
    FREE_AUTO char *begin = str_format("%s: ", key);
    const char *line = spec;
    while (line != NULL && !str_starts(line, begin)) {
        const char *newline = strchr(line, '\n');
        line = newline != NULL ? newline + 1 : NULL;
    }
    return line == NULL ? NULL
                        : str_ndup(line + strlen(begin), strcspn(line, "\n") - strlen(begin));
}

static int
record_damaged(struct error *err, const char *path)
{
    return error_set(err, ERR_DAMAGED,
        "the record of the cluster in '%s' is damaged; restore the file from a copy, or remove the "
        "cluster with 'airbuild destroy'",
        path);
}

int
record_load(const char *folder, struct record **ret, struct error *err)
{
    FREE_AUTO char *path = path_join(folder, RECORD_FILE);
    json_auto_t *root = NULL;
    if (read_json_file(path, RECORD_MAX, &root, err) < 0) {
        bool damaged = err->code == ERR_FAILED || err->code == ERR_DAMAGED;
        return damaged ? record_damaged(err, path) : -1;
    }
    const char *id = json_string_value(json_object_get(root, "id"));
    const char *spec = json_string_value(json_object_get(root, "spec"));
    long long format = json_integer_value(json_object_get(root, "format"));
    if (format > RECORD_FORMAT)
        return error_set(err, ERR_CONFLICT,
            "the cluster in '%s' was launched by a newer airbuild; use that version", path);
    bool has_id = id != NULL && strlen(id) == RECORD_ID_LENGTH &&
                  strspn(id, "0123456789abcdef") == RECORD_ID_LENGTH;
    if (format < 1 || spec == NULL || (format > 1 && !has_id))
        return record_damaged(err, path);
    struct record *record = mem_zero(1, sizeof *record);
    record->spec = str_dup(spec);
    record->network = str_dup(json_string_value(json_object_get(root, "network")));
    record->thaws = str_dup(json_string_value(json_object_get(root, "thaws")));
    json_t *images = json_object_get(root, "images");
    record->images = json_is_object(images) ? json_incref(images) : json_object();
    if (format == 1) {
        // It recorded each image just before its disk was made, and not whether a domain was
        // started.
        size_t nodes = 0;
        for (const char *at = spec; (at = strstr(at, ".role: ")) != NULL; at++)
            nodes++;
        record->old = true;
        record->founded = nodes > 0 && json_object_size(record->images) >= nodes;
    } else {
        record->id = str_dup(id);
        record->old = json_is_true(json_object_get(root, "old"));
        record->founded = !json_is_false(json_object_get(root, "founded"));
    }
    *ret = record;
    return 0;
}

// Returns the values of lines "KEY: value" by key, in their order.
static json_t *
values_of(const char *lines)
{
    json_t *values = json_object();
    STRV_AUTO struct strv list = {0};
    strv_split(&list, lines, '\n');
    for (size_t i = 0; i < list.count; i++) {
        char *colon = strstr(list.items[i], ": ");
        if (colon == NULL)
            continue;
        *colon = '\0';
        json_object_set_new(values, list.items[i], text_to_json(colon + 2));
    }
    return values;
}

// Nodes and network never change after a launch, so they are compared even where the spec leaves
// them open.
static bool
is_compared(const struct spec *spec, const char *key)
{
    return str_equal(key, "cluster") || str_starts(key, "network.") || str_ends(key, ".role") ||
           str_ends(key, ".address") || spec_specifies(spec, key);
}

void
record_compare(const char *was, const char *is, const struct spec *spec, struct strv *ret)
{
    json_auto_t *now = values_of(is), *before = values_of(was);
    json_auto_t *all = json_copy(now);
    const char *key;
    json_t *value;
    json_object_update_missing(all, before);
    json_object_foreach(all, key, value)
    {
        const char *old = json_string_value(json_object_get(before, key)),
                   *new = json_string_value(json_object_get(now, key));
        if (!str_equal(old, new) && (spec == NULL || is_compared(spec, key)))
            strv_addf(ret, "%s: was %s, now %s", key, old != NULL ? old : "absent",
                new != NULL ? new : "absent");
    }
}

void
record_differences(const char *was, const struct spec *spec, struct strv *ret)
{
    FREE_AUTO char *now = spec_canonical(spec);
    record_compare(was, now, spec, ret);
}
