#!/bin/bash
# test-install.sh - make install installs three files, and make uninstall removes them.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The flags of an outer make would build another variant, or add to the output.
quiet_make() {
    env -u MAKEFLAGS -u MAKELEVEL make -s "$@"
}

installed() {
    (cd "$work/root" && find . -type f -printf '%m %P\n' | sort -k 2)
}

check 'make install succeeds' quiet_make install DESTDIR="$work/root" PREFIX=/usr
is 'make install installs three files with their modes' '755 usr/bin/airbuild
644 usr/share/bash-completion/completions/airbuild
644 usr/share/man/man1/airbuild.1
END
check 'three files with their modes' "$work/out"

cmp "${AIRBUILD:-build/airbuild}" "$work/root/usr/bin/airbuild" >"$work/out" 2>&1
check 'the program is the built one' "$work/out"

# Recipes and templates are compiled in.
(cd / && env -i PATH="$PATH" HOME="$work" "$work/root/usr/bin/airbuild" --version) >"$work/out" 2>&1 &&
    grep -q '^airbuild [0-9]' "$work/out"
check 'it runs from there' "$work/out"

quiet_make uninstall DESTDIR="$work/root" PREFIX=/usr >"$work/out" 2>&1 && [ -z "$(installed)" ]
check 'make uninstall removes them' "$work/out"

# The lines of `make help` are written by hand: no target may be missing.
quiet_make help >"$work/help"
sed -n 's/^\.PHONY: //p' Makefile | tr ' ' '\n' | grep -vxE 'FORCE|fuzzers' | sort >"$work/targets"
cut -d ' ' -f 1 "$work/help" | sort | diff "$work/targets" - >"$work/out"
check 'make help lists every target' "$work/out"

finish
