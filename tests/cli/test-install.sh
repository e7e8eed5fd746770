#!/bin/bash
# test-install.sh - make install puts three files where it is told to, and uninstall takes them away.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The flags of a make around this test would build another variant, or print what is compared here.
quiet_make() {
    env -u MAKEFLAGS -u MAKELEVEL make -s "$@"
}

installed() {
    (cd "$work/root" && find . -type f -printf '%m %P\n' | sort -k 2)
}

quiet_make install DESTDIR="$work/root" PREFIX=/usr >"$work/out" 2>&1
check 'make install' "$work/out"

installed >"$work/files"
diff - "$work/files" >"$work/out" <<'END'
755 usr/bin/airbuild
644 usr/share/bash-completion/completions/airbuild
644 usr/share/man/man1/airbuild.1
END
check 'three files with their modes' "$work/out"

cmp "${AIRBUILD:-build/airbuild}" "$work/root/usr/bin/airbuild" >"$work/out" 2>&1
check 'the program is the one that was built' "$work/out"

# Recipes and templates are inside it, so it needs no folder beside it.
(cd / && env -i PATH="$PATH" HOME="$work" "$work/root/usr/bin/airbuild" --version) >"$work/out" 2>&1 &&
    grep -q '^airbuild [0-9]' "$work/out"
check 'it runs from there' "$work/out"

quiet_make uninstall DESTDIR="$work/root" PREFIX=/usr >"$work/out" 2>&1 && [ -z "$(installed)" ]
check 'make uninstall takes them away' "$work/out"

# `make help` is written by hand beside each target: none that is a person's may lack.
quiet_make help >"$work/help"
sed -n 's/^\.PHONY: //p' Makefile | tr ' ' '\n' | grep -vxE 'FORCE|fuzzers' | sort >"$work/targets"
cut -d ' ' -f 1 "$work/help" | sort | diff "$work/targets" - >"$work/out"
check 'make help names every target' "$work/out"

finish
