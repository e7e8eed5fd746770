#!/bin/bash
# test-pins.sh - scripts/check-pins warns in time; scripts/move-pin selects the newest image of a mirror that is laid out
# like the real one, and only a signed one.
# SPDX-License-Identifier: Apache-2.0
set -u
# shellcheck source=tests/assert.sh
. "$(dirname "$0")/../assert.sh"
house=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
server=
trap '[[ -z $server ]] || { kill "$server"; wait "$server"; }; rm -rf "$scratch"' EXIT
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY

# A tree with an old pin and a test key that expires.
tree=$scratch/tree arch=$scratch/tree/builder/bake/arch.h key=$scratch/tree/images/arch-boxes.asc
mkdir -p "$tree/scripts" "$tree/builder/bake" "$tree/images" "$scratch/www"
cp "$house/scripts/move-pin" "$house/scripts/check-pins" "$tree/scripts"
sed 's/^\(#define ARCH_PINNED_VERSION\) .*/\1 "20261001.604814"/' "$house/builder/bake/arch.h" >"$arch"
export GNUPGHOME=$scratch/gpg
mkdir -m 0700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --faked-system-time 20260101T000000 \
    --quick-gen-key 'ours <ours@example.org>' ed25519 sign 30y 2>/dev/null
gpg --batch --quiet --passphrase '' --quick-gen-key 'stranger <stranger@example.org>' ed25519 sign never 2>/dev/null
gpg --batch --armor --export ours@example.org >"$key"

# ---- check-pins -----------------------------------------------------------------------------------------------------
pins() { run 60 "$tree/scripts/check-pins" "$@"; }
pins --day 2026-10-02
is 'check-pins passes a pin two days after its release' 0 "$status"
like 'check-pins prints when the image leaves the mirrors' 'PASS the pinned image 20261001.604814 leaves the mirrors on 2027-01-01' "$output"
pins --day 2026-10-04
is 'check-pins warns 89 days before the image leaves' 1 "$status"
like 'the warning about the image names the fix' "WARN the pinned image .* on 2027-01-01, 89 days from 2026-10-04: run 'scripts/move-pin latest'" \
    "$output"
like 'check-pins passes a valid key' "PASS the key [0-9A-F]{16} in images/arch-boxes.asc expires on 205" "$output"
pins --day 2055-10-25
like 'check-pins warns about a key that expires' "WARN the key [0-9A-F]{16} in images/arch-boxes.asc expires on 205.*: put Arch's current one" "$output"
pins today
is 'check-pins refuses an unknown argument' 2 "$status"
run 60 "$house/scripts/check-pins" --day 2027-03-01
like 'check-pins warns about the shipped key' 'WARN the key 343635A6859A9174 in images/arch-boxes.asc expires on 2027-05-28, 88 days' "$output"

# ---- move-pin -------------------------------------------------------------------------------------------------------
# release VERSION SIGNER [SUFFIX]: publish an image. Signs the image, and the file with SUFFIX if given.
release() {
    local name=Arch-Linux-x86_64-cloudimg-$1.qcow2 folder=$scratch/v$1 file
    mkdir "$folder"
    echo "the image $1" >"$folder/$name"
    (cd "$folder" && sha256sum "$name" >"$name.SHA256")
    for file in "$folder/$name" ${3+"$folder/$name$3"}; do
        gpg --batch --quiet --local-user "$2@example.org" --detach-sign "$file"
    done
    "$house/tests/arch/fill-mirror" "$scratch/www/images" "$folder"
}
pinned() { sed -n 's/^#define ARCH_PINNED_[A-Z0-9]* "\(.*\)"$/\1/p' "$arch" | paste -sd ' '; }
release 20261015.9 ours .SHA256
release 20261015.10 ours
serve_folder "$scratch/www"
mirror=http://127.0.0.1:$((port + 1))
move() { run 60 "$tree/scripts/move-pin" --mirror "$mirror" "$1"; }
of() { sha256sum <"$scratch/www/images/v$1/Arch-Linux-x86_64-cloudimg-$1.qcow2" | cut -d ' ' -f 1; }
before=$(pinned)
move 20261015.8
is 'move-pin refuses a missing version' 8 "$status"
is 'a refused move-pin keeps the pin' "$before" "$(pinned)"
move 20261015.9
is 'move-pin selects a version by its signed list' "0 20261015.9 $(of 20261015.9)" "$status $(pinned)"
move latest
is "move-pin selects the newest by the image's signature" "0 20261015.10 $(of 20261015.10)" "$status $(pinned)"
check 'move-pin changes only the pin' test "$(grep -v '^#define ARCH_PINNED' "$arch" | sha256sum)" \
    = "$(grep -v '^#define ARCH_PINNED' "$house/builder/bake/arch.h" | sha256sum)"
release 20261101.1 stranger .SHA256
before=$(pinned)
move latest
is 'move-pin refuses an image signed by another key' 10 "$status"
like 'the error says that the key is wrong' "is not of the key in images/arch-boxes.asc" "$output"
release 20261101.2 ours .SHA256
echo "$(of 20261101.1)  Arch-Linux-x86_64-cloudimg-20261101.2.qcow2" \
    >"$scratch/www/images/v20261101.2/Arch-Linux-x86_64-cloudimg-20261101.2.qcow2.SHA256"
move 20261101.2
is 'move-pin refuses a changed list' 10 "$status"
is 'a failed verification keeps the pin' "$before" "$(pinned)"

tap_end
