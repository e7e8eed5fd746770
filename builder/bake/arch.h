// arch.h - inside bake/ only: Arch: pacman and pacstrap (arch.c), and where its images and packages
// come from (arch_mirror.c).
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_ARCH_H
#define AIRBUILD_BAKE_ARCH_H

#include "bake/bootstrap.h"
#include "bake/distro.h"

extern const struct distro_images arch_images;

// The image that is meant when the spec names none, its digest and the day its packages go with.
#define ARCH_PINNED_VERSION "20261001.604814"
#define ARCH_PINNED_SHA256 "360f0fa49db6813bdc8e35bed230a2dc2ae3567b7b5ab74719c0a706e4e34e87"

// ---- mirrors, pure but for the environment ------------------------------------------------------

// Values for pacman's "Server = " lines, with $repo and $arch in them, in the order they are asked.
// A mirror that is said is taken as it is, or as an archive when a snapshot is said too; none said
// and a snapshot is the Arch Linux Archive; neither are Arch's own mirrors.
void arch_servers(const struct spec_base *base, struct strv *ret);

// ROOT/images/vVERSION/Arch-Linux-x86_64-cloudimg-VERSION.qcow2; caller frees.
char *arch_image_url(const char *root, const char *version);
// "2026-10-01" of "20261001.604814"; caller frees.
char *arch_day(const char *version);

// ---- pacman, pure --------------------------------------------------------------------------------

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

// err becomes the sentence of the cause that pacman's standard error names, and of how to fix it;
// always -1. server: the first that was asked; system: whose keyring it was, "the image's".
int pacman_error(const char *text, const char *server, const char *system, struct error *err);

// Of a base from packages: its pacman.conf, caller frees; and the arguments of arch.sh.
char *arch_bootstrap_conf(const struct bootstrap *bootstrap, const struct strv *servers);
void arch_bootstrap_words(const struct bootstrap *bootstrap, bool kept, struct strv *ret);

#endif
