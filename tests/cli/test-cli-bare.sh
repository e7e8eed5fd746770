#!/bin/bash
# test-cli-bare.sh - a host without anything: no libvirt, no root, no images; and wrong specs of every kind. Each command
# prints one clear sentence, exits with the status of the cause, and changes nothing.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/cli/cli.sh
. tests/cli/cli.sh
chmod 0755 "$scratch"
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)

# ---- no cluster, no libvirt --------------------------------------------------------------------
for command in status 'ssh work11' 'logs work11' env stop 'seed --reveal work11'; do
    # shellcheck disable=SC2086 # words of a command line
    refuses "$command without a cluster" 14 "cluster 'air'.*airbuild launch" \
        "$airbuild" -f "$unreachable" $command
done
refuses 'launch without images' 14 "run 'airbuild images'" "$airbuild" launch -q -f "$unreachable"
refuses 'console without libvirt' 5 '^airbuild: .*libvirt' "$airbuild" console -q -f "$unreachable" head10
is 'destroy without a cluster says so' "there is no cluster 'air'; nothing to destroy" "$("$airbuild" destroy --yes -f "$unreachable")"
is 'destroy without a cluster reports it as JSON' false "$("$airbuild" destroy --yes --json -f "$unreachable" | jq .destroyed)"
error_json 'launch without images' 14 not-found "$airbuild" launch --json -f "$unreachable"
error_json 'console without libvirt' 5 libvirt "$airbuild" console -q --json -f "$unreachable" head10

separate "$airbuild" plan -f "$unreachable"
is 'plan works without libvirt' '0 ' "$status $errors"
like 'and says so' 'libvirt was not queried: ' "$out"
like 'and what would be baked' 'bake +image redis' "$out"
like 'and what would be made' 'make +disk work11' "$out"
separate "$airbuild" plan --json -f "$unreachable"
is 'plan --json has nodes and the libvirt error' '0 head10 work11 work12 work13 true' \
    "$status $(jq -r '"\(.nodes | join(" ")) \(.libvirt_error | length > 0)"' <<<"$out")"

separate "$airbuild" doctor --json -f "$unreachable"
is 'doctor fails' 15 "$status"
is 'it prints facts, each bad one with a fix' true "$(jq 'length > 10 and all(
    (.name | length > 0) and (.detail | length > 0) and (.result | IN("PASS", "WARN", "FAIL"))
    and (.result == "PASS") == (.mend == null))' <<<"$out")"
is 'libvirt fails' FAIL "$(jq -r '.[] | select(.name == "libvirt").result' <<<"$out")"
is 'no name twice' '' "$(jq -r '.[].name' <<<"$out" | sort | uniq -d)"
separate "$airbuild" doctor -f "$unreachable"
like 'doctor for people' 'FAIL +libvirt +.*; fix: ' "$out"
is 'doctor for people prints as many facts' "$("$airbuild" doctor --json -f "$unreachable" | jq length)" "$(wc -l <<<"$out")"

# A host where the names of the bridge and the port of its DNS server are in use.
# shellcheck disable=SC2016 # expanded by the shell in the namespace
taken=$(timeout -k 5 60 unshare --net bash -c 'ip link set lo up && ip link add air0 type bridge || exit 1
    dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --pid-file= --user=root 2>/dev/null &
    until grep -q :0035 /proc/net/tcp; do kill -0 $! || exit 1; sleep 0.1; done
    "$0" doctor --json -f "$1"
    kill $!' "$airbuild" "$unreachable")
is 'conflicts with the network' 'bridge FAIL
dns FAIL' "$(jq -r '.[] | select(.name | IN("bridge", "dns")) | "\(.name) \(.result)"' <<<"$taken")"
is 'and none elsewhere' 'bridge PASS
dns PASS' "$(timeout -k 5 60 unshare --net "$airbuild" doctor --json -f "$unreachable" |
    jq -r '.[] | select(.name | IN("bridge", "dns")) | "\(.name) \(.result)"')"

# The names of nodes: aliases count, comments and other addresses do not.
printf '%s\n' '127.0.0.1 localhost work13' '# 172.31.255.12 work12' '::1 work12' $'172.31.255.10\tone Head10 # work11' \
    '172.31.255.11 work11x' '172.31.255.13 work13' >"$scratch/hosts"
# shellcheck disable=SC2016 # expanded by the shell in the namespace
is 'names that /etc/hosts lacks' 'not in /etc/hosts: work11, work12' "$(timeout -k 5 60 unshare --mount bash -c '
    mount --bind "$3" /etc/hosts; exec "$1" doctor --json -f "$2"' - "$airbuild" "$unreachable" "$scratch/hosts" |
    jq -r '.[] | select(.name == "names").detail')"

