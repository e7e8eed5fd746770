// run.c - the images of a plan that are not ready, made: the bases first, then the layers together.
// SPDX-License-Identifier: Apache-2.0
#include "bake/bake.h"

#include "bake/base_resolve.h"
#include "bake/install.h"
#include "bake/source.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Space that one needs at its peak, with room to spare.
static const uint64_t bootstrap_space = 1792ULL << 20, layer_space = 256ULL << 20;
// An image as it was downloaded and its copy: Arch's have 550 MiB.
static const uint64_t download_space = 1280ULL << 20;

struct bake_run {
    struct bake_plan *plan;
    struct store *store;
    const struct bake_options *options;
    _Atomic size_t next; // the item that is taken next
    _Atomic bool stop;
    struct error *errors; // one an item
};

// ---- before -------------------------------------------------------------------------------------

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

static int
check_bake_space(const struct bake_run *run, struct error *err)
{
    uint64_t needed = 0;
    for (size_t i = 0; i < run->plan->count; i++)
        needed += space_of(&run->plan->items[i]);
    return dir_check_space(run->store->folder, needed, "baking", "AIRBUILD_HOME", err);
}

// A disk of a node lies over the very bytes of its image: another build of it would not fit. in_use
// are those of clusters that have no pins in the store.
static int
remove_damaged(const struct bake_run *run, const struct bake_item *item, struct error *err)
{
    if (item->state != BAKE_DAMAGED)
        return 0;
    if (run->options->in_use != NULL && strv_has(run->options->in_use, item->key))
        return error_set(err, ERR_DAMAGED,
            "%s; but disks of nodes are backed by it, so run 'airbuild destroy' first", item->why);
    return store_remove_damaged(run->store, item->key, err);
}

// ---- making -------------------------------------------------------------------------------------

// Collects what the layers to be baked over that base will ask for.
static void
make_prefetch(const struct bake_run *run, struct bake_job *job, struct bootstrap_prefetch *ret)
{
    const struct distro *distro = recipe_distro(job->item->source->recipe);
    for (size_t i = run->plan->base_count; i < run->plan->count; i++) {
        const struct bake_item *item = &run->plan->items[i];
        struct bootstrap_prefetch *one = &ret[job->prefetch_count];
        if (item->state == BAKE_READY || !str_equal(item->source->base_key, job->item->key))
            continue;
        recipe_packages(item->source->recipe, distro, &one->packages);
        if (one->packages.count == 0)
            continue;
        one->set = install_set(item->source->base_key, distro, &one->packages, &item->source->base);
        job->prefetch_count++;
    }
    job->prefetch = ret;
}

static int
bake_bootstrap(const struct bake_run *run, struct bake_job *job, struct error *err)
{
    struct bootstrap_prefetch *prefetch = mem_zero(run->plan->count, sizeof *prefetch);
    make_prefetch(run, job, prefetch);
    int answer = base_bake_bootstrap(job, err);
    for (size_t i = 0; i < job->prefetch_count; i++) {
        free(prefetch[i].set);
        strv_free(&prefetch[i].packages);
    }
    free(prefetch);
    return answer;
}

static int
bake_base(const struct bake_run *run, struct bake_job *job, struct error *err)
{
    const struct spec_base *base = &job->item->source->base;
    struct base_disk disk = {.path = base->file, .origin = base->file};
    if (job->item->source->recipe != NULL)
        return bake_bootstrap(run, job, err);
    return base->kind == SPEC_BASE_FILE ? base_bake_file(job, &disk, err) : base_bake_url(job, err);
}

static int
bake_any(const struct bake_run *run, struct bake_job *job, struct error *err)
{
    return job->base != NULL ? layer_bake(job, err) : bake_base(run, job, err);
}

static int
bake_item(struct bake_run *run, struct bake_item *item, struct error *err)
{
    int64_t begin = clock_ms();
    struct bake_job job = {.item = item,
        .store = run->store,
        .options = run->options,
        .base = item->source->base_key == NULL ? NULL
                                               : run->plan->items[item->source->base_item].image};
    if (item->state == BAKE_READY)
        return 0;
    if (remove_damaged(run, item, err) < 0)
        return -1;
    if (bake_any(run, &job, err) < 0)
        return error_context(err, "the image '%s' was not baked", item->name);
    if (store_find(run->store, item->key, &item->image, err) < 0)
        return -1;
    item->state = BAKE_READY;
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

static size_t
job_count(const struct bake_run *run)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t jobs = run->options->jobs != 0 ? run->options->jobs : cores > 0 ? (size_t) cores : 1;
    size_t most = run->plan->count - run->plan->base_count;
    return jobs < most ? jobs : most;
}

