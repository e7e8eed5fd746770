# scenarios-time.sh - more of scenarios.sh: clocks that are wrong or set, nodes that are slow, sessions that stay.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034,SC2016 # as in scenarios.sh

# downs: after how many milliseconds each sentinel calls the master down.
downs() {
    local node
    for node in "${workers[@]}"; do
        sentinel "$node" sentinel master redis-primary | sed -n '/^down-after-milliseconds$/{n;p}'
    done
}

downs_are() {
    local seen
    seen=$(downs | xargs)
    echo "$seen"
    [[ $seen == "$1" ]]
}

# short_is_written SECONDS: a key that expires. short_is_read: at both ports.
short_is_written() { [[ $(app 6380 set short 1 ex "$1") == OK ]]; }
short_is_read() { [[ $(app 6380 get short)$(app 6379 get short) == 11 ]]; }

# The clocks: the master's is behind from the start, then all machines stand still for 90 s, then their host is set back.
scenario_clock() {
    export LOOK_ANY_CLOCK=yes # the clock that they follow is not this host's
    cluster_make
    local node
    clock_make head10 "${workers[@]}"
    rtc_start head10 "${workers[@]}"
    clock_write work11 -90000000
    touch "$dir/work11/off.airbuild-clock"
    machine_on head10 "${workers[@]}"
    check "it takes writes" within "$patience" short_is_written 60
    is "a key that expires sooner than the master's clock is behind cannot be read from replicas" "" "$(app 6379 get short)"
    writer_start

    rm "$dir/work11/off.airbuild-clock"
    check "the master's clock is set" within "$patience" clock_is_right work11
    clocks_keep_peace "the master's clock"
    host_shift 90 head10 "${workers[@]}"
    check "all stood still, and all clocks are set" within "$patience" clock_is_right head10 "${workers[@]}"
    clocks_keep_peace "all clocks"
    check "sentinels are told again what they were told" within "$patience" downs_are "1500 2000 2500"

    host_shift -90 head10 "${workers[@]}"
    check "the host was set back, and all clocks are" within "$patience" clock_is_right head10 "${workers[@]}"
    clocks_keep_peace "clocks that go back"
    is "until a clock is where it was, every write is synced" always "$(admin work11 config get appendfsync | tail -n 1)"

    # Killed in the middle of it.
    admin work12 -p 26379 sentinel set redis-primary down-after-milliseconds 100000 >/dev/null
    admin work12 config set repl-timeout 1000 >/dev/null
    unit_kill work12 airbuild-clock KILL
    check "what it left undone is done by its next start" within "$patience" downs_are "1500 2000 2500"
    is "for redis, too" 60 "$(admin work12 config get repl-timeout | tail -n 1)"

    # As with an engine that has no SENTINEL DEBUG.
    admin work13 -p 26379 acl setuser admin '-sentinel|debug' >/dev/null
    host_shift 30 head10 "${workers[@]}"
    check "without SENTINEL DEBUG a clock is set, too" within "$patience" clock_is_right head10 "${workers[@]}"
    clocks_keep_peace "a clock without SENTINEL DEBUG"
    is "where sentinel had to start anew" "2 2 3" \
        "$(for node in "${workers[@]}"; do grep -c 'Sentinel ID is' "$dir/$node/log.sentinel"; done | xargs)"
    writer_stop
    is "no acknowledged write is lost" 0 "$(said lost)"
}

# clocks_keep_peace WHAT: nobody was put out of action by what was done to clocks, and keys that expire can be read.
clocks_keep_peace() {
    check "$1: it is converged" within "$patience" converged
    check "$1: an expiring key is written" within 5 short_is_written 10
    check "$1: and read at both ports" within 5 short_is_read
    is "$1: no sentinel was in TILT" "" "$(grep -h '+tilt' "$dir"/*/log.sentinel)"
    is "$1: none is" "sentinel_tilt:0 sentinel_tilt:0 sentinel_tilt:0" \
        "$(for node in "${workers[@]}"; do sentinel "$node" info sentinel | grep -o 'sentinel_tilt:.'; done | xargs)"
    is "$1: no master was called down" "" "$(grep -h -E '[+](s|o)down master|[+]switch-master' "$dir"/*/log.sentinel)"
    check "$1: the master is who it was" master_is work11
}

# session_open: a client that stays, past all commands; session_id: its number at the server, which differs when the
# head has cut it off and it came back. session_close.
session_open() {
    mkfifo "$dir/in"
    redis-cli -h 172.31.255.10 -p 6380 <"$dir/in" >"$dir/out" 2>&1 &
    session=$!
    exec 7>"$dir/in"
}
session_id() {
    local lines
    lines=$(wc -l <"$dir/out")
    echo 'client id' >&7
    within 20 test "$(wc -l <"$dir/out")" -gt "$lines"
    within 20 session_spoke "$lines"
    tail -n 1 "$dir/out"
}
session_spoke() {
    (($(wc -l <"$dir/out") > $1))
}
session_close() {
    exec 7>&-
    wait "$session"
}

