#!/bin/bash
# test-harness.sh - tests/run: what it counts as a failure, and its last line.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset CI AIRBUILD_MUST_WORK

# program NAME: make a test program of standard input.
program() {
    { echo '#!/bin/bash'; cat; } >"$work/$1"
    chmod +x "$work/$1"
}

# harness ARGUMENT...: run in $work; sets status and last, the last line of the output, which is in $work/out.
harness() {
    (cd "$work" && "$root/tests/run" --results "$work/results" "$@" >out 2>&1)
    status=$?
    last=$(tail -n 1 "$work/out")
}

# expect NAME STATUS LAST TEXT [ARGUMENT...]: ok if the status, the last line and some text of the output are these.
expect() {
    local what=$1 want_status=$2 want_last=$3 text=$4
    shift 4
    harness "$@"
    [ "$status" = "$want_status" ] && [ "$last" = "$want_last" ] && grep -qF -- "$text" "$work/out"
    tap $? "$what" "$(<"$work/out")"
}

program good <<<'echo 1..2; echo "ok 1 - one"; echo "ok 2 - two"'
program late-plan <<<'echo "ok 1 - one"; echo 1..1'
program two-plans <<<'echo 1..1; echo "ok 1 - a"; echo "# ok - x"; echo 1..1; echo "ok 1 - b"'
program bad <<<'echo 1..2; echo "ok 1 - one"; echo "not ok 2 - two is wrong"; echo why >&2; exit 1'
program crash <<<'echo 1..2; echo "ok 1 - one"; kill -SEGV $$'
program status <<<'echo 1..1; echo "ok 1 - one"; exit 7'
program no-plan <<<'echo "ok 1 - one"'
program short <<<'echo 1..3; echo "ok 1 - one"'
program long <<<'echo 1..1; echo "ok 1 - one"; echo "ok 2 - two"'
program silent <<<'exit 0'
program empty-plan <<<'echo 1..0'
program bail <<<'echo 1..1; echo "ok 1 - one"; echo "Bail out! no disk"'
program skips <<<'echo 1..2; echo "ok 1 - one"; echo "ok 2 - two # SKIP no kvm"'
program cmocka-skips <<<'echo 1..1; echo "not ok 1 # SKIP three"'
program skips-all <<<'echo "1..0 # SKIP no kvm"'
program hangs <<<'echo 1..1; echo "ok 1 - one"; sleep 600'
program stubborn <<<'trap "" TERM; echo $$ >pid; echo 1..1; echo "ok 1 - one"; while :; do sleep 1; done'
program input <<<'echo 1..1; if read -r _; then echo not ok 1; else echo "ok 1 - no input"; fi'
program known <<<'echo 1..1; echo "not ok 1 - expected to # TO''DO"'

expect 'tests that pass are counted' 0 '2 passed, 0 failed' 'ok   ' good
expect 'a plan may come last' 0 '1 passed, 0 failed' '' late-plan
expect 'plans add up' 0 '2 passed, 0 failed' '' two-plans
expect 'several programs add up' 0 '3 passed, 0 failed' '' good late-plan
expect 'a failure is reported with its name' 1 '1 passed, 1 failed' 'failed: two is wrong' bad
expect 'a failure is reported with its standard error' 1 '1 passed, 1 failed' '! why' bad
expect 'a crash is a failure' 1 '1 passed, 2 failed' 'killed by signal 11' crash
expect 'a bad status is a failure although all tests passed' 1 '1 passed, 1 failed' 'exited with status 7' status
expect 'a missing plan is a failure' 1 '1 passed, 1 failed' 'no plan' no-plan
expect 'fewer results than planned are a failure' 1 '1 passed, 1 failed' 'planned 3 results, printed 1' short
expect 'more results than planned are a failure' 1 '2 passed, 1 failed' 'planned 1 results, printed 2' long
expect 'no output is a failure' 1 '0 passed, 1 failed' 'no plan' silent
expect 'an empty plan is a failure' 1 '0 passed, 1 failed' 'no result' empty-plan
expect 'a bail-out is a failure' 1 '1 passed, 1 failed' 'Bail out! no disk' bail
expect 'a missing program is a failure' 1 '0 passed, 2 failed' 'status 127' none
expect 'an expected failure is a failure' 1 '0 passed, 1 failed' 'expected to' known
expect 'no test is a failure' 1 '0 passed, 0 failed' ''
expect 'a timeout is a failure' 1 '1 passed, 1 failed' 'timed out after 1 s' -t 1 hangs
expect 'tests have no standard input' 0 '1 passed, 0 failed' '' input
expect 'an unknown option is an error' 2 "tests/run: unknown option '--wrong'; see 'tests/run --help'" '' --wrong x
expect 'an option without a value is an error' 2 "tests/run: option '-j' needs a value" '' good -j

expect 'a skip is reported' 0 '1 passed, 0 failed' 'skipped: two # SKIP no kvm' skips
expect 'only skips are a failure' 1 '0 passed, 0 failed' 'skipped' skips-all
expect "a skip of cmocka is reported" 0 '2 passed, 0 failed' 'skipped: # SKIP three' cmocka-skips good
export AIRBUILD_MUST_WORK=1
expect 'AIRBUILD_MUST_WORK makes a skip a failure' 1 '1 passed, 1 failed' 'failed: two # SKIP' skips
unset AIRBUILD_MUST_WORK
export CI=true
expect 'CI makes a skipped program a failure' 1 '0 passed, 1 failed' 'failed: all of it' skips-all
unset CI

# Two tests that wait for each other pass only in parallel; the third would see them if groups overlapped.
program left <<<'touch l; for _ in {1..300}; do [ -e r ] && break; sleep 0.1; done
    echo 1..1; [ -e r ] && echo ok 1; sleep 0.3; rm -f l'
program right <<<'touch r; for _ in {1..300}; do [ -e l ] && break; sleep 0.1; done
    echo 1..1; [ -e l ] && echo ok 1; sleep 0.3; rm -f r'
program alone <<<'echo 1..1; [ -e l ] || [ -e r ] || echo ok 1'
expect '-j runs tests in parallel, and waits before it changes' 0 '3 passed, 0 failed' '' -j 2 left right -j 1 alone

expect '--with puts a command before the test' 0 '2 passed, 0 failed' 'checked/good' --as checked --with 'env A=b' good
harness good bad --junit junit.xml
check 'the JUnit report is valid XML' xmllint --noout "$work/junit.xml"
check 'the JUnit report counts failures' grep -q 'failures="1"' "$work/junit.xml"
harness good
is 'the TAP is kept' "$("$work/good")" "$(cat "$work"/results/*good.tap)"

# TERM (as CI sends it) ends the tests too, a stubborn one after ten seconds.
(cd "$work" && exec "$root/tests/run" --results "$work/results" stubborn >out 2>&1) &
harness_pid=$!
within 30 test -s "$work/pid"
kill -TERM "$harness_pid"
wait "$harness_pid"
status=$?
pid=$(cat "$work/pid")
# Ended: gone, or a zombie that its new parent has not reaped yet.
[ "$status" = 130 ] && [[ $(tail -n 1 "$work/out") == *' failed' ]] &&
    { [ ! -e "/proc/$pid" ] || grep -q '^State:.*Z' "/proc/$pid/status"; }
tap $? 'an interrupted run leaves no test process behind' "$(<"$work/out")"
tap_end
