// base_resolve_image.c - which image `latest`, a version, a signed URL and the version that
// airbuild comes with are: asked of mirrors once, and remembered in the store.
// SPDX-License-Identifier: Apache-2.0
#include "bake/base_resolve.h"
#include "bake/distro.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "fetch/fetch.h"

#define IMAGES_FILE "sources.json"

enum { LIST_MAX = 4096, SIGNATURE_MAX = 64 * 1024, MIRRORS_MS = 8000, KEPT_BY_MIRRORS = 6 };

static void
replace_text(char **member, const char *text)
{
    free(*member);
    *member = str_dup(text);
}

static void
put_version(struct spec_base *base, const char *version, const char *sha256)
{
    replace_text(&base->image, version);
    replace_text(&base->sha256, sha256);
    if (base->snapshot == NULL)
        base->snapshot = distro_images_of(base->kind)->day(version);
}

// Returns the name that an answer is remembered by; caller frees.
static char *
memory_name(const struct spec_base *base)
{
    if (base->kind == SPEC_BASE_URL)
        return str_format("%s %s", base->url, base->signature);
    return str_format("%s %s%s%s", spec_base_name(base->kind), base->image,
        base->mirror == NULL ? "" : " ", base->mirror == NULL ? "" : base->mirror);
}

// The same of an answer that replaces the pinned version, which has left the mirrors.
static char *
pinned_name(const struct spec_base *base)
{
    return str_format("%s pinned %s%s%s", spec_base_name(base->kind),
        distro_images_of(base->kind)->pinned_version, base->mirror == NULL ? "" : " ",
        base->mirror == NULL ? "" : base->mirror);
}

// *ret_version and *ret_sha256 stay NULL when it was never asked; callers free.
static int
load_answer(const struct store *store, const char *name, char **ret_version, char **ret_sha256,
    struct error *err)
{
    JV_AUTO struct jv *memory = NULL;
    if (store_state_read(store, IMAGES_FILE, &memory, err) < 0)
        return -1;
    const struct jv *entry = jv_get(memory, name);
    *ret_version = str_dup(jv_get_string(entry, "version"));
    *ret_sha256 = str_dup(jv_get_string(entry, "sha256"));
    return 0;
}

static int
load_pinned(const struct base_resolve *resolve, struct bake_source *source, struct error *err)
{
    const struct distro_images *images = distro_images_of(source->base.kind);
    FREE_AUTO char *name = pinned_name(&source->base), *version = NULL, *sha256 = NULL;
    source->pinned = true;
    if (resolve->ask != BAKE_ASK_AGAIN &&
        load_answer(resolve->store, name, &version, &sha256, err) < 0)
        return -1;
    source->replaced = version != NULL && sha256 != NULL;
    if (source->replaced)
        put_version(&source->base, version, sha256);
    else
        put_version(&source->base, images->pinned_version, images->pinned_sha256);
    return 0;
}

int
base_resolve_known(
    const struct base_resolve *resolve, struct bake_source *source, struct error *err)
{
    struct spec_base *base = &source->base;
    const struct distro_images *images = distro_images_of(base->kind);
    FREE_AUTO char *version = NULL, *sha256 = NULL;
    if (images == NULL && (base->kind != SPEC_BASE_URL || base->sha256 != NULL))
        return 0;
    if (images != NULL && base->image == NULL)
        return load_pinned(resolve, source, err);
    if (images != NULL && str_equal(base->image, images->pinned_version)) {
        put_version(base, images->pinned_version, images->pinned_sha256);
        return 0;
    }
    bool moves = images == NULL || str_equal(base->image, "latest");
    FREE_AUTO char *name = memory_name(base);
    if (load_answer(resolve->store, name, &version, &sha256, err) < 0)
        return -1;
    bool known = sha256 != NULL && (version != NULL || images == NULL);
    source->unresolved = !known || (moves && resolve->ask == BAKE_ASK_AGAIN);
    if (source->unresolved)
        return 0;
    if (images == NULL)
        replace_text(&base->sha256, sha256);
    else
        put_version(base, version, sha256);
    return 0;
}

static int
save_answer(struct store *store, const char *name, const char *version, const char *sha256,
    struct error *err)
{
    struct jv *entry = jv_object();
    FREE_AUTO char *stamp = clock_stamp();
    if (version != NULL)
        jv_set_string(entry, "version", version);
    jv_set_string(entry, "sha256", sha256);
    jv_set_string(entry, "asked", stamp);
    return store_state_put(store, IMAGES_FILE, name, entry, err);
}

