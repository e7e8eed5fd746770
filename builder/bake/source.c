// source.c - the keys of images. No key depends on the code that makes an image, C and
// images/scripts/: change a format below instead.
// SPDX-License-Identifier: Apache-2.0
#include "bake/source.h"

#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/file.h"

#include <stdlib.h>
#include <sys/utsname.h>

#define BASE_FORMAT "airbuild base 1" // new number: equal inputs make another image
#define DISK_FORMAT "airbuild base disk 2"
#define LAYER_FORMAT "airbuild layer 1"
#define UNRESOLVED_FORMAT "airbuild unsettled base"

void
bake_source_free(struct bake_source *source)
{
    if (source == NULL)
        return;
    recipe_free(source->recipe);
    spec_base_clear(&source->base);
    free(source->base_key);
    free(source);
}

void
base_disk_clear(struct base_disk *disk)
{
    free(disk->path);
    free(disk->origin);
    free(disk->sha256);
    *disk = (struct base_disk){0};
}

static char *
finish_key(struct digest *digest)
{
    char hex[DIGEST_HEX + 1];
    digest_hex(digest, hex);
    return str_dup(hex);
}

static char *
key_of(const char *format, const char *text)
{
    DIGEST_AUTO struct digest *digest = digest_new();
    digest_add_field(digest, format);
    digest_add_field(digest, text);
    return finish_key(digest);
}

char *
disk_key(const char *sha256)
{
    return key_of(DISK_FORMAT, sha256);
}

int
base_key(const struct bake_source *source, struct store *store, char **ret, struct error *err)
{
    const struct spec_base *base = &source->base;
    if (source->unresolved) {
        FREE_AUTO char *canonical = spec_base_canonical(base);
        *ret = key_of(UNRESOLVED_FORMAT, canonical);
    } else if (source->recipe != NULL) {
        struct utsname host = {0};
        DIGEST_AUTO struct digest *digest = digest_new();
        FREE_AUTO char *recipe = recipe_canonical(source->recipe);
        (void) uname(&host);
        digest_add_field(digest, BASE_FORMAT);
        digest_add_field(digest, host.machine); // machine types cannot share these packages
        digest_add_field(digest, base->suite);
        digest_add_field(digest, base->mirror);
        digest_add_field(digest, recipe);
        if (recipe_distro(source->recipe)->is_dated)
            digest_add_field(digest, base->snapshot);
        *ret = finish_key(digest);
    } else if (base->kind == SPEC_BASE_FILE) {
        FREE_AUTO char *content = NULL;
        if (!file_exists(base->file))
            return error_set(err, ERR_NOT_FOUND,
                "there is no base image '%s'; check 'base: {file: ...}'", base->file);
        if (store_file_digest(store, base->file, &content, err) < 0)
            return -1;
        *ret = disk_key(content);
    } else {
        *ret = disk_key(base->sha256);
    }
    return 0;
}

char *
layer_key(const struct bake_source *source)
{
    const struct spec_base *base = &source->base;
    const struct distro *distro = distro_of_packages(base);
    DIGEST_AUTO struct digest *digest = digest_new();
    FREE_AUTO char *recipe = recipe_canonical(source->recipe);
    digest_add_field(digest, LAYER_FORMAT);
    digest_add_field(digest, source->base_key);
    digest_add_field(digest, recipe);
    // The mirror and the snapshot of a dated or unknown distribution are part of the key. Those of
    // another are in the recipe's sources.
    if ((distro == NULL || distro->is_dated) && (base->snapshot != NULL || base->mirror != NULL)) {
        digest_add_field(digest, base->snapshot);
        digest_add_field(digest, base->snapshot_given ? "said" : NULL);
        digest_add_field(digest, base->mirror);
    }
    return finish_key(digest);
}
