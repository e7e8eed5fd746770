#!/bin/bash
# test-hostile.sh - disks that no node can be made of: each is refused by one sentence, and nothing of it stays. The disks
# are made by the host's tools, with just so much on them as an operating system is recognised by.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
airbuild=${AIRBUILD:-$PWD/build/airbuild}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export AIRBUILD_HOME=$scratch/home TMPDIR=$scratch/tmp LIBGUESTFS_CACHEDIR=/var/tmp LIBGUESTFS_BACKEND=direct \
    LIBGUESTFS_BACKEND_SETTINGS=force_tcg
unset AIRBUILD_STATE AIRBUILD_ASSETS
mkdir -p "$AIRBUILD_HOME" "$TMPDIR"

# system ID NAME [PROGRAM]: a folder that looks like the root of that distribution, with that program in it.
system() {
    rm -rf "$scratch/root"
    mkdir -p "$scratch/root"/{etc,bin,usr/bin,boot}
    printf 'ID=%s\nNAME="%s"\nPRETTY_NAME="%s"\nVERSION_ID=12\n' "$1" "$2" "$2" >"$scratch/root/etc/os-release"
    echo '# nothing' >"$scratch/root/etc/fstab"
    echo '127.0.0.1 localhost' >"$scratch/root/etc/hosts"
    [[ -z ${3-} ]] || printf '#!/bin/sh\n' >"$scratch/root/usr/bin/$3"
}

# disk NAME [OFFSET]: that root as a disk, or at a place of one that is there.
disk() {
    [[ -n ${2-} ]] || truncate -s 40M "$scratch/$1"
    mke2fs -q -F -t ext4 -d "$scratch/root" ${2+-E "offset=$2"} "$scratch/$1" 16M
}

# refused NAME WHAT SENTENCE: the disk of that name is refused so.
refused() {
    printf 'accel: tcg\nbase: {file: %s}\n' "$scratch/$1" >"$scratch/spec.yaml"
    status=0
    timeout -k 10 300 "$airbuild" --spec "$scratch/spec.yaml" --no-color images >"$scratch/said" 2>&1 || status=$?
    is "a disk $2 is an error of the spec" 3 "$status"
    is "in one sentence" "airbuild: the image 'base-file' was not baked: $3" "$(tail -n 1 "$scratch/said")"
    is 'and nothing of it stays' '' "$(find "$AIRBUILD_HOME/store/images" "$TMPDIR" -mindepth 1)"
}

system debian 'Debian 12' apt-get
disk debian.raw
refused debian.raw 'of Debian without cloud-init' "the base '$scratch/debian.raw' (Debian 12) has no cloud-init; use a \
cloud image, or install cloud-init in it"

system arch 'Arch Linux' pacman
disk arch.raw
refused arch.raw 'of Arch without cloud-init' "the base '$scratch/arch.raw' (Arch Linux) has no cloud-init; use a cloud \
image, or install cloud-init in it"

system opensuse 'openSUSE Leap 15' cloud-init
disk suse.raw
refused suse.raw 'with another package manager' "the base '$scratch/suse.raw' (openSUSE Leap 15) has a package \
manager that airbuild does not know; use an image of Debian or Arch"

truncate -s 64M "$scratch/two.raw"
printf 'start=2048, size=32768\nstart=40960, size=32768\n' | sfdisk -q --label gpt "$scratch/two.raw"
system debian 'Debian 12' cloud-init
disk two.raw $((2048 * 512))
system arch 'Arch Linux' cloud-init
disk two.raw $((40960 * 512))
refused two.raw 'with two systems' "the base '$scratch/two.raw' cannot be used: more than one operating system is on it: \
'/dev/sda1' (Debian 12), '/dev/sda2' (Arch Linux); use a disk with one of them"

# The head of LUKS version 1 is magic, version and UUID to all who only look for it. It is on a partition, as it is on
# disks of systems; a whole disk of it is told by qemu-img before.
truncate -s 40M "$scratch/locked.raw"
printf 'start=2048\n' | sfdisk -q --label gpt "$scratch/locked.raw"
printf 'LUKS\xba\xbe\x00\x01' | dd of="$scratch/locked.raw" bs=512 seek=2048 conv=notrunc status=none
printf '6a0f2d36-7c1e-4a8c-9d38-0f3f5b2a1c11' |
    dd of="$scratch/locked.raw" bs=1 seek=$((2048 * 512 + 168)) conv=notrunc status=none
refused locked.raw 'that is encrypted' "the base '$scratch/locked.raw' cannot be used: it is encrypted ('/dev/sda1'), and \
a node boots without a passphrase; use an image that is not encrypted"

truncate -s 40M "$scratch/empty.raw"
refused empty.raw 'with nothing on it' "the base '$scratch/empty.raw' cannot be used: no operating system is found on it; \
use the disk of an installed system"
tap_end
