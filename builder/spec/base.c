// base.c - the key base of cluster.yaml: what the base image is, for all roles or for each.
// SPDX-License-Identifier: Apache-2.0
#include "spec/keys.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "spec/validators.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#define EXAMPLES                                                            \
    "auto, arch, debian, {debian: {suite: bookworm}}, {file: disk.qcow2}, " \
    "{url: https://..., sha256: ...} or {bootstrap: arch}"
#define MIRROR_FORM "a URL such as https://geo.mirror.pkgbuild.com (http, https or file)"
#define SNAPSHOT_FORM "a day such as 2026-11-01"
#define FILE_FORM "a path, absolute or relative to the folder of this file ('~' is not expanded)"

const char *const spec_base_kinds[] = {"auto", "debian", "arch", "file", "url", "bootstrap"};

// ---- keys ---------------------------------------------------------------------------------------

#define AT(member) offsetof(struct spec_base, member)
static const struct yaml_key debian_keys[] = {
    TEXT("suite", suite, valid_suite, "a suite of Debian such as bookworm", "bookworm",
        "The release of Debian that the base image is made from."),
    TEXT("mirror", mirror, valid_mirror,
        "a URL such as http://deb.debian.org/debian (http, https or file)",
        "http://deb.debian.org/debian", "Where the packages of Debian come from."),
    {0},
};

static const struct yaml_key arch_keys[] = {
    TEXT("image", image, valid_arch_image, "latest, or a version such as 20261001.604814",
        "the version that airbuild has the digest of",
        "The version of the official cloud image. The version that latest meant is remembered "
        "until "
        "'airbuild images --refresh' looks it up again."),
    TEXT("snapshot", snapshot, valid_snapshot, SNAPSHOT_FORM, "the day of the image",
        "The day of the Arch Linux Archive that packages come from: those of the "
        "image's day fit the image."),
    TEXT("mirror", mirror, valid_mirror, MIRROR_FORM,
        "AIRBUILD_ARCH_MIRRORS, else geo.mirror.pkgbuild.com and then "
        "fastly.mirror.pkgbuild.com for the image, and the archive for packages",
        "Where the image (below images/) and the packages come from. With a snapshot it "
        "must be an archive, with repos/YEAR/MONTH/DAY/."),
    {0},
};

// Keys that go with several kinds of base come last.
static const struct yaml_key kind_keys[] = {
    TABLE("debian", 0, debian_keys, "A base image made from Debian's packages."),
    TABLE("arch", 0, arch_keys, "Arch's official cloud image, its digest and signature checked."),
    TEXT("file", file, valid_path, FILE_FORM, "no file",
        "A base image of your own: a qcow2 with cloud-init in it."),
    TEXT("url", url, valid_download,
        "a URL such as https://example.org/disk.qcow2 (http, https or file, without "
        "an account)",
        "nothing is downloaded", "A base image to be downloaded: a qcow2 with cloud-init in it."),
    TEXT("sha256", sha256, valid_sha256, "64 hexadecimal digits, as sha256sum prints them",
        "required with url, unless there is a signature", "The SHA-256 of the image at url."),
    TEXT("signature", signature, valid_download,
        "a URL such as https://example.org/disk.qcow2.sig (http, https or file, "
        "without an account)",
        "no signature is checked",
        "The detached OpenPGP signature of the image at url, checked by gpgv."),
    TEXT("keyring", keyring, valid_path, FILE_FORM,
        "the key of Arch's official images; of bootstrap: the keys of Arch's packages",
        "The public keys that may have signed the image at url or the packages of "
        "bootstrap, as 'gpg --export' writes them, armored or not."),
    TEXT("bootstrap", bootstrap, valid_bootstrap, "arch", "nothing is bootstrapped",
        "A base image made from Arch's packages by pacstrap."),
    TEXT("snapshot", snapshot, valid_snapshot, SNAPSHOT_FORM, "the packages of today",
        "With file, url or bootstrap: the day of the Arch Linux Archive that "
        "packages come from."),
    TEXT("mirror", mirror, valid_mirror, MIRROR_FORM,
        "AIRBUILD_ARCH_MIRRORS, else the mirrors of Arch",
        "With file, url or bootstrap: where packages of Arch come from."),
    {0},
};

static void set_base(struct yaml_source *source, const struct yaml_node *name,
    const struct yaml_node *value, void *member);

