#!/bin/bash
# test-clients.sh - unmodified redis clients on a cluster with the generated configurations: their commands through the
# head, many connections, long connections, a failover. They use the variables of `airbuild env` and the README's examples.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2119 # inside.sh sets dir; cluster_make's arguments are optional
set -u
. "$(dirname "$0")/inside.sh"
. "$(dirname "$0")/../assert.sh"
. "$(dirname "$0")/lib.sh"
export AIRBUILD_HOME=$dir/home scratch=$dir
. "$top/tests/cli/pretend.sh"
unset AIRBUILD_STATE

airbuild=${AIRBUILD:-$top/build/airbuild}
head=172.31.255.10
ways=(ioredis-head ioredis-sentinel node-redis-head node-redis-sentinel)

# cli PORT ARGUMENT...: redis-cli through the head, with nothing but the password.
cli() {
    timeout 20 redis-cli -h $head -p "$@" 2>&1
}

# stranger PORT ARGUMENT...: without the password.
stranger() {
    (unset REDISCLI_AUTH && cli "$@")
}

# pass_on: print the results 'ok NAME' and 'not NAME: FOUND' of a program as ours.
pass_on() {
    local verdict what
    while read -r verdict what; do
        [[ $verdict == ok ]]
        tap $? "$what"
    done
}

# ---- one program at a time --------------------------------------------------------------------------------------------

password_alone() {
    is "AUTH works with a password alone" "OK PONG " "$(printf 'AUTH %s\nPING\n' "$REDISCLI_AUTH" | stranger 6380 | tr '\n' ' ')"
    is "clients without a password are refused" "NOAUTH Authentication required." "$(stranger 6380 get a)"
    like "HELLO switches to RESP3" '"proto" => \(integer\) 3' "$(cli 6380 -3 --no-raw hello 3)"
    is "RESP3 has its own types" "$(printf '1# "a" => (double) 1.5\n')" "$(cli 6380 -3 --no-raw eval \
        'redis.setresp(3); return {map={a={double=1.5}}}' 0)"
}

benchmarks() {
    local seen
    seen=$(timeout 100 redis-benchmark -h $head -p 6380 -a "$REDISCLI_AUTH" -q -n 10000 -c 50 -P 16 2>&1 | tr '\r' '\n')
    is "redis-benchmark runs every kind of command at 6380" 20 "$(grep -c 'requests per second, p50=' <<<"$seen")"
    # Only the administrator may run CONFIG; redis-benchmark just prints it.
    is "redis-benchmark reports no error" "WARNING: Could not fetch server CONFIG" "$(grep -i -e error -e warn <<<"$seen")"
    cli 6380 rpush mylist a b c >/dev/null
    within 5 read_list
    for seen in "-t ping_inline,ping_mbulk,get" "mget a b c" "lrange mylist 0 99" "exists a" "hgetall h" "zrange z 0 -1"; do
        # shellcheck disable=SC2086 # words of a command
        like "redis-benchmark: $seen, to 6379" "requests per second, p50=[^!]*!0" "$(
            timeout 100 redis-benchmark -h $head -p 6379 -a "$REDISCLI_AUTH" -q -e -n 10000 -c 50 -P 16 $seen 2>&1 |
                tr '\r' '\n'
        )!$?"
    done
    is "redis-cli writes 10000 keys in a pipeline" "errors: 0, replies: 10000" \
        "$(for ((i = 0; i < 10000; i++)); do echo "SET p:$i $i"; done | cli 6380 --pipe | tail -n 1)"
}
read_list() { [[ $(cli 6379 llen mylist) -ge 3 ]]; }

# ---- many at once -----------------------------------------------------------------------------------------------------

