// source.h - inside bake/ only: what an image of a plan is made from, and the makers.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_SOURCE_H
#define AIRBUILD_BAKE_SOURCE_H

#include "bake/bake.h"
#include "bake/bootstrap.h"
#include "bake/distro.h"
#include "bake/guest.h"
#include "bake/recipe.h"

struct bake_source {
    struct recipe *recipe; // NULL for a base that is a disk image
    // What a base is made from, and a layer's base is made from: never AUTO. Of an official image
    // image is the version and snapshot its day, unless the spec says another.
    struct spec_base base;
    bool pinned;   // of a base: the spec names no image, so it is the one that airbuild comes with
    bool replaced; // that one has left the mirrors, and base is the one taken in its place
    bool unresolved;  // of a base: only the network knows its digest, so its key is provisional
    char *base_key;   // of the image it is a layer over; NULL for a base
    size_t base_item; // which item of the plan that is
};

// The network said what the base is: its key and those of the layers over it are made anew and
// looked up.
int bake_plan_resolved(struct bake_plan *plan, size_t base, struct store *store, struct error *err);

// One image in the making: everything its maker needs.
struct bake_job {
    struct bake_item *item;
    struct store *store;
    const struct bake_options *options;
    const struct image *base;                  // NULL for a base
    const struct bootstrap_prefetch *prefetch; // for a base: what the layers will ask for
    size_t prefetch_count;
};

// A disk image that becomes a base.
struct base_disk {
    const char *path;   // where it is
    const char *origin; // what people know it by: the path, or the URL it came from
    const char *sha256; // of a download, for the manifest; else NULL
};

// Each makes the image of the job's item and publishes it; the image is there when 0 comes back.
int base_bake_bootstrap(const struct bake_job *job, struct error *err);
int base_bake_file(const struct bake_job *job, const struct base_disk *disk, struct error *err);
// The kernel's arguments. root: "root=UUID=..."; line: a `linux` line of the image's grub.cfg,
// whose rootflags are taken over (a subvolume, compression), or NULL. Pure; caller frees.
char *base_cmdline(const char *root, const char *line);
int base_bake_url(const struct bake_job *job, struct error *err); // downloaded, then as a file
// The file of an official image or a URL, checked, in the store; callers free.
int base_download(
    const struct bake_job *job, char **ret_path, char **ret_sha256, struct error *err);
int layer_bake(const struct bake_job *job, struct error *err);

// Ends the making of an image: kernel and initrd beside the disk, the list of packages, identity
// gone (machine-id empty, so that no boot counts as the first one by systemd's reckoning,
// machine-id(5); SSH host keys, random seed, leases, logs, cloud-init state, package caches, data
// of services), blocks given back, the appliance off. manifest gets "packages". ERR_FAILED names
// what is still there of an identity.
int image_finish(struct guest *guest, const char *folder, const struct distro *distro,
    bool keep_identity, struct jv *manifest, struct error *err);
// FOLDER/NAME of the draft, a folder that is removed before the image is published.
int work_folder(const char *draft, char **ret, struct error *err);

#endif
