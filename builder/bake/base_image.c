// base_image.c - base images from the network: resolves a version, `latest`, a signed URL and the
// pinned version to one image, and downloads it.
// SPDX-License-Identifier: Apache-2.0
#include "bake/base_resolve.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "fetch/fetch.h"

#include <string.h>

#define IMAGES_FILE "sources.json"

enum { LIST_MAX = 4096, SIGNATURE_MAX = 64 * 1024, MIRRORS_MS = 8000, KEPT_BY_MIRRORS = 6 };

static void
replace_text(char **member, const char *text)
{
    free(*member);
    *member = str_dup(text);
}

// version: NULL for the image of a URL.
static void
put_answer(struct spec_base *base, const char *version, const char *sha256)
{
    replace_text(&base->sha256, sha256);
    if (version == NULL)
        return;
    replace_text(&base->image, version);
    if (base->snapshot == NULL)
        base->snapshot = distro_images_of(base->kind)->day(version);
}

// Returns the key of the answer in memory; caller frees. An image that the spec does not name is
// the pinned one, whose answer is its replacement.
static char *
memory_name(const struct spec_base *base)
{
    if (base->kind == SPEC_BASE_URL)
        return str_format("%s %s", base->url, base->signature);
    bool pinned = base->image == NULL;
    return str_format("%s %s%s%s%s", spec_base_kinds[base->kind], pinned ? "pinned " : "",
        pinned ? distro_images_of(base->kind)->pinned_version : base->image,
        base->mirror == NULL ? "" : " ", base->mirror == NULL ? "" : base->mirror);
}

// Fills in what is known without the network: of the pinned image its replacement or itself, of
// another one the answer in memory; else the source is unresolved.
static int
load_known(const struct base_query *query, struct bake_source *source, const char *name,
    bool pinned, struct error *err)
{
    struct spec_base *base = &source->base;
    const struct distro_images *images = distro_images_of(base->kind);
    bool again = query->ask == BAKE_ASK_AGAIN;
    json_auto_t *memory = NULL;
    if (images != NULL && str_equal(base->image, images->pinned_version)) {
        put_answer(base, images->pinned_version, images->pinned_sha256);
        return 0;
    }
    if (!(pinned && again) && store_state_read(query->store, IMAGES_FILE, &memory, err) < 0)
        return -1;
    const json_t *entry = json_object_get(memory, name);
    const char *version = json_string_value(json_object_get(entry, "version")),
               *sha256 = json_string_value(json_object_get(entry, "sha256"));
    bool moves = images == NULL || str_equal(base->image, "latest");
    bool known = sha256 != NULL && (version != NULL || images == NULL) && !(moves && again);
    source->replaced = pinned && known;
    source->unresolved = !pinned && !known;
    if (known)
        put_answer(base, images == NULL ? NULL : version, sha256);
    else if (pinned)
        put_answer(base, images->pinned_version, images->pinned_sha256);
    return 0;
}

// version: NULL for the image of a URL.
static int
save_answer(struct store *store, const char *name, const char *version, const char *sha256,
    struct error *err)
{
    FREE_AUTO char *stamp = clock_stamp();
    json_t *entry =
        json_pack("{s:o*, s:o, s:s}", "version", version == NULL ? NULL : text_to_json(version),
            "sha256", text_to_json(sha256), "asked", stamp);
    return store_state_put(store, IMAGES_FILE, name, entry, err);
}

// ---- mirrors ------------------------------------------------------------------------------------

// Reads the digest in the list beside one image: a line of sha256sum with a digest, two blanks (or
// a blank and a star) and the versioned name.
static int
ask_digest(const struct distro_images *images, const struct strv *urls, const char *version,
    char **ret_sha256, struct error *err)
{
    FREE_AUTO char *text = NULL, *path = distro_url(images->url, "", version);
    const char *name = strrchr(path, '/') + 1;
    if (fetch_text(urls, LIST_MAX, &text, NULL, err) < 0)
        return -1;
    bool digest = strspn(text, "0123456789abcdef") == 64 && text[64] == ' ';
    const char *named = digest ? text + 64 + strspn(text + 64, " *") : "";
    if (!str_starts(named, name) || strchr("\r\n", named[strlen(name)]) == NULL)
        return error_set(err, ERR_DAMAGED,
            "the mirror's list of digests '%s' does not name the image; check the mirror, or "
            "specify the image by 'url' and 'sha256'",
            urls->items[0]);
    *ret_sha256 = str_ndup(text, 64);
    return 0;
}

static int
list_versions(
    const struct distro_images *images, const char *root, struct strv *ret, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    FREE_AUTO char *url = distro_url(images->list_url, root, NULL);
    if (fetch_names(url, &names, err) < 0)
        return -1;
    images->read_versions(&names, ret);
    if (ret->count > 0)
        return 0;
    return error_set(err, ERR_NETWORK,
        "the mirror's folder '%s' does not list its images, so the newest one is not known; "
        "specify "
        "another 'mirror', or a version as 'image'",
        url);
}

