// base_bootstrap.c - a distribution's packages on a bootable disk as base.
// SPDX-License-Identifier: Apache-2.0
#include "bake/bootstrap.h"
#include "bake/disk.h"
#include "bake/source.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

#include <unistd.h>

#define LABEL "airbuild-root"

enum { LAYOUT_MS = 60 * 1000, UNPACK_MS = 180 * 1000, GRUB_MS = 60 * 1000 };

// Packages as a tree become the file system at once; as a tar, in the appliance.
static int
fill_disk(struct guest *guest, const struct bootstrap_result *system, struct error *err)
{
    guest_step(guest, LAYOUT_MS, "laying out the disk");
    if (guest_layout(guest, system->tar == NULL ? NULL : LABEL, err) < 0)
        return -1;
    if (system->tar != NULL) {
        guest_step(guest, UNPACK_MS, "unpacking the system");
        if (guest_unpack(guest, system->tar, err) < 0)
            return -1;
    }
    guest_step(guest, GRUB_MS, "installing GRUB for BIOS and UEFI");
    return guest_script(guest, "image.sh", "install_grub", NULL, NULL, err);
}

static struct jv *
describe_bootstrap(const struct bake_job *job, const char *set)
{
    const struct recipe *recipe = job->item->source->recipe;
    FREE_AUTO char *inputs = recipe_canonical(recipe);
    FREE_AUTO char *cmdline = str_format("root=LABEL=" LABEL " %s",
        recipe->cmdline == NULL ? "rw quiet console=ttyS0,115200 net.ifnames=0" : recipe->cmdline);
    struct jv *manifest = jv_object(), *mounts = jv_array(), *root = jv_object();
    jv_set_string(root, "device", "/dev/sda3");
    jv_set_string(root, "path", "/");
    jv_push(mounts, root);
    jv_set_string(manifest, "name", recipe->name);
    jv_set_string(manifest, "family", recipe_distro(recipe)->name);
    jv_set_string(manifest, "cmdline", cmdline);
    jv_set_int(manifest, "virtual_bytes", (long long) base_disk_bytes);
    jv_set(manifest, "mounts", mounts);
    jv_set_string(manifest, "suite", job->item->source->base.suite);
    jv_set_string(manifest, "mirror", job->item->source->base.mirror);
    jv_set_string(manifest, "inputs", inputs);
    jv_set_string(manifest, "package_set", set);
    return manifest;
}

static int
boot_disk(const struct bake_job *job, const char *raw, const char *folder,
    const struct bootstrap_result *system, struct jv *manifest, struct error *err)
{
    GUEST_AUTO struct guest *guest = NULL;
    struct guest_options options = {.disk = raw,
        .format = "raw",
        .folder = folder,
        .kvm = job->options->kvm,
        .task = job->item->name,
        .progress = job->options->progress};
    if (guest_start(&options, &guest, err) < 0 || fill_disk(guest, system, err) < 0)
        return -1;
    return image_finish(
        guest, folder, recipe_distro(job->item->source->recipe), false, manifest, err);
}

static int
make_base_disk(const struct bake_job *job, const char *folder, const char *work,
    const struct bootstrap_result *system, struct jv *manifest, struct error *err)
{
    FREE_AUTO char *raw = path_join(work, "disk.raw");
    FREE_AUTO char *disk = path_join(folder, "disk.qcow2");
    if (disk_create_raw(raw, base_disk_bytes, err) < 0)
        return -1;
    if (system->tree != NULL) {
        progress_step(job->options->progress, job->item->name, "making the file system");
        if (disk_make_ext4(raw, GUEST_ROOT_START,
                base_disk_bytes - GUEST_ROOT_START - GUEST_ROOT_TAIL, LABEL, system->tree, work,
                err) < 0)
            return -1;
    }
    if (boot_disk(job, raw, folder, system, manifest, err) < 0)
        return -1;
    progress_step(job->options->progress, job->item->name, "compressing the disk");
    return disk_convert(raw, "raw", disk, true, err);
}

static int
make_bootstrap(const struct bake_job *job, struct draft *draft, struct error *err)
{
    int64_t begin = clock_ms();
    const struct bake_source *source = job->item->source;
    FREE_AUTO char *set = bootstrap_set(source->recipe, &source->base);
    FREE_AUTO char *work = NULL;
    BOOTSTRAP_RESULT_AUTO struct bootstrap_result system = {0};
    if (work_folder(draft_folder(draft), &work, err) < 0)
        return -1;
    struct bootstrap bootstrap = {.recipe = source->recipe,
        .base = &source->base,
        .store = job->store,
        .folder = work,
        .set = set,
        .tree = geteuid() == 0, // pacstrap is for root alone
        .prefetch = job->prefetch,
        .prefetch_count = job->prefetch_count,
        .offline = job->options->offline,
        .refresh = job->options->refresh,
        .progress = job->options->progress};
    JV_AUTO struct jv *manifest = describe_bootstrap(job, set);
    if (bootstrap_run(&bootstrap, &system, err) < 0 ||
        make_base_disk(job, draft_folder(draft), work, &system, manifest, err) < 0 ||
        dir_remove(work, err) < 0)
        return -1;
    jv_set_int(manifest, "milliseconds", clock_ms() - begin);
    return store_publish(draft, manifest, err);
}

int
base_bake_bootstrap(const struct bake_job *job, struct error *err)
{
    DRAFT_AUTO struct draft *draft = NULL;
    if (store_begin(job->store, job->item->key, &draft, err) < 0)
        return -1;
    return draft == NULL ? 0 : make_bootstrap(job, draft, err);
}
