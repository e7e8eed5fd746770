#!/bin/bash
# test-arch.sh - nodes of Arch: a cloud image as the official one is, by URL and signature from a server of our own, both
# roles' recipes laid over it by pacman, and again without mirror or server; what is not to be trusted is refused. The
# images are booted by their own GRUB, and are a cluster that survives the loss of its master. The same of a base made by
# pacstrap. The image and the packages are made by tests/arch (AIRBUILD_TEST_ARCH names a folder that has them already).
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
airbuild=${AIRBUILD:-$PWD/build/airbuild}
out=${AIRBUILD_TEST_ARCH:-$PWD/build/arch}
scratch=$(mktemp -d)
server=
export LAB=airbuild-arch
cleanup() {
    [[ -z $server ]] || kill "$server"
    timeout -k 5 120 scripts/lab down
    rm -rf "$scratch"
} >/dev/null 2>&1
trap cleanup EXIT
trap 'exit 1' INT TERM
home=$scratch/home
spec=$scratch/spec.yaml
mkdir -p "$home" "$scratch/tmp" "$out"
export AIRBUILD_HOME=$home TMPDIR=$scratch/tmp LIBGUESTFS_CACHEDIR=/var/tmp \
    LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg
unset AIRBUILD_STATE http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY

# ---- help -----------------------------------------------------------------------------------------------------------

# arch: the packages and the image, once.
arch() {
    [[ -e $out/mirror/extra/os/x86_64/extra.db ]] || tests/arch/make-repo "$out" || return 1
    [[ -e $out/mirror/images/latest/Arch-Linux-x86_64-cloudimg.qcow2 ]] || tests/arch/make-image "$out"
}

# base SHA256 SIGNATURE [KEY]: the spec.
base() {
    cat >"$spec" <<END
base:
  url: $url
  sha256: $1
  signature: $url$2
  keyring: $out/keys/${3-image}.gpg
  mirror: file://$scratch/mirror
accel: tcg
END
}

# images ARGUMENT...: airbuild images, its words in $output.
images() {
    run 1500 "$airbuild" --spec "$spec" --no-color images "$@"
}

# forget ROLE: its image goes.
forget() {
    local folder
    folder=$(image "$1")
    [[ -z $folder ]] || { chmod -R u+w "$folder" && rm -rf "$folder"; }
}

