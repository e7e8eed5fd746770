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
arch_image_url(const char *root, const char *version)
{
    return str_format("%s/images/v%s/" IMAGE_NAME "-%s.qcow2", root, version, version);
}

// Returns the URL of the newest image, without a version; every mirror has it. Its list of digests,
// URL.SHA256, does not name the version either: the script that fills mirrors removes it
// (archlinux/infrastructure, roles/arch_images_sync).
static char *
arch_latest_url(const char *root)
{
    return str_format("%s/images/latest/" IMAGE_NAME ".qcow2", root);
}

// Returns ROOT/images/, which lists a folder vVERSION for each image of the mirror.
static char *
arch_images_url(const char *root)
{
    return str_format("%s/images/", root);
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
    const char *a = *(const char *const *) left, *b = *(const char *const *) right;
    int days = strncmp(b, a, 8);
    if (days != 0)
        return days;
    unsigned long long first = strtoull(a + 9, NULL, 10), second = strtoull(b + 9, NULL, 10);
    return first < second ? 1 : first > second ? -1 : 0;
}

// Appends the versions among the names at arch_images_url, the newest first.
static void
arch_read_versions(const struct strv *names, struct strv *ret)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->items[i][0] == 'v' && is_version(names->items[i] + 1))
            strv_add(ret, names->items[i] + 1);
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof *ret->items, newest_first);
}

// Reads one line of sha256sum: digest, two blanks (or a blank and a star), the versioned name.
static bool
arch_read_digest(const char *text, char **ret_version, char **ret_sha256)
{
    static const char before[] = IMAGE_NAME "-", after[] = ".qcow2";
    if (strspn(text, "0123456789abcdef") != 64 || text[64] != ' ')
        return false;
    const char *name = text + 64 + strspn(text + 64, " *");
    FREE_AUTO char *line = str_ndup(name, strcspn(name, "\r\n"));
    if (!str_starts(line, before) || !str_ends(line, after))
        return false;
    size_t length = strlen(line) - strlen(before) - strlen(after);
    FREE_AUTO char *version = str_ndup(line + strlen(before), length);
    if (!is_version(version))
        return false;
    *ret_version = TAKE(version);
    *ret_sha256 = str_ndup(text, 64);
    return true;
}

const struct distro_images arch_images = {.kind = SPEC_BASE_ARCH,
    .pinned_version = ARCH_PINNED_VERSION,
    .pinned_sha256 = ARCH_PINNED_SHA256,
    .mirrors = arch_mirrors,
    .url = arch_image_url,
    .latest_url = arch_latest_url,
    .list_url = arch_images_url,
    .read_versions = arch_read_versions,
    .read_digest = arch_read_digest,
    .day = arch_day};
