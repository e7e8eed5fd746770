#!/bin/bash
# test-cli-images.sh - a store that clusters elsewhere use: what prune keeps and why, what show prints, waiting for another
# process, invalid images.
# SPDX-License-Identifier: Apache-2.0
set -u
# shellcheck source=tests/assert.sh
. "$(dirname "$0")/../assert.sh"
# shellcheck source=tests/cli/cli.sh
. "$(dirname "$0")/cli.sh"
base=$(printf 'b%.0s' {1..64}) layer=$(printf 'a%.0s' {1..64}) other=$(printf 'c%.0s' {1..64})
debian=$scratch/debian.yaml store=$AIRBUILD_HOME/store
printf 'base: debian\naccel: tcg\n' >"$debian"

# image KEY NAME [MORE]: make an image in an export folder; MORE are more members of its manifest.
image() {
    local folder=$scratch/export/$1 file files=
    mkdir -p "$folder"
    for file in disk.qcow2 kernel initrd; do
        echo "$file of $2" >"$folder/$file"
        files+="${files:+, }\"$file\": {\"bytes\": $(stat -c %s "$folder/$file"), \"time_ns\": 1,
            \"sha256\": \"$(sha256sum <"$folder/$file" | cut -d ' ' -f 1)\"}"
    done
    echo "{\"format\": 1, \"key\": \"$1\", \"name\": \"$2\", \"family\": \"debian\", \"cmdline\": \"rw\",
        \"created\": \"2026-01-01T00:00:00Z\", \"virtual_bytes\": 1, \"files\": {$files}${3-}}" >"$folder/manifest.json"
}
over() { echo ", \"backing\": \"$base\", \"backing_sha256\": \"$(sha256sum <"$scratch/export/$base/disk.qcow2" | cut -d ' ' -f 1)\""; }
image "$base" base-debian ', "url": "https://example.org/disk", "image": "20991115.7", "instead_of": "20261001.604814"'
image "$layer" redis "$(over)"
image "$other" haproxy "$(over)"
run 60 "$airbuild" images import "$scratch/export"
like 'the images are imported' '3 images imported' "$output"
refuses 'a folder without images' 14 "there is no image in '$scratch/bare'" "$airbuild" images import -q "$scratch/bare"

# ---- show -----------------------------------------------------------------------------------------------------------
mkdir -p "$store/users/$layer" "$scratch/lab/clusters/air"
echo "$scratch/lab/clusters/air" >"$store/users/$layer/0123-id"
run 60 "$airbuild" images show base-debian
like "show prints an image's source and what it replaces" 'image +20991115.7.*instead of +20261001.604814.*from +https://example.org' \
    "${output//$'\n'/ }"
like 'show prints the cluster that uses a layer of the image' "used by +$scratch/lab/clusters/air" "$output"
is 'show --json has the clusters' "redis $scratch/lab/clusters/air" \
    "$("$airbuild" images show aaaa --json | jq -r '.images[] | "\(.name) \(.clusters[0])"')"
refuses 'an image that is not there' 14 "has no image 'radis'; 'airbuild images list' shows" "$airbuild" images show radis
refuses 'show without a name' 2 "usage: airbuild images show NAME" "$airbuild" images show

# ---- frozen sets ------------------------------------------------------------------------------------------------------
# frozen CREATED HYPERVISOR IMAGE: make a set of one node over IMAGE; sets set and folder.
frozen() {
    local depends digest
    digest=$(sha256sum <"$scratch/export/$3/disk.qcow2" | cut -d ' ' -f 1)
    depends=$(jq -n --arg h "$2" --arg i "$3" --arg d "$digest" --arg b "$(sha256sum <"$scratch/export/$base/disk.qcow2" | cut -d ' ' -f 1)" \
        '{format: 1, spec: "cluster: air\n", hypervisor: $h, libvirt: "9.0.0", accel: "TCG", images: {work11: {key: $i, sha256: $d, base: $b}}}')
    set=$(jq -cjS . <<<"$depends" | sha256sum | cut -d ' ' -f 1)
    folder=$store/frozen/$set
    mkdir -p "$folder/work11"
    printf '\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello' >"$folder/work11/memory.zst" # a frame with one raw block
    echo disk >"$folder/work11/disk.qcow2"
    echo seed >"$folder/work11/seed.iso"
    echo '{}' >"$folder/secrets.json"
    jq --arg created "$1" --argjson depends "$depends" '{format: 1, $created, cluster: "air", airbuild: "0", $depends, files: .}' \
        >"$folder/manifest.json" < <(cd "$folder" && find . -type f -printf '%P\n' | while read -r file; do
            jq -n --arg f "$file" --arg s "$(sha256sum <"$file" | cut -d ' ' -f 1)" --argjson bytes "$(stat -c %s "$file")" \
                '{($f): {$bytes, sha256: $s}}'
        done | jq -s add)
}
frozen 2026-01-02T00:00:00Z 'QEMU 7' "$layer"
whole=$set
frozen 2026-01-01T00:00:00Z 'QEMU 6' "$layer"
older=$set
frozen 2026-01-03T00:00:00Z 'QEMU 7' "$other"
lost=$set
mkdir "$store/frozen/stranger"
run 60 "$airbuild" images list
like 'list has a table of frozen sets' "FROZEN SET +CLUSTER +NODES +SIZE +CREATED +STATE.*${whole:0:12} +air +1 .*ready" "${output//$'\n'/ }"
like 'and what is none' "damaged: 'stranger' in '$store/frozen' is no frozen set" "$output"
is 'list --json has them, the oldest first' "$older ready|$whole ready|$lost ready" \
    "$("$airbuild" images list --json | jq -r '[.frozen[] | "\(.key) \(.state)"] | join("|")')"
