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
644 usr/share/man/man1/airbuild.1' "$(installed)"
check 'the installed program is the one that was built' cmp "${AIRBUILD:-build/airbuild}" "$work/root/usr/bin/airbuild"
# Recipes and templates are compiled in, so it needs no folder beside it.
like 'the installed program runs on its own' '^airbuild [0-9]' \
    "$(cd / && env -i PATH="$PATH" HOME="$work" "$work/root/usr/bin/airbuild" --version 2>&1)"
quiet_make uninstall DESTDIR="$work/root" PREFIX=/usr
is 'make uninstall removes them' '0 ' "$? $(installed)"
is 'make help names every target' "$(sed -n 's/^\.PHONY: //p' Makefile | tr ' ' '\n' | grep -vxE 'FORCE|fuzzers' | sort)" \
    "$(quiet_make help | cut -d ' ' -f 1 | sort)"
tap_end
