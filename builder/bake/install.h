// install.h - inside bake/ only: packages put into an image by its own package manager, from a
// mirror or from the set that the store kept.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_INSTALL_H
#define AIRBUILD_BAKE_INSTALL_H

#include "bake/distro.h"
#include "bake/guest.h"
#include "spec/spec.h"
#include "store/store.h"

// The name of the set that these packages over that base are kept under; caller frees. from: what
// the base is made from; of a dated distribution its mirror and snapshot belong to the name.
char *install_set(const char *base_key, const struct distro *distro, const struct strv *packages,
    const struct spec_base *from);

struct install {
    struct store *store;
    const struct distro *distro;
    const struct spec_base *base; // what the image below is made from
    const char *set;              // of install_set
    const char *folder;           // a folder of the host for files on the way
    bool offline, refresh;        // as in struct bake_options
};

// Install packages (no recommended ones, no service is started). A kept set is used when there is
// one, else they are downloaded and kept. ERR_NETWORK: not kept, and offline or no mirror answers;
// ERR_SPEC: the mirror does not have one; ERR_DAMAGED: one is not signed as it should be, or a kept
// one is not what it was.
int install_packages(struct guest *guest, const struct install *install,
    const struct strv *packages, struct error *err);

// [{"name", "version"}] of all that is installed.
int install_list(
    struct guest *guest, const struct distro *distro, struct jv **ret, struct error *err);

// For distributions. A folder of the guest, removed before the image is published; its packages/
// holds what is to be installed.
#define INSTALL_CACHE "/var/cache/airbuild"
// These packages become the kept set; and the other way.
int install_keep(struct guest *guest, const struct install *install, struct error *err);
int install_lay(struct guest *guest, const struct install *install, struct error *err);

#endif
