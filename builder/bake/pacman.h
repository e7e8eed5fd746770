// pacman.h - inside bake/ only: what pacman is told, and what its complaints mean. Pure.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_PACMAN_H
#define AIRBUILD_BAKE_PACMAN_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>

// Where pacman looks and writes, all of it for one bake only.
struct pacman {
    const struct strv *servers; // with $repo and $arch in them, tried in order
    const struct strv *repositories;
    const struct strv *exclude; // paths that packages do not install; may be NULL
    const char *folder;         // holds db/, packages/, hooks/ and gnupg/
    const char *hooks;          // the system's own folder of hooks, or NULL
    bool keep_kernel;           // never upgrade the kernel that is there
};

// A server with $repo and $arch filled in. Caller frees.
char *pacman_fill(const char *server, const char *repository, const char *machine);

// The text of pacman.conf. Caller frees.
char *pacman_conf(const struct pacman *pacman);

// Shell functions for both places where pacman runs, an appliance and this host.
// mask_hooks FOLDER: every hook of the system that would make an initial RAM disk or write GRUB's
// menu is masked there; in an appliance they would look at the wrong machine.
// make_keyring FOLDER [KEYS]: pacman's keyring (a path of at most 80 bytes: the agent's socket is
// in it), of what the system trusts for Arch or of the public keys in that file. end_keyring
// FOLDER: ends its agents. without_sandbox CONF: no sandbox around downloads, where this pacman has
// one (7 and later); it asks for more than kernels of appliances and containers give.
extern const char pacman_functions[];

enum pacman_cause {
    PACMAN_OTHER,
    PACMAN_SPACE,
    PACMAN_NETWORK,
    PACMAN_LIST, // something came that is no repository's list
    PACMAN_PACKAGE,
    PACMAN_KEY,     // signed by nobody who is trusted
    PACMAN_DAMAGED, // not what was signed
};
// What pacman's standard error is about. pacman_reason: its first error, caller frees.
enum pacman_cause pacman_cause(const char *text);
char *pacman_reason(const char *text);

// err becomes the sentence of a cause, with the mend. server: the first that was asked; system:
// whose keyring it was, "the image's".
int pacman_error(const char *text, const char *server, const char *system, struct error *err);

#endif
