// record.c - see record.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/record.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"

#include <string.h>

#define RECORD_FORMAT 2 // 1: without id, founded and old
#define RECORD_MAX ((size_t) 1 << 20)

struct record *
record_new(const struct spec *spec, const char *id)
{
    struct record *record = mem_zero(1, sizeof *record);
    record->id = str_dup(id);
    record->spec = spec_canonical(spec);
    if (spec->network.mode != SPEC_NETWORK_BRIDGE)
        record->network = str_dup(spec->network.name);
    return record;
}

void
record_freep(struct record **owner)
{
    struct record *record = *owner;
    if (record == NULL)
        return;
    for (size_t i = 0; i < record->node_count; i++) {
        free(record->nodes[i].name);
        free(record->nodes[i].image);
    }
    free(record->nodes);
    free(record->id);
    free(record->spec);
    free(record->network);
    free(record);
}

static struct record_node *
record_find(const struct record *record, const char *node)
{
    for (size_t i = 0; i < record->node_count; i++)
        if (str_equal(record->nodes[i].name, node))
            return &record->nodes[i];
    return NULL;
}

const char *
record_image(const struct record *record, const char *node)
{
    const struct record_node *found = record_find(record, node);
    return found != NULL ? found->image : NULL;
}

void
record_set_image(struct record *record, const char *node, const char *key)
{
    struct record_node *found = record_find(record, node);
    if (found == NULL) {
        size_t capacity = record->node_count;
        mem_grow(&record->nodes, &capacity, record->node_count + 1, sizeof *record->nodes);
        found = &record->nodes[record->node_count++];
        *found = (struct record_node){.name = str_dup(node)};
    }
    free(found->image);
    found->image = str_dup(key);
}

int
record_save(const char *folder, const struct record *record, struct error *err)
{
    json_t *images = json_object();
    for (size_t i = 0; i < record->node_count; i++)
        json_object_set_new(images, record->nodes[i].name, text_to_json(record->nodes[i].image));
    json_auto_t *root = json_pack("{s:i, s:o, s:b, s:b, s:o, s:o, s:o}", "format", RECORD_FORMAT,
        "id", text_to_json(record->id), "old", record->old, "founded", record->founded, "spec",
        text_to_json(record->spec), "network", text_to_json(record->network), "images", images);
    FREE_AUTO char *path = path_join(folder, RECORD_FILE);
    return write_json_file(path, 0644, root, err);
}

// Returns the value of "KEY: " in lines, or NULL.
static const char *
line_value(const struct strv *lines, const char *key, size_t key_length)
{
    for (size_t i = 0; i < lines->count; i++)
        if (strncmp(lines->items[i], key, key_length) == 0 &&
            str_starts(lines->items[i] + key_length, ": "))
            return lines->items[i] + key_length + 2;
    return NULL;
}

static int
record_damaged(struct error *err, const char *path)
{
    return error_set(err, ERR_DAMAGED,
        "the record of the cluster in '%s' is damaged; restore the file from a copy, or remove the "
        "cluster with 'airbuild destroy'",
        path);
}

static bool
is_id(const char *text)
{
    return text != NULL && strlen(text) == RECORD_ID_LENGTH &&
           strspn(text, "0123456789abcdef") == RECORD_ID_LENGTH;
}

// Format 1 recorded each image just before its disk was made, and not whether a domain was started.
static bool
had_all_images(const struct record *record)
{
    size_t nodes = 0;
    for (const char *at = record->spec; (at = strstr(at, ".role: ")) != NULL; at++)
        nodes++;
    return nodes > 0 && record->node_count >= nodes;
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
    if (format < 1 || spec == NULL || (format > 1 && !is_id(id)))
        return record_damaged(err, path);
    struct record *record = mem_zero(1, sizeof *record);
    record->spec = str_dup(spec);
    record->network = str_dup(json_string_value(json_object_get(root, "network")));
    const char *name;
    json_t *image;
    json_object_foreach(json_object_get(root, "images"), name, image)
    {
        if (json_is_string(image))
            record_set_image(record, name, json_string_value(image));
    }
    if (format == 1) {
        record->old = true;
        record->founded = had_all_images(record);
    } else {
        record->id = str_dup(id);
        record->old = json_is_true(json_object_get(root, "old"));
        record->founded = !json_is_false(json_object_get(root, "founded"));
    }
    *ret = record;
    return 0;
}

char *
record_value(const struct record *record, const char *key)
{
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, record->spec, '\n');
    return str_dup(line_value(&lines, key, strlen(key)));
}

static void
compare_line(const struct spec *spec, const struct strv *old, const struct strv *new,
    const char *line, struct strv *ret)
{
    const char *colon = strstr(line, ": ");
    if (colon == NULL)
        return;
    FREE_AUTO char *key = str_ndup(line, (size_t) (colon - line));
    const char *was = line_value(old, key, strlen(key)), *now = line_value(new, key, strlen(key));
    // Nodes and network never change after a launch, so they are compared even where the spec
    // leaves them open.
    bool compared = str_equal(key, "cluster") || str_starts(key, "network.") ||
                    str_ends(key, ".role") || str_ends(key, ".address") ||
                    spec_specifies(spec, key);
    FREE_AUTO char *text = str_format(
        "%s: was %s, now %s", key, was != NULL ? was : "absent", now != NULL ? now : "absent");
    if (!str_equal(was, now) && compared && !strv_has(ret, text))
        strv_add(ret, text);
}

void
record_differences(const char *was, const struct spec *spec, struct strv *ret)
{
    STRV_AUTO struct strv old = {0}, new = {0};
    FREE_AUTO char *now = spec_canonical(spec);
    strv_split(&old, was, '\n');
    strv_split(&new, now, '\n');
    for (size_t i = 0; i < new.count; i++)
        compare_line(spec, &old, &new, new.items[i], ret);
    for (size_t i = 0; i < old.count; i++)
        compare_line(spec, &old, &new, old.items[i], ret);
}
