// layer.c - runs a recipe's steps in a thin qcow2 layer over a base.
// SPDX-License-Identifier: Apache-2.0
#include "bake/install.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"

enum { FILES_MS = 60 * 1000, SERVICES_MS = 60 * 1000, COMMAND_MS = 300 * 1000 };

struct layer {
    const struct recipe *recipe;
    const struct distro *distro;
    struct guest *guest;
    struct strv packages; // of all steps together: one set
    bool installed;
};

static void
layer_clear(struct layer *layer)
{
    guest_free(layer->guest);
    strv_free(&layer->packages);
}

// A shell text that fails is an error of the recipe.
static int
run_text(struct layer *layer, const char *text, struct error *err)
{
    int answer = guest_run(layer->guest, text, NULL, err);
    if (answer < 0 && err->code == ERR_FAILED)
        err->code = ERR_SPEC;
    return answer;
}

static int
do_step(struct layer *layer, const struct recipe_step *step, struct error *err)
{
    BUF_AUTO struct buf services = {0};
    switch (step->action) {
    case RECIPE_PACKAGES: // those of all steps at the first of them: one run
        if (layer->installed)
            return 0;
        layer->installed = true;
        return install_packages(layer->guest, layer->distro, &layer->packages, err);
    case RECIPE_FILES:
        guest_step(layer->guest, FILES_MS, "installing %zu file%s", step->file_count,
            step->file_count == 1 ? "" : "s");
        for (size_t i = 0; i < step->file_count; i++) {
            const struct recipe_file *file = &step->files[i];
            if (guest_write(layer->guest, file->path, file->mode, file->data, file->length, err) <
                0)
                return -1;
        }
        return 0;
    case RECIPE_SERVICES:
        recipe_add_services(&services, step);
        guest_step(layer->guest, SERVICES_MS, "enabling and disabling services");
        return services.data == NULL ? 0 : run_text(layer, services.data, err);
    case RECIPE_COMMAND:
        guest_step(layer->guest, COMMAND_MS, "running a command of the recipe");
        return run_text(layer, step->command, err);
    }
    return 0;
}

static void
describe_layer(const struct layer *layer, json_t *manifest)
{
    const struct bake_job *job = layer->guest->job;
    const struct image *base = job->base;
    FREE_AUTO char *inputs = recipe_canonical(layer->recipe);
    const json_t *disk = json_object_get(json_object_get(base->manifest, "files"), "disk.qcow2");
    json_t *members = json_pack("{s:o, s:s, s:o, s:o, s:o, s:I, s:o, s:o*}", "name",
        text_to_json(layer->recipe->name), "family", layer->distro->name, "backing",
        text_to_json(base->key), "backing_sha256",
        text_to_json(json_string_value(json_object_get(disk, "sha256"))), "cmdline",
        text_to_json(base->cmdline), "virtual_bytes", (json_int_t) base->virtual_bytes, "inputs",
        text_to_json(inputs), "package_set", layer->installed ? text_to_json(job->set) : NULL);
    json_object_update_new(manifest, members);
}

int
make_layer(struct bake_job *job, json_t *manifest, struct error *err)
{
    // Layer and base are both folders of images/: a relative link holds wherever the store is.
    FREE_AUTO char *over = str_format("../%s/disk.qcow2", job->base->key);
    FREE_AUTO char *disk = path_join(job->folder, "disk.qcow2");
    const struct guest_disk drive = {.path = disk, .format = "qcow2", .create_over = over};
    CLEANUP(layer_clear)
    struct layer layer = {
        .recipe = job->item->source->recipe, .distro = distro_named(job->base->family)};
    if (layer.distro == NULL)
        return error_set(err, ERR_DAMAGED,
            "the base is of the family '%s', which this airbuild does not know; bake it again, or "
            "use a newer airbuild",
            job->base->family);
    recipe_packages(layer.recipe, layer.distro, &layer.packages);
    job->set = install_set(job->base->key, layer.distro, &layer.packages, &job->item->source->base);
    bool network = !job->options->offline && layer.packages.count > 0;
    if (guest_start(job, &drive, network, &layer.guest, err) < 0 ||
        guest_mount(layer.guest, json_object_get(job->base->manifest, "mounts"), err) < 0)
        return -1;
    for (size_t i = 0; i < layer.recipe->steps.count; i++) {
        const struct recipe_step *step = &layer.recipe->steps.items[i];
        if (recipe_step_applies(step, layer.distro) && do_step(&layer, step, err) < 0)
            return error_context(
                err, "%s: a step of the recipe '%s' failed", step->place, layer.recipe->name);
    }
    describe_layer(&layer, manifest);
    return image_finish(layer.guest, layer.distro, manifest, err);
}
