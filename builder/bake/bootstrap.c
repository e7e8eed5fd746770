// bootstrap.c - makes a base from packages: the distribution's own tool makes a tree and runs the
// recipe's steps in it; the tree becomes a bootable disk.
// SPDX-License-Identifier: Apache-2.0
#include "bake/disk.h"
#include "bake/install.h"
#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/json.h"

#include <string.h>
#include <unistd.h>

#define LABEL "airbuild-root"

#define STEP_FAILED "airbuild: failed: " // printed by the script, with the step's place

enum { LAYOUT_MS = 60 * 1000, UNPACK_MS = 180 * 1000, GRUB_MS = 60 * 1000 };

char *
bootstrap_set(const struct recipe *recipe, const struct spec_base *base)
{
    const struct distro *distro = recipe_distro(recipe);
    char hex[DIGEST_HEX + 1];
    DIGEST_AUTO struct digest *digest = digest_new();
    digest_add_field(digest, "bootstrap 1");
    if (distro->is_dated) {
        digest_add_field(digest, base->mirror);
        digest_add_field(digest, base->snapshot);
    }
    for (size_t i = 0; i < recipe->bootstrap.sources.count; i++) {
        const char *item = recipe->bootstrap.sources.items[i];
        FREE_AUTO char *filled =
            distro->fill_source == NULL ? NULL : distro->fill_source(item, base);
        digest_add_field(digest, filled == NULL ? item : filled);
    }
    digest_add_field(digest, NULL);
    for (size_t i = 0; i < recipe->bootstrap.packages.count; i++)
        digest_add_field(digest, recipe->bootstrap.packages.items[i]);
    digest_hex(digest, hex);
    return str_dup(hex);
}

char *
bootstrap_script(const struct recipe *recipe)
{
    BUF_AUTO struct buf out = {0};
    buf_add(&out, "trap '[ $? = 0 ] || echo \"" STEP_FAILED "$place\" >&2' EXIT\n");
    for (size_t i = 0; i < recipe->steps.count; i++) {
        const struct recipe_step *step = &recipe->steps.items[i];
        if (!recipe_step_applies(step, recipe_distro(recipe)))
            continue;
        buf_add(&out, "place=");
        buf_add_word(&out, step->place);
        buf_add(&out, "\n");
        for (size_t j = 0; j < step->file_count; j++) {
            buf_printf(&out, "install -D -m %04o /airbuild/%zu-%zu ", step->files[j].mode, i, j);
            buf_add_word(&out, step->files[j].path);
            buf_add(&out, "\n");
        }
        recipe_add_services(&out, step);
        if (step->command != NULL)
            buf_printf(&out, "(\n%s\n)\n", step->command);
    }
    return buf_take(&out);
}

// ---- the tree -----------------------------------------------------------------------------------

// Writes the files of steps. numbered: as FOLDER/STEP-FILE, else by their paths below FOLDER.
static int
lay_steps(const struct recipe_steps *steps, bool numbered, const char *folder, struct error *err)
{
    for (size_t i = 0; i < steps->count; i++)
        for (size_t j = 0; j < steps->items[i].file_count; j++) {
            const struct recipe_file *file = &steps->items[i].files[j];
            FREE_AUTO char *path = numbered ? str_format("%s/%zu-%zu", folder, i, j)
                                            : str_format("%s%s", folder, file->path);
            FREE_AUTO char *parent = path_folder(path);
            if (dir_make(parent, 0755, err) < 0 ||
                file_write(path, file->mode, file->data, file->length, err) < 0)
                return -1;
        }
    return 0;
}

// The reason is the line that the step printed last, just before.
int
bootstrap_step_failed(const struct recipe *recipe, const char *text, struct error *err)
{
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, text == NULL ? "" : text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        if (!str_starts(lines.items[i], STEP_FAILED))
            continue;
        return error_set(err, ERR_SPEC, "%s: a step of the recipe '%s' failed: %s",
            lines.items[i] + strlen(STEP_FAILED), recipe->name,
            i == 0 ? "it gave no reason" : lines.items[i - 1]);
    }
    return 0;
}