# Slow is not gone: machines that stand still for a while, a slow network, a haproxy that stands still. No
# client is cut off, no master replaced. The sentinels are patient here: what they make of it is not what is tried.
scenario_slow() {
    up down_after_ms=8000
    local session id
    session_open
    id=$(session_id)
    check "a session is there" test "$id" -gt 0
    machine_pause work11
    sleep 3
    machine_resume work11
    is "a master that stood still for 3 s keeps its clients" "$id" "$(session_id)"
    stand_still work11 redis 4
    is "and one whose redis did for 4 s" "$id" "$(session_id)"
    for node in "${workers[@]}"; do on "$node" bash -c 'kill -STOP $(cat /run/sentinel.pid)'; done
    sleep 3
    for node in "${workers[@]}"; do on "$node" bash -c 'kill -CONT $(cat /run/sentinel.pid)'; done
    is "when all sentinels stand still for 3 s nobody is cut off" "$id" "$(session_id)"
    on head10 bash -c 'pkill -STOP -P $(cat /run/haproxy.pid); sleep 2; pkill -CONT -P $(cat /run/haproxy.pid)'
    is "nor when haproxy does for 2 s" "$id" "$(session_id)"
    for node in "${workers[@]}"; do tc qdisc add dev "$node" root netem delay 700ms; done
    sleep 6
    is "nor when every packet to the workers takes 700 ms" "$id" "$(session_id)"
    for node in "${workers[@]}"; do tc qdisc del dev "$node" root; done
    check "it is converged" within "$patience" converged
    check "and the same is master" master_is work11
    is "nobody was ever to replace it" 0 "$(cat "$dir"/*/log.sentinel | grep -c ' +try-failover ')"
    # What is gone is noticed all the same.
    touch "$dir/work11/off.redis"
    unit_kill work11 redis KILL
    check "a master that is gone is replaced" within "$patience" master_is_not work11
    rm "$dir/work11/off.redis"
    back
    session_close
}

# stand_still NODE UNIT SECONDS: its process does, and goes on.
stand_still() {
    on "$1" bash -c "kill -STOP \$(cat /run/$2.pid); sleep $3; kill -CONT \$(cat /run/$2.pid)"
}

hears_of_downs() { admin "$1" -p 26379 client list | grep -q cmd=psubscribe; }

slow_is_noticed() {
    stand_still work13 redis 3.5
    within 6 downs_are "3000 4000 5000"
}

# A replica that was slow, and not gone, makes the sentinels patient for a minute: a master that is as slow is not replaced.
scenario_patience() {
    export LOOK_ANY_CLOCK=yes # as in scenario_clock
    local node
    cluster_make
    clock_make head10 "${workers[@]}"
    rtc_start head10 "${workers[@]}"
    machine_on head10 "${workers[@]}"
    check "it converges" within "$patience" converged
    writer_start
    for node in "${workers[@]}"; do check "$node hears of who is down" within "$patience" hears_of_downs "$node"; done
    check "who took the slow one for down waits longer" within 60 slow_is_noticed
    stand_still work11 redis 2.7
    sleep 2
    is "a master that is as slow is not replaced" 0 "$(cat "$dir"/*/log.sentinel | grep -c ' +try-failover ')"
    host_shift 90 head10 "${workers[@]}"
    check "all clocks are set by 90 s" within "$patience" clock_is_right head10 "${workers[@]}"
    sleep 3
    is "and they wait as long as before it: that was no minute" "3000 4000 5000" "$(downs | xargs)"
    check "after a minute they wait as before" within 90 downs_are "1500 2000 2500"
    touch "$dir/work11/off.redis"
    unit_kill work11 redis KILL
    check "a master that is gone is replaced" within "$patience" master_is_not work11
    rm "$dir/work11/off.redis"
    back
    unit_kill work12 sentinel KILL
    sleep 8
    is "who comes back from the dead was not slow" "1500 2000 2500" "$(downs | xargs)"
}

# All processors are busy: nobody is cut off, no master replaced. Run it by its name, alone: it would disturb the others.
scenario_busy-host() {
    up
    local session id
    session_open
    id=$(session_id)
    check "a session is there" test "$id" -gt 0
    hog 15
    wait "${hogs[@]}"
    is "it is there when all processors were busy" "$id" "$(session_id)"
    check "and the same is master" master_is work11
    is "nobody was to replace it" 0 "$(cat "$dir"/*/log.sentinel | grep -c ' +try-failover ')"
    back
    session_close
}

# The head alone is cut off from all workers: it sends nobody anywhere when their silence has lasted.
scenario_deaf-head() {
    up min_replicas=0
    link_cut head10
    sleep 8
    # Its own machine asks it: the client's way there is cut, too.
    check_not "a head that hears no sentinel serves no writes" \
        on head10 timeout 2 redis-cli -h 172.31.255.10 -p 6380 set nobody 1
    link_mend head10
    back
}
