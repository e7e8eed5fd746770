#!/bin/bash
# test-clang.sh - clang builds the program and the unit tests without a warning, as gcc does.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# Not the flags of the make that runs the tests: they may ask for another variant or for job slots that are not ours.
env -u MAKEFLAGS -u MAKELEVEL make -s -j 2 clang >"$out" 2>&1
check 'clang builds everything' "$out"
finish
