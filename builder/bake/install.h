// install.h - inside bake/ only: packages put into an image by its own package manager, from a
// mirror or from the set that the store kept.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_INSTALL_H
#define AIRBUILD_BAKE_INSTALL_H

#include "bake/guest.h"
#include "spec/spec.h"
#include "store/store.h"

// The name of the set that these packages over that base are kept under; caller frees. from: what
// the base is made from; of Arch, its mirror and snapshot say which versions they are.
char *install_set(const char *base_key, const char *family, const struct strv *packages,
    const struct spec_base *from);

struct install {
    struct store *store;
    const char *family;
    const char *set;            // of install_set
    const char *folder;         // a folder of the host for files on the way
    bool offline, refresh;      // as in struct bake_options
    const struct strv *servers; // of pacman, as arch_servers gives them; apt knows its own
};

// Install packages (no recommended ones, no service is started). A kept set is used when there is
// one, else they are downloaded and kept. ERR_NETWORK: not kept, and offline or no mirror answers;
// ERR_SPEC: the mirror does not have one; ERR_DAMAGED: one is not signed as it should be, or a kept
// one is not what it was.
int install_packages(struct guest *guest, const struct install *install,
    const struct strv *packages, struct error *err);

// [{"name", "version"}] of all that is installed.
int install_list(struct guest *guest, const char *family, struct jv **ret, struct error *err);

#endif
