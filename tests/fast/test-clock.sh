#!/bin/bash
# test-clock.sh - keep-clock on a head, which runs no redis: it corrects a clock that is behind or ahead, by a step or
# slowly, ignores an invalid RTC, and leaves a clock source that runs fast. Clock and RTC are the test's own (lib.sh).
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

# A date(1) that counts how often the clock is set.
mkdir "$dir/bin"
cat >"$dir/bin/date" <<END
#!/bin/sh
echo "\$*" >>$dir/sets
exec $(command -v date) "\$@"
END
chmod +x "$dir/bin/date"

# keep_start, keep_stop: run keep-clock with that clock.
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
sources=$dir/head10/sys/devices/system/clocksource/clocksource0
mkdir -p "$sources"
echo tsc >"$sources/current_clocksource"
echo 'tsc hpet acpi_pm' >"$sources/available_clocksource"
clock_write head10 500000
rtc_start head10
keep_start
sleep 4
check "keep-clock does not set a correct clock" test "$(sets)" = 0

host_shift 90 head10
check "keep-clock sets a clock that is 90 s behind" within "$patience" clock_is_right head10
is "keep-clock sets it in one step" 1 "$(sets)"
check "keep-clock sets it to the middle of the RTC's second" is_within 200 800
like "keep-clock logs the step on the console" "^airbuild: head10: clock set by \+(89|90)\.[0-9]{2} s" "$(<"$dir/head10/console")"

: >"$dir/sets"
host_shift -3600 head10
check "keep-clock sets back a clock that is an hour ahead" within "$patience" clock_is_right head10
is "keep-clock sets it back in one step" 1 "$(sets)"
is "a clock that is ahead once keeps its source" tsc "$(<"$sources/current_clocksource")"
clock_write head10 14000000
check "keep-clock sets back a clock that is ahead again within a minute" within "$patience" clock_is_right head10
is "a clock that is ahead again within a minute gets another source" hpet "$(<"$sources/current_clocksource")"
like "keep-clock logs the new source on the console" \
    "airbuild: head10: the clock runs fast: its source is hpet in place of tsc" "$(<"$dir/head10/console")"

# While it is slowed, no step is so large that a timer of 50 ms would see the clock go back.
: >"$dir/sets"
clock_write head10 1200000
check "keep-clock slows a clock that is ahead by part of a second" within "$patience" is_within 300 760
check "keep-clock slows it in many steps" test "$(sets)" -ge 10
is "no step of a slowed clock is larger than 20 ms" "-u -s -0.020000 seconds" "$(sort -u "$dir/sets")"

: >"$dir/sets"
clock_write head10 1400000
check "keep-clock has begun to slow the clock" within "$patience" test -s "$dir/sets"
host_shift 20 head10
check "keep-clock sets the clock at once when the machine was paused meanwhile" within "$patience" clock_is_right head10
clock_write head10 500000

: >"$dir/sets"
for text in '' 'x' '-5' '0' '99999999999999999999' '17 89'; do
    echo "$text" >"$rtc.new"
    mv "$rtc.new" "$rtc" # rtc_start goes on with the new file
    sleep 0.3
done
check "keep-clock survives an invalid RTC" keep_runs
check "keep-clock does not use an invalid RTC" test "$(sets)" = 0
rm "$rtc"
sleep 1.5
check "keep-clock survives a missing RTC" keep_runs
within 5 test -e "$rtc" # rtc_start creates it again
host_shift 30 head10
check "keep-clock uses the RTC again when it returns" within "$patience" clock_is_right head10
keep_stop

tap_end