# crowd NAME PORT COUNT: open that many connections, until crowd_end NAME. crowd_ask NAME: ping each again.
declare -A crowd_pid=() crowd_in=()
crowd() {
    local fd
    mkfifo "$dir/$1.in"
    node "$dir/crowd.mjs" "$head:$2" "$3" <"$dir/$1.in" >>"$dir/$1.out" 2>&1 &
    crowd_pid[$1]=$!
    exec {fd}>"$dir/$1.in"
    crowd_in[$1]=$fd
    within 40 test -s "$dir/$1.out"
}
crowd_ask() {
    : >"$dir/$1.out"
    echo >&"${crowd_in[$1]}"
    within 20 test -s "$dir/$1.out"
    cat "$dir/$1.out"
}
crowd_end() {
    local fd=${crowd_in[$1]}
    exec {fd}>&-
    wait "${crowd_pid[$1]}"
}

crowds() {
    ulimit -n 20000
    is "each redis accepts more connections than the head" 10000 "$(effective maxclients)"
    crowd writing 6380 5000
    is "6380 holds 5000 connections at once" "answered 5000 ended 0 silent 0" "$(cat "$dir/writing.out")"
    crowd reading 6379 2900
    is "6379 holds 2900 more" "answered 2900 ended 0 silent 0" "$(cat "$dir/reading.out")"
    crowd late 6380 200
    like "connections over the limit are served or closed at once" "^answered (9[0-9]|100) ended [0-9]+ silent 0$" "$(cat "$dir/late.out")"
    sleep 3 # several rounds of haproxy's checks
    is "the other writers stay connected" "answered 5000 ended 0 silent 0" "$(crowd_ask writing)"
    is "the readers stay connected" "answered 2900 ended 0 silent 0" "$(crowd_ask reading)"
    crowd_end late
    crowd_end reading
    crowd_end writing
    check "new connections are accepted again" within 10 test "$(cli 6380 ping)" = PONG
}

# ---- how long ---------------------------------------------------------------------------------------------------------

# effective KEY: print a setting of a worker's redis.
effective() { admin work11 config get "$1" | tail -n 1; }

# milliseconds: convert haproxy's timeout on standard input.
milliseconds() {
    awk '{ n = $0 + 0; unit = $0; sub(/[0-9]+/, "", unit)
        print n * (unit == "d" ? 86400000 : unit == "h" ? 3600000 : unit == "m" ? 60000 : unit == "s" ? 1000 : 1) }'
}

# hours_begin: start a second haproxy with the same configuration, where an hour is three seconds, with idle and waiting
# clients.
hours_begin() {
    local conf=$dir/head10/var/lib/airbuild/haproxy/haproxy.cfg side value scale=()
    for side in client server; do
        value=$(sed -n "/^defaults/,/^\$/s/^ *timeout $side //p" "$conf" | milliseconds)
        check "haproxy waits for an idle $side longer than an hour" test "$value" -gt 3600000
        scale+=(-e "/^defaults/,/^\$/s/timeout $side .*/timeout $side $((value / 1200))ms/")
    done
    is "redis closes no idle connection" 0 "$(effective timeout)"
    check "redis uses TCP keepalive" test "$(effective tcp-keepalive)" -gt 0
    sed "${scale[@]}" -e '/^ *bind /s/:6/:16/; /^ *stats /s/stats\./scaled./; s/127\.0\.0\.1:20/127.0.0.1:21/; s/port 20/port 21/' \
        "$conf" >"$dir/scaled.cfg"
    on head10 haproxy -db -C "${conf%/*}" -f "$dir/scaled.cfg" >"$dir/scaled.log" 2>&1 &
    scaled=$!
    check "the second haproxy serves" within 20 pong 16380
    (printf 'set idle before\r\n' && sleep 4 && printf 'append idle +after\r\nget idle\r\nquit\r\n') |
        idle 16380 >"$dir/idle" &
    idle_pid=$!
    timeout 90 redis-cli -h $head -p 16380 blpop waits 0 >"$dir/waits" 2>&1 &
    waits_pid=$!
    timeout 90 redis-cli -h $head -p 16379 subscribe silence >"$dir/silence" 2>&1 &
    silence_pid=$!
}
pong() { [[ $(cli "$1" ping) == PONG ]]; }

