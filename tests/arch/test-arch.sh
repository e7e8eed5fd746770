#!/bin/bash
# test-arch.sh - nodes of Arch: a cloud image like the official one, downloaded with its signature from a local server, and
# both roles baked over it by pacman, with and without a network; untrusted images and packages are refused. The images
# boot by their own GRUB and run a cluster that survives the loss of its master. The same with a base made by pacstrap.
# tests/arch makes the image and the packages (AIRBUILD_TEST_ARCH: a folder that has them already).
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
# shellcheck source=tests/guest/lib.sh
. tests/guest/lib.sh
airbuild=${AIRBUILD:-$PWD/build/airbuild}
out=${AIRBUILD_TEST_ARCH:-$PWD/build/arch}
lab_begin airbuild-arch
home=$scratch/home
spec=$scratch/spec.yaml
mkdir -p "$home" "$scratch/tmp" "$out"
export AIRBUILD_HOME=$home TMPDIR=$scratch/tmp
unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY

# ---- help -----------------------------------------------------------------------------------------------------------

# arch: make the packages and the image if they are missing.
arch() {
    [[ -e $out/mirror/extra/os/x86_64/extra.db ]] || tests/arch/make-repo "$out" || return 1
    [[ -e $out/mirror/images/latest/Arch-Linux-x86_64-cloudimg.qcow2 ]] || tests/arch/make-image "$out"
}

# base SHA256 SIGNATURE [KEY]: write the spec; without the digest if it is empty.
base() {
    cat >"$spec" <<END
base:
  url: $url${1:+
  sha256: $1}
  signature: $url$2
  keyring: $out/keys/${3-image}.gpg
  mirror: file://$scratch/mirror
accel: tcg
END
}

# images ARGUMENT...: run airbuild images.
images() {
    run 1500 "$airbuild" --spec "$spec" --no-color images "$@"
}

# forget ROLE: remove its image.
forget() {
    local folder
    folder=$(image "$1")
    [[ -z $folder ]] || { chmod -R u+w "$folder" && rm -rf "$folder"; }
}

