// distro.h - inside bake/ only: all that differs between distributions, one constant value each in
// distro_NAME.c. A new one is that file with its distro_NAME, its script images/scripts/NAME.sh
// (whose functions `missing PACKAGE...` and `list` print names, and names with versions) and the
// recipe images/base-NAME.yaml; the Makefile finds it. `base: {bootstrap: NAME}` uses it.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_DISTRO_H
#define AIRBUILD_BAKE_DISTRO_H

#include "base/proc.h"
#include "base/str.h"
#include "spec/spec.h"

#include <stdbool.h>

struct bake_job;
struct guest;

// Official images, each with a list of sha256sum and a signature beside it: URL.SHA256, URL.sig.
struct distro_images {
    enum spec_base_kind kind;                   // of a base that is such an image
    const char *title;                          // "Arch's image", for people
    const char *pinned_version, *pinned_sha256; // used when the spec names none
    // URLs with {root} of a mirror and {version}: of an image, of the newest (its list of digests
    // may not name the version), and of a folder that lists the versions.
    const char *url, *latest_url, *list_url;
    void (*mirrors)(const struct spec_base *base, struct strv *ret);   // roots, in order
    void (*read_versions)(const struct strv *names, struct strv *ret); // the newest first
    char *(*day)(const char *version); // "2026-10-01": the snapshot of its packages; caller frees
};

struct distro {
    const char *name;                   // "debian": the family in recipes and manifests
    const char *title;                  // "Debian", for people
    const char *package_format;         // in libguestfs' inspection
    enum spec_base_kind packages_kind;  // of a base that is made from its packages
    const struct distro_images *images; // NULL: no official image is used
    // The base's mirror and snapshot select the packages, so keys and package sets depend on them.
    // Else the recipe's sources do.
    bool is_dated;

    const char *usual_kernel;                  // preferred; NULL: the newest version
    const char *initrd_prefix, *initrd_suffix; // around the text after "vmlinuz-"

    // Returns a complaint about an item of a bootstrap's `sources`, "is not ...", or NULL. No
    // function: every text is valid.
    const char *(*check_source)(const char *source);
    // Returns an item of `sources` as the package manager needs it; caller frees. No function: as
    // it is.
    char *(*fill_source)(const char *source, const struct spec_base *base);

    // Makes a tree of packages by the distribution's tool: WORK/root (or WORK/root.tar) from
    // WORK/early, WORK/steps and WORK/packages. kept: the packages are there, else it downloads
    // them there. Returns 0 when the tool ended; *ret: its status and output.
    int (*bootstrap)(
        const struct bake_job *job, bool kept, struct proc_result *ret, struct error *err);
    // Sets the error for the output of a tool that failed; returns -1.
    int (*explain)(const struct bake_job *job, const char *text, struct error *err);

    // Installs packages that the image lacks. kept: from the store, else from a mirror, and then
    // it keeps them.
    int (*install)(struct guest *guest, bool kept, const struct strv *packages, struct error *err);
};

// The Makefile defines AIRBUILD_DISTROS: DISTRO(NAME) for each distro_NAME.c, Debian first.
#define DISTRO(name) extern const struct distro distro_##name;
AIRBUILD_DISTROS
#undef DISTRO

// What `base: auto` means: the preferred one, which has official images, when a mirror of it
// answers, else the fallback.
extern const struct distro *const distro_preferred, *const distro_fallback;

// "all", then the names, then NULL: the words of recipes. Debian is first: keys depend on it.
extern const char *const distro_words[];
const struct distro *distro_numbered(unsigned number); // Debian is 0
char *distro_titles(void); // "Debian or Arch", for messages; caller frees
// Return NULL when airbuild does not know that name or package format (which may be NULL).
const struct distro *distro_named(const char *name);
const struct distro *distro_of_format(const char *package_format);
// The distribution whose packages a base is made from; NULL when it is a disk image.
const struct distro *distro_of_packages(const struct spec_base *base);
// The official images that a base of that kind is one of; or NULL.
const struct distro_images *distro_images_of(enum spec_base_kind kind);

// Returns text with two placeholders replaced by their values; caller frees. Pure.
char *distro_fill(const char *text, const char *first, const char *first_value, const char *second,
    const char *second_value);

// Returns url, one of distro_images, filled in; caller frees. Pure.
char *distro_url(const char *url, const char *root, const char *version);

// Returns the path of a kernel's initial RAM disk, never of a fallback; caller frees. Pure.
char *distro_initrd(const struct distro *distro, const char *kernel);

#endif
