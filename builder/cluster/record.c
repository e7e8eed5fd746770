// record.c - see record.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/record.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/jv.h"

#include <string.h>

#define RECORD_FORMAT 1
#define RECORD_MAX ((size_t) 1 << 20)

struct record *
record_new(const struct spec *spec)
{
    struct record *record = mem_zero(1, sizeof *record);
    record->spec = spec_canonical(spec);
    if (spec->network.mode != SPEC_NETWORK_BRIDGE)
        record->network = str_dup(spec->network.name);
    return record;
}

void
record_free(struct record *record)
{
    if (record == NULL)
        return;
    for (size_t i = 0; i < record->node_count; i++) {
        free(record->nodes[i].name);
        free(record->nodes[i].image);
    }
    free(record->nodes);
    free(record->spec);
    free(record->network);
    free(record);
}

void
record_freep(struct record **record)
{
    record_free(*record);
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
    JV_AUTO struct jv *root = jv_object();
    jv_set_int(root, "format", RECORD_FORMAT);
    jv_set_string(root, "spec", record->spec);
    jv_set_string(root, "network", record->network);
    struct jv *nodes = jv_object();
    for (size_t i = 0; i < record->node_count; i++)
        jv_set_string(nodes, record->nodes[i].name, record->nodes[i].image);
    jv_set(root, "images", nodes);
    FREE_AUTO char *text = jv_print(root, true);
    FREE_AUTO char *path = path_join(folder, RECORD_FILE);
    return file_write(path, 0644, text, strlen(text), err);
}

int
record_load(const char *folder, struct record **ret, struct error *err)
{
    FREE_AUTO char *path = path_join(folder, RECORD_FILE);
    FREE_AUTO char *text = NULL;
    size_t length = 0;
    if (file_read(path, RECORD_MAX, &text, &length, err) < 0)
        return -1;
    JV_AUTO struct jv *root = NULL;
    if (jv_parse(text, length, &root, err) < 0) {
        err->code = ERR_DAMAGED;
        return error_context(
            err, "%s is damaged; remove the cluster with 'airbuild destroy'", path);
    }
    if (jv_get_int(root, "format", 0) != RECORD_FORMAT || jv_get_string(root, "spec") == NULL)
        return error_set(err, ERR_DAMAGED,
            "'%s' is not a record this airbuild knows; remove the cluster with 'airbuild destroy'",
            path);
    RECORD_AUTO struct record *record = mem_zero(1, sizeof *record);
    record->spec = str_dup(jv_get_string(root, "spec"));
    record->network = str_dup(jv_get_string(root, "network"));
    const struct jv *images = jv_get(root, "images");
    for (size_t i = 0; i < jv_count(images); i++) {
        const char *name = jv_key_at(images, i);
        const char *key = jv_get_string(images, name);
        if (key != NULL)
            record_set_image(record, name, key);
    }
    *ret = TAKE(record);
    return 0;
}

// The value of "KEY: " in lines, or NULL.
static const char *
line_value(const struct strv *lines, const char *key, size_t key_length)
{
    for (size_t i = 0; i < lines->count; i++)
        if (strncmp(lines->items[i], key, key_length) == 0 &&
            str_starts(lines->items[i] + key_length, ": "))
            return lines->items[i] + key_length + 2;
    return NULL;
}

void
record_differences(const char *was, const char *now, struct strv *ret)
{
    STRV_AUTO struct strv old = {0}, new = {0};
    strv_split(&old, was, '\n');
    strv_split(&new, now, '\n');
    for (size_t i = 0; i < new.count; i++) {
        const char *colon = strstr(new.items[i], ": ");
        if (colon == NULL || strv_has(&old, new.items[i]))
            continue;
        size_t length = (size_t) (colon - new.items[i]);
        const char *before = line_value(&old, new.items[i], length);
        strv_addf(ret, "%.*s: was %s, now %s", (int) length, new.items[i],
            before != NULL ? before : "absent", colon + 2);
    }
    for (size_t i = 0; i < old.count; i++) {
        const char *colon = strstr(old.items[i], ": ");
        if (colon == NULL)
            continue;
        size_t length = (size_t) (colon - old.items[i]);
        if (line_value(&new, old.items[i], length) == NULL)
            strv_addf(ret, "%.*s: was %s, now absent", (int) length, old.items[i], colon + 2);
    }
}
