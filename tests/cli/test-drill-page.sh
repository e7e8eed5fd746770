#!/bin/bash
# test-drill-page.sh - the page of `airbuild drill --html` in Chromium: light, dark, printed, on a phone, without scripts,
# with hostile names; and that of `airbuild launch --html`. drill-page.mjs makes the checks.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The content security policy of the page allows its own script and no other.
page=builder/drill/page.html
hash=$(awk '/^<\/script>$/ { on = 0 } on { print } /^<script>$/ { on = 1; printf "\n" }' "$page" | openssl dgst -sha256 -binary | base64)
grep -qF "script-src 'sha256-$hash'" "$page" || {
    echo "not ok 1 - the policy of '$page' has the digest of its script"$'\n'"#   write it as: script-src 'sha256-$hash'"$'\n1..1'
    exit 1
}
for name in usual again hostile empty profile profile-hostile; do
    build/tests/page "$name" >"$scratch/$name.html" || exit 1
done
node tests/cli/drill-page.mjs "$scratch"
