#!/bin/bash
# test-tree.sh - the project keeps the rules of the house.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
out=$(mktemp)
trap 'rm -f "$out"' EXIT

scripts/lint >"$out" 2>&1
check 'lint has no complaint' "$out"
finish