# A host without any of the programs, in no folder: /usr/sbin is hidden because on Arch it is /usr/bin.
# doctor_bare BASE: prints the result of doctor there, as JSON, for a spec with that base.
doctor_bare() {
    printf 'base: %s\nuri: qemu+unix:///system?socket=/nonexistent/libvirt-sock\n' "$1" >"$scratch/base.yaml"
    # shellcheck disable=SC2016 # expanded by the shell in the namespace
    timeout -k 5 60 unshare --mount bash -c 'mount --bind "$2" /usr/sbin; PATH=$2
        exec "$0" doctor --json -f "$1"' "$airbuild" "$scratch/base.yaml" "$scratch/bare"
}
# facts NAMES <<<FACTS: prints "NAME RESULT" of those, one per line.
facts() { jq -r --arg names "$1" '.[] | select(.name | IN($names | split(" ")[])) | "\(.name) \(.result)"'; }
bare=$(doctor_bare debian)
is 'the programs are missing' 'qemu FAIL
qemu-img FAIL
ssh-keygen FAIL
ssh WARN
mmdebstrap FAIL
supermin FAIL' "$(facts 'qemu qemu-img ssh-keygen ssh mmdebstrap gpgv pacstrap supermin' <<<"$bare")"
is "each with its package on both distributions" '' "$(jq -r '.[] | select(.detail | startswith("not installed"))
    | select(.mend | test("^apt-get install [a-z-]+(, or pacman -S [a-z-]+$|; Arch has none, set base: arch)") | not)' <<<"$bare")"
like 'libvirt, too, which Arch does not start by itself' 'pacman -S libvirt.*systemctl enable --now libvirtd' \
    "$(jq -r '.[] | select(.name == "libvirt").mend' <<<"$bare")"
is 'Arch needs gpgv' 'gpgv FAIL' "$(doctor_bare arch | facts 'mmdebstrap gpgv pacstrap')"
is 'auto may need either' 'mmdebstrap WARN
gpgv WARN' "$(doctor_bare auto | facts 'mmdebstrap gpgv pacstrap')"

for action in list verify prune; do
    separate "$airbuild" images "$action" --json
    is "images $action succeeds with an empty store" 0 "$status"
    is "images $action prints JSON" object "$(jq -r type <<<"$out")"
done
refuses 'export without images' 14 "run 'airbuild images'" "$airbuild" images export "$scratch/out"
check_not 'and nothing was created' test -e "$scratch/out"

# ---- homes of every kind ---------------------------------------------------------------------------------------------
# A relative home must be made absolute: it goes into domains' XML.
mkdir "$scratch/from" && cd "$scratch/from" || exit 1
separate env AIRBUILD_HOME=own/home "$airbuild" images list
is 'a relative home' 0 "$status"
check 'is below the current folder' test -d "$scratch/from/own/home/store"
is 'its parents have the mode of the umask' "$(printf '%o' $((0777 & ~$(umask))))" "$(stat -c %a own)"
is 'and it has its own mode' 711 "$(stat -c %a own/home)"
separate env AIRBUILD_HOME=own/home "$airbuild" doctor --json
is 'doctor shows the absolute path' "true" "$(jq --arg home "'$scratch/from/own/home'" \
    'any(.[]; .name == "disk" and (.detail | endswith($home)))' <<<"$out")"
cd "$scratch/bare" || exit 1
# shellcheck disable=SC2016 # literally
for home in 'a:b' $'a\nb' 'a"b' 'a\b' 'a$b' $'a\xffb'; do
    refuses "the home $(printf %q "$home")" 2 'cannot be used.*set AIRBUILD_HOME' \
        env AIRBUILD_HOME="$scratch/$home" "$airbuild" images list
    refuses "clusters in $(printf %q "$home")" 2 'cannot be used.*set AIRBUILD_STATE' \
        env AIRBUILD_STATE="$scratch/$home/x" "$airbuild" status
done
ln -s "$scratch/a:b" "$scratch/link" && mkdir "$scratch/a:b"
refuses 'a home by a symbolic link' 2 'cannot be used' env AIRBUILD_HOME="$scratch/link/x" "$airbuild" images list
separate env AIRBUILD_HOME="$scratch/a, ü 100%'b" "$airbuild" images list
is 'a home with other special characters' 0 "$status"
error_json 'a home that cannot be used, as JSON' 2 usage env AIRBUILD_HOME="$scratch/a:b" "$airbuild" images list --json

# ---- not root ---------------------------------------------------------------------------------------------------------
# Other users may not reach a checkout below /root.
cp "$airbuild" "$scratch/airbuild"
airbuild=$scratch/airbuild
mkdir "$scratch/closed" && chmod 0700 "$scratch/closed"
refuses 'a home without permission' 4 "$scratch/closed" \
    "${nobody[@]}" env AIRBUILD_HOME="$scratch/closed/home" "$airbuild" images -q