// ---- mirrors ------------------------------------------------------------------------------------

static int
no_name(const char *url, struct error *err)
{
    return error_set(err, ERR_DAMAGED,
        "the mirror's list of digests '%s' does not name the image; check the mirror, or name "
        "the image by 'url' and 'sha256'",
        url);
}

// Asks for the digest in the list beside one image.
static int
ask_digest(const struct distro_images *images, const struct strv *urls, const char *version,
    char **ret_sha256, struct error *err)
{
    FREE_AUTO char *text = NULL, *named = NULL, *sha256 = NULL;
    if (fetch_text(urls, LIST_MAX, &text, NULL, err) < 0)
        return -1;
    if (!images->read_digest(text, &named, &sha256) || !str_equal(named, version))
        return no_name(urls->items[0], err);
    *ret_sha256 = TAKE(sha256);
    return 0;
}

static int
list_versions(
    const struct distro_images *images, const char *root, struct strv *ret, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    FREE_AUTO char *url = images->list_url(root);
    if (fetch_names(url, &names, err) < 0)
        return -1;
    images->read_versions(&names, ret);
    if (ret->count > 0)
        return 0;
    return error_set(err, ERR_NETWORK,
        "the mirror's folder '%s' does not list its images, so which one is the newest cannot be "
        "told; name another 'mirror', or a version as 'image'",
        url);
}

// Asks for an image that has its signature beside it.
static int
ask_signed(const struct distro_images *images, const char *root, const char *version,
    char **ret_sha256, struct error *err)
{
    STRV_AUTO struct strv lists = {0}, signatures = {0};
    FREE_AUTO char *image = images->url(root, version), *signature = NULL;
    strv_addf(&lists, "%s.SHA256", image);
    strv_addf(&signatures, "%s.sig", image);
    if (fetch_text(&signatures, SIGNATURE_MAX, &signature, NULL, err) < 0)
        return -1;
    return ask_digest(images, &lists, version, ret_sha256, err);
}

static int
newest_of(const struct distro_images *images, const char *root, char **ret_version,
    char **ret_sha256, struct error *err)
{
    STRV_AUTO struct strv versions = {0};
    if (list_versions(images, root, &versions, err) < 0)
        return -1;
    for (size_t i = 0; i < versions.count && i < KEPT_BY_MIRRORS; i++) {
        error_clear(err);
        if (ask_signed(images, root, versions.items[i], ret_sha256, err) == 0) {
            *ret_version = str_dup(versions.items[i]);
            return 0;
        }
        if (err->code == ERR_INTERRUPTED)
            return -1;
    }
    return -1;
}

// The newest signed image of the first mirror that tells; the error is the first one's.
static int
ask_newest(const struct spec_base *base, char **ret_version, char **ret_sha256, struct error *err)
{
    STRV_AUTO struct strv roots = {0};
    const struct distro_images *images = distro_images_of(base->kind);
    images->mirrors(base, &roots);
    for (size_t i = 0; i < roots.count; i++) {
        ERROR_AUTO struct error other = {0};
        struct error *told = err->code == ERR_NONE ? err : &other;
        if (newest_of(images, roots.items[i], ret_version, ret_sha256, told) == 0) {
            error_clear(err);
            return 0;
        }
        if (interrupt_check(&other) < 0)
            return -1;
    }
    return -1;
}

// Returns all that mirrors list; none when none does.
static void
list_all(const struct spec_base *base, struct strv *ret)
{
    STRV_AUTO struct strv roots = {0};
    const struct distro_images *images = distro_images_of(base->kind);
    images->mirrors(base, &roots);
    for (size_t i = 0; i < roots.count; i++) {
        STRV_AUTO struct strv versions = {0};
        ERROR_AUTO struct error ignored = {0};
        (void) list_versions(images, roots.items[i], &versions, &ignored);
        for (size_t j = 0; j < versions.count; j++)
            if (!strv_has(ret, versions.items[j]))
                strv_add(ret, versions.items[j]);
    }
}

// ---- asking -------------------------------------------------------------------------------------

