// frozen.c - see frozen.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/frozen.h"

#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"
#include "cluster/cluster.h"
#include "store/manifest.h"
#include "virt/virt.h"
#include "virt/xml.h"

#include <string.h>
#include <sys/stat.h>

#define WAIT_MS 10000 // for another airbuild that makes the set: it saves memory meanwhile

void
frozen_set_freep(struct frozen_set **owner)
{
    struct frozen_set *set = TAKE(*owner);
    if (set == NULL)
        return;
    free(set->key);
    free(set->folder);
    free(set->damage);
    json_decref(set->manifest);
    frozen_release(set);
    free(set);
}

// Returns the digest of what defines a machine and its network, apart from what the spec and the
// images say.
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
    const struct virt_network network = {
        .name = "", .cluster = "", .bridge = "", .mac = "", .address = ""};
    FREE_AUTO char *domain_xml = virt_domain_xml(&model), *network_xml = virt_network_xml(&network);
    FREE_AUTO char *xml = str_format("%s%s", domain_xml, network_xml);
    digest_bytes(xml, strlen(xml), ret);
}

int
frozen_depends(const struct session *session, struct image *const *images, bool kvm, json_t **ret,
    struct error *err)
{
    const struct spec *spec = session->spec;
    FREE_AUTO char *canonical = spec_canonical(spec);
    VIRT_HOST_AUTO struct virt_host host = {0};
    char machine[DIGEST_HEX + 1];
    if (virt_host_look(session->virt, &host, err) < 0)
        return -1;
    machine_digest(kvm, machine);
    // An image that was baked again is another disk under the same key.
    json_t *all = json_object();
    for (size_t i = 0; i < spec->node_count; i++) {
        const json_t *manifest = images[i]->manifest;
        const json_t *base = json_object_get(manifest, "backing_sha256");
        json_object_set_new(all, spec->nodes[i].name,
            json_pack("{s:s, s:o, s:o}", "key", images[i]->key, "sha256",
                text_to_json(manifest_disk_digest(manifest)), "base",
                text_to_json(json_string_value(base))));
    }
    *ret = json_pack("{s:i, s:o, s:s, s:o, s:o, s:o, s:s, s:o}", "format", FROZEN_FORMAT, "spec",
        text_to_json(canonical), "machine", machine, "hypervisor", text_to_json(host.hypervisor),
        "libvirt", text_to_json(host.libvirt), "cpu", kvm ? text_to_json(host.cpu) : json_null(),
        "accel", kvm ? "KVM" : "TCG", "images", all);
    return 0;
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
    STRV_AUTO struct strv changes = {0};
    if (was != NULL)
        record_compare(was, is, NULL, &changes);
    if (changes.count > 0)
        return str_dup(changes.items[0]);
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

// ---- find ----------------------------------------------------------------------------------------

// Takes the set of that key, when it is there and can be thawed.
static int
take_set(const struct store *store, const char *sets, const char *key, struct frozen_set **ret,
    char **ret_why, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    if (store_share(store, key, WAIT_MS, &lock, err) < 0) {
        if (err->code != ERR_BUSY)
            return -1;
        *ret_why = str_format("the frozen set %.12s is being made or removed", key);
        error_clear(err);
        return 0;
    }
    FROZEN_SET_AUTO struct frozen_set *set = frozen_load(sets, key);
    if (!file_exists(set->folder)) // it was removed meanwhile
        return 0;
    if (set->damage != NULL || set->newer) {
        *ret_why = set->newer
                       ? str_format("a later airbuild made the frozen set %.12s", key)
                       : str_format("the frozen set %.12s %s ('airbuild images prune' removes it)",
                             key, set->damage);
        return 0;
    }
    set->lock = TAKE_FD(lock);
    *ret = TAKE(set);
    return 0;
}

// Says how the newest set of the cluster differs; caller frees. NULL: it has none.
static char *
explain(const char *sets, const struct strv *keys, const struct spec *spec, const json_t *depends)
{
    FREE_AUTO char *newest = NULL, *why = NULL;
    for (size_t i = 0; i < keys->count; i++) {
        FROZEN_SET_AUTO struct frozen_set *set = frozen_load(sets, keys->items[i]);
        const char *created = json_string_value(json_object_get(set->manifest, "created"));
        const char *cluster = json_string_value(json_object_get(set->manifest, "cluster"));
        if (!str_equal(cluster, spec->cluster) || created == NULL ||
            (newest != NULL && strcmp(created, newest) < 0))
            continue;
        free(newest);
        newest = str_dup(created);
        free(why);
        why = difference(json_object_get(set->manifest, "depends"), depends);
    }
    return why != NULL ? str_format("no frozen set matches (%s)", why) : NULL;
}

int
frozen_find(struct store *store, const struct spec *spec, const json_t *depends,
    struct frozen_set **ret, char **ret_why, struct error *err)
{
    FREE_AUTO char *sets = frozen_folder(store);
    STRV_AUTO struct strv keys = {0};
    char key[DIGEST_HEX + 1];
    *ret = NULL;
    *ret_why = NULL;
    if (!file_exists(sets))
        return 0;
    // Whoever reads it has the passwords; a copy may have another mode.
    struct stat info;
    if (stat(sets, &info) == 0 && (info.st_mode & 0077) != 0)
        chmod(sets, info.st_mode & 0700);
    if (store_keys(sets, &keys, err) < 0)
        return -1;
    frozen_key(depends, key);
    if (strv_has(&keys, key) && take_set(store, sets, key, ret, ret_why, err) < 0)
        return -1;
    if (*ret == NULL && *ret_why == NULL)
        *ret_why = explain(sets, &keys, spec, depends);
    return 0;
}

void
frozen_release(struct frozen_set *set)
{
    cleanup_close(&set->lock);
    set->lock = -1;
}

int
frozen_give_up(const struct frozen_set *set, struct error *err)
{
    FREE_AUTO char *path = path_join(set->folder, FROZEN_DAMAGED);
    ERROR_AUTO struct error ignored = {0};
    FREE_AUTO char *within = path_join(set->folder, ""), *found = str_dup(err->message);
    char *at = strstr(found, within); // files are named as in the set
    if (at != NULL)
        memmove(at, at + strlen(within), strlen(at + strlen(within)) + 1);
    file_write(path, 0600, found, strlen(found), &ignored);
    return error_set(err, ERR_DAMAGED,
        "the frozen set %.12s is damaged, and is not used again (%s); 'airbuild launch --cold' "
        "boots the nodes, and 'airbuild images prune' removes the set",
        set->key, found);
}
