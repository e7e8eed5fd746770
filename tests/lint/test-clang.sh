#!/bin/bash
# test-clang.sh - clang builds the program and the unit tests without warnings, as gcc does.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh

# The flags of an outer make could select another variant, or job slots of its own.
check 'clang builds everything without warnings' env -u MAKEFLAGS -u MAKELEVEL make -s -j 2 clang
tap_end
