#!/bin/bash
# test-tree.sh - the project follows its own rules.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh

check 'lint reports nothing' scripts/lint
tap_end
