# shellcheck shell=bash
# assert.sh - assertions for shell tests that look at other programs; sourced by them. Each prints one TAP line, and
# below a failed one what was seen instead. For a test of a few plain conditions tap.sh is enough.
# SPDX-License-Identifier: Apache-2.0

tap_count=0
tap_failed=0
status=0
output=

# tap VERDICT WHAT [DETAIL]: VERDICT is 0 for ok.
tap() {
    tap_count=$((tap_count + 1))
    if (($1 == 0)); then
        echo "ok $tap_count - $2"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_count - $2"
        [[ -z ${3-} ]] || printf '%s\n' "$3" | tail -n 40 | sed 's/^/#   /'
    fi
}

# check WHAT COMMAND...: ok when COMMAND succeeds.
check() {
    local text verdict=0
    text=$("${@:2}" 2>&1) || verdict=$?
    tap "$verdict" "$1" "status $verdict of: ${*:2}"$'\n'"$text"
}

# check_not WHAT COMMAND...: ok when COMMAND fails.
check_not() {
    local text verdict=0
    text=$("${@:2}" 2>&1) || verdict=$?
    tap "$((verdict == 0))" "$1" "this should not have succeeded: ${*:2}"$'\n'"$text"
}

# is WHAT EXPECTED SEEN: ok when the two texts are the same.
is() {
    local verdict=0
    [[ $2 == "$3" ]] || verdict=1
    tap "$verdict" "$1" "expected '$2', saw '$3'"
}

# like WHAT PATTERN SEEN: ok when the extended regular expression is found.
like() {
    local verdict=0
    [[ $3 =~ $2 ]] || verdict=1
    tap "$verdict" "$1" "expected /$2/, saw:"$'\n'"$3"
}

# run SECONDS COMMAND...: sets status and output (stdout and stderr) of a program; never fails itself. 124: too late.
run() {
    status=0
    output=$(timeout -k 5 "$@" 2>&1) || status=$?
}

# refuses WHAT STATUS PATTERN COMMAND...: ok when COMMAND ends with STATUS and says one line like PATTERN.
refuses() {
    local verdict=0
    run 60 "${@:4}"
    [[ $status == "$2" && $output =~ $3 && $output != *$'\n'* ]] || verdict=1
    tap "$verdict" "$1" "expected status $2 and one line like /$3/, saw status $status and:"$'\n'"$output"
}

# within SECONDS COMMAND...: succeed as soon as COMMAND does; fail when it has not by then, with what the last try says.
# Tried every $pace s, or 0.1.
within() {
    local end=$((SECONDS + $1))
    until "${@:2}" >/dev/null 2>&1; do
        if ((SECONDS >= end)); then
            "${@:2}"
            return
        fi
        sleep "${pace:-0.1}"
    done
}

# hog SECONDS: keep all processors of this host busy for so long, or until ${hogs[@]} are ended.
hog() {
    local i
    hogs=()
    for ((i = 0; i < 3 * $(nproc); i++)); do
        timeout "$1" sh -c 'while :; do :; done' &
        hogs+=($!)
    done
}

# The plan; the exit status tells whether all was ok.
tap_end() {
    echo "1..$tap_count"
    ((tap_failed == 0))
}
