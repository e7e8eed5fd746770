// stock.c - put the images that a spec needs into the store of AIRBUILD_HOME without baking them:
// empty disks, layers backed by their base. A cluster can be launched with them where no machine
// really boots.
//
// usage: stock SPEC   (prints the keys)
//
// SPDX-License-Identifier: Apache-2.0
#include "bake/bake.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "cluster/cluster.h"

#include <stdio.h>
#include <string.h>

#define DISK_BYTES (3LL << 20)

static int
make_disk(struct store *store, const char *folder, const char *backing, struct error *err)
{
    FREE_AUTO char *disk = path_join(folder, "disk.qcow2");
    FREE_AUTO char *below =
        backing == NULL ? NULL : str_format("%s/images/%s/disk.qcow2", store->folder, backing);
    FREE_AUTO char *size = str_format("%lld", DISK_BYTES);
    const char *base[] = {"qemu-img", "create", "-q", "-f", "qcow2", disk, size, NULL};
    const char *layer[] = {
        "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", below, disk, size, NULL};
    const struct proc_options options = {.timeout_ms = 60000};
    return proc_check(backing == NULL ? base : layer, &options, NULL, err);
}

static int
fill(struct store *store, const char *folder, const struct bake_item *item, const char *backing,
    struct error *err)
{
    static const char *const names[] = {"kernel", "initrd"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        FREE_AUTO char *path = path_join(folder, names[i]);
        FREE_AUTO char *text = str_format("the %s of %s\n", names[i], item->name);
        if (file_write(path, 0644, text, strlen(text), err) < 0)
            return -1;
    }
    return make_disk(store, folder, backing, err);
}

static json_t *
describe(const struct bake_item *item, const char *backing)
{
    json_t *manifest = json_object();
    json_object_set_new(manifest, "name", text_to_json(item->name));
    json_object_set_new(manifest, "family", json_string("debian"));
    json_object_set_new(manifest, "cmdline", json_string("root=LABEL=none ro console=ttyS0"));
    json_object_set_new(manifest, "virtual_bytes", json_integer(DISK_BYTES));
    if (backing != NULL)
        json_object_set_new(manifest, "backing", text_to_json(backing));
    return manifest;
}

static int
put(struct store *store, const struct bake_item *item, const char *backing, struct error *err)
{
    DRAFT_AUTO struct draft *draft = NULL;
    json_auto_t *manifest = describe(item, backing);
    printf("%s\n", item->key);
    if (store_begin(store, item->key, &draft, err) < 0)
        return -1;
    if (draft == NULL)
        return 0;
    if (fill(store, draft_folder(draft), item, backing, err) < 0 ||
        store_publish(draft, manifest, err) < 0)
        return -1;
    (void) TAKE(draft);
    return 0;
}

static int
stock(const char *path, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    STORE_AUTO struct store *store = NULL;
    BAKE_PLAN_AUTO struct bake_plan *plan = NULL;
    FREE_AUTO char *home = cluster_home();
    if (spec_load(path, &spec, err) < 0 || store_open(home, &store, err) < 0 ||
        bake_plan_make(spec, store, NULL, BAKE_ASK_NEVER, NULL, &plan, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->count; i++)
        if (put(store, &plan->items[i], i == 0 ? NULL : plan->items[0].key, err) < 0)
            return -1;
    return 0;
}

int
main(int argc, char **argv)
{
    ERROR_AUTO struct error err = {0};
    if (argc != 2) {
        fputs("usage: stock SPEC\n", stderr);
        return 2;
    }
    if (stock(argv[1], &err) == 0)
        return 0;
    fprintf(stderr, "stock: %s\n", err.message);
    return 1;
}