static int
make_tree(const struct bake_job *job, struct error *err)
{
    const struct recipe *recipe = job->item->source->recipe;
    const struct distro *distro = recipe_distro(recipe);
    FREE_AUTO char *early = path_join(job->work, "early");
    FREE_AUTO char *steps = path_join(job->work, "steps");
    FREE_AUTO char *packages = path_join(job->work, "packages");
    FREE_AUTO char *script = path_join(steps, "script"), *text = bootstrap_script(recipe);
    PROC_RESULT_AUTO struct proc_result result = {0};
    bool kept = install_has_set(job);
    if (!kept && job->options->offline)
        return error_set(err, ERR_NETWORK,
            "the packages of the base are not kept in the store; run 'airbuild images' without "
            "--offline");
    if (dir_make(early, 0755, err) < 0 || dir_make(steps, 0755, err) < 0 ||
        dir_make(packages, 0755, err) < 0 ||
        lay_steps(&recipe->bootstrap.early, false, early, err) < 0 ||
        lay_steps(&recipe->steps, true, steps, err) < 0 ||
        file_write(script, 0644, text, strlen(text), err) < 0 ||
        (kept && store_lay_packages(job->store, job->set, packages, err) < 0) ||
        distro->bootstrap(job, kept, &result, err) < 0)
        return -1;
    if (result.status != 0)
        return bootstrap_step_failed(recipe, result.errors.data, err) < 0
                   ? -1
                   : distro->explain(job, result.errors.data, err);
    if (kept)
        return 0;
    if (store_keep_packages(job->store, job->set, packages, err) < 0)
        return -1;
    for (size_t i = 0; i < job->prefetch_sets.count; i++) {
        FREE_AUTO char *folder = str_format("%s/prefetch-%zu", job->work, i);
        if (store_keep_packages(job->store, job->prefetch_sets.items[i], folder, err) < 0)
            return -1;
    }
    return 0;
}

// ---- the disk -----------------------------------------------------------------------------------

static void
describe_bootstrap(const struct bake_job *job, json_t *manifest)
{
    const struct bake_source *source = job->item->source;
    const struct recipe *recipe = source->recipe;
    FREE_AUTO char *inputs = recipe_canonical(recipe);
    FREE_AUTO char *cmdline = str_format("root=LABEL=" LABEL " %s",
        recipe->cmdline == NULL ? "rw quiet console=ttyS0,115200 net.ifnames=0" : recipe->cmdline);
    json_t *members = json_pack("{s:o, s:s, s:o, s:I, s:[{s:s, s:s}], s:o, s:o, s:o, s:o}", "name",
        text_to_json(recipe->name), "family", recipe_distro(recipe)->name, "cmdline",
        text_to_json(cmdline), "virtual_bytes", (json_int_t) base_disk_bytes, "mounts", "device",
        "/dev/sda3", "path", "/", "suite", text_to_json(source->base.suite), "mirror",
        text_to_json(source->base.mirror), "inputs", text_to_json(inputs), "package_set",
        text_to_json(job->set));
    json_object_update_new(manifest, members);
}

// The root has the files of a folder already; a tar is unpacked into it.
static int
finish_base(const struct bake_job *job, const char *raw, const char *tree, json_t *manifest,
    struct error *err)
{
    GUEST_AUTO struct guest *guest = NULL;
    const struct guest_disk drive = {.path = raw, .format = "raw"};
    if (guest_start(job, &drive, false, &guest, err) < 0)
        return -1;
    guest_step(guest, LAYOUT_MS, "laying out the disk");
    if (guest_layout(guest, job->tree ? NULL : LABEL, err) < 0)
        return -1;
    if (!job->tree) {
        guest_step(guest, UNPACK_MS, "unpacking the system");
        if (guest_unpack(guest, tree, err) < 0)
            return -1;
    }
    guest_step(guest, GRUB_MS, "installing GRUB for BIOS and UEFI");
    if (guest_script(guest, "image", "install_grub", NULL, NULL, err) < 0)
        return -1;
    return image_finish(guest, recipe_distro(job->item->source->recipe), manifest, err);
}

// A folder becomes the file system without the appliance.
int
make_base_from_packages(struct bake_job *job, json_t *manifest, struct error *err)
{
    const struct bake_source *source = job->item->source;
    job->set = bootstrap_set(source->recipe, &source->base);
    job->tree = geteuid() == 0; // pacstrap needs root
    FREE_AUTO char *raw = path_join(job->work, "disk.raw");
    FREE_AUTO char *disk = path_join(job->folder, "disk.qcow2");
    FREE_AUTO char *tree = path_join(job->work, job->tree ? "root" : "root.tar");
    describe_bootstrap(job, manifest);
    if (make_tree(job, err) < 0 || disk_create_raw(raw, base_disk_bytes, err) < 0)
        return -1;
    if (job->tree) {
        progress_step(job->options->progress, job->item->name, "making the file system");
        if (disk_make_ext4(raw, GUEST_ROOT_START,
                base_disk_bytes - GUEST_ROOT_START - GUEST_ROOT_TAIL, LABEL, tree, job->work,
                err) < 0)
            return -1;
    }
    if (finish_base(job, raw, tree, manifest, err) < 0)
        return -1;
    progress_step(job->options->progress, job->item->name, "compressing the disk");
    return disk_convert(raw, "raw", disk, true, err);
}
