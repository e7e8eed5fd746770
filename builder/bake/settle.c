// settle.c - see settle.h.
// SPDX-License-Identifier: Apache-2.0
#include "bake/settle.h"

#include "bake/arch.h"
#include "bake/key.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "store/download.h"

#include <string.h>

#define AUTO_FILE "base.json"
#define IMAGES_FILE "sources.json"

enum { MEMORY_MAX = 1024 * 1024, LIST_MAX = 4096, MIRRORS_MS = 4000 };

// A memory that cannot be read is an empty one.
static struct jv *
read_memory(const struct store *store, const char *name)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(store_folder(store), name), *text = NULL;
    size_t length = 0;
    struct jv *memory = NULL;
    if (file_read(path, MEMORY_MAX, &text, &length, &err) < 0 ||
        jv_parse(text, length, &memory, &err) < 0)
        return jv_object();
    return memory;
}

static int
write_memory(
    const struct store *store, const char *name, const struct jv *memory, struct error *err)
{
    FREE_AUTO char *path = path_join(store_folder(store), name);
    FREE_AUTO char *text = jv_print(memory, true);
    return file_write(path, 0644, text, strlen(text), err);
}

// ---- auto ---------------------------------------------------------------------------------------

int
settle_record_auto(struct store *store, enum spec_base_kind kind, struct error *err)
{
    JV_AUTO struct jv *record = jv_object();
    FREE_AUTO char *stamp = clock_stamp();
    jv_set_string(record, "base", spec_base_name(kind));
    jv_set_string(record, "chosen", stamp);
    return write_memory(store, AUTO_FILE, record, err);
}

static bool
recall_auto(struct settle *settle)
{
    JV_AUTO struct jv *record = read_memory(settle->store, AUTO_FILE);
    const char *base = jv_get_string(record, "base");
    settle->kind = str_equal(base, "arch") ? SPEC_BASE_ARCH : SPEC_BASE_DEBIAN;
    return str_equal(base, spec_base_name(settle->kind));
}

static void
resolve(const struct spec_base *base, enum spec_base_kind kind, struct spec_base *ret)
{
    if (kind == SPEC_BASE_ARCH) {
        *ret = (struct spec_base){.kind = SPEC_BASE_ARCH};
        return;
    }
    spec_base_copy(base, ret);
    ret->kind = SPEC_BASE_DEBIAN;
    if (ret->suite == NULL)
        ret->suite = str_dup("bookworm");
    if (ret->mirror == NULL)
        ret->mirror = str_dup("http://deb.debian.org/debian");
}

// Whether the store has the base that AUTO would be.
static int
is_baked(struct settle *settle, const struct spec_base *base, enum spec_base_kind kind, bool *ret,
    struct error *err)
{
    RECIPE_AUTO struct recipe *recipe = NULL;
    __attribute__((cleanup(spec_base_clear))) struct spec_base resolved = {0};
    FREE_AUTO char *key = NULL;
    resolve(base, kind, &resolved);
    struct bake_source source = {.base = resolved};
    if (kind == SPEC_BASE_ARCH)
        source.base.sha256 = (char *) ARCH_PINNED_SHA256;
    else if (recipe_load("base-debian", &recipe, err) < 0)
        return -1;
    source.recipe = recipe;
    if (base_key(&source, settle->store, &key, err) < 0)
        return -1;
    *ret = store_has(settle->store, key);
    return 0;
}

// Which of the two has an image already: then nothing is asked.
static int
find_baked(struct settle *settle, const struct spec_base *base, struct error *err)
{
    static const enum spec_base_kind kinds[] = {SPEC_BASE_ARCH, SPEC_BASE_DEBIAN};
    for (size_t i = 0; i < 2 && !settle->known; i++) {
        if (is_baked(settle, base, kinds[i], &settle->known, err) < 0)
            return -1;
        settle->kind = kinds[i];
    }
    return 0;
}

// Whether a mirror of Arch has the image that would be taken.
static int
ask_mirrors(struct settle *settle, struct error *err)
{
    STRV_AUTO struct strv roots = {0}, urls = {0};
    bool answers = false;
    arch_mirrors(NULL, &roots);
    for (size_t i = 0; i < roots.count; i++)
        strv_take(&urls, arch_image_url(roots.items[i], ARCH_PINNED_VERSION));
    if (settle->ask != BAKE_ASK_NEVER && store_any_answers(&urls, MIRRORS_MS, &answers, err) < 0)
        return -1;
    settle->kind = answers ? SPEC_BASE_ARCH : SPEC_BASE_DEBIAN;
    FREE_AUTO char *list = strv_join(&roots, ", ");
    if (answers)
        settle->chosen = str_dup("'base: auto' is Arch, as a mirror of it answers");
    else if (settle->ask == BAKE_ASK_NEVER)
        settle->chosen = str_dup("'base: auto' is Debian, as no mirror of Arch may be "
                                 "asked; 'airbuild images --refresh' asks");
    else
        settle->chosen = str_format("'base: auto' is Debian, as no mirror of Arch "
                                    "answers (%s); 'airbuild images --refresh' asks again",
            list);
    return 0;
}

