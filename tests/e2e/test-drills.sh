#!/bin/bash
# test-drills.sh - drills on a real cluster of four machines, in a lab of its own; see drills.sh.
#   tests/e2e/test-drills.sh [NAME...]     without names: every drill
# Needs root and build/airbuild; images come from AIRBUILD_HOME, or are baked into it.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
# shellcheck source=tests/e2e/drills.sh
. tests/e2e/drills.sh

lab_begin airbuild-drills
names=("$@")
((${#names[@]})) || mapfile -t names < <(build/airbuild drill --list --json | jq -r '.[].drill')

run 1500 build/airbuild images
tap "$status" 'all images are there' "$output"
check 'the lab is up' lab up
air $BOOT_SECONDS launch
ends 'the cluster is launched' 0
drills_run "${names[@]}"
drill_interrupted
check 'the lab goes down' lab down
check_not 'and leaves nothing' test -e "${state%/clusters}"
tap_end