run 60 "$airbuild" images show "${whole:0:8}"
like 'show prints what a set depends on' 'emulator +QEMU 7.*libvirt +9.0.0.*accelerator +TCG.*work11 over image aaaaaaaaaaaa.*cluster: air' "${output//$'\n'/ }"
is 'and so does JSON' "QEMU 7 null" "$("$airbuild" images show "$whole" --json | jq -r '.frozen[0] | "\(.depends.hypervisor) \(.damage)"')"
run 60 "$airbuild" images verify
is 'verify reads them' '0 3 images and 3 frozen sets read, 0 damaged' "$status ${output##*$'\n'}"
echo dusk >"$store/frozen/$lost/work11/disk.qcow2"
run 60 "$airbuild" images verify
is 'and fails for one that changed' 10 "$status"
like 'naming the file' "the frozen set ${lost:0:12} is damaged, .*the content of work11/disk.qcow2 has changed.*'airbuild images prune' removes" "$output"
is 'which is known from then on' damaged "$("$airbuild" images list --json | jq -r --arg k "$lost" '.frozen[] | select(.key == $k).state')"
rm "$store/frozen/$lost/damaged"
echo disk >"$store/frozen/$lost/work11/disk.qcow2"
like 'prune names what it would remove' "frozen $older \\(there is a newer one of its spec\\)" \
    "$(AIRBUILD_STATE="$scratch/elsewhere" "$airbuild" images prune --dry-run -f "$debian")"
refuses 'a set of an action that bakes nothing' 2 "'airbuild images prune' does not take '--freeze'" "$airbuild" images prune --freeze

# ---- prune ----------------------------------------------------------------------------------------------------------
# With another state folder, as for a cluster in a lab.
run 60 env AIRBUILD_STATE="$scratch/elsewhere" "$airbuild" images prune -f "$debian"
is 'prune with another state removes only unused images' "$layer $base" "$(find "$store/images" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | paste -sd ' ')"
is 'and the sets that cannot be thawed, or have a newer one' "$whole stranger" "$(find "$store/frozen" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | paste -sd ' ')"
like 'prune says which cluster uses a kept image' "kept: redis aaaaaaaaaaaa, used by '$scratch/lab/clusters/air'" "$output"
echo rotten >"$scratch/rotten" && cp --no-preserve=mode -f "$scratch/rotten" "$store/images/$base/kernel"
rm -rf "$scratch/lab"
run 60 "$airbuild" images prune -f "$debian"
like 'a cluster that is not there counts, and is named' "missing: '$scratch/lab/clusters/air' does not exist on this host; .*--forget-missing" "$output"
is 'damaged or not' "$layer $base" "$(find "$store/images" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | paste -sd ' ')"
run 60 "$airbuild" images list
like 'a damaged base below disks has one mend' "it backs disks of the cluster in '.*', so restore the file, or run 'airbuild destroy' for that cluster" "$output"

# ---- at the same time -------------------------------------------------------------------------------------------------
mark=$store/locks/baking-0123456789abcdef
flock "$mark" sh -c "echo \$\$ >'$mark'; touch '$scratch/held'; sleep 2" &
within 20 test -e "$scratch/held"
run 60 "$airbuild" images prune --forget-missing -f "$debian"
like 'prune waits for a bake and names its process' "waiting for process $(cat "$mark" 2>/dev/null || echo '[0-9]+')" "$output"
is 'prune continues after the bake' '0 ' "$status $(ls "$store/images")"
wait
rm -f "$scratch/held"
flock -F "$mark" sh -c "echo \$\$ >'$mark'; touch '$scratch/held'; exec sleep 100" &
holder=$!
within 20 test -e "$scratch/held"
"$airbuild" images prune -f "$debian" >"$scratch/out" 2>&1 &
pruner=$!
within 60 grep -q 'waiting for process' "$scratch/out"
kill -TERM "$pruner"
wait "$pruner"
is 'a signal ends the wait' 130 "$?"
kill "$holder"
wait
tap_end