# image NAME: the folder of an image of the store.
image() {
    local manifest
    for manifest in "$home"/store/images/*/manifest.json; do
        [[ $(jq -r .name "$manifest") != "$1" ]] || dirname "$manifest"
    done
}

# look NAME: what guestfish sees of an image, on standard output; its commands are standard input.
look() {
    timeout -k 10 300 guestfish --ro --format=qcow2 -a "$(image "$1")/disk.qcow2" -m /dev/sda3 2>&1
}

# seen NAME: what guestfish printed between the line @NAME and the next one.
seen() { awk -v name="@$1" '/^@/ { on = $0 == name; next } on' "$scratch/seen"; }

# inside SECONDS COMMAND...: in the lab; sets status and output (standard output; the rest is in $scratch/err).
inside() {
    status=0
    output=$(timeout -k 10 "$1" scripts/lab exec -- "${@:2}" 2>"$scratch/err" </dev/null) || status=$?
}
# ends WHAT STATUS: the last `inside` ended so.
ends() { tap "$(($2 != status))" "$1" "expected status $2, saw $status, and:"$'\n'"$output"$'\n'"$(<"$scratch/err")"; }

# boots WHAT DISK FIRMWARE: by its own GRUB, to a login.
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
is 'a server whose authority nobody vouches for is an error of the network' 8 "$status"
export CURL_CA_BUNDLE=$scratch/port.ca
base "${digest//[0-9]/f}" .sig
images
is 'another digest is refused' 10 "$status"
like 'and what it is' "its SHA-256 is $digest" "$output"
base "$digest" .stranger.sig
images
is 'the signature of a stranger is refused' 10 "$status"
like 'and why' 'by a key that is not in the keyring' "$output"
base "$digest" .expired.sig expired
images
is 'the signature of a key that has expired is refused' 10 "$status"
like 'and why' expired "$output"
is 'none of them left an image' '' "$(find "$home/store/images" -mindepth 1 -name manifest.json)"

# ---- both roles -----------------------------------------------------------------------------------------------------

base "$digest" .sig
images
is 'a base by URL and both roles over it are baked' 0 "$status"
like 'so it is told' 'redis +baked' "$output"
[[ $status == 0 ]] || printf '%s\n' "$output" | sed 's/^/# /'
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
check 'the image of redis can be looked into' grep -qx @end "$scratch/seen"
is 'it is an Arch' ID=arch "$(seen family)"
like 'pacman knows of valkey' 'valkey-[0-9]' "$(seen package)"
like 'the engine runs' 'v=[0-9]' "$(seen engine)"
like 'its user is there' '^valkey:' "$(seen user)"
like 'our unit is enabled' 'redis\.service$' "$(seen enabled)"
is 'no keyring of pacman stays' false "$(seen gnupg)"
is 'nor packages' '' "$(seen cache)"
is 'nor our mirror' '' "$(seen mirrors)"
is 'machine-id is there and empty' 0 "$(seen machine-id)"
is 'the first boot waits for no clock' /dev/null "$(seen stalls)"
look haproxy >"$scratch/seen" <<'END'
echo @package
glob-expand /var/lib/pacman/local/haproxy-*
echo @engine
sh "haproxy -v"
echo @end
END
check 'the image of haproxy can be looked into' grep -qx @end "$scratch/seen"
like 'pacman knows of haproxy' 'haproxy-[0-9]' "$(seen package)"
like 'it runs' 'version' "$(seen engine)"
images
check_not 'a second run bakes nothing' grep -q baked <<<"$output"

# ---- by their own GRUB ----------------------------------------------------------------------------------------------

boots 'the image that was made' "$out/mirror/images/latest/Arch-Linux-x86_64-cloudimg.qcow2" bios
boots 'the image of redis' "$(image redis)/disk.qcow2" bios
boots 'the image of redis' "$(image redis)/disk.qcow2" uefi

# ---- a cluster ------------------------------------------------------------------------------------------------------

check 'the lab is up' timeout 120 scripts/lab up
inside 900 airbuild --spec "$spec" launch
ends 'a cluster of Arch is launched' 0
for node in head10 work11 work12 work13; do
    # shellcheck disable=SC2016 # for the node's shell
    inside 60 airbuild --spec "$spec" ssh "$node" '. /etc/os-release; echo "$ID $(cat /proc/sys/kernel/hostname /etc/hostname)"
        systemctl --failed --quiet --no-legend; pacman -Q valkey haproxy 2>/dev/null'
    like "$node is an Arch of that name, all its units are well, and it has its package" \
        "^arch $node"$'\n'"$node"$'\n'"[a-z]+ [0-9][^ ]*\$" "$output"
done
# shellcheck disable=SC2016 # as well
inside 60 airbuild --spec "$spec" ssh work12 'sudo readlink /proc/$(systemctl show --value --property MainPID redis)/exe'
is 'the engine is valkey' /usr/bin/valkey-server "$output"
inside 600 airbuild --spec "$spec" drill --yes --json master-off
tap "$((status != 0 && status != 15))" 'the power of the master can be pulled' "$output"$'\n'"$(<"$scratch/err")"
is 'and no acknowledged write is lost, nor do two take writes' 'true 0 0' \
    "$(jq -r '.[0] | "\(.behaved) \(.lost) \(.two_masters)"' <<<"$output")"
inside 120 airbuild --spec "$spec" destroy --yes
ends 'it is destroyed' 0
check 'the lab is down' timeout 120 scripts/lab down

# ---- a base by pacstrap ---------------------------------------------------------------------------------------------

home=$scratch/pacstrap
export AIRBUILD_HOME=$home
mkdir "$home"
printf 'base: {bootstrap: arch, mirror: "file://%s", keyring: "%s"}\naccel: tcg\n' "$scratch/mirror" \
    "$out/keys/packager.gpg" >"$spec"
images
is 'a base is made from packages by pacstrap, and both roles over it' 0 "$status"
[[ $status == 0 ]] || printf '%s\n' "$output" | sed 's/^/# /'
for firmware in bios uefi; do boots 'that image of redis' "$(image redis)/disk.qcow2" $firmware; done
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
is 'both roles are baked again without server and mirror' 0 "$status"
[[ $status == 0 ]] || printf '%s\n' "$output" | sed 's/^/# /'
like 'from packages that were kept' 'redis +baked' "$output"

# ---- packages that are refused --------------------------------------------------------------------------------------

# The same mirror, but a package of it is signed by a stranger.
cp -a "$out/mirror" "$scratch/mirror" && rm -rf "$scratch/mirror/images"
folder=$scratch/mirror/extra/os/x86_64
rm -f "$folder"/valkey-*.sig
GNUPGHOME=$out/gnupg gpg --batch --quiet --yes --local-user '=Test stranger <stranger@example.org>' --detach-sign \
    "$folder"/valkey-*.zst
(cd "$folder" && repo-add -q extra.db.tar.gz valkey-*.zst)
forget redis
images --refresh
is 'a package of a key that is not trusted is refused' 10 "$status"
like 'by its name' 'valkey' "$output"
is 'no image comes of it' '' "$(image redis)"

# ---- mirrors by HTTP ------------------------------------------------------------------------------------------------

# One on the loopback of this host, and one that only a proxy there knows; each says who asked it.
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
is 'both roles are baked from mirrors by HTTP' 0 "$status"
[[ $status == 0 ]] || printf '%s\n' "$output" | sed 's/^/# /'
check 'from the loopback of this host without a proxy' \
    grep -Eq '"GET /extra/os/x86_64/haproxy-[^ ]*\.zst HTTP/1.1" 200' "$scratch/port.log"
check 'and by a proxy' grep -Eq '"GET http://mirror.invalid/extra/os/x86_64/valkey-[^ ]*\.zst HTTP/1.1" 200' "$scratch/port.log"
check_not 'each by its own way alone' grep -Eq 'GET (http://[^ ]*haproxy-|/extra/[^ ]*valkey-)' "$scratch/port.log"

tap_end
