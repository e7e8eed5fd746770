// arch_mirror.c - URLs of Arch's images and packages. Mirrors are laid out as described in
// https://gitlab.archlinux.org/archlinux/arch-boxes and https://archive.archlinux.org.
// SPDX-License-Identifier: Apache-2.0
#include "bake/arch.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_NAME "Arch-Linux-x86_64-cloudimg"
#define ARCHIVE "https://archive.archlinux.org"

static const char *const own_mirrors[] = {
    "https://geo.mirror.pkgbuild.com", "https://fastly.mirror.pkgbuild.com"};

static void
add_root(struct strv *list, const char *text, size_t length)
{
    while (length > 0 && text[length - 1] == '/')
        length--;
    if (length > 0)
        strv_take(list, str_ndup(text, length));
}

static void
add_from_environment(struct strv *list)
{
    const char *text = getenv("AIRBUILD_ARCH_MIRRORS");
    while (text != NULL && *text != '\0') {
        size_t length = strcspn(text, " \t\n");
        add_root(list, text, length);
        text += length + strspn(text + length, " \t\n");
    }
}

// Appends roots of mirrors in the order they are tried, without a slash at the end: the spec's,
// else those of AIRBUILD_ARCH_MIRRORS (separated by blanks), else Arch's own two. base: NULL means
// `auto`.
static void
arch_mirrors(const struct spec_base *base, struct strv *ret)
{
    if (base != NULL && base->kind != SPEC_BASE_AUTO && base->mirror != NULL)
        add_root(ret, base->mirror, strlen(base->mirror));
    else
        add_from_environment(ret);
    if (ret->count > 0)
        return;
    for (size_t i = 0; i < sizeof own_mirrors / sizeof *own_mirrors; i++)
        strv_add(ret, own_mirrors[i]);
}

void
arch_servers(const struct spec_base *base, struct strv *ret)
{
    STRV_AUTO struct strv roots = {0};
    const char *date = base->snapshot;
    FREE_AUTO char *day = // its folder in an archive
        date == NULL ? str_dup("") : str_format("repos/%.4s/%.2s/%.2s/", date, date + 5, date + 8);
    add_from_environment(&roots);
    bool chosen = base->mirror != NULL || roots.count > 0;
    strv_free(&roots);
    if (date != NULL && !chosen)
        strv_add(&roots, ARCHIVE);
    else
        arch_mirrors(base, &roots);
    // A day that only the image implies does not turn a chosen mirror into an archive.
    bool dated = base->snapshot_given || !chosen;
    for (size_t i = 0; i < roots.count; i++)
        strv_addf(ret, "%s/%s$repo/os/$arch", roots.items[i], dated ? day : "");
}

char *
arch_day(const char *version)
{
    return str_format("%.4s-%.2s-%.2s", version, version + 4, version + 6);
}

static bool
is_version(const char *text)
{
    size_t length = strlen(text);
    return length > 9 && length <= 20 && strspn(text, "0123456789") == 8 && text[8] == '.' &&
           strspn(text + 9, "0123456789") == length - 9;
}

// Compares the day, then the build number, which has any number of digits.
static int
newest_first(const void *left, const void *right)
{
    return strverscmp(*(const char *const *) right, *(const char *const *) left);
}

// Appends the versions among the folders vVERSION, the newest first.
static void
arch_read_versions(const struct strv *names, struct strv *ret)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->items[i][0] == 'v' && is_version(names->items[i] + 1))
            strv_add(ret, names->items[i] + 1);
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof *ret->items, newest_first);
}

// Every mirror has the newest image without a version too. Its list of digests does not name the
// version either: the script that fills mirrors removes it (archlinux/infrastructure,
// roles/arch_images_sync).
const struct distro_images arch_images = {.kind = SPEC_BASE_ARCH,
    .title = "Arch's image",
    .pinned_version = ARCH_PINNED_VERSION,
    .pinned_sha256 = ARCH_PINNED_SHA256,
    .url = "{root}/images/v{version}/" IMAGE_NAME "-{version}.qcow2",
    .latest_url = "{root}/images/latest/" IMAGE_NAME ".qcow2",
    .list_url = "{root}/images/",
    .mirrors = arch_mirrors,
    .read_versions = arch_read_versions,
    .day = arch_day};
