#!/bin/bash
# test-hostile.sh - disks that cannot be used as a base: each is refused with one sentence, and nothing is left. The disks
# hold just enough files to be recognized as an operating system.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/guest/lib.sh
. tests/guest/lib.sh
airbuild=${AIRBUILD:-$PWD/build/airbuild}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export AIRBUILD_HOME=$scratch/home TMPDIR=$scratch/tmp
unset AIRBUILD_STATE AIRBUILD_ASSETS
mkdir -p "$AIRBUILD_HOME" "$TMPDIR"

# system ID NAME [PROGRAM]: make a folder that looks like the root of that distribution, with that program.
system() {
    rm -rf "$scratch/root"
    mkdir -p "$scratch/root"/{etc,bin,usr/bin,boot}
    printf 'ID=%s\nNAME="%s"\nPRETTY_NAME="%s"\nVERSION_ID=12\n' "$1" "$2" "$2" >"$scratch/root/etc/os-release"
    echo '# nothing' >"$scratch/root/etc/fstab"
    echo '127.0.0.1 localhost' >"$scratch/root/etc/hosts"
    [[ -z ${3-} ]] || printf '#!/bin/sh\n' >"$scratch/root/usr/bin/$3"
}

# disk NAME [OFFSET]: make a disk of that root, or write it into an existing disk.
disk() {
    [[ -n ${2-} ]] || truncate -s 40M "$scratch/$1"
    mke2fs -q -F -t ext4 -d "$scratch/root" ${2+-E "offset=$2"} "$scratch/$1" 16M
}

# refused NAME WHAT SENTENCE: ok if images refuses that disk with that sentence.
refused() {
    printf 'accel: tcg\nbase: {file: %s}\n' "$scratch/$1" >"$scratch/spec.yaml"
    status=0
    timeout -k 10 300 "$airbuild" --spec "$scratch/spec.yaml" --no-color images >"$scratch/said" 2>&1 || status=$?
    is "images refuses a disk $2" 3 "$status"
    is "the error for a disk $2 is one sentence" "airbuild: the image 'base-file' was not baked: $3" "$(tail -n 1 "$scratch/said")"
    is "a refused disk $2 leaves nothing" '' "$(find "$AIRBUILD_HOME/store/images" "$TMPDIR" -mindepth 1)"
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

# Tools recognize LUKS version 1 by magic, version and UUID. It is on a partition, as usual; qemu-img detects a whole
# disk of it earlier.
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
