#!/bin/bash
# test-drills.sh - drills on a cluster of four real domains, in a private lab; see drills.sh.
# usage: tests/e2e/test-drills.sh [NAME...]     without names: every drill
# Needs root and build/airbuild; images are taken from AIRBUILD_HOME or baked into it.
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

begin_cluster
drills_run "${names[@]}"
drill_interrupted
check 'the lab stops' lab down
check_not 'the lab leaves nothing' test -e "${state%/clusters}"
tap_end
