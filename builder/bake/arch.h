// arch.h - inside bake/ only: where Arch's images and packages come from. Pure but for the
// environment.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_ARCH_H
#define AIRBUILD_BAKE_ARCH_H

#include "base/str.h"
#include "spec/spec.h"

// The image that is meant when the spec names none, its digest and the day its packages go with.
#define ARCH_PINNED_VERSION "20261001.604814"
#define ARCH_PINNED_SHA256 "360f0fa49db6813bdc8e35bed230a2dc2ae3567b7b5ab74719c0a706e4e34e87"

// Roots of mirrors in the order they are asked, without a slash at the end: the spec's, else those
// of AIRBUILD_ARCH_MIRRORS (separated by blanks), else Arch's own two. base: NULL means `auto`.
void arch_mirrors(const struct spec_base *base, struct strv *ret);

// What pacman's "Server = " lines say, with $repo and $arch in them, in the order they are asked.
// A mirror that is said is taken as it is, or as an archive when a snapshot is said too; none said
// and a snapshot is the Arch Linux Archive; neither are Arch's own mirrors.
void arch_servers(const struct spec_base *base, struct strv *ret);

// ROOT/images/vVERSION/Arch-Linux-x86_64-cloudimg-VERSION.qcow2; caller frees.
char *arch_image_url(const char *root, const char *version);
// The newest image by the name without a version, which every mirror has; caller frees. Its list of
// digests, URL.SHA256, does not say the version either: who fills the mirrors takes it out
// (archlinux/infrastructure, roles/arch_images_sync).
char *arch_latest_url(const char *root);
// ROOT/images/, which lists a folder vVERSION for each image that a mirror keeps; caller frees.
char *arch_images_url(const char *root);
// The versions that such a list names, the newest first.
void arch_read_versions(const struct strv *names, struct strv *ret);
// "2026-10-01" of "20261001.604814"; caller frees.
char *arch_day(const char *version);
// The version and digest that the .SHA256 file of an image with a version names; false when it has
// another form. Callers free.
bool arch_read_digest(const char *text, char **ret_version, char **ret_sha256);

#endif