# idle PORT: a connection that sends standard input and prints the answers.
idle() {
    exec 9<>"/dev/tcp/$head/$1"
    printf 'auth %s\r\n' "$REDISCLI_AUTH" >&9
    cat >&9 &
    timeout 20 cat <&9
}

hours_end() {
    wait "$idle_pid"
    like "a connection works after an idle hour" 'before\+after' "$(cat "$dir/idle")"
    cli 16380 rpush waits job >/dev/null
    wait "$waits_pid"
    is "BLPOP waits longer than an hour" "waits job " "$(tr '\n' ' ' <"$dir/waits")"
    cli 16380 publish silence broken >/dev/null
    check "a subscription lasts longer than an hour" within 5 grep -q broken "$dir/silence"
    kill "$silence_pid" "$scaled"
    wait "$silence_pid" "$scaled" 2>/dev/null
}

# TCP keepalive finds peers that vanished, on both sides of haproxy.
vanished() {
    timeout 20 redis-cli -h $head -p 6380 blpop never 5 >/dev/null 2>&1 &
    check "haproxy uses TCP keepalive to clients" within 5 keeps_alive sport 6380
    check "haproxy uses TCP keepalive to servers" within 5 keeps_alive dport 6379
    kill $!
}
keeps_alive() { on head10 ss -tno state established "( $1 = :$2 )" | grep -q 'keepalive,[0-9]*sec'; }

# ---- a failover -------------------------------------------------------------------------------------------------------

# example NAME: print the code below that mark in the README.
example() {
    awk -v mark="<!-- example: $1 -->" '$0 == mark { found = 1 } /^```$/ { inside = 0; if (found) exit }
        found && inside { print } found && /^```js$/ { inside = 1 }' "$top/README.md"
}

# printed_by_all TEXT: succeeds if each writer has printed it.
printed_by_all() {
    local way
    for way in "${ways[@]}"; do grep -q "^$way $1" "$dir/$way.out" || return; done
}

writers_begin() {
    local way
    for way in "${ways[@]}"; do
        {
            example "$way"
            printf "import { go } from './writer.mjs'\nawait go('%s', client)\n" "$way"
        } >"$dir/$way.mjs"
        node "$dir/$way.mjs" >>"$dir/$way.out" 2>"$dir/$way.err" &
        writer_of[$way]=$!
    done
}

declare -A writer_of=()
failover() {
    local way lost
    check "clients of the README's examples write" within 20 printed_by_all writes
    look
    lost=$leader
    machine_off "$lost"
    check "another master is elected" within 60 master_is_not "$lost"
    kill -USR2 "${writer_of[@]}"
    for way in "${ways[@]}"; do
        check "$way continues after the failover" within 60 grep -q "^$way goes on" "$dir/$way.out"
    done
    machine_on "$lost"
    check "the cluster converges with the old master" within 60 converged
    for way in "${ways[@]}"; do : >"$dir/$way.out"; done
    kill -USR2 "${writer_of[@]}"
    check "all clients continue" within 20 printed_by_all "goes on"
    kill -TERM "${writer_of[@]}"
    for way in "${ways[@]}"; do
        within 20 grep -q acknowledged "$dir/$way.out"
        like "$way lost no acknowledged write" "acknowledged [0-9]{2,} lost 0 " "$(tail -n 1 "$dir/$way.out" "$dir/$way.err")"
        echo "# $(tail -n 1 "$dir/$way.out")"
    done
}

check "the npm clients are there ('make clients' brings them)" test -d "$top/build/clients/node_modules/ioredis"
ln -s "$top/build/clients/node_modules" "$dir/node_modules"
cp "$top"/tests/clients/*.mjs "$dir"
pretend_launched air
eval "$("$airbuild" env)"
cluster_make
machine_on head10 "${workers[@]}"
check "the cluster converges" within 60 converged
hours_begin
password_alone
benchmarks
pass_on < <(node "$dir/habits.mjs" 2>&1)
vanished
hours_end
crowds
writers_begin
failover
tap_end
