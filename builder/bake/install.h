// install.h - inside bake/ only: installs packages in an image with its own package manager, from a
// mirror or from a set in the store.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_INSTALL_H
#define AIRBUILD_BAKE_INSTALL_H

#include "bake/make.h"

// Returns the name of the set that these packages over that base are kept under; caller frees.
// from: the base's own source; the mirror and snapshot of a dated distribution are part of the
// name.
char *install_set(const char *base_key, const struct distro *distro, const struct strv *packages,
    const struct spec_base *from);

// Returns whether the packages come from the job's set: the store has it, and they are not to be
// downloaded again.
bool install_has_set(const struct bake_job *job);

// Installs packages (no recommended ones; starts no service), from the kept set if there is one,
// else from a mirror, and keeps them. ERR_NETWORK: not kept, and offline or no mirror answers;
// ERR_SPEC: the mirror lacks one; ERR_DAMAGED: a signature does not match, or a kept package has
// changed.
int install_packages(struct guest *guest, const struct distro *distro, const struct strv *packages,
    struct error *err);

// Returns [{"name", "version"}] of all installed packages.
int install_list(struct guest *guest, const struct distro *distro, json_t **ret, struct error *err);

// For distributions: a folder of the guest, removed before the image is published. Its packages/
// holds the packages to install.
#define INSTALL_CACHE "/var/cache/airbuild"
// Copy these packages into the store's set, and the other way.
int install_keep(struct guest *guest, struct error *err);
int install_restore(struct guest *guest, struct error *err);

#endif