// The reference shows all keys in one table; a mapping is read by kind_keys or by role_keys.
#define ROLE(role, ...)                                \
    {                                                  \
        .name = role, .type = YAML_CUSTOM, __VA_ARGS__ \
    }
const struct yaml_key base_keys[] = {
    {.name = "", .keys = kind_keys},
    ROLE("haproxy", .form = "a base as above", .absent = "both roles have the same base",
        .meaning = "The base of haproxy's image; redis must be specified too."),
    ROLE("redis", .form = "a base as above", .absent = "both roles have the same base",
        .meaning = "The base of redis' image; haproxy must be specified too."),
    {0},
};
static const struct yaml_key role_keys[] = {
    ROLE("haproxy", .required = true, .custom = set_base,
        .form = "a base such as debian or {file: disk.qcow2}"),
    ROLE("redis", .required = true, .offset = sizeof(struct spec_base), .custom = set_base,
        .form = "a base such as debian or {file: disk.qcow2}"),
    {0},
};
#undef AT

// ---- reading ------------------------------------------------------------------------------------

// Returns the one kind that value specifies; SPEC_BASE_AUTO after an error. valid: value has no
// error yet.
static enum spec_base_kind
find_kind(struct yaml_source *source, const char *what, const struct yaml_node *value, bool valid)
{
    enum spec_base_kind found = SPEC_BASE_AUTO;
    for (enum spec_base_kind kind = SPEC_BASE_DEBIAN; kind <= SPEC_BASE_BOOTSTRAP; kind++) {
        if (yaml_get(value, spec_base_kinds[kind]) == NULL)
            continue;
        if (found != SPEC_BASE_AUTO) {
            yaml_error(source, value, "'%s' has both '%s' and '%s'; remove one of them", what,
                spec_base_kinds[found], spec_base_kinds[kind]);
            return SPEC_BASE_AUTO;
        }
        found = kind;
    }
    if (found == SPEC_BASE_AUTO && valid)
        yaml_error(source, value,
            "'%s' %s; add one of debian, arch, file, url and bootstrap, or write auto", what,
            value->count == 0 ? "is empty" : "does not specify its kind");
    return found;
}

static void
refuse_beside(struct yaml_source *source, const struct yaml_node *value, const char *key,
    const char *kind, const char *fix)
{
    const struct yaml_node *place = yaml_get_key(value, key);
    if (place != NULL)
        yaml_error(source, place, "'%s' cannot be used with '%s'; %s", key, kind, fix);
}

// Refuses keys that do not go with the kind.
static void
check_beside(struct yaml_source *source, const struct yaml_node *value, enum spec_base_kind kind)
{
    static const char *const of_url[] = {"sha256", "signature", "keyring"};
    static const char *const of_packages[] = {"snapshot", "mirror"};
    const char *name = spec_base_kinds[kind];
    size_t refused = kind == SPEC_BASE_BOOTSTRAP ? 2 : 3; // its packages are signed too
    for (size_t i = 0; kind != SPEC_BASE_URL && i < refused; i++)
        refuse_beside(source, value, of_url[i], name, "it is for 'url'; remove the line");
    FREE_AUTO char *inside = str_format("write it inside '%s'", name);
    for (size_t i = 0; kind < SPEC_BASE_FILE && i < 2; i++)
        refuse_beside(source, value, of_packages[i], name,
            kind == SPEC_BASE_DEBIAN && i == 0 ? "it is for Arch; remove the line" : inside);
    if (kind != SPEC_BASE_URL || yaml_get(value, "signature") != NULL)
        return;
    if (yaml_get(value, "sha256") == NULL)
        yaml_error(source, yaml_get_key(value, "url"),
            "an image from a URL needs a 'sha256' or a 'signature' that proves its origin; add "
            "one of them");
    if (yaml_get(value, "keyring") != NULL)
        yaml_error(source, yaml_get_key(value, "keyring"),
            "'keyring' is for a signature, but there is no 'signature'; add it, or remove the "
            "line");
}

static void
set_base(struct yaml_source *source, const struct yaml_node *name, const struct yaml_node *value,
    void *member)
{
    struct spec_base *base = member;
    if (value->kind != YAML_MAP) {
        const struct yaml_key key = {.name = name->text, .type = YAML_CUSTOM, .form = EXAMPLES};
        enum spec_base_kind kind = SPEC_BASE_AUTO;
        while (kind < SPEC_BASE_FILE && !str_equal(value->text, spec_base_kinds[kind]))
            kind++;
        if (kind < SPEC_BASE_FILE)
            base->kind = kind;
        else
            yaml_error_value(source, value, &key);
        return;
    }
    FREE_AUTO char *quoted = str_format("'%s'", name->text);
    size_t before = source->error_total;
    yaml_map(source, value, quoted, kind_keys, base);
    base->kind = find_kind(source, name->text, value, source->error_total == before);
    if (base->kind != SPEC_BASE_AUTO)
        check_beside(source, value, base->kind);
}

