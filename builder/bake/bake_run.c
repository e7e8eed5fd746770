// bake_run.c - makes the images of a plan that are not ready: the bases first, then the layers in
// parallel.
// SPDX-License-Identifier: Apache-2.0
#include "bake/bake.h"

#include "bake/base_resolve.h"
#include "bake/install.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/interrupt.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

// Space that one needs at its peak, with some room.
static const uint64_t bootstrap_space = 1792ULL << 20, layer_space = 256ULL << 20;
// The downloaded image and its copy: Arch's has 550 MiB.
static const uint64_t download_space = 1280ULL << 20;

struct bake_run {
    struct bake_plan *plan;
    struct store *store;
    const struct bake_options *options;
    _Atomic size_t next; // the next item to bake
    _Atomic bool stop;
    struct error *errors; // one an item
};

static uint64_t
space_of(const struct bake_item *item)
{
    if (item->state == BAKE_READY)
        return 0;
    if (item->source->base_key != NULL)
        return layer_space;
    if (item->source->recipe != NULL)
        return bootstrap_space;
    if (item->source->base.kind != SPEC_BASE_FILE)
        return download_space;
    int64_t bytes = file_size(item->source->base.file);
    return bytes < 0 ? 0 : (uint64_t) bytes;
}

// Downloads also the packages that the missing layers over that base will install.
static int
make_from_packages(
    const struct bake_run *run, struct bake_job *job, json_t *manifest, struct error *err)
{
    const struct distro *distro = recipe_distro(job->item->source->recipe);
    for (size_t i = run->plan->base_count; i < run->plan->count; i++) {
        const struct bake_item *item = &run->plan->items[i];
        const struct bake_source *source = item->source;
        STRV_AUTO struct strv packages = {0};
        if (item->state == BAKE_READY || !str_equal(source->base_key, job->item->key))
            continue;
        recipe_packages(source->recipe, distro, &packages);
        if (packages.count == 0)
            continue;
        strv_take(&job->prefetch, strv_join(&packages, " "));
        strv_take(
            &job->prefetch_sets, install_set(source->base_key, distro, &packages, &source->base));
    }
    return make_base_from_packages(job, manifest, err);
}

static void
job_clear(struct bake_job *job)
{
    free(job->set);
    strv_free(&job->prefetch);
    strv_free(&job->prefetch_sets);
}

// Finds what the image is made from, or downloads it, makes the image and publishes it.
static int
bake_image_of(const struct bake_run *run, struct bake_item *item, struct error *err)
{
    const struct bake_source *source = item->source;
    DRAFT_AUTO struct draft *draft = NULL;
    json_auto_t *manifest = json_object();
    BASE_DISK_AUTO struct base_disk disk = {0};
    CLEANUP(job_clear)
    struct bake_job job = {.item = item, .store = run->store, .options = run->options};
    struct base_query query = {.store = run->store,
        .ask = run->options->offline ? BAKE_ASK_NEVER : BAKE_ASK_NEW,
        .progress = run->options->progress};
    if (source->base_key != NULL) {
        job.base = run->plan->items[source->base_item].image;
    } else if (source->recipe == NULL) {
        const char *file = source->base.file;
        job.disk = &disk;
        if (source->base.kind == SPEC_BASE_FILE)
            disk = (struct base_disk){.path = str_dup(file), .origin = str_dup(file)};
        else if (base_download(&query, &source->base, &disk, err) < 0)
            return -1;
    }
    if (store_begin(run->store, item->key, &draft, err) < 0)
        return -1;
    if (draft == NULL)
        return 0;
    int64_t begin = clock_ms();
    FREE_AUTO char *work = path_join(draft_folder(draft), "work");
    job.folder = draft_folder(draft);
    job.work = work;
    if (dir_make(work, 0755, err) < 0)
        return -1;
    int answer = job.base != NULL   ? make_layer(&job, manifest, err)
                 : job.disk != NULL ? make_base_from_disk(&job, manifest, err)
                                    : make_from_packages(run, &job, manifest, err);
    if (answer < 0 || dir_remove(work, err) < 0)
        return -1;
    json_object_set_new(manifest, "milliseconds", json_integer(clock_ms() - begin));
    return store_publish(draft, manifest, err);
}