static int
ask_version(const struct spec_base *base, char **ret_sha256, struct error *err)
{
    STRV_AUTO struct strv roots = {0}, urls = {0}, versions = {0};
    const struct distro_images *images = distro_images_of(base->kind);
    images->mirrors(base, &roots);
    for (size_t i = 0; i < roots.count; i++) {
        FREE_AUTO char *image = images->url(roots.items[i], base->image);
        strv_addf(&urls, "%s.SHA256", image);
    }
    if (ask_digest(images, &urls, base->image, ret_sha256, err) == 0)
        return 0;
    if (err->code != ERR_NETWORK)
        return -1;
    list_all(base, &versions);
    if (versions.count == 0 || strv_has(&versions, base->image))
        return -1;
    FREE_AUTO char *list = strv_join(&versions, ", ");
    error_clear(err);
    return error_set(err, ERR_NOT_FOUND,
        "no mirror has the image '%s' any more, as they keep the newest few (%s); name one of "
        "these or 'latest' as 'image', or the image by 'url' and 'sha256'",
        base->image, list);
}

static int
ask_official(const struct bake_job *job, const char *name, struct error *err)
{
    struct spec_base *base = &job->item->source->base;
    FREE_AUTO char *version = NULL, *sha256 = NULL;
    bool latest = str_equal(base->image, "latest");
    progress_step(job->options->progress, job->item->name, "asking what '%s' is", base->image);
    if (!latest)
        version = str_dup(base->image);
    if ((latest ? ask_newest(base, &version, &sha256, err) : ask_version(base, &sha256, err)) < 0)
        return -1;
    if (save_answer(job->store, name, version, sha256, err) < 0)
        return -1;
    put_version(base, version, sha256);
    return 0;
}

// The signature vouches for what the URL sends now: that is the image from then on.
static int
ask_url(const struct bake_job *job, const char *name, struct error *err)
{
    struct spec_base *base = &job->item->source->base;
    FREE_AUTO char *path = NULL, *sha256 = NULL;
    if (base_download(job, &path, &sha256, err) < 0 ||
        save_answer(job->store, name, NULL, sha256, err) < 0)
        return -1;
    replace_text(&base->sha256, sha256);
    return 0;
}

int
base_resolve_ask(const struct bake_job *job, struct error *err)
{
    const struct spec_base *base = &job->item->source->base;
    FREE_AUTO char *name = memory_name(base);
    if (job->options->offline)
        return error_set(err, ERR_NETWORK,
            "which image '%s' is was never asked; run 'airbuild images' without --offline",
            base->kind == SPEC_BASE_URL ? base->url : base->image);
    return base->kind == SPEC_BASE_URL ? ask_url(job, name, err) : ask_official(job, name, err);
}

// ---- the version that airbuild comes with -------------------------------------------------------

// *ret: mirrors list their images, and none of them that one; a mirror that does not answer
// says nothing of it.
static int
has_left(const struct spec_base *base, bool *ret, struct error *err)
{
    STRV_AUTO struct strv roots = {0}, urls = {0}, versions = {0};
    bool answers = false;
    *ret = false;
    const struct distro_images *images = distro_images_of(base->kind);
    images->mirrors(base, &roots);
    for (size_t i = 0; i < roots.count; i++)
        strv_take(&urls, images->url(roots.items[i], base->image));
    if (fetch_any_reachable(&urls, MIRRORS_MS, &answers, err) < 0)
        return -1;
    if (answers)
        return 0;
    list_all(base, &versions);
    *ret = versions.count > 0 && !strv_has(&versions, base->image);
    return interrupt_check(err);
}

int
base_resolve_pinned(const struct bake_job *job, bool *ret_replaced, struct error *err)
{
    struct bake_source *source = job->item->source;
    FREE_AUTO char *version = NULL, *sha256 = NULL;
    *ret_replaced = false;
    if (!source->pinned || source->replaced || job->options->offline)
        return 0;
    FREE_AUTO char *name = pinned_name(&source->base);
    FREE_AUTO char *kept = str_format("%s/downloads/%s", job->store->folder, source->base.sha256);
    if (file_exists(kept))
        return 0;
    progress_step(job->options->progress, job->item->name, "asking for %s's image of %s",
        distro_images_of(source->base.kind)->title, source->base.snapshot);
    if (has_left(&source->base, ret_replaced, err) < 0 || !*ret_replaced)
        return *ret_replaced || err->code != ERR_NONE ? -1 : 0;
    if (ask_newest(&source->base, &version, &sha256, err) < 0 ||
        save_answer(job->store, name, version, sha256, err) < 0)
        return -1;
    if (!source->base.snapshot_said)
        free(TAKE(source->base.snapshot));
    put_version(&source->base, version, sha256);
    source->replaced = true;
    return 0;
}