static int
settle_kind(struct settle *settle, const struct spec_base *base, struct error *err)
{
    if (settle->ask != BAKE_ASK_AGAIN) {
        settle->known = recall_auto(settle);
        if (!settle->known && find_baked(settle, base, err) < 0)
            return -1;
    }
    if (!settle->known && ask_mirrors(settle, err) < 0)
        return -1;
    settle->known = true;
    return 0;
}

int
settle_auto(
    struct settle *settle, const struct spec_base *base, struct spec_base *ret, struct error *err)
{
    if (base->kind == SPEC_BASE_DEBIAN)
        resolve(base, base->kind, ret);
    else if (base->kind != SPEC_BASE_AUTO)
        spec_base_copy(base, ret);
    if (base->kind != SPEC_BASE_AUTO)
        return 0;
    if (!settle->known && settle_kind(settle, base, err) < 0)
        return -1;
    resolve(base, settle->kind, ret);
    return 0;
}

// ---- images -------------------------------------------------------------------------------------

static void
put(char **member, const char *text)
{
    free(*member);
    *member = str_dup(text);
}

static void
put_version(struct spec_base *base, const char *version, const char *sha256)
{
    put(&base->image, version);
    put(&base->sha256, sha256);
    if (base->snapshot == NULL)
        base->snapshot = arch_day(version);
}

// What an answer is remembered by; caller frees.
static char *
memory_name(const struct spec_base *base)
{
    if (base->kind == SPEC_BASE_URL)
        return str_format("%s %s", base->url, base->signature);
    return str_format("arch %s%s%s", base->image, base->mirror == NULL ? "" : " ",
        base->mirror == NULL ? "" : base->mirror);
}

int
settle_known(const struct settle *settle, struct bake_source *source, struct error *err)
{
    struct spec_base *base = &source->base;
    (void) err;
    if (base->kind != SPEC_BASE_ARCH && (base->kind != SPEC_BASE_URL || base->sha256 != NULL))
        return 0;
    if (base->kind == SPEC_BASE_ARCH &&
        (base->image == NULL || str_equal(base->image, ARCH_PINNED_VERSION))) {
        put_version(base, ARCH_PINNED_VERSION, ARCH_PINNED_SHA256);
        return 0;
    }
    bool moves = base->kind == SPEC_BASE_URL || str_equal(base->image, "latest");
    FREE_AUTO char *name = memory_name(base);
    JV_AUTO struct jv *memory = read_memory(settle->store, IMAGES_FILE);
    const struct jv *entry = jv_get(memory, name);
    const char *sha256 = jv_get_string(entry, "sha256"), *version = jv_get_string(entry, "version");
    source->unsettled = sha256 == NULL || (moves && settle->ask == BAKE_ASK_AGAIN);
    if (source->unsettled)
        return 0;
    if (base->kind == SPEC_BASE_URL)
        put(&base->sha256, sha256);
    else
        put_version(base, version, sha256);
    return 0;
}

static int
remember(struct store *store, const char *name, const char *version, const char *sha256,
    struct error *err)
{
    JV_AUTO struct jv *memory = read_memory(store, IMAGES_FILE);
    struct jv *entry = jv_object();
    FREE_AUTO char *stamp = clock_stamp();
    if (version != NULL)
        jv_set_string(entry, "version", version);
    jv_set_string(entry, "sha256", sha256);
    jv_set_string(entry, "asked", stamp);
    jv_set(memory, name, entry);
    return write_memory(store, IMAGES_FILE, memory, err);
}

// The list of digests beside the image says which one it is.
static int
ask_arch(const struct bake_job *job, const char *name, struct error *err)
{
    struct spec_base *base = &job->item->source->base;
    STRV_AUTO struct strv roots = {0}, urls = {0};
    FREE_AUTO char *text = NULL, *version = NULL, *sha256 = NULL;
    bool latest = str_equal(base->image, "latest");
    arch_mirrors(base, &roots);
    for (size_t i = 0; i < roots.count; i++) {
        FREE_AUTO char *image = arch_image_url(roots.items[i], base->image);
        strv_take(&urls, latest ? arch_latest_url(roots.items[i]) : str_format("%s.SHA256", image));
    }
    progress_step(job->options->progress, job->item->name, "asking what '%s' is", base->image);
    if (store_fetch_text(&urls, LIST_MAX, &text, err) < 0)
        return -1;
    if (!arch_read_latest(text, &version, &sha256) || (!latest && !str_equal(version, base->image)))
        return error_set(err, ERR_DAMAGED,
            "the mirror's list of digests '%s' does not name the image; check the mirror, or name "
            "the image by 'url' and 'sha256'",
            urls.items[0]);
    if (remember(job->store, name, version, sha256, err) < 0)
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
        remember(job->store, name, NULL, sha256, err) < 0)
        return -1;
    put(&base->sha256, sha256);
    return 0;
}

int
settle_ask(const struct bake_job *job, struct error *err)
{
    const struct spec_base *base = &job->item->source->base;
    FREE_AUTO char *name = memory_name(base);
    if (job->options->offline)
        return error_set(err, ERR_NETWORK,
            "which image '%s' is was never asked; run 'airbuild images' without --offline",
            base->kind == SPEC_BASE_URL ? base->url : base->image);
    return base->kind == SPEC_BASE_URL ? ask_url(job, name, err) : ask_arch(job, name, err);
}
