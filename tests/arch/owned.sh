# owned.sh - `owned DEBIAN ARCH PACKAGE...`: print the files of these packages in the tree DEBIAN that exist in the tree ARCH,
# by their paths there: one per line, relative to the root, no folders. Sourced.
# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0

owned() {
    local debian=$1 arch=$2 package list
    for package in "${@:3}"; do
        for list in "$debian/var/lib/dpkg/info/$package"{,:amd64}.list; do
            [[ ! -f $list ]] ||
                sed -E 's,^/,,; s,^(s?bin|lib|lib64)/,usr/\1/,; s,^usr/sbin/,usr/bin/,; s,^usr/lib64/,usr/lib/,' "$list"
        done
    done | sed '/\//!d' | sort -u | while IFS= read -r list; do
        [[ -d $debian/$list && ! -L $debian/$list ]] || [[ ! -L $arch/$list && ! -f $arch/$list ]] || printf '%s\n' "$list"
    done
}
