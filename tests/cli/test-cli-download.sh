#!/bin/bash
# test-cli-download.sh - bases by URL, from a server with TLS on loopback: every image is refused before an appliance starts,
# with its own sentence, and leaves nothing.
# SPDX-License-Identifier: Apache-2.0
set -u
# shellcheck source=tests/assert.sh
. "$(dirname "$0")/../assert.sh"
# shellcheck source=tests/cli/cli.sh
. "$(dirname "$0")/cli.sh"
unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY

# ---- a mirror -------------------------------------------------------------------------------------------------------
# Laid out like the real one, with an image that airbuild refuses after download and verification.
here=$(cd "$OLDPWD" && cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^#define ARCH_PINNED_VERSION "\(.*\)"$/\1/p' "$here/../../builder/bake/arch.h")
www=$scratch/www images=$scratch/www/images/v$version image=Arch-Linux-x86_64-cloudimg-$version.qcow2
mkdir -p "$www" "$scratch/gpg" "$scratch/assets/images"
chmod 0700 "$scratch/gpg"
export GNUPGHOME=$scratch/gpg
gpg --batch --quiet --passphrase '' --quick-gen-key 'stand-in <stand-in@example.org>' ed25519 sign never 2>/dev/null
gpg --batch --armor --export >"$scratch/assets/images/arch-boxes.asc"
qemu-img create -q -f qcow2 "$www/other.qcow2" 1M
qemu-img create -q -f qcow2 -F qcow2 -b /etc/passwd -u "$www/backing.qcow2" 1M
qemu-img create -q -f qcow2 -o data_file="$www/data.raw" "$www/outside.qcow2" 1M
qemu-img create -q -f qcow2 "$www/bomb.qcow2" 3T
# qemu-img times its key derivation and fails, "Unable to get accurate CPU usage", when a busy host interrupts it.
for _ in {1..20}; do
    ! qemu-img create -q -f qcow2 --object secret,id=s,data=x -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10 \
        "$www/encrypted.qcow2" 1M 2>/dev/null || break
done
echo '<html>please sign in' >"$www/page.html"
sign() { rm -f "$1.sig"; gpg --batch --quiet --detach-sign "$1"; }
sign "$www/other.qcow2"
digest() { sha256sum "$1" | cut -d ' ' -f 1; }
# release VERSION: publish an image of that version on the mirror.
release() {
    local name=Arch-Linux-x86_64-cloudimg-$1.qcow2 folder=$scratch/v$1
    mkdir "$folder"
    qemu-img create -q -f qcow2 -F qcow2 -b "/etc/passwd-$1" -u "$folder/$name" 1M
    (cd "$folder" && sha256sum "$name" >"$name.SHA256")
    sign "$folder/$name"
    sign "$folder/$name.SHA256"
    "$here/../arch/fill-mirror" "$www/images" "$folder"
}
release "$version"
serve_folder "$www"
trap 'kill "$server"; wait "$server"; rm -rf "$scratch"' EXIT
base=https://localhost:$port

# refused WHAT STATUS PATTERN BASE: ok if images refuses that base and makes no image.
refused() {
    printf 'base: %s\naccel: tcg\n' "$4" >base.yaml
    refuses "$1" "$2" "$3" env "${environment[@]}" "$airbuild" images -q -f base.yaml
    is "$1 leaves no image" '' "$(find "$AIRBUILD_HOME/store/images" -mindepth 1)"
}
downloads() { find "$AIRBUILD_HOME/store/downloads" -mindepth 1 -printf '%f\n' | sort; }

# ---- what is refused ------------------------------------------------------------------------------------------------
environment=(A=b)
zeros=$(printf '%064d' 0)
refused 'a server with an unknown authority' 8 'SSL certificate' "{url: '$base/other.qcow2', sha256: $zeros}"
environment=(CURL_CA_BUNDLE="$scratch/port.ca")
refused 'another digest' 10 "other.qcow2' is refused: its SHA-256 is $(digest "$www/other.qcow2") and should be 0000" \
    "{url: '$base/other.qcow2', sha256: $zeros}"
environment+=(https_proxy=http://127.0.0.1:1)
refused 'an unreachable proxy' 8 "other.qcow2' cannot be downloaded: Failed to connect to 127.0.0.1 port 1.*; check the \
network, the URL and the proxy that https_proxy names$" "{url: '$base/other.qcow2', sha256: $zeros}"
environment+=(no_proxy=localhost)
refused 'another digest, without the proxy,' 10 "other.qcow2' is refused" "{url: '$base/other.qcow2', sha256: $zeros}"
environment=(CURL_CA_BUNDLE="$scratch/port.ca")
refused 'a web page' 8 'the server sends a web page instead' "{url: '$base/page.html', sha256: $zeros}"
refused 'a signature by a key that is not known' 10 'signed by a key that is not in the keyring' \
    "{url: '$base/other.qcow2', signature: '$base/other.qcow2.sig'}"
refused 'a signature of another file' 10 'the signature is of another file' \
    "{url: '$base/bomb.qcow2', signature: '$base/other.qcow2.sig', keyring: $scratch/assets/images/arch-boxes.asc}"
is 'refused downloads are not kept' '' "$(downloads)"
of() { echo "{url: '$base/$1', sha256: $(digest "$www/$1")}"; }
refused 'a qcow2 that needs another file' 3 "'$base/backing.qcow2' is backed by another file" "$(of backing.qcow2)"
refused 'a qcow2 whose data lie in another file' 3 "'$base/outside.qcow2' is backed by another file" "$(of outside.qcow2)"
refused 'a qcow2 of three tebibytes' 3 "'$base/bomb.qcow2' is larger than 2 TiB" "$(of bomb.qcow2)"
refused 'an encrypted qcow2' 3 "'$base/encrypted.qcow2' is encrypted" "$(of encrypted.qcow2)"

# The same of files that are there.
refused 'a file that needs another one' 3 "'$www/backing.qcow2' is backed by another file, which is not followed; convert \
it with 'qemu-img convert -O qcow2'$" "{file: $www/backing.qcow2}"
refused 'a file whose data lie in another one' 3 "'$www/outside.qcow2' is backed by another file" \
    "{file: $www/outside.qcow2}"
refused 'a file of three tebibytes' 3 "'$www/bomb.qcow2' is larger than 2 TiB; use an image that fits nodes' \
disks$" "{file: $www/bomb.qcow2}"

# ---- Arch's official image ------------------------------------------------------------------------------------------
# Ours is backed by another file, so it is refused once it was downloaded and checked.
environment=(CURL_CA_BUNDLE="$scratch/port.ca" AIRBUILD_ASSETS="$scratch/assets")
refused 'the pinned image with another digest' 10 "$image' is refused: its SHA-256" "{arch: {mirror: '$base'}}"
refused 'the newest image, asked for and checked' 3 "$image' is backed by another file" "{arch: {image: latest, mirror: '$base'}}"
is 'what was asked is remembered' "$version $(digest "$images/$image")" \
    "$(jq -r --arg name "arch latest $base" '.[$name] | "\(.version) \(.sha256)"' "$AIRBUILD_HOME/store/sources.json")"
is 'a verified image and its signature are kept' "$(digest "$images/$image")"$'\n'"$(digest "$images/$image").sig" \
    "$(downloads | grep "$(digest "$images/$image")")"
cp "$images/$image.SHA256" "$scratch/list"
echo nonsense >"$images/$image.SHA256"
refused 'remembered, whatever the mirror says' 3 "$image' is backed by another file" "{arch: {image: latest, mirror: '$base'}}"
refuses 'asked again' 10 'does not name the image' \
    env "${environment[@]}" "$airbuild" images -q --refresh -f base.yaml
cp "$scratch/list" "$images/$image.SHA256"
refuses '--refresh without a network' 2 "'--refresh' asks the network" "$airbuild" images --refresh --offline
environment=(CURL_CA_BUNDLE="$scratch/port.ca")
rm -r "$AIRBUILD_HOME/store/downloads"
printf 'base: {arch: {image: "%s", mirror: "%s"}}\n' 20261001.604815 "$base" >base.yaml
refuses 'a version that the mirror does not have' 14 "no mirror has the image '20261001.604815' any more.*\($version\)" \
    env "${environment[@]}" "$airbuild" images -q -f base.yaml
refused 'an image that another key signed' 10 'signed by a key that is not in the keyring' \
    "{arch: {image: latest, mirror: '$base'}}"
is 'a download with a wrong signature is not kept' '' "$(downloads)"

# After six newer images the pinned one is gone from the mirror.
environment=(CURL_CA_BUNDLE="$scratch/port.ca" AIRBUILD_ASSETS="$scratch/assets")
newest=20990101.6
for build in 1 2 3 4 5 6; do release "20990101.$build"; done
is 'the mirror keeps six images' 6 "$(find "$www/images" -name 'v*' | wc -l)"
printf 'base: {arch: {mirror: "%s"}}\naccel: tcg\n' "$base" >base.yaml
run 60 env "${environment[@]}" "$airbuild" images -f base.yaml
is 'what has left the mirrors is refused like any other' 3 "$status"
like 'and the newest takes its place' "Arch's image $version has left the mirrors; the newest signed one, $newest, is used" \
    "$output"
like 'which is what was refused' "cloudimg-$newest.qcow2' is backed by another file" "$output"
is 'that is remembered' "$newest" \
    "$(jq -r --arg name "arch pinned $version $base" '.[$name].version' "$AIRBUILD_HOME/store/sources.json")"
release 20990201.1
refused 'and kept' 3 "cloudimg-$newest.qcow2' is backed by another file" "{arch: {mirror: '$base'}}"
refused 'an older one that is said is not replaced' 14 "no mirror has the image '20261001.604815' any more" \
    "{arch: {image: '20261001.604815', mirror: '$base'}}"
"$airbuild" images prune -q -f "$unreachable" >/dev/null

# ---- auto -----------------------------------------------------------------------------------------------------------
plan() { env "$@" "$airbuild" plan --json -f "$unreachable" | jq -r .base; }
is 'auto is Debian if no Arch mirror answers' debian "$(plan AIRBUILD_ARCH_MIRRORS=https://localhost:1)"
is 'auto is Arch if a mirror answers' arch \
    "$(plan CURL_CA_BUNDLE="$scratch/port.ca" AIRBUILD_ARCH_MIRRORS="https://localhost:1 file://$www")"
is 'auto is Arch if a mirror has only newer images' arch \
    "$(plan CURL_CA_BUNDLE="$scratch/port.ca" AIRBUILD_ARCH_MIRRORS="$base")"
is 'plan records nothing' '' "$(find "$AIRBUILD_HOME/store" -name base.json)"

tap_end
