// cmdline.h - inside bake/ only: which kernel an image boots, and with which arguments. Pure.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_CMDLINE_H
#define AIRBUILD_BAKE_CMDLINE_H

// root: "root=UUID=..."; line: a `linux` line of the image's grub.cfg, whose rootflags are taken
// over (a subvolume, compression), or NULL. Caller frees.
char *cmdline_of(const char *root, const char *line);

// The initial RAM disk that goes with a kernel: Debian's /boot/initrd.img-VERSION, Arch's
// /boot/initramfs-NAME.img (never the fallback). Caller frees.
char *cmdline_initrd(const char *family, const char *kernel);

#endif
