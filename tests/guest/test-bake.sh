#!/bin/bash
# test-bake.sh - a user's recipe baked over the real base: the contents of the image, and what errors and interruptions leave
# behind. The roles' recipes are small here, and the base has the recipe's packages, so no mirror is needed; the tests with
# a cluster bake the real recipes. The base is copied from the usual home if that has it.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/guest/lib.sh
. tests/guest/lib.sh
airbuild=${AIRBUILD:-$PWD/build/airbuild}
bake=$(dirname "$airbuild")/tests/bake
usual=${AIRBUILD_HOME:-/var/lib/airbuild}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
home=$scratch/home
recipes=$scratch/recipes
spec=$scratch/spec.yaml
mkdir -p "$home" "$scratch/tmp" "$recipes" "$scratch/assets/images"
export AIRBUILD_HOME=$home AIRBUILD_ASSETS=$scratch/assets TMPDIR=$scratch/tmp
unset AIRBUILD_STATE
echo 'accel: tcg' >"$spec"
for role in haproxy redis; do
    printf 'name: %s\nsteps:\n  - write: {path: /etc/role, text: %s}\n' "$role" "$role" \
        >"$AIRBUILD_ASSETS/images/$role.yaml"
done

# ---- recipes --------------------------------------------------------------------------------------------------------

mkdir -p "$recipes/tree/usr/bin" "$recipes/tree/etc/systemd/system"
printf '#!/bin/sh\necho hello\n' >"$recipes/tree/usr/bin/hello"
printf 'kept secret\n' >"$recipes/tree/etc/hello.secret"
printf '[Service]\nExecStart=/usr/bin/hello\n[Install]\nWantedBy=multi-user.target\n' \
    >"$recipes/tree/etc/systemd/system/hello.service"
# The command creates files that identify a machine, all of which must be removed.
cat >"$recipes/hello.yaml" <<'END'
name: hello
steps:
  - packages: [openssh-server, systemd]
  - files: tree
    modes: {/etc/hello.secret: "0600"}
  - write: {path: /etc/hello/deep/text, mode: "0640", text: "written\n"}
  - command: |
      /usr/bin/hello >/etc/said
      echo 0123456789abcdef0123456789abcdef >/etc/machine-id
      mkdir -p /var/lib/cloud/instance /var/lib/systemd /var/lib/apt/lists
      echo key >/etc/ssh/ssh_host_ed25519_key
      echo seed >/var/lib/systemd/random-seed
      echo list >/var/lib/apt/lists/mirror_Packages
      echo log >/var/log/hello.log
  - {command: "touch /etc/arch-was-here", family: arch}
  - services: {enable: [hello.service], mask: [cron.service]}
END
cat >"$recipes/breaks.yaml" <<'END'
name: breaks
steps:
  - command: echo fine
  - command: |
      echo 'the tap is dry' >&2
      exit 7
END
cat >"$recipes/sleeps.yaml" <<'END'
name: sleeps
steps:
  - command: sleep 600
END

# ---- help -----------------------------------------------------------------------------------------------------------

# key NAME [RECIPE]: print the key that the plan gives an image.
key() { "$bake" "$home" --plan ${2+"$2"} | awk -v name="$1" '$1 == name { print $2 }'; }

# stored: print the names in the store's folder of images.
stored() { find "$home/store/images" -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort; }

# images ARGUMENT...: run airbuild images; its output is in $scratch/said too.
images() {
    status=0
    timeout -k 10 600 "$airbuild" --spec "$spec" --no-color images "$@" >"$scratch/said" 2>&1 || status=$?
    output=$(cat "$scratch/said")
}

# members SESSION: print the processes of a session, one per line.
members() { ps -o stat=,comm= -s "$1" | awk '$1 !~ /^Z/'; }

# ---- the base and three layers --------------------------------------------------------------------------------------

base=$(key base-debian)
[[ -n $base ]] || { echo "Bail out! no key of the base"; exit 1; }
if [[ -e $usual/store/images/$base/manifest.json ]]; then
    cp -al "$usual/store/images/$base" "$home/store/images/" 2>/dev/null ||
        { rm -rf "${home:?}/store/images/$base" && cp -a "$usual/store/images/$base" "$home/store/images/"; }
fi
hello=$(key hello "$recipes/hello.yaml")
wanted=$(printf '%s\n' "$base" "$(key haproxy)" "$(key redis)" "$hello" | LC_ALL=C sort)

