// base_url.c - a disk image that is downloaded, an official one or another, as base: it is got
// and checked here; what is in it is base_file.c's.
// SPDX-License-Identifier: Apache-2.0
#include "bake/distro.h"
#include "bake/source.h"
#include "base/cleanup.h"
#include "fetch/fetch.h"

// An official image is signed by the distribution's own key.
static void
add_official(const struct distro_images *images, const struct spec_base *base, struct strv *urls,
    struct strv *signatures)
{
    STRV_AUTO struct strv roots = {0};
    images->mirrors(base, &roots);
    for (size_t i = 0; i < roots.count; i++) {
        FREE_AUTO char *url = images->url(roots.items[i], base->image);
        strv_add(urls, url);
        strv_addf(signatures, "%s.sig", url);
    }
}

int
base_download(const struct bake_job *job, char **ret_path, char **ret_sha256, struct error *err)
{
    const struct spec_base *base = &job->item->source->base;
    const struct distro_images *images = distro_images_of(base->kind);
    STRV_AUTO struct strv urls = {0}, signatures = {0};
    struct fetch_job download = {.folder = job->store->downloads,
        .locks = job->store->locks,
        .urls = &urls,
        .sha256 = base->sha256,
        .known = images == NULL || str_equal(base->sha256, images->pinned_sha256),
        .keyring = base->keyring,
        .offline = job->options->offline,
        .task = job->item->name,
        .progress = job->options->progress};
    if (images != NULL)
        add_official(images, base, &urls, &signatures);
    else
        strv_add(&urls, base->url);
    if (base->signature != NULL)
        strv_add(&signatures, base->signature);
    if (signatures.count > 0)
        download.signatures = &signatures;
    return fetch_file(&download, ret_path, ret_sha256, err);
}

int
base_bake_url(const struct bake_job *job, struct error *err)
{
    const struct spec_base *base = &job->item->source->base;
    const struct distro_images *images = distro_images_of(base->kind);
    STRV_AUTO struct strv roots = {0};
    FREE_AUTO char *path = NULL, *sha256 = NULL, *origin = NULL;
    if (base_download(job, &path, &sha256, err) < 0)
        return -1;
    if (images != NULL)
        images->mirrors(base, &roots);
    origin = images == NULL ? str_dup(base->url) : images->url(roots.items[0], base->image);
    struct base_disk disk = {.path = path, .origin = origin, .sha256 = sha256};
    return base_bake_file(job, &disk, err);
}
