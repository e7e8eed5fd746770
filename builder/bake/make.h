// make.h - inside bake/ only: one image in the making, and the functions that make each kind.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_MAKE_H
#define AIRBUILD_BAKE_MAKE_H

#include "bake/guest.h"
#include "bake/source.h"

#include <jansson.h>

enum { BOOTSTRAP_MS = 30 * 60 * 1000 }; // for a distribution's tool

struct bake_job {
    struct bake_item *item;
    struct store *store;
    const struct bake_options *options;
    const char *folder;           // of the draft
    const char *work;             // private, inside it; removed before the image is published
    const struct image *base;     // NULL for a base
    const struct base_disk *disk; // of a base that is a disk image, else NULL
    char *set;                    // the name that its packages are kept under; owned
    // Of a base from packages. tree: root can keep files' owners in a folder, others need a tar.
    // prefetch: packages that each layer will install, separated by blanks, and beside them the
    // sets that these are kept under: downloading them now needs no appliance.
    bool tree;
    struct strv prefetch, prefetch_sets;
};

// Each makes the files of the image in job->folder and fills its manifest. Those that install
// packages set job->set.
int make_base_from_packages(struct bake_job *job, json_t *manifest, struct error *err);
int make_base_from_disk(struct bake_job *job, json_t *manifest, struct error *err);
int make_layer(struct bake_job *job, json_t *manifest, struct error *err);

// Returns the recipe's steps as a shell script that runs inside the new system, where their files
// are /airbuild/STEP-FILE. It prints the place of a step that fails. Pure; caller frees.
char *bootstrap_script(const struct recipe *recipe);
// Returns -1 and the error when text, the tool's output, names a step that failed; else 0.
int bootstrap_step_failed(const struct recipe *recipe, const char *text, struct error *err);
// Returns the name of the set that a base's packages are kept under; caller frees.
char *bootstrap_set(const struct recipe *recipe, const struct spec_base *base);

// Returns the kernel's arguments; caller frees. root: "root=UUID=..."; line: a `linux` line of the
// image's grub.cfg, whose rootflags are kept (a subvolume, compression), or NULL. Pure.
char *base_cmdline(const char *root, const char *line);

// Ends the making of every image: copies kernel and initrd beside the disk, adds "packages" to the
// manifest, removes the identity unless the base is a disk image (machine-id empty, so that by
// machine-id(5) no boot counts as the first; SSH host keys, random seed, leases, logs, cloud-init
// state, package caches, data of services), frees unused blocks and powers the appliance off.
// ERR_FAILED names what is left of an identity.
int image_finish(
    struct guest *guest, const struct distro *distro, json_t *manifest, struct error *err);

#endif