static int
bake_item(struct bake_run *run, struct bake_item *item, struct error *err)
{
    int64_t begin = clock_ms();
    if (item->state == BAKE_READY)
        return 0;
    // A node's disk is backed by the very bytes of its image: another build of it would not fit.
    // in_use are the images of clusters that have no pins in the store.
    const struct strv *in_use = run->options->in_use;
    if (item->state == BAKE_DAMAGED && in_use != NULL && strv_has(in_use, item->key))
        return error_set(err, ERR_DAMAGED,
            "%s; but disks of nodes are backed by it, so run 'airbuild destroy' first", item->why);
    if (item->state == BAKE_DAMAGED && store_remove_damaged(run->store, item->key, err) < 0)
        return -1;
    if (bake_image_of(run, item, err) < 0)
        return error_context(err, "the image '%s' was not baked", item->name);
    if (store_find(run->store, item->key, &item->image, err) < 0)
        return -1;
    item->state = BAKE_READY;
    item->baked = true;
    free(TAKE(item->why));
    FREE_AUTO char *size = str_bytes(item->image->disk_bytes);
    progress_done(run->options->progress, item->name, "baked in %.0f s, %s",
        (double) (clock_ms() - begin) / 1000, size);
    return 0;
}

static void *
work(void *argument)
{
    struct bake_run *run = argument;
    for (;;) {
        size_t index = atomic_fetch_add(&run->next, 1);
        if (index >= run->plan->count || atomic_load(&run->stop))
            return NULL;
        if (bake_item(run, &run->plan->items[index], &run->errors[index]) < 0)
            atomic_store(&run->stop, true);
    }
}

// Signals go to the calling thread; the watch wakes the others.
static void
bake_layers(struct bake_run *run)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t jobs = run->options->jobs != 0 ? run->options->jobs : cores > 0 ? (size_t) cores : 1;
    size_t most = run->plan->count - run->plan->base_count, started = 0;
    size_t count = jobs < most ? jobs : most;
    pthread_t *threads = mem_zero(count + 1, sizeof *threads);
    atomic_store(&run->next, run->plan->base_count);
    while (started + 1 < count && thread_start(&threads[started], work, run) == 0)
        started++;
    work(run);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

static int
run_marked(struct bake_run *run, struct error *err)
{
    struct bake_plan *plan = run->plan;
    struct error *chosen = NULL;
    uint64_t needed = 0;
    size_t baked = 0;
    for (size_t i = 0; i < plan->base_count; i++)
        if (plan->items[i].source->unresolved)
            return error_set(err, ERR_NETWORK, "the image '%s' was not baked: %s",
                plan->items[i].name, plan->items[i].why);
    for (size_t i = 0; i < plan->count; i++)
        needed += space_of(&plan->items[i]);
    if (dir_check_space(run->store->folder, needed, "baking", "AIRBUILD_HOME", err) < 0)
        return -1;
    run->errors = mem_zero(plan->count, sizeof *run->errors);
    while (
        baked < plan->base_count && bake_item(run, &plan->items[baked], &run->errors[baked]) == 0)
        baked++;
    if (baked == plan->base_count)
        bake_layers(run);
    // Reports the first failure in the order of the plan; an interruption explains least.
    for (size_t i = 0; i < plan->count; i++)
        if (run->errors[i].code != ERR_NONE && (chosen == NULL || chosen->code == ERR_INTERRUPTED))
            chosen = &run->errors[i];
    int answer = chosen != NULL ? error_move(err, chosen) : 0;
    for (size_t i = 0; i < plan->count; i++)
        error_clear(&run->errors[i]);
    free(run->errors);
    return answer;
}

int
bake_run(struct bake_plan *plan, struct store *store, const struct bake_options *options,
    struct error *err)
{
    struct bake_run run = {.plan = plan, .store = store, .options = options};
    if (bake_plan_ready(plan))
        return 0;
    if (store_bake_begin(store, err) < 0)
        return -1;
    int answer = run_marked(&run, err);
    store_bake_end(store);
    return answer;
}