refuses 'a spec without permission' 4 'cannot read the spec' \
    "${nobody[@]}" "$airbuild" plan -f "$scratch/closed/cluster.yaml"
touch "$scratch/file"
refuses 'a home that is a file' 9 "$scratch/file" env AIRBUILD_HOME="$scratch/file" "$airbuild" images -q
pretend_launched air
chmod -R o+rX "$AIRBUILD_HOME" && chmod 0600 "$AIRBUILD_HOME/clusters/air/secrets.json"
refuses "another user's secrets" 4 'secrets.json' "${nobody[@]}" "$airbuild" env
check 'names need no secrets' "${nobody[@]}" "$airbuild" env --hosts
rm -rf "$AIRBUILD_HOME/clusters"

# ---- wrong specs ------------------------------------------------------------------------------------------------------
# wrong NAME STATUS PATTERN FILE: every command that reads the spec refuses it in the same way, at once.
wrong() {
    local command verdict=0 seen=''
    for command in doctor images 'images prune' plan launch status 'ssh x' 'console x' 'logs x' env 'seed x' stop 'destroy --yes'; do
        # shellcheck disable=SC2086 # words of a command line
        run 10 "$airbuild" --spec "$4" $command
        [[ $status == "$2" && $output =~ ^airbuild:\ .*$3 ]] || { verdict=1 && seen+="$command: status $status, $output"$'\n'; }
    done
    tap "$verdict" "every command refuses $1 as a spec" "$seen"
}
mkfifo fifo && mkdir folder && : >empty.yaml
truncate -s 1G huge.yaml && head -c 4096 /dev/urandom >binary.yaml
printf 'cluster: air\n\tha: on\n' >tabs.yaml
printf 'nodes: &a\n  x: *a\n' >alias.yaml
printf 'ha: on\nha: off\n' >twice.yaml
printf '%0100000d' 0 | tr 0 '[' >nested.yaml
printf 'redis: {quorum: 3}\n' >quorum.yaml
printf 'redis: {qorum: 2}\n' >unknown.yaml
wrong 'a missing file' 14 'nowhere.yaml' nowhere.yaml
wrong 'a FIFO' 3 'fifo' fifo
wrong 'a folder' 3 'folder' folder
wrong 'an endless device' 3 '/dev/zero' /dev/zero
wrong 'an empty file' 3 'empty.yaml' empty.yaml
wrong 'a file of 1 GiB' 3 'huge.yaml' huge.yaml
wrong 'a binary file' 3 'binary.yaml' binary.yaml
wrong 'a file with tabs' 3 'tabs.yaml:2:1' tabs.yaml
wrong 'an alias of itself' 3 'alias.yaml:1:' alias.yaml
wrong 'a key twice' 3 'twice.yaml:2:1' twice.yaml
wrong 'a hundred thousand brackets' 3 'nested.yaml:1:' nested.yaml
wrong 'a quorum of all workers' 3 'quorum.yaml:1:17' quorum.yaml
wrong 'an unknown key, with a suggestion,' 3 "'qorum'; did you mean 'quorum'" unknown.yaml
cp unknown.yaml cluster.yaml
refuses_here() { run 10 "$airbuild" plan; [[ $status == 3 && $output == *cluster.yaml:1:9* ]]; }
check 'cluster.yaml of the current folder is the spec' refuses_here
rm cluster.yaml
printf 'base: {file: /nonexistent/nothing.qcow2}\n' >file.yaml
refuses 'a missing base image' 14 'nothing.qcow2' "$airbuild" images -q -f file.yaml
printf 'base: arch\naccel: tcg\n' >arch.yaml
refuses 'an image whose mirror does not answer' 8 '127.0.0.1:1/images/v' \
    env AIRBUILD_ARCH_MIRRORS=http://127.0.0.1:1 "$airbuild" images -q -f arch.yaml
refuses 'an image that was not downloaded, with --offline' 8 'without --offline' "$airbuild" images -q --offline -f arch.yaml
printf 'base: {url: "file:///etc/passwd", sha256: "%064d"}\naccel: tcg\n' 0 >url.yaml
refuses 'an image of another digest' 10 'is refused: its SHA-256 is' "$airbuild" images -q -f url.yaml
printf 'base: {url: "file:///nonexistent/disk.qcow2", sha256: "%064d"}\naccel: tcg\n' 0 >url.yaml
refuses 'a URL of a missing file' 8 'there is no such file' "$airbuild" images -q -f url.yaml
separate env AIRBUILD_ARCH_MIRRORS=file:///nonexistent "$airbuild" plan -f "$unreachable"
like "plan says what 'auto' is, and why" "'base: auto' is Debian, as no mirror of Arch answers .file:///nonexistent.; " "$out"
is 'none of these left a file behind' '' "$(find "$AIRBUILD_HOME" -type f ! -path '*/locks/*' ! -name 'accel.*')"

tap_end
