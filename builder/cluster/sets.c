// sets.c - see sets.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/sets.h"

#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"
#include "store/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
sets_free(struct sets *sets)
{
    for (size_t i = 0; i < sets->count; i++)
        frozen_set_freep(&sets->items[i]);
    free(sets->items);
    *sets = (struct sets){0};
}

static const char *
created_at(const struct frozen_set *set)
{
    const char *created = json_string_value(json_object_get(set->manifest, "created"));
    return created != NULL ? created : "";
}

static int
order(const void *left, const void *right)
{
    const struct frozen_set *a = *(struct frozen_set *const *) left;
    const struct frozen_set *b = *(struct frozen_set *const *) right;
    int times = strcmp(created_at(a), created_at(b));
    return times != 0 ? times : strcmp(a->key, b->key);
}

// Lists the folder of all sets, which the first one makes.
static int
list_names(const char *folder, struct strv *ret, struct error *err)
{
    return file_exists(folder) ? dir_list(folder, ret, err) : 0;
}

int
sets_list(
    const struct store *store, struct sets *ret, struct strv *ret_strangers, struct error *err)
{
    FREE_AUTO char *folder = frozen_folder(store);
    STRV_AUTO struct strv names = {0};
    if (list_names(folder, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        if (!store_is_key(name)) {
            if (name[0] != '.')
                strv_addf(ret_strangers,
                    "'%s' in '%s' is no frozen set; nothing uses it: remove it", name, folder);
            continue;
        }
        mem_grow(&ret->items, &ret->capacity, ret->count + 1, sizeof *ret->items);
        ret->items[ret->count++] = frozen_load(folder, name);
    }
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof *ret->items, order);
    return 0;
}

static uint64_t
folder_bytes(const char *folder, bool deeper)
{
    STRV_AUTO struct strv names = {0};
    ERROR_AUTO struct error ignored = {0};
    uint64_t bytes = 0;
    dir_list(folder, &names, &ignored);
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *path = path_join(folder, names.items[i]);
        int64_t size = file_allocated(path);
        bytes += size > 0 ? (uint64_t) size : 0;
        bytes += deeper ? folder_bytes(path, false) : 0;
    }
    return bytes;
}

uint64_t
sets_folder_bytes(const char *folder)
{
    return folder_bytes(folder, true);
}

// ---- images --------------------------------------------------------------------------------------

static bool
needs(const struct frozen_set *set, const char *key)
{
    const char *node;
    const json_t *image;
    json_t *images = json_object_get(json_object_get(set->manifest, "depends"), "images");
    json_object_foreach(images, node,
        image) if (str_equal(json_string_value(json_object_get(image, "key")), key)) return true;
    return false;
}

bool
sets_has_images(const struct store *store, const struct frozen_set *set)
{
    const char *node;
    const json_t *image;
    json_t *images = json_object_get(json_object_get(set->manifest, "depends"), "images");
    json_object_foreach(images, node, image)
    {
        const char *key = json_string_value(json_object_get(image, "key"));
        json_auto_t *manifest =
            key != NULL && store_is_key(key) ? manifest_peek(store->images, key) : NULL;
        const json_t *base = json_object_get(manifest, "backing_sha256");
        if (manifest == NULL ||
            !str_equal(manifest_disk_digest(manifest),
                json_string_value(json_object_get(image, "sha256"))) ||
            !str_equal(json_string_value(base), json_string_value(json_object_get(image, "base"))))
            return false;
    }
    return true;
}

// ---- find ----------------------------------------------------------------------------------------

// Returns the images of new disks, by node; borrows them. The caller frees the array.
static struct image **
new_images(const struct launch_options *options)
{
    const struct spec *spec = options->spec;
    struct image **images = mem_zero(spec->node_count, sizeof *images);
    for (size_t i = 0; i < spec->node_count; i++)
        images[i] = (struct image *) (spec->nodes[i].role == SPEC_HAPROXY ? options->haproxy
                                                                          : options->redis);
    return images;
}

int
sets_find(const struct session *session, const struct launch_options *options,
    struct frozen_set **ret, char **ret_why, struct error *err)
{
    FREE_AUTO struct image **images = new_images(options);
    FREE_AUTO char *home = cluster_home();
    STORE_AUTO struct store *store = NULL;
    json_auto_t *depends = NULL;
    if (store_open(home, &store, err) < 0 ||
        frozen_depends(session, images, options->kvm, &depends, err) < 0)
        return -1;
    return frozen_find(store, options->spec, depends, ret, ret_why, err);
}

int
cluster_find_set(const struct launch_options *options, struct frozen_set **ret, char **ret_why,
    struct error *err)
{
    SESSION_AUTO struct session session = {.lock = -1};
    if (session_open(options->spec, false, &session, err) < 0 || session_connect(&session, err) < 0)
        return -1;
    return sets_find(&session, options, ret, ret_why, err);
}

// ---- prune ---------------------------------------------------------------------------------------

struct pruning {
    const struct store *store;
    const struct spec *spec;
    struct sets sets;
    struct strv wanted; // keys that a launch of the spec would thaw
    bool unknown;       // libvirt did not answer: any set of the spec may be one of them
    const struct strv *gone;
};