images --recipe "$recipes/hello.yaml"
is "images bakes a user's recipe" 0 "$status"
like 'images reports what was baked' 'hello +baked' "$output"
is 'the store has the four images and nothing else' "$wanted" "$(stored)"
is 'images leaves no temporary file' '' "$(find "$scratch/tmp" "$home" -name '.*' -o -path "$scratch/tmp/*")"

images --recipe "$recipes/hello.yaml"
like 'a second run finds the image ready' 'hello +ready' "$output"
check_not 'a second run bakes no image' grep -q baked "$scratch/said"

# ---- the layer ------------------------------------------------------------------------------------------------------

disk=$home/store/images/$hello/disk.qcow2
chain=$(qemu-img info --output=json --backing-chain -U "$disk")
is 'the layer is backed by the base, by a relative path, both qcow2' "qcow2 ../$base/disk.qcow2 qcow2,qcow2 null" \
    "$(jq -r '.[0].format + " " + .[0]["backing-filename"] + " " + .[0]["backing-filename-format"] + "," + .[1].format +
        " " + (.[1]["backing-filename"] | tostring)' <<<"$chain")"
check 'the layer is thin' test "$(stat -c %b "$disk")" -lt 60000
check 'qemu-img check accepts the disk' qemu-img check -q -U "$disk"
is 'the files of an image are read-only' '444 444 444 444 ' "$(cd "$home/store/images/$hello" &&
    stat -c %a disk.qcow2 kernel initrd manifest.json | tr '\n' ' ')"
like 'the kernel is a Linux kernel' 'Linux kernel' "$(file -b "$home/store/images/$hello/kernel")"

root=$(jq -r '.mounts[] | select(.path == "/") | .device' "$home/store/images/$base/manifest.json")
timeout -k 10 300 guestfish --ro --format=qcow2 -a "$disk" -m "$root" >"$scratch/seen" 2>"$scratch/guestfish" <<'END'
echo @said
cat /etc/said
echo @modes
statns /usr/bin/hello | grep st_mode
statns /etc/hello.secret | grep st_mode
statns /etc/hello/deep/text | grep st_mode
statns /etc/hello/deep | grep st_mode
echo @text
cat /etc/hello/deep/text
echo @arch
exists /etc/arch-was-here
echo @enabled
readlink /etc/systemd/system/multi-user.target.wants/hello.service
echo @masked
readlink /etc/systemd/system/cron.service
echo @machine-id
filesize /etc/machine-id
echo @host-keys
glob-expand /etc/ssh/ssh_host_*
echo @seed
exists /var/lib/systemd/random-seed
echo @cloud
exists /var/lib/cloud
echo @lists
find /var/lib/apt/lists
echo @logs
find /var/log | grep hello || true
echo @sshd
exists /usr/sbin/sshd
echo @end
END
is 'guestfish can read the image' '' "$(cat "$scratch/guestfish")"
check 'guestfish runs all commands' grep -qx @end "$scratch/seen"
is 'a command can use the files of an earlier step' hello "$(seen said)"
is 'files have the modes of the recipe' '100755 100600 100640 40755 ' \
    "$(seen modes | awk '{ printf "%o ", $2 }')"
is 'a written file has its text' written "$(seen text)"
is 'a step of another family does not run' false "$(seen arch)"
like 'a service is enabled' 'hello\.service$' "$(seen enabled)"
is 'a service is masked' /dev/null "$(seen masked)"
is 'machine-id exists and is empty' 0 "$(seen machine-id)"
is 'the image has no SSH host keys' '' "$(seen host-keys)"
is 'the image has an SSH server' true "$(seen sshd)"
is 'the image has no random seed' false "$(seen seed)"
is 'the image has no state of cloud-init' false "$(seen cloud)"
is 'the image has no package lists of apt' /partial "$(seen lists)"
is 'the image has no logs' '' "$(seen logs)"

# ---- what fails -----------------------------------------------------------------------------------------------------

images --recipe "$recipes/breaks.yaml"
is 'a failed command is an error of the recipe' 3 "$status"
like 'the error names the step' "breaks.yaml:4: a step of the recipe 'breaks' failed" "$output"
like "the error quotes the command's output" 'the tap is dry' "$output"
is 'a failed bake leaves nothing in the store' "$wanted" "$(stored)"

# bash ignores SIGINT in the background, and its children would inherit that.
setsid env --default-signal=INT "$airbuild" --spec "$spec" --no-color images --recipe "$recipes/sleeps.yaml" \
    >"$scratch/said" 2>&1 &
session=$!
check 'a bake runs its command' within 180 grep -q 'running a command' "$scratch/said"
like 'the bake runs its own appliance' 'qemu' "$(members "$session")"
check 'a running bake has a draft' test -d "$home/store/images/.$(key sleeps "$recipes/sleeps.yaml")"
kill -INT "$session"
status=0
check 'SIGINT ends a bake soon' within 30 test ! -e "/proc/$session/exe"
wait "$session" || status=$?
is 'an interrupted bake exits with 130' 130 "$status"
like 'an interrupted bake says so' 'interrupted' "$(tail -n 1 "$scratch/said")"
is 'an interrupted bake leaves no appliance' '' "$(members "$session")"
is 'an interrupted bake leaves no draft' "$wanted" "$(stored)"
is 'failed and interrupted bakes leave no temporary file' '' "$(find "$scratch/tmp" "$home" -name '.*' -o -path "$scratch/tmp/*")"

# ---- carried to another machine -------------------------------------------------------------------------------------

images export --recipe "$recipes/hello.yaml" "$scratch/out"
is 'export copies all images' "0 $wanted" "$status $(find "$scratch/out" -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort)"
export AIRBUILD_HOME=$scratch/other
images import "$scratch/out"
is 'import into another home succeeds' 0 "$status"
images --recipe "$recipes/hello.yaml"
check_not 'nothing is baked after an import' grep -v ready "$scratch/said"
images verify
is 'verify accepts the imported images' 0 "$status"
tap_end