# image NAME: print the folder of an image of the store.
image() {
    local manifest
    for manifest in "$home"/store/images/*/manifest.json; do
        [[ $(jq -r .name "$manifest") != "$1" ]] || dirname "$manifest"
    done
}

# look NAME: run guestfish on an image with the commands of standard input.
look() {
    timeout -k 10 300 guestfish --ro --format=qcow2 -a "$(image "$1")/disk.qcow2" -m /dev/sda3 2>&1
}

# baked NAME: ok if the last `images` succeeded; its output is printed otherwise.
baked() { tap "$status" "$1" "$output"; }

# boots NAME DISK FIRMWARE: ok if its own GRUB boots it to a login.
boots() {
    check "$1 boots by its own GRUB ($3)" tests/arch/boot-image "$2" "$3" "$scratch/console"
}

# ---- a mirror, and a server -----------------------------------------------------------------------------------------

arch || { echo "Bail out! no Arch to test with"; exit 1; }
serve_folder "$out/mirror"
name=$(basename "$(readlink "$out/mirror/images/latest/Arch-Linux-x86_64-cloudimg.qcow2")")
url=https://127.0.0.1:$port/images/$(basename "$out"/mirror/images/v*)/$name
digest=$(cut -d ' ' -f 1 "$out/mirror/images/latest/$name.SHA256")
ln -s "$out/mirror" "$scratch/mirror"

# ---- images that are refused ----------------------------------------------------------------------------------------

base "$digest" .sig
images
is 'images refuses a server with an unknown authority' 8 "$status"
export CURL_CA_BUNDLE=$scratch/port.ca
base "${digest//[0-9]/f}" .sig
images
is 'images refuses another digest' 10 "$status"
like 'the error has the digest that was found' "its SHA-256 is $digest" "$output"
base "$digest" .stranger.sig
images
is 'images refuses a signature by another key' 10 "$status"
like 'the error says that the key is unknown' 'by a key that is not in the keyring' "$output"
base '' .expired.sig expired # with a digest it would count: it was made while the key was valid
images
is 'images refuses a signature by an expired key' 10 "$status"
like 'the error says that the key has expired' expired "$output"
is 'refused downloads leave no image' '' "$(find "$home/store/images" -mindepth 1 -name manifest.json)"

# ---- both roles -----------------------------------------------------------------------------------------------------

base "$digest" .sig
images
baked 'images bakes a base by URL and both roles over it'
like 'images reports what was baked' 'redis +baked' "$output"
look redis >"$scratch/seen" <<'END'
echo @family
cat /etc/os-release | grep ^ID=
echo @package
glob-expand /var/lib/pacman/local/valkey-*
echo @engine
sh "valkey-server --version"
echo @user
grep ^valkey: /etc/passwd
echo @enabled
readlink /etc/systemd/system/multi-user.target.wants/redis.service
echo @gnupg
exists /etc/pacman.d/gnupg
echo @hook
exists /var/lib/mkinitcpio-ran
echo @cache
ls /var/cache/pacman/pkg
echo @mirrors
grep 127.0.0.1 /etc/pacman.d/mirrorlist
echo @machine-id
filesize /etc/machine-id
echo @stalls
readlink /etc/systemd/system/systemd-time-wait-sync.service
echo @end
END
check 'guestfish can read the redis image' grep -qx @end "$scratch/seen"
is 'the redis image is an Arch' ID=arch "$(seen family)"
like 'pacman lists valkey' 'valkey-[0-9]' "$(seen package)"
like 'the engine runs' 'v=[0-9]' "$(seen engine)"
like "the engine's user exists" '^valkey:' "$(seen user)"
like 'the redis unit is enabled' 'redis\.service$' "$(seen enabled)"
is 'the image has no pacman keyring' false "$(seen gnupg)"
is 'the image has no cached packages' '' "$(seen cache)"
is "the image does not name the test's mirror" '' "$(seen mirrors)"
is 'machine-id exists and is empty' 0 "$(seen machine-id)"
is 'the first boot does not wait for the clock' /dev/null "$(seen stalls)"
look haproxy >"$scratch/seen" <<'END'
echo @package
glob-expand /var/lib/pacman/local/haproxy-*
echo @engine
sh "haproxy -v"
echo @end
END
check 'guestfish can read the haproxy image' grep -qx @end "$scratch/seen"
like 'pacman lists haproxy' 'haproxy-[0-9]' "$(seen package)"
like 'haproxy runs' 'version' "$(seen engine)"
images
check_not 'a second run bakes nothing' grep -q baked <<<"$output"

# ---- by their own GRUB ----------------------------------------------------------------------------------------------

boots 'the cloud image' "$out/mirror/images/latest/Arch-Linux-x86_64-cloudimg.qcow2" bios
boots 'the redis image' "$(image redis)/disk.qcow2" bios
boots 'the redis image' "$(image redis)/disk.qcow2" uefi

# ---- a cluster ------------------------------------------------------------------------------------------------------

check 'the lab starts' timeout 120 scripts/lab up
air 900 --spec "$spec" launch
ends 'launch succeeds with Arch' 0
for node in head10 work11 work12 work13; do
    # shellcheck disable=SC2016 # for the node's shell
    air 60 --spec "$spec" ssh "$node" '. /etc/os-release; echo "$ID $(cat /proc/sys/kernel/hostname /etc/hostname)"
        systemctl --failed --quiet --no-legend; pacman -Q valkey haproxy 2>/dev/null'
    like "$node is an Arch of that name with its package and no failed unit" \
        "^arch $node"$'\n'"$node"$'\n'"[a-z]+ [0-9][^ ]*\$" "$output"
done
# shellcheck disable=SC2016 # for the node's shell
air 60 --spec "$spec" ssh work12 'sudo readlink /proc/$(systemctl show --value --property MainPID redis)/exe'
is 'the engine is valkey' /usr/bin/valkey-server "$output"
air 600 --spec "$spec" drill --yes --json master-off
tap "$((status != 0 && status != 15))" 'the drill master-off runs' "$output"$'\n'"$(<"$scratch/err")"
is 'the drill loses no acknowledged write and sees one master' 'true 0 0' \
    "$(jq -r '.[0] | "\(.behaved) \(.lost) \(.two_masters)"' <<<"$output")"
air 120 --spec "$spec" destroy --yes
ends 'destroy succeeds' 0
check 'the lab stops' timeout 120 scripts/lab down

# ---- a base by pacstrap ---------------------------------------------------------------------------------------------

home=$scratch/pacstrap
export AIRBUILD_HOME=$home
mkdir "$home"
printf 'base: {bootstrap: arch, mirror: "file://%s", keyring: "%s"}\naccel: tcg\n' "$scratch/mirror" \
    "$out/keys/packager.gpg" >"$spec"
images
baked 'images bakes a base by pacstrap and both roles over it'
for firmware in bios uefi; do boots "the redis image over pacstrap's base" "$(image redis)/disk.qcow2" $firmware; done
home=$scratch/home
export AIRBUILD_HOME=$home
base "$digest" .sig

# ---- without a network ----------------------------------------------------------------------------------------------

forget haproxy
forget redis
kill "$server" && wait "$server"
server=
rm "$scratch/mirror"
images --offline
baked 'images bakes both roles again offline'
like 'images uses the kept packages' 'redis +baked' "$output"

# ---- packages that are refused --------------------------------------------------------------------------------------

# The same mirror, with a package signed by another key.
cp -a "$out/mirror" "$scratch/mirror" && rm -rf "$scratch/mirror/images"
folder=$scratch/mirror/extra/os/x86_64
rm -f "$folder"/valkey-*.sig
GNUPGHOME=$out/gnupg gpg --batch --quiet --yes --local-user '=Test stranger <stranger@example.org>' --detach-sign \
    "$folder"/valkey-*.zst
(cd "$folder" && repo-add -q extra.db.tar.gz valkey-*.zst)
forget redis
images --refresh
is 'images refuses a package by an untrusted key' 10 "$status"
like 'the error names the package' 'valkey' "$output"
is 'a refused package leaves no image' '' "$(image redis)"

# ---- mirrors by HTTP ------------------------------------------------------------------------------------------------

# One mirror on the loopback of this host, and one that only a proxy reaches.
rm -f "$scratch/port.log"
serve_folder "$out/mirror"
plain=$((port + 1))
cat >"$scratch/http.yaml" <<END
base:
  haproxy: {url: $url, sha256: $digest, mirror: "http://127.0.0.1:$plain"}
  redis: {url: $url, sha256: $digest, mirror: http://mirror.invalid}
accel: tcg
END
http_proxy=http://localhost:$plain spec=$scratch/http.yaml images
baked 'images bakes both roles from HTTP mirrors'
check 'the loopback mirror is used without a proxy' \
    grep -Eq '"GET /extra/os/x86_64/haproxy-[^ ]*\.zst HTTP/1.1" 200' "$scratch/port.log"
check 'the other mirror is used through the proxy' grep -Eq '"GET http://mirror.invalid/extra/os/x86_64/valkey-[^ ]*\.zst HTTP/1.1" 200' "$scratch/port.log"
check_not 'neither mirror is used the other way' grep -Eq 'GET (http://[^ ]*haproxy-|/extra/[^ ]*valkey-)' "$scratch/port.log"

tap_end
