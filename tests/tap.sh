# tap.sh - TAP for shell tests: source it, call check after each condition, end with finish.
# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0

tap_count=0
tap_failed=0

# check WHAT [FILE]: a result by the status of the command before; a failure shows FILE.
check() {
    local good=$?
    tap_count=$((tap_count + 1))
    if [ "$good" = 0 ]; then
        echo "ok $tap_count - $1"
        return
    fi
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_count - $1"
    [ $# -lt 2 ] || sed 's/^/#   /' "$2"
}

# finish: the plan and the status. A test that ends without it has failed.
finish() {
    echo "1..$tap_count"
    [ "$tap_failed" = 0 ]
    exit
}
