#!/bin/bash
# test-clock.sh - keep-clock alone, on a head, which has no server to be told: a clock that is behind or ahead is mended, in
# the way it should be, and an RTC that makes no sense sets nothing. Clock and RTC are the test's own (lib.sh).
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/fast/inside.sh
. "$(dirname "$0")/inside.sh"
set -u
# shellcheck source=tests/assert.sh
. "$(dirname "$0")/../assert.sh"
# shellcheck source=tests/fast/lib.sh
. "$(dirname "$0")/lib.sh"
rtc=$dir/head10/sys/class/rtc/rtc0/since_epoch
patience=30

# date counts how often the clock is set.
mkdir "$dir/bin"
cat >"$dir/bin/date" <<END
#!/bin/sh
echo "\$*" >>$dir/sets
exec $(command -v date) "\$@"
END
chmod +x "$dir/bin/date"

# keep_start, keep_stop: keep-clock with that clock.
keep_start() {
    : >"$dir/sets"
    PATH=$dir/bin:$PATH LD_PRELOAD=$dir/head10/clock.so AIRBUILD_TEST_CLOCK=$dir/head10/clock \
        AIRBUILD_ROOT=$dir/head10 AIRBUILD_CONSOLE=$dir/head10/console \
        bash "$dir/head10/usr/lib/airbuild/keep-clock" >"$dir/log" 2>&1 &
    keeper=$!
}
keep_stop() {
    kill "$keeper"
    wait "$keeper" 2>/dev/null
}
keep_runs() { kill -0 "$keeper" 2>/dev/null; }
sets() { grep -c . "$dir/sets"; }
is_within() {
    local ahead
    ahead=$(clock_read head10)
    ((ahead > $1 * 1000 && ahead < $2 * 1000))
}

machine_make head10
clock_make head10
clock_write head10 500000
rtc_start head10
keep_start
sleep 4
check "a clock that is right is left alone" test "$(sets)" = 0

host_shift 90 head10
check "one that is 90 s behind is set" within "$patience" clock_is_right head10
is "by one step" 1 "$(sets)"
check "into the middle of what the RTC allows" is_within 200 800
like "which is said on the console" "^airbuild: head10: clock set by \+(89|90)\.[0-9]{2} s" "$(<"$dir/head10/console")"

: >"$dir/sets"
host_shift -3600 head10
check "one that is an hour ahead is set back" within "$patience" clock_is_right head10
is "by one step, too" 1 "$(sets)"

# While it creeps, no step is such that a timer of 50 ms would see the clock go back.
: >"$dir/sets"
clock_write head10 1200000
check "one that is ahead by part of a second creeps back" within "$patience" is_within 300 760
check "in many steps" test "$(sets)" -ge 10
is "of which none is larger than 20 ms" "-u -s -0.020000 seconds" "$(sort -u "$dir/sets")"

: >"$dir/sets"
clock_write head10 1400000
check "when the machine stands still while it creeps" within "$patience" test -s "$dir/sets"
host_shift 20 head10
check "that is seen at once" within "$patience" clock_is_right head10
clock_write head10 500000

: >"$dir/sets"
for text in '' 'x' '-5' '0' '99999999999999999999' '17 89'; do
    echo "$text" >"$rtc.new"
    mv "$rtc.new" "$rtc" # what makes the time pass goes on with the new one
    sleep 0.3
done
check "it outlives an RTC that makes no sense" keep_runs
check "and sets nothing by it" test "$(sets)" = 0
rm "$rtc"
sleep 1.5
check "nor is it ended by one that is gone" keep_runs
within 5 test -e "$rtc" # rtc_start makes it again
host_shift 30 head10
check "which it follows again when it is back" within "$patience" clock_is_right head10
keep_stop

tap_end
