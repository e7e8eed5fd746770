// install_inside.h - inside install*.c only: one function a package manager, and what they share.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_INSTALL_INSIDE_H
#define AIRBUILD_BAKE_INSTALL_INSIDE_H

#include "bake/install.h"

// A folder of the guest, removed before the image is published.
#define INSTALL_CACHE "/var/cache/airbuild"

int install_apt(struct guest *guest, const struct install *install, const struct strv *packages,
    struct error *err);
int install_pacman(struct guest *guest, const struct install *install, const struct strv *packages,
    struct error *err);

// Does the store have the set, and is it to be used?
bool install_is_kept(const struct install *install);
int install_offline(const struct strv *packages, struct error *err); // the error; always -1
// The files of a folder of the guest become the kept set; and the other way.
int install_keep(
    struct guest *guest, const struct install *install, const char *from, struct error *err);
int install_lay(
    struct guest *guest, const struct install *install, const char *to, struct error *err);

#endif
