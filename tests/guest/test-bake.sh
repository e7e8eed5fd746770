#!/bin/bash
# test-bake.sh - a recipe of a user baked over the real base: what is in the image and what must not be, what an error
# and an interruption leave behind. The roles' recipes are tiny ones here, and the base has the packages that the recipe
# asks for, so that no mirror is asked; the real ones are baked for the tests with a cluster. The base is taken from the
# usual home where that has it.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
airbuild=${AIRBUILD:-$PWD/build/airbuild}
bake=$(dirname "$airbuild")/tests/bake
usual=${AIRBUILD_HOME:-/var/lib/airbuild}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
home=$scratch/home
recipes=$scratch/recipes
spec=$scratch/spec.yaml
mkdir -p "$home" "$scratch/tmp" "$recipes" "$scratch/assets/images"
export AIRBUILD_HOME=$home AIRBUILD_ASSETS=$scratch/assets TMPDIR=$scratch/tmp LIBGUESTFS_CACHEDIR=/var/tmp \
    LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg
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
# The command makes what a machine would have of its own, all of which must be gone.
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

# key NAME [RECIPE]: the key that the plan gives an image.
key() { "$bake" "$home" --plan ${2+"$2"} | awk -v name="$1" '$1 == name { print $2 }'; }

# images_of: the store's images and whatever else lies beside them.
images_of() { find "$home/store/images" -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort; }

# images ARGUMENT...: airbuild images, its words in $scratch/said.
images() {
    status=0
    timeout -k 10 600 "$airbuild" --spec "$spec" --no-color images "$@" >"$scratch/said" 2>&1 || status=$?
    output=$(cat "$scratch/said")
}

# members SESSION: the processes of a session, one a line.
members() { ps -o stat=,comm= -s "$1" | awk '$1 !~ /^Z/'; }

# seen NAME: what guestfish printed between the line @NAME and the next one.
seen() { awk -v name="@$1" '/^@/ { on = $0 == name; next } on' "$scratch/seen"; }

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
is 'a recipe of the user is baked' 0 "$status"
like 'what was baked is told' 'hello +baked' "$output"
is 'the store has the four images and nothing else' "$wanted" "$(images_of)"
is 'no temporary file is left' '' "$(find "$scratch/tmp" "$home" -name '.*' -o -path "$scratch/tmp/*")"

images --recipe "$recipes/hello.yaml"
like 'a second run bakes nothing' 'hello +ready' "$output"
check_not 'and says so of every image' grep -q baked "$scratch/said"

# ---- the layer ------------------------------------------------------------------------------------------------------

disk=$home/store/images/$hello/disk.qcow2
chain=$(qemu-img info --output=json --backing-chain -U "$disk")
is 'the layer lies over the base, by a relative path, both qcow2' "qcow2 ../$base/disk.qcow2 qcow2,qcow2 null" \
    "$(jq -r '.[0].format + " " + .[0]["backing-filename"] + " " + .[0]["backing-filename-format"] + "," + .[1].format +
        " " + (.[1]["backing-filename"] | tostring)' <<<"$chain")"
check 'the layer is thin' test "$(stat -c %b "$disk")" -lt 60000
check 'the disk is whole' qemu-img check -q -U "$disk"
is 'files are read-only' '444 444 444 444 ' "$(cd "$home/store/images/$hello" &&
    stat -c %a disk.qcow2 kernel initrd manifest.json | tr '\n' ' ')"
like 'the kernel is one' 'Linux kernel' "$(file -b "$home/store/images/$hello/kernel")"

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
is 'the image can be looked into' '' "$(cat "$scratch/guestfish")"
check 'to the end' grep -qx @end "$scratch/seen"
is 'a command ran, with the files of the step before it' hello "$(seen said)"
is 'modes are as the recipe says' '100755 100600 100640 40755 ' \
    "$(seen modes | awk '{ printf "%o ", $2 }')"
is 'a written file has its text' written "$(seen text)"
is 'a step of another family did not run' false "$(seen arch)"
like 'a service is enabled' 'hello\.service$' "$(seen enabled)"
is 'a service is masked' /dev/null "$(seen masked)"
is 'machine-id is there and empty' 0 "$(seen machine-id)"
is 'there are no SSH host keys' '' "$(seen host-keys)"
is 'but there is an SSH server' true "$(seen sshd)"
is 'there is no random seed' false "$(seen seed)"
is 'there is no state of cloud-init' false "$(seen cloud)"
is 'there are no lists of apt' /partial "$(seen lists)"
is 'there are no logs' '' "$(seen logs)"

# ---- what fails -----------------------------------------------------------------------------------------------------

images --recipe "$recipes/breaks.yaml"
is 'a command that fails is an error of the recipe' 3 "$status"
like 'its step is named' "breaks.yaml:4: a step of the recipe 'breaks' failed" "$output"
like 'and what it said' 'the tap is dry' "$output"
is 'nothing of it is in the store' "$wanted" "$(images_of)"

# In the background bash ignores SIGINT, which what it starts would inherit.
setsid env --default-signal=INT "$airbuild" --spec "$spec" --no-color images --recipe "$recipes/sleeps.yaml" \
    >"$scratch/said" 2>&1 &
session=$!
check 'a bake comes to its command' within 180 grep -q 'running a command' "$scratch/said"
like 'by an appliance of its own' 'qemu' "$(members "$session")"
check 'its draft is there' test -d "$home/store/images/.$(key sleeps "$recipes/sleeps.yaml")"
kill -INT "$session"
status=0
check 'it ends soon after SIGINT' within 30 test ! -e "/proc/$session/exe"
wait "$session" || status=$?
is 'with the status of an interruption' 130 "$status"
like 'and one sentence about it' 'interrupted' "$(tail -n 1 "$scratch/said")"
is 'no appliance is left' '' "$(members "$session")"
is 'no draft is left' "$wanted" "$(images_of)"
is 'no temporary file is left by either' '' "$(find "$scratch/tmp" "$home" -name '.*' -o -path "$scratch/tmp/*")"

# ---- carried to another machine -------------------------------------------------------------------------------------

images export --recipe "$recipes/hello.yaml" "$scratch/out"
is 'all images are exported' "0 $wanted" "$status $(find "$scratch/out" -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort)"
export AIRBUILD_HOME=$scratch/other
images import "$scratch/out"
is 'another home takes them in' 0 "$status"
images --recipe "$recipes/hello.yaml"
check_not 'where nothing is baked then' grep -v ready "$scratch/said"
images verify
is 'and all are well' 0 "$status"
tap_end