// Signals stay with the thread that called; the others are woken by the watch.
static void
bake_layers(struct bake_run *run)
{
    size_t count = job_count(run), started = 0;
    pthread_t *threads = mem_zero(count + 1, sizeof *threads);
    sigset_t all, before;
    atomic_store(&run->next, run->plan->base_count);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (started + 1 < count && pthread_create(&threads[started], NULL, work, run) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    work(run);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

// The first failure by the order of the plan; one that was only interrupted tells least.
static int
first_error(struct bake_run *run, struct error *err)
{
    struct error *chosen = NULL;
    for (size_t i = 0; i < run->plan->count; i++) {
        struct error *one = &run->errors[i];
        if (one->code != ERR_NONE && (chosen == NULL || chosen->code == ERR_INTERRUPTED))
            chosen = one;
    }
    return chosen != NULL ? error_move(err, chosen) : 0;
}

// `auto` must not come to something else while images that were made of it are in use.
static int
record_auto(const struct bake_run *run, struct error *err)
{
    if (run->plan->chosen == NULL)
        return 0;
    if (base_record_auto(run->store, run->plan->auto_kind, run->plan->auto_was_arch, err) < 0)
        return -1;
    progress_note(run->options->progress, "%s", run->plan->chosen);
    free(TAKE(run->plan->chosen));
    return 0;
}

// The replacement of an image that is gone is reported at once, and at the end.
static int
resolve_pinned_base(const struct bake_run *run, size_t index, struct error *err)
{
    struct bake_item *item = &run->plan->items[index];
    struct bake_job job = {.item = item, .store = run->store, .options = run->options};
    bool replaced = false;
    if (item->state == BAKE_READY)
        return 0;
    if (base_resolve_pinned(&job, &replaced, err) < 0 ||
        (replaced && bake_plan_resolved(run->plan, index, run->store, err) < 0))
        return -1;
    if (!replaced)
        return 0;
    const struct distro_images *images = distro_images_of(item->source->base.kind);
    FREE_AUTO char *warning = str_format("%s's image %s has left the mirrors; the newest signed "
                                         "one, %s, is taken in its place",
        images->title, images->pinned_version, item->source->base.image);
    progress_note(run->options->progress, "%s", warning);
    strv_take(&run->plan->warnings, TAKE(warning));
    return 0;
}

// Asks what only the network knows, before anything is baked.
static int
resolve_bases(const struct bake_run *run, struct error *err)
{
    for (size_t i = 0; i < run->plan->base_count; i++) {
        struct bake_job job = {
            .item = &run->plan->items[i], .store = run->store, .options = run->options};
        int answer = 0;
        if (!job.item->source->unresolved)
            answer = resolve_pinned_base(run, i, err);
        else if ((answer = base_resolve_ask(&job, err)) == 0)
            answer = bake_plan_resolved(run->plan, i, run->store, err);
        if (answer < 0)
            return error_context(err, "the image '%s' was not baked", job.item->name);
    }
    return 0;
}

static int
bake_bases(struct bake_run *run)
{
    for (size_t i = 0; i < run->plan->base_count; i++)
        if (bake_item(run, &run->plan->items[i], &run->errors[i]) < 0)
            return -1;
    return 0;
}

static int
run_marked(struct bake_run *run, struct error *err)
{
    if (record_auto(run, err) < 0 || resolve_bases(run, err) < 0)
        return -1;
    if (bake_plan_ready(run->plan))
        return 0;
    if (check_bake_space(run, err) < 0)
        return -1;
    run->errors = mem_zero(run->plan->count, sizeof *run->errors);
    if (bake_bases(run) == 0)
        bake_layers(run);
    int answer = first_error(run, err);
    for (size_t i = 0; i < run->plan->count; i++)
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