static void
pruning_free(struct pruning *pruning)
{
    sets_free(&pruning->sets);
    strv_free(&pruning->wanted);
}

static int
find_wanted(struct pruning *pruning, const struct launch_options *options, struct error *err)
{
    SESSION_AUTO struct session session = {.lock = -1};
    FREE_AUTO struct image **images = new_images(options);
    if (options->haproxy == NULL || options->redis == NULL)
        return 0;
    if (session_open(options->spec, false, &session, err) < 0)
        return -1;
    int result = session_connect(&session, err);
    for (int kvm = 0; kvm < 2 && result == 0; kvm++) {
        json_auto_t *depends = NULL;
        char key[DIGEST_HEX + 1];
        result = frozen_depends(&session, images, kvm, &depends, err);
        if (result < 0)
            break;
        frozen_key(depends, key);
        strv_add(&pruning->wanted, key);
    }
    if (result < 0 && err->code == ERR_INTERRUPTED)
        return -1;
    pruning->unknown = result < 0;
    error_clear(err);
    return 0;
}

static const char *
spec_of(const struct frozen_set *set)
{
    return json_string_value(json_object_get(json_object_get(set->manifest, "depends"), "spec"));
}

static bool
is_useful(const struct pruning *pruning, const struct frozen_set *set)
{
    if (set->damage != NULL || set->newer || !sets_has_images(pruning->store, set))
        return false;
    for (size_t i = 0; i < pruning->gone->count; i++) {
        const char *key = strrchr(pruning->gone->items[i], ' ');
        if (key != NULL && needs(set, key + 1))
            return false;
    }
    return true;
}

// Returns why a set is removed, or NULL. The sets after it are newer.
static const char *
reason_to_go(const struct pruning *pruning, size_t index)
{
    const struct frozen_set *set = pruning->sets.items[index];
    FREE_AUTO char *canonical = spec_canonical(pruning->spec);
    if (set->newer)
        return NULL;
    if (set->damage != NULL)
        return "damaged";
    if (!is_useful(pruning, set))
        return "an image that it needs is not kept";
    if (strv_has(&pruning->wanted, set->key) ||
        (pruning->unknown && str_equal(spec_of(set), canonical)))
        return NULL;
    for (size_t i = index + 1; i < pruning->sets.count; i++) {
        const struct frozen_set *other = pruning->sets.items[i];
        if (str_equal(spec_of(other), spec_of(set)) && is_useful(pruning, other))
            return "there is a newer one of its spec";
    }
    return NULL;
}

// Removes a set or draft of that name, unless another airbuild holds the lock of its key. Renames
// it first, so that no other process sees half a set.
static int
remove_one(const struct pruning *pruning, const char *name, const char *reason, bool dry_run,
    struct strv *ret_removed, uint64_t *ret_bytes, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    FREE_AUTO char *folder = frozen_folder(pruning->store);
    FREE_AUTO char *path = path_join(folder, name);
    const char *key = name[0] == '.' ? name + 1 : name;
    FREE_AUTO char *draft = str_format("%s/.%s", folder, key);
    int taken = store_try_lock(pruning->store, key, &lock, err);
    if (taken <= 0)
        return taken;
    strv_addf(ret_removed, "frozen %s (%s)", name, reason);
    *ret_bytes += sets_folder_bytes(path);
    if (dry_run)
        return 0;
    if (name[0] == '.')
        return dir_remove(path, err);
    if (dir_remove(draft, err) < 0)
        return -1;
    if (rename(path, draft) < 0)
        return error_errno(err, errno, "cannot remove '%s'", path);
    return dir_remove(draft, err);
}

static int
remove_drafts(const struct pruning *pruning, bool dry_run, struct strv *ret_removed,
    uint64_t *ret_bytes, struct error *err)
{
    FREE_AUTO char *folder = frozen_folder(pruning->store);
    STRV_AUTO struct strv names = {0};
    if (list_names(folder, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        if (name[0] != '.' || !store_is_key(name + 1))
            continue;
        if (remove_one(pruning, name, "a draft", dry_run, ret_removed, ret_bytes, err) < 0)
            return -1;
    }
    return 0;
}

int
sets_prune(const struct store *store, const struct launch_options *options, const struct strv *gone,
    bool dry_run, struct strv *ret_removed, uint64_t *ret_bytes, struct error *err)
{
    CLEANUP(pruning_free)
    struct pruning pruning = {.store = store, .spec = options->spec, .gone = gone};
    STRV_AUTO struct strv strangers = {0};
    if (remove_drafts(&pruning, dry_run, ret_removed, ret_bytes, err) < 0 ||
        sets_list(store, &pruning.sets, &strangers, err) < 0)
        return -1;
    if (pruning.sets.count == 0)
        return 0;
    if (find_wanted(&pruning, options, err) < 0)
        return -1;
    for (size_t i = 0; i < pruning.sets.count; i++) {
        const char *reason = reason_to_go(&pruning, i);
        if (reason != NULL && remove_one(&pruning, pruning.sets.items[i]->key, reason, dry_run,
                                  ret_removed, ret_bytes, err) < 0)
            return -1;
    }
    return 0;
}
