#!/bin/bash
# test-cli-drill.sh - `airbuild drill` without running a drill: the list, the command line, the question, no cluster, no
# hypervisor. tests/e2e/test-drills.sh runs the drills.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/cli/cli.sh
. tests/cli/cli.sh
printf 'accel: tcg\n' >>"$unreachable"

# ---- the list ---------------------------------------------------------------------------------------------------------
separate "$airbuild" drill --list
is 'drill --list needs no cluster' '0 ' "$status $errors"
# The failures that airbuild promises to survive.
promised='replica-shutdown replica-off replica-return master-kill master-stop master-shutdown master-off master-return
    master-cut master-half-cut sentinel-kill head-restart all-off cold-without-first pause two-down busy-host'
is 'drill --list has all drills, in order' "$(xargs <<<"$promised")" "$("$airbuild" drill --list --json | jq -r '.[].drill' | xargs)"
is 'each drill has a description and a limit' '' \
    "$("$airbuild" drill --list --json | jq -r '.[] | select((.what | length) < 10 or (.limit | length) < 8).drill')"
is 'drill --list marks those with new disks' 'cold-without-first' \
    "$("$airbuild" drill --list --json | jq -r '.[] | select(.new_data).drill' | xargs)"
is 'drill --list can list one drill' 'master-off' "$("$airbuild" drill --list --json master-off | jq -r '.[].drill')"

# ---- the command line -------------------------------------------------------------------------------------------------
refuses 'an unknown drill, with a suggestion,' 14 "no drill 'master-of' \\(did you mean 'master-off'\\?\\)" "$airbuild" drill master-of
refuses 'an unknown drill without a suggestion' 14 "no drill 'xyzzy'; 'airbuild drill --list'" "$airbuild" drill xyzzy
refuses 'a drill with a hostile name' 14 "no drill '\\\\x1b\\[31m\\\$\\(x\\)'" "$airbuild" drill $'\e[31m$(x)'
refuses 'an unknown drill among others' 14 "no drill 'nope'" "$airbuild" drill master-off nope --yes
refuses '--all with a name' 2 "'--all' and names" "$airbuild" drill --all master-off
for count in 0 -1 1001 x 1.5 99999999999999999999; do
    refuses "--repeat=$count" 2 "'--repeat'" "$airbuild" drill "--repeat=$count" master-off
done
error_json 'an unknown drill' 14 not-found "$airbuild" drill --json nope

# ---- no cluster, no hypervisor ----------------------------------------------------------------------------------------
refuses 'a drill without a cluster' 14 "cluster 'air' was not launched; run 'airbuild launch'" "$airbuild" drill master-off
pretend_launched air
before=$(find "$AIRBUILD_HOME/clusters" -type f -printf '%p %s %T@\n' | sort)
refuses 'a drill without libvirt' 5 'libvirtd is not running' \
    "$airbuild" drill -q -f "$unreachable" --html "$scratch/x.html" --junit "$scratch/x.xml" master-off
check_not 'a refused drill writes no page' test -e "$scratch/x.html"
check_not 'a refused drill writes no XML' test -e "$scratch/x.xml"
error_json 'a drill without libvirt' 5 libvirt "$airbuild" drill --json -f "$unreachable" master-off

# ---- the question -----------------------------------------------------------------------------------------------------
refuses 'a drill with new disks without --yes' 2 "drill 'cold-without-first' begins with new disks and needs --yes" \
    "$airbuild" drill -f "$unreachable" cold-without-first
refuses '--all without --yes' 2 'needs --yes' "$airbuild" drill -f "$unreachable" --all
error_json '--all without --yes' 2 usage "$airbuild" drill --json -f "$unreachable" --all
terminal "$airbuild" drill -f "$unreachable" cold-without-first <<<n
is 'asked, and answered with no' 1 "$status"
like 'the question says what is lost' "all data in cluster 'air' is lost\\. Continue\\? \\[y/N\\]" "$output"
like 'and nothing was broken' 'nothing was broken' "$output"
terminal "$airbuild" drill -q -f "$unreachable" cold-without-first <<<yes
is 'the answer yes continues, here up to libvirt' 5 "$status"
run 60 "$airbuild" drill -q -f "$unreachable" --yes cold-without-first
is '--yes continues without a question' 5 "$status"
is 'refused drills change no file' "$before" \
    "$(find "$AIRBUILD_HOME/clusters" -type f ! -name '.*.lock' -printf '%p %s %T@\n' | sort)"

tap_end
