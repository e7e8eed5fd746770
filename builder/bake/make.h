// make.h - inside bake/ only: one image in the making, and the functions that make each kind.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_MAKE_H
#define AIRBUILD_BAKE_MAKE_H

#include "bake/bootstrap.h"
#include "bake/guest.h"
#include "bake/source.h"

#include <jansson.h>

struct bake_job {
    struct bake_item *item;
    struct store *store;
    const struct bake_options *options;
    const char *folder;                        // of the draft
    const char *work;                          // inside it; removed before the image is published
    const struct image *base;                  // NULL for a base
    const struct base_disk *disk;              // of a base that is a disk image, else NULL
    const struct bootstrap_prefetch *prefetch; // for a base: what the layers will install
    size_t prefetch_count;
};

// Each makes the files of the image in job->folder and fills its manifest.
int make_base_from_packages(const struct bake_job *job, json_t *manifest, struct error *err);
int make_base_from_disk(const struct bake_job *job, json_t *manifest, struct error *err);
int make_layer(const struct bake_job *job, json_t *manifest, struct error *err);

// Returns the kernel's arguments; caller frees. root: "root=UUID=..."; line: a `linux` line of the
// image's grub.cfg, whose rootflags are kept (a subvolume, compression), or NULL. Pure.
char *base_cmdline(const char *root, const char *line);

// Returns what guest_start needs for a disk of the job's draft.
struct guest_options image_options(
    const struct bake_job *job, const char *disk, const char *format);
// Ends the making of every image: copies kernel and initrd beside the disk, adds "packages" to the
// manifest, removes the identity unless it is kept (machine-id empty, so that by machine-id(5) no
// boot counts as the first; SSH host keys, random seed, leases, logs, cloud-init state, package
// caches, data of services), frees unused blocks and powers the appliance off. ERR_FAILED names
// what is left of an identity.
int image_finish(struct guest *guest, const char *folder, const struct distro *distro,
    bool keep_identity, json_t *manifest, struct error *err);

#endif
