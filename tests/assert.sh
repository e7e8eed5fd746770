# shellcheck shell=bash
# assert.sh - assertions for shell tests. Sourced. Each prints one line of TAP and, if it fails, what it found instead.
# SPDX-License-Identifier: Apache-2.0

tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tap_count=0
tap_failed=0
status=0
output=

# tap VERDICT NAME [DETAIL]: ok if VERDICT is 0; DETAIL is shown otherwise.
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

# check NAME COMMAND...: ok if COMMAND succeeds.
check() {
    local text verdict=0
    text=$("${@:2}" 2>&1) || verdict=$?
    tap "$verdict" "$1" "status $verdict of: ${*:2}"$'\n'"$text"
}

# check_not NAME COMMAND...: ok if COMMAND fails.
check_not() {
    local text verdict=0
    text=$("${@:2}" 2>&1) || verdict=$?
    tap "$((verdict == 0))" "$1" "expected to fail: ${*:2}"$'\n'"$text"
}

# is NAME EXPECTED FOUND: ok if the texts are equal.
is() {
    local verdict=0
    [[ $2 == "$3" ]] || verdict=1
    tap "$verdict" "$1" "expected '$2', found '$3'"
}

# like NAME PATTERN FOUND: ok if the extended regular expression matches.
like() {
    local verdict=0
    [[ $3 =~ $2 ]] || verdict=1
    tap "$verdict" "$1" "expected /$2/, found:"$'\n'"$3"
}

# run SECONDS COMMAND...: set status and output (stdout and stderr) of a program. Status 124: it timed out.
run() {
    status=0
    output=$(timeout -k 5 "$@" 2>&1) || status=$?
}

# refuses WHAT STATUS PATTERN COMMAND...: ok if COMMAND exits with STATUS and prints one line that matches PATTERN.
refuses() {
    local verdict=0
    run 60 "${@:4}"
    [[ $status == "$2" && $output =~ $3 && $output != *$'\n'* ]] || verdict=1
    tap "$verdict" "refuses $1" "expected status $2 and one line like /$3/, found status $status and:"$'\n'"$output"
}

# within SECONDS COMMAND...: retry every $pace s (0.1) until COMMAND succeeds. When it timed out, the status and output are
# those of one more try.
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

# hog SECONDS: keep all processors of this host busy that long, or until the processes ${hogs[@]} are killed.
hog() {
    local i
    hogs=()
    for ((i = 0; i < 3 * $(nproc); i++)); do
        timeout "$1" sh -c 'while :; do :; done' &
        hogs+=($!)
    done
}

# serve_folder DIR [LOCATIONS]: run tests/arch/serve and set server, its pid, and port, its HTTPS port; exit if it does not start.
# shellcheck disable=SC2154,SC2034 # scratch is the test's, and what is set here is for it
serve_folder() {
    rm -f "$scratch/port"
    "$tests/arch/serve" "$1" "$scratch/port" "${2-}" >"$scratch/serve.log" 2>&1 &
    server=$!
    within 60 test -s "$scratch/port" || { echo "Bail out! no server: $(<"$scratch/serve.log")" && exit 1; }
    port=$(<"$scratch/port")
}

# tap_end: print the plan. Fails if a test has.
tap_end() {
    echo "1..$tap_count"
    ((tap_failed == 0))
}