void
base_set(struct yaml_source *source, const struct yaml_node *name, const struct yaml_node *value,
    void *member)
{
    struct spec_base *bases = member;
    if (value->kind == YAML_MAP &&
        (yaml_get(value, "haproxy") != NULL || yaml_get(value, "redis") != NULL)) {
        yaml_map(source, value, "'base' of each role", role_keys, bases);
        return;
    }
    set_base(source, name, value, &bases[0]);
    spec_base_copy(&bases[0], &bases[1]);
}

// ---- deriving -----------------------------------------------------------------------------------

// Makes a path absolute that is relative to the spec's folder.
static void
make_absolute(
    struct yaml_source *source, const struct yaml_node *root, const char *key, char **path)
{
    if (*path == NULL || (*path)[0] == '/')
        return;
    const char *slash = strrchr(source->origin, '/');
    size_t length = slash == NULL ? 0 : (size_t) (slash - source->origin) + 1;
    FREE_AUTO char *folder = str_ndup(source->origin, length);
    FREE_AUTO char *from_folder = path_join(folder, *path);
    FREE_AUTO char *here = getcwd(NULL, 0);
    if (from_folder[0] != '/' && here == NULL) {
        yaml_error(source, yaml_place(root, "base", key),
            "the current folder no longer exists; write an absolute path");
        return;
    }
    free(*path);
    *path = from_folder[0] == '/' ? TAKE(from_folder) : path_join(here, from_folder);
}

void
base_derive(struct yaml_source *source, const struct yaml_node *root, struct spec_base *base)
{
    make_absolute(source, root, "file", &base->file);
    make_absolute(source, root, "keyring", &base->keyring);
    base->snapshot_given = base->snapshot != NULL;
    for (char *at = base->sha256; at != NULL && *at != '\0'; at++)
        *at = (char) tolower((unsigned char) *at);
    if (base->kind != SPEC_BASE_AUTO && base->kind != SPEC_BASE_DEBIAN)
        return;
    if (base->suite == NULL)
        base->suite = str_dup("bookworm");
    if (base->mirror == NULL)
        base->mirror = str_dup("http://deb.debian.org/debian");
}

// ---- values -------------------------------------------------------------------------------------

char *
spec_base_canonical(const struct spec_base *base)
{
    struct buf out = {0};
    bool debian = base->kind == SPEC_BASE_AUTO || base->kind == SPEC_BASE_DEBIAN;
    bool arch = base->kind == SPEC_BASE_ARCH;
    const struct {
        const char *key, *value;
    } lines[] = {
        {"file", base->file},
        {"debian.suite", base->suite},
        {"arch.image", base->image},
        {"url", base->url},
        {"sha256", base->sha256},
        {"signature", base->signature},
        {"keyring", base->keyring},
        {"bootstrap", base->bootstrap},
        {arch ? "arch.snapshot" : "snapshot", base->snapshot},
        {debian    ? "debian.mirror"
            : arch ? "arch.mirror"
                   : "mirror",
            base->mirror},
    };
    buf_printf(&out, "base: %s\n", spec_base_kinds[base->kind]);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (lines[i].value != NULL)
            buf_printf(&out, "base.%s: %s\n", lines[i].key, lines[i].value);
    return buf_take(&out);
}

#define TEXTS_OF(base)                                                                     \
    {                                                                                      \
        &(base)->file, &(base)->suite, &(base)->mirror, &(base)->image, &(base)->snapshot, \
            &(base)->url, &(base)->sha256, &(base)->signature, &(base)->keyring,           \
            &(base)->bootstrap                                                             \
    }

void
spec_base_copy(const struct spec_base *from, struct spec_base *ret)
{
    *ret = *from;
    char **const texts[] = TEXTS_OF(ret);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = str_dup(*texts[i]);
}

void
spec_base_clear(struct spec_base *base)
{
    char **const texts[] = TEXTS_OF(base);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(*texts[i]);
    *base = (struct spec_base){0};
}
