// state.c - see state.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/state.h"

#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/lock.h"
#include "cluster/cluster.h"
#include "cluster/disk.h"
#include "cluster/frozen.h"
#include "store/store.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_WAIT_MS 10000
#define FOLDER_MODE 0711 // qemu, as another user, reaches the disks; names of nodes are no secret

// ---- remnants of processes that were killed -----------------------------------------------------

// Returns the id in the name of the remnant of a removal of cluster, "" for a remnant of making it,
// and NULL for any other name.
static const char *
remnant_id(const char *name, const char *cluster)
{
    FREE_AUTO char *new = str_format(".%s.new-", cluster);
    FREE_AUTO char *gone = str_format(".%s.gone-", cluster);
    if (str_starts(name, new))
        return "";
    return str_starts(name, gone) ? name + strlen(gone) : NULL;
}

static int
sweep_gone(const char *parent, const char *cluster, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    STORE_AUTO struct store *store = NULL;
    FREE_AUTO char *home = cluster_home();
    FREE_AUTO char *store_folder = path_join(home, "store");
    if (dir_list(parent, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        const char *id = remnant_id(names.items[i], cluster);
        if (id == NULL)
            continue;
        // The pins go before the folder: as long as there are pins, a folder shows whose they are.
        if (id[0] != '\0' && file_exists(store_folder) &&
            ((store == NULL && store_open(home, &store, err) < 0) ||
                store_unpin(store, id, err) < 0))
            return -1;
        FREE_AUTO char *path = path_join(parent, names.items[i]);
        if (dir_remove(path, err) < 0)
            return -1;
    }
    return 0;
}

static char *
lock_path(const struct spec *spec)
{
    FREE_AUTO char *parent = cluster_parent();
    return str_format("%s/.%s.lock", parent, spec->cluster);
}

int
state_lock(const struct spec *spec, int *ret_fd, struct error *err)
{
    FREE_AUTO char *parent = cluster_parent();
    FREE_AUTO char *path = lock_path(spec);
    CLOSE_AUTO int fd = -1;
    if (dir_make(parent, FOLDER_MODE, err) < 0 || lock_take(path, LOCK_WAIT_MS, &fd, err) < 0 ||
        sweep_gone(parent, spec->cluster, err) < 0)
        return error_context(err, "cluster '%s'", spec->cluster);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

bool
state_has_any(const struct spec *spec)
{
    FREE_AUTO char *parent = cluster_parent();
    STRV_AUTO struct strv names = {0};
    ERROR_AUTO struct error ignored = {0};
    dir_list(parent, &names, &ignored);
    for (size_t i = 0; i < names.count; i++)
        if (str_equal(names.items[i], spec->cluster) ||
            remnant_id(names.items[i], spec->cluster) != NULL)
            return true;
    return false;
}

// ---- existence ----------------------------------------------------------------------------------

// Returns 0 as if there were no cluster when err is that a part is missing, and no node has
// anything that cannot be made again.
static int
refuse_missing_part(const char *folder, const char *part, struct error *err)
{
    FREE_AUTO char *nodes = path_join(folder, "nodes");
    STRV_AUTO struct strv names = {0};
    bool disks = false;
    if (err->code != ERR_NOT_FOUND)
        return -1;
    error_clear(err);
    if (file_exists(nodes) && dir_list(nodes, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *node = path_join(nodes, names.items[i]);
        STRV_AUTO struct strv files = {0};
        if (dir_list(node, &files, err) < 0)
            return -1;
        for (size_t k = 0; k < files.count; k++)
            disks |= !str_equal(files.items[k], "seed.iso") &&
                     !str_equal(files.items[k], "console.log") &&
                     !str_equal(files.items[k], DISK_DRAFT) &&
                     !str_starts(files.items[k], FILE_TEMPORARY);
    }
    if (!disks)
        return 0;
    return error_set(err, ERR_DAMAGED,
        "'%s' holds disks of a cluster and no %s; restore that file from a copy, or remove the "
        "cluster and its data with 'airbuild destroy'",
        folder, part);
}

int
state_load(const struct spec *spec, struct record **ret_record, struct secrets **ret_secrets,
    struct error *err)
{
    FREE_AUTO char *folder = cluster_folder(spec);
    RECORD_AUTO struct record *record = NULL;
    struct stat info;
    if (lstat(folder, &info) < 0)
        return errno == ENOENT ? 0 : error_errno(err, errno, "cannot examine '%s'", folder);
    if (!S_ISDIR(info.st_mode))
        return error_set(err, ERR_CONFLICT,
            "'%s' is not a folder, but the cluster's folder belongs there; move it away", folder);
    if (info.st_uid != geteuid()) {
        FREE_AUTO char *user = user_name(info.st_uid);
        return error_set(err, ERR_ACCESS,
            "the cluster in '%s' belongs to the %s; run airbuild as that user, or choose "
            "another name for the cluster",
            folder, user);
    }
    if (record_load(folder, &record, err) < 0) {
        if (ret_secrets != NULL || (err->code != ERR_NOT_FOUND && err->code != ERR_DAMAGED))
            return refuse_missing_part(folder, "record (" RECORD_FILE ")", err);
        error_clear(err);
        return 0;
    }
    if (ret_secrets != NULL && secrets_load(folder, ret_secrets, err) < 0)
        return refuse_missing_part(folder, "secrets (secrets.json)", err);
    *ret_record = TAKE(record);
    return 0;
}

bool
cluster_exists(const struct spec *spec)
{
    FREE_AUTO char *folder = cluster_folder(spec);
    FREE_AUTO char *record = path_join(folder, RECORD_FILE);
    return file_exists(record);
}

void
cluster_recall(struct spec *spec)
{
    FREE_AUTO char *folder = cluster_folder(spec);
    RECORD_AUTO struct record *record = NULL;
    ERROR_AUTO struct error ignored = {0}; // state_load reports it
    if (record_load(folder, &record, &ignored) == 0)
        spec_restore(spec, record->spec);
}

int
cluster_images_in_use(struct strv *ret_keys, struct error *err)
{
    FREE_AUTO char *parent = cluster_parent();
    STRV_AUTO struct strv names = {0};
    if (!file_exists(parent))
        return 0;
    if (dir_list(parent, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        if (names.items[i][0] == '.')
            continue;
        FREE_AUTO char *folder = path_join(parent, names.items[i]);
        RECORD_AUTO struct record *record = NULL;
        if (record_load(folder, &record, err) < 0) {
            if (err->code != ERR_NOT_FOUND)
                return -1;
            error_clear(err);
            continue;
        }
        const char *node;
        json_t *image;
        json_object_foreach(record->images, node, image)
        {
            const char *key = json_string_value(image);
            if (key != NULL && !strv_has(ret_keys, key))
                strv_add(ret_keys, key);
        }
    }
    return 0;
}

// ---- birth and death -----------------------------------------------------------------------------

int
state_create(const struct spec *spec, const char *id, const struct frozen_set *set, bool renew,
    struct record **ret_record, struct secrets **ret_secrets, char **ret_before, struct error *err)
{
    FREE_AUTO char *parent = cluster_parent();
    FREE_AUTO char *folder = cluster_folder(spec);
    FREE_AUTO char *prefix = str_format("%s.new", spec->cluster);
    FREE_AUTO char *draft = NULL;
    RECORD_AUTO struct record *record = record_new(spec, id);
    SECRETS_AUTO struct secrets *secrets = NULL;
    record->thaws = str_dup(set != NULL ? set->key : NULL);
    if (dir_temp(parent, prefix, &draft, err) < 0)
        return -1;
    int made = chmod(draft, FOLDER_MODE) < 0
                   ? error_errno(err, errno, "cannot set the mode of folder '%s'", draft)
                   : record_save(draft, record, err);
    if (made == 0 && set != NULL) {
        FREE_AUTO char *secrets_of_set = frozen_path(set->folder, NULL, FROZEN_SECRETS);
        FREE_AUTO char *copy = path_join(draft, "secrets.json");
        made = file_copy(secrets_of_set, copy, 0600, err);
    }
    if (made < 0 || secrets_open(draft, spec, &secrets, err) < 0 ||
        (renew && secrets_renew(secrets, draft, spec, err) < 0) ||
        dir_exchange(draft, folder, err) < 0) {
        ERROR_AUTO struct error ignored = {0};
        dir_remove(draft, &ignored);
        return error_context(err, "cannot make cluster '%s'", spec->cluster);
    }
    *ret_before = file_exists(draft) ? TAKE(draft) : NULL;
    return state_load(spec, ret_record, ret_secrets, err);
}

int
state_put_back(const struct spec *spec, const char *before, struct error *err)
{
    FREE_AUTO char *folder = cluster_folder(spec);
    return dir_replace(before, folder, err);
}

int
state_tidy(const struct spec *spec, struct error *err)
{
    FREE_AUTO char *folder = cluster_folder(spec);
    FREE_AUTO char *ssh = path_join(folder, "ssh");
    if (dir_sweep(folder, err) < 0 || (file_exists(ssh) && dir_sweep(ssh, err) < 0))
        return -1;
    for (size_t i = 0; i < spec->node_count; i++) {
        FREE_AUTO char *node = cluster_node_path(spec, spec->nodes[i].name, "");
        FREE_AUTO char *disk = path_join(node, DISK_DRAFT);
        if (unlink(disk) < 0 && errno != ENOENT)
            return error_errno(err, errno, "cannot remove '%s'", disk);
        if (file_exists(node) && dir_sweep(node, err) < 0)
            return -1;
    }
    return 0;
}

int
state_remove(const struct spec *spec, const char *id, struct error *err)
{
    FREE_AUTO char *parent = cluster_parent();
    FREE_AUTO char *folder = cluster_folder(spec);
    FREE_AUTO char *any = random_hex(RECORD_ID_LENGTH);
    FREE_AUTO char *lock = lock_path(spec);
    FREE_AUTO char *gone =
        str_format("%s/.%s.gone-%s", parent, spec->cluster, id != NULL ? id : any);
    if (rename(folder, gone) < 0 && errno != ENOENT)
        return error_errno(err, errno, "cannot remove '%s'", folder);
    if (dir_sync(parent, err) < 0 || sweep_gone(parent, spec->cluster, err) < 0)
        return -1;
    unlink(lock); // a process that waits for it notices that the file was replaced
    return 0;
}