// Finds the newest image of one mirror that has its signature beside it, and its digest.
static int
newest_of(const struct distro_images *images, const char *root, char **ret_version,
    char **ret_sha256, struct error *err)
{
    STRV_AUTO struct strv versions = {0};
    if (list_versions(images, root, &versions, err) < 0)
        return -1;
    for (size_t i = 0; i < versions.count && i < KEPT_BY_MIRRORS; i++) {
        const char *version = versions.items[i];
        STRV_AUTO struct strv lists = {0}, signatures = {0};
        FREE_AUTO char *image = distro_url(images->url, root, version), *signature = NULL;
        strv_addf(&lists, "%s.SHA256", image);
        strv_addf(&signatures, "%s.sig", image);
        error_clear(err);
        if (fetch_text(&signatures, SIGNATURE_MAX, &signature, NULL, err) == 0 &&
            ask_digest(images, &lists, version, ret_sha256, err) == 0) {
            *ret_version = str_dup(version);
            return 0;
        }
        if (err->code == ERR_INTERRUPTED)
            return -1;
    }
    return -1;
}

// Finds the newest signed image of the first mirror that answers. The error is the first mirror's.
static int
ask_newest(const struct spec_base *base, char **ret_version, char **ret_sha256, struct error *err)
{
    STRV_AUTO struct strv roots = {0};
    const struct distro_images *images = distro_images_of(base->kind);
    images->mirrors(base, &roots);
    for (size_t i = 0; i < roots.count; i++) {
        ERROR_AUTO struct error other = {0};
        struct error *first = err->code == ERR_NONE ? err : &other;
        if (newest_of(images, roots.items[i], ret_version, ret_sha256, first) == 0) {
            error_clear(err);
            return 0;
        }
        if (interrupt_check(&other) < 0)
            return -1;
    }
    return -1;
}

// Appends all versions that mirrors list.
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

// Appends the URLs of the base's image on all mirrors, each with suffix.
static void
add_image_urls(const struct spec_base *base, const char *suffix, struct strv *ret)
{
    STRV_AUTO struct strv roots = {0};
    const struct distro_images *images = distro_images_of(base->kind);
    images->mirrors(base, &roots);
    for (size_t i = 0; i < roots.count; i++) {
        FREE_AUTO char *url = distro_url(images->url, roots.items[i], base->image);
        strv_addf(ret, "%s%s", url, suffix);
    }
}

// ---- download -----------------------------------------------------------------------------------

// Returns the name of the base in progress and errors; caller frees.
static char *
task_name(const struct spec_base *base)
{
    return str_format("base-%s", spec_base_kinds[base->kind]);
}

int
base_download(const struct base_query *query, const struct spec_base *base, struct base_disk *ret,
    struct error *err)
{
    const struct distro_images *images = distro_images_of(base->kind);
    STRV_AUTO struct strv urls = {0}, signatures = {0};
    FREE_AUTO char *task = task_name(base);
    struct fetch_job download = {.folder = query->store->downloads,
        .locks = query->store->locks,
        .urls = &urls,
        .sha256 = base->sha256,
        .known = images == NULL || str_equal(base->sha256, images->pinned_sha256),
        .keyring = base->keyring,
        .offline = query->ask == BAKE_ASK_NEVER,
        .task = task,
        .progress = query->progress};
    if (images != NULL) {
        add_image_urls(base, "", &urls);
        add_image_urls(base, ".sig", &signatures); // by the distribution's own key
    } else {
        strv_add(&urls, base->url);
    }
    if (base->signature != NULL)
        strv_add(&signatures, base->signature);
    if (signatures.count > 0)
        download.signatures = &signatures;
    if (fetch_file(&download, &ret->path, &ret->sha256, err) < 0)
        return -1;
    ret->origin = str_dup(urls.items[0]);
    return 0;
}

// ---- questions to mirrors -----------------------------------------------------------------------

static int
ask_version(const struct spec_base *base, char **ret_sha256, struct error *err)
{
    STRV_AUTO struct strv urls = {0}, versions = {0};
    add_image_urls(base, ".SHA256", &urls);
    if (ask_digest(distro_images_of(base->kind), &urls, base->image, ret_sha256, err) == 0)
        return 0;
    if (err->code != ERR_NETWORK)
        return -1;
    list_all(base, &versions);
    if (versions.count == 0 || strv_has(&versions, base->image))
        return -1;
    FREE_AUTO char *list = strv_join(&versions, ", ");
    error_clear(err);
    return error_set(err, ERR_NOT_FOUND,
        "no mirror has the image '%s' any more, as they keep the newest few (%s); specify one of "
        "these or 'latest' as 'image', or the image by 'url' and 'sha256'",
        base->image, list);
}

