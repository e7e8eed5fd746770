// frozen.c - see frozen.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/frozen.h"

#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/json.h"
#include "cluster/cluster.h"
#include "virt/virt.h"
#include "virt/xml.h"

#include <string.h>

enum { MANIFEST_MAX = 1 << 20, FORMAT = 1 };

void
frozen_set_freep(struct frozen_set **owner)
{
    struct frozen_set *set = TAKE(*owner);
    if (set == NULL)
        return;
    free(set->key);
    free(set->folder);
    json_decref(set->manifest);
    free(set);
}

// Returns the digest of what defines a machine, apart from what the spec and the images say.
static void
machine_digest(bool kvm, char ret[65])
{
    const struct virt_domain model = {.name = "",
        .cluster = "",
        .memory_mib = 1,
        .cpus = 1,
        .kvm = kvm,
        .kernel = "",
        .initrd = "",
        .cmdline = virt_cmdline(kvm),
        .network = "",
        .mac = ""};
    FREE_AUTO char *xml = virt_domain_xml(&model);
    digest_bytes(xml, strlen(xml), ret);
}

int
frozen_depends(const struct session *session, const struct strv *images, bool kvm, json_t **ret,
    struct error *err)
{
    const struct spec *spec = session->spec;
    FREE_AUTO char *canonical = spec_canonical(spec);
    VIRT_HOST_AUTO struct virt_host host = {0};
    char machine[DIGEST_HEX + 1];
    if (virt_host_look(session->virt, &host, err) < 0)
        return -1;
    machine_digest(kvm, machine);
    json_t *keys = json_object();
    for (size_t i = 0; i < spec->node_count; i++)
        json_object_set_new(keys, spec->nodes[i].name, json_string(images->items[i]));
    *ret = json_pack("{s:i, s:o, s:s, s:o, s:o, s:o, s:s, s:o}", "format", FORMAT, "spec",
        text_to_json(canonical), "machine", machine, "hypervisor", text_to_json(host.hypervisor),
        "libvirt", text_to_json(host.libvirt), "cpu", kvm ? text_to_json(host.cpu) : json_null(),
        "accel", kvm ? "KVM" : "TCG", "images", keys);
    return 0;
}

void
frozen_key(const json_t *depends, char ret_key[65])
{
    FREE_AUTO char *text = json_dumps(depends, JSON_COMPACT | JSON_SORT_KEYS);
    digest_bytes(text, strlen(text), ret_key);
}

char *
frozen_path(const char *folder, const char *node, const char *file)
{
    return node != NULL ? str_format("%s/%s/%s", folder, node, file) : path_join(folder, file);
}

const char *
frozen_uuid(const struct frozen_set *set, const char *node)
{
    return json_string_value(json_object_get(json_object_get(set->manifest, "uuids"), node));
}

// Returns the first value in which a spec differs from an earlier one; caller frees. NULL: none.
static char *
spec_difference(const char *was, const char *now)
{
    STRV_AUTO struct strv both = {0};
    strv_split(&both, now, '\n');
    strv_split(&both, was, '\n');
    for (size_t i = 0; i < both.count; i++) {
        const char *line = both.items[i], *colon = strstr(line, ": ");
        FREE_AUTO char *key = str_ndup(line, colon != NULL ? (size_t) (colon - line) : 0);
        FREE_AUTO char *before = record_value(was, key), *after = record_value(now, key);
        if (!str_equal(before, after))
            return str_format("%s: was %s, now %s", key, before != NULL ? before : "absent",
                after != NULL ? after : "absent");
    }
    return NULL;
}

// Returns the first thing in which what a set depends on differs from what is there now; caller
// frees.
static char *
difference(const json_t *then, const json_t *now)
{
    static const struct {
        const char *member, *words;
    } facts[] = {
        {"hypervisor", "emulator"},
        {"libvirt", "libvirt"},
        {"accel", "accelerator"},
        {"cpu", "processor"},
    };
    const char *was = json_string_value(json_object_get(then, "spec"));
    const char *is = json_string_value(json_object_get(now, "spec"));
    char *change = was != NULL ? spec_difference(was, is) : NULL;
    if (change != NULL)
        return change;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        const char *before = json_string_value(json_object_get(then, facts[i].member));
        const char *after = json_string_value(json_object_get(now, facts[i].member));
        if (!str_equal(before, after))
            return str_format("%s: was %s, now %s", facts[i].words,
                before != NULL ? before : "unknown", after != NULL ? after : "unknown");
    }
    if (!json_equal(json_object_get(then, "images"), json_object_get(now, "images")))
        return str_dup("the images were baked from other recipes or packages");
    return str_dup("this airbuild defines other machines");
}

static int
read_set(const char *folder, json_t **ret, struct error *err)
{
    FREE_AUTO char *path = frozen_path(folder, NULL, "manifest.json");
    if (read_json_file(path, MANIFEST_MAX, ret, err) < 0)
        return error_context(err, "the frozen set in '%s'", folder);
    return 0;
}

int
frozen_find(const struct spec *spec, const json_t *depends, struct frozen_set **ret, char **ret_why,
    struct error *err)
{
    FREE_AUTO char *home = cluster_home();
    FREE_AUTO char *folder = path_join(home, "store/frozen");
    STRV_AUTO struct strv keys = {0};
    char key[DIGEST_HEX + 1];
    FREE_AUTO char *newest = NULL;
    *ret = NULL;
    *ret_why = NULL;
    if (!file_exists(folder))
        return 0;
    if (store_keys(folder, &keys, err) < 0)
        return -1;
    frozen_key(depends, key);
    for (size_t i = 0; i < keys.count; i++) {
        FREE_AUTO char *path = path_join(folder, keys.items[i]);
        json_auto_t *manifest = NULL;
        if (read_set(path, &manifest, err) < 0)
            return -1;
        if (str_equal(keys.items[i], key)) {
            struct frozen_set *set = *ret = mem_zero(1, sizeof *set);
            set->key = str_dup(key);
            set->folder = TAKE(path);
            set->manifest = TAKE(manifest);
            free(TAKE(*ret_why));
            return 0;
        }
        const char *created = json_string_value(json_object_get(manifest, "created"));
        if (!str_equal(json_string_value(json_object_get(manifest, "cluster")), spec->cluster) ||
            created == NULL || (newest != NULL && strcmp(created, newest) < 0))
            continue;
        free(newest);
        newest = str_dup(created);
        free(*ret_why);
        *ret_why = difference(json_object_get(manifest, "depends"), depends);
    }
    return 0;
}
