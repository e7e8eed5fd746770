// arch.h - inside bake/ only: Arch: pacman and pacstrap (distro_arch.c), and where its images and
// packages come from (arch_mirror.c).
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_ARCH_H
#define AIRBUILD_BAKE_ARCH_H

#include "bake/make.h"

extern const struct distro_images arch_images;

// The official image that is used when the spec names none.
#define ARCH_PINNED_VERSION "20261001.604814"
#define ARCH_PINNED_SHA256 "360f0fa49db6813bdc8e35bed230a2dc2ae3567b7b5ab74719c0a706e4e34e87"

// ---- mirrors, pure but for the environment ------------------------------------------------------

// Appends values for pacman's "Server = " lines, with $repo and $arch in them, in the order they
// are tried. A specified mirror is used as it is, or as an archive when the spec has a snapshot
// too; a snapshot alone means the Arch Linux Archive; neither means Arch's own mirrors.
void arch_servers(const struct spec_base *base, struct strv *ret);

// Returns "2026-10-01" for "20261001.604814"; caller frees.
char *arch_day(const char *version);

// ---- pacman, pure --------------------------------------------------------------------------------

// The folders and servers of pacman for one bake.
struct pacman {
    const struct strv *servers; // with $repo and $arch in them, tried in order
    const struct strv *repositories;
    const struct strv *exclude; // paths that packages do not install; may be NULL
    const char *folder;         // holds db/, packages/, hooks/ and gnupg/
    const char *hooks; // the system's own folder of hooks: keep its kernel too; NULL: a new system
};

// Returns the text of pacman.conf; caller frees.
char *pacman_conf(const struct pacman *pacman);

// Sets the error for the cause in text, pacman's standard error, and how to fix it; returns -1.
// server: the first that was tried; system: the owner of the keyring, "the image's".
int pacman_error(const char *text, const char *server, const char *system, struct error *err);

// For a base from packages: return pacman.conf (caller frees), and append the arguments of arch.sh.
char *arch_bootstrap_conf(const struct bake_job *job, const struct strv *servers);
void arch_bootstrap_words(const struct bake_job *job, bool kept, struct strv *ret);

#endif