// name: of the answer in memory. task: of the base in progress.
static int
ask_unresolved(const struct base_query *query, struct bake_source *source, const char *name,
    const char *task, struct error *err)
{
    struct spec_base *base = &source->base;
    BASE_DISK_AUTO struct base_disk disk = {0};
    FREE_AUTO char *version = NULL, *sha256 = NULL;
    bool is_url = base->kind == SPEC_BASE_URL;
    int status = 0;
    if (query->ask == BAKE_ASK_NEVER)
        return error_set(err, ERR_NETWORK,
            "which image '%s' is was never asked; run 'airbuild images' without --offline",
            is_url ? base->url : base->image);
    if (is_url) {
        // The signature vouches for the bytes that the URL returns now, so their digest is
        // remembered. The mark keeps the download from being pruned until then.
        if (store_bake_begin(query->store, err) < 0)
            return -1;
        status = base_download(query, base, &disk, err);
        sha256 = TAKE(disk.sha256);
    } else {
        progress_step(query->progress, task, "asking what '%s' is", base->image);
        if (str_equal(base->image, "latest")) {
            status = ask_newest(base, &version, &sha256, err);
        } else {
            version = str_dup(base->image);
            status = ask_version(base, &sha256, err);
        }
    }
    if (status == 0)
        status = save_answer(query->store, name, version, sha256, err);
    if (is_url)
        store_bake_end(query->store);
    if (status == 0)
        put_answer(base, version, sha256);
    source->unresolved = status < 0;
    return status;
}

// Replaces the pinned image by the newest signed one when mirrors list their images and none has
// it. A mirror that does not answer does not count.
static int
check_pinned(const struct base_query *query, struct bake_source *source, const char *name,
    const char *task, struct error *err)
{
    struct spec_base *base = &source->base;
    const struct distro_images *images = distro_images_of(base->kind);
    FREE_AUTO char *key = disk_key(base->sha256), *version = NULL, *sha256 = NULL;
    FREE_AUTO char *download = path_join(query->store->downloads, base->sha256);
    STRV_AUTO struct strv urls = {0}, versions = {0};
    IMAGE_AUTO struct image *image = NULL;
    ERROR_AUTO struct error ignored = {0};
    bool answers = false;
    if (source->replaced || query->ask == BAKE_ASK_NEVER ||
        store_find(query->store, key, &image, &ignored) == 0 || file_exists(download))
        return 0;
    progress_step(query->progress, task, "asking for %s of %s", images->title, base->snapshot);
    add_image_urls(base, "", &urls);
    if (fetch_any_reachable(&urls, MIRRORS_MS, &answers, err) < 0)
        return -1;
    if (answers)
        return 0;
    list_all(base, &versions);
    if (interrupt_check(err) < 0)
        return -1;
    if (versions.count == 0 || strv_has(&versions, base->image))
        return 0;
    if (ask_newest(base, &version, &sha256, err) < 0 ||
        save_answer(query->store, name, version, sha256, err) < 0)
        return -1;
    if (!base->snapshot_given)
        free(TAKE(base->snapshot));
    put_answer(base, version, sha256);
    source->replaced = true;
    FREE_AUTO char *warning =
        str_format("%s %s has left the mirrors; the newest signed one, %s, is used instead",
            images->title, images->pinned_version, version);
    progress_note(query->progress, "%s", warning);
    strv_take(query->warnings, TAKE(warning));
    return 0;
}

// ---- a base -------------------------------------------------------------------------------------

static int
resolve_image(const struct base_query *query, struct bake_source *source, struct error *err)
{
    struct spec_base *base = &source->base;
    bool pinned = base->kind != SPEC_BASE_URL && base->image == NULL;
    FREE_AUTO char *name = memory_name(base), *task = task_name(base);
    if (load_known(query, source, name, pinned, err) < 0)
        return -1;
    if (query->ask == BAKE_LOOK || (!pinned && !source->unresolved))
        return 0;
    int status = pinned ? check_pinned(query, source, name, task, err)
                        : ask_unresolved(query, source, name, task, err);
    return status == 0 ? 0 : error_context(err, "the image '%s' was not baked", task);
}

int
base_resolve(const struct base_query *query, const struct spec_base *base, struct bake_source **ret,
    struct error *err)
{
    BAKE_SOURCE_AUTO struct bake_source *source = mem_zero(1, sizeof *source);
    const struct distro *distro = distro_of_packages(base);
    bool is_image = distro_images_of(base->kind) != NULL ||
                    (base->kind == SPEC_BASE_URL && base->sha256 == NULL);
    FREE_AUTO char *recipe = distro == NULL ? NULL : str_format("base-%s", distro->name);
    spec_base_copy(base, &source->base);
    if ((distro != NULL && recipe_load(recipe, &source->recipe, err) < 0) ||
        (is_image && resolve_image(query, source, err) < 0))
        return -1;
    *ret = TAKE(source);
    return 0;
}
