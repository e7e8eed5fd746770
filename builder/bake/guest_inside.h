// guest_inside.h - inside guest*.c only: the handle, and what its files share.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_GUEST_INSIDE_H
#define AIRBUILD_BAKE_GUEST_INSIDE_H

#include "bake/guest.h"

#include <guestfs.h>

struct watch;

struct guest {
    guestfs_h *g;
    struct watch *watch;
    bool kvm;
    char *task;
    char *step;
    char *proxies; // what every command in it begins with; "" without a network
    struct progress *progress;
};

// libguestfs' own message, and why it came when we made it fail. Always returns -1.
int guest_error(struct guest *guest, struct error *err);

// For the lists of strings that libguestfs hands out.
void guest_names_free(char ***names);
#define NAMES_AUTO __attribute__((cleanup(guest_names_free)))

#endif
