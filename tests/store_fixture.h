// store_fixture.h - for tests of the store: images of small files, and changes to their files.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_STORE_FIXTURE_H
#define AIRBUILD_TESTS_STORE_FIXTURE_H

#include "unit.h"

#include "base/dir.h"
#include "base/file.h"
#include "base/json.h"
#include "store/store.h"

#include <fcntl.h>
#include <sys/stat.h>

#define KEY_BASE "ba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5e"
#define KEY_LAYER "1a7e1a7e1a7e1a7e1a7e1a7e1a7e1a7e1a7e1a7e1a7e1a7e1a7e1a7e1a7e1a7e"
#define KEY_OTHER "0000111122223333444455556666777788889999aaaabbbbccccddddeeeeffff"
#define KEY_ABSENT "ab5eab5eab5eab5eab5eab5eab5eab5eab5eab5eab5eab5eab5eab5eab5eab5e"

static inline struct store *
open_store(const char *home)
{
    ERROR_AUTO struct error err = {0};
    struct store *store = NULL;
    assert_ok(store_open(home, &store, &err), &err);
    return store;
}

static inline void
fill_draft(struct draft *draft, const char *disk)
{
    put_file(draft_folder(draft), "disk.qcow2", disk);
    put_file(draft_folder(draft), "kernel", "a kernel");
    put_file(draft_folder(draft), "initrd", "an initrd");
}

static inline json_t *
image_manifest(const char *name, const char *backing)
{
    json_t *manifest = json_object();
    json_object_set_new(manifest, "name", text_to_json(name));
    json_object_set_new(manifest, "family", json_string("debian"));
    json_object_set_new(manifest, "cmdline", json_string("root=LABEL=x rw"));
    json_object_set_new(manifest, "virtual_bytes", json_integer(3 << 20));
    if (backing != NULL)
        json_object_set_new(manifest, "backing", text_to_json(backing));
    return manifest;
}

static inline void
put_image(
    struct store *store, const char *key, const char *name, const char *backing, const char *disk)
{
    ERROR_AUTO struct error err = {0};
    DRAFT_AUTO struct draft *draft = NULL;
    json_auto_t *manifest = image_manifest(name, backing);
    assert_ok(store_begin(store, key, &draft, &err), &err);
    assert_non_null(draft);
    fill_draft(draft, disk);
    assert_ok(store_publish(draft, manifest, &err), &err);
}

static inline void
put_base_and_layer(struct store *store)
{
    put_image(store, KEY_BASE, "base-debian", NULL, "the disk of the base");
    put_image(store, KEY_LAYER, "redis", KEY_BASE, "the disk of the layer");
}

// The names in FOLDER/NAME, separated by spaces; caller frees.
static inline char *
names_in(const char *folder, const char *name)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv names = {0};
    FREE_AUTO char *path = path_join(folder, name);
    assert_ok(dir_list(path, &names, &err), &err);
    return strv_join(&names, " ");
}

static inline char *
image_path(struct store *store, const char *key, const char *name)
{
    return str_format("%s/images/%s/%s", store->folder, key, name);
}

// Overwrites a file in place, as a failing disk or another program would. keep_time: only its
// content changes.
static inline void
overwrite(const char *path, const char *text, bool keep_time)
{
    struct stat before;
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(chmod(path, 0644), 0);
    CLOSE_AUTO int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
    struct timespec earlier[2] = {before.st_atim, before.st_mtim};
    struct timespec later[2] = {
        before.st_atim, {.tv_sec = before.st_mtim.tv_sec + 7, .tv_nsec = before.st_mtim.tv_nsec}};
    assert_int_equal(futimens(fd, keep_time ? earlier : later), 0);
    assert_int_equal(chmod(path, 0444), 0);
}

#endif
