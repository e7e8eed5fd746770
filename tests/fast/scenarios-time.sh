# scenarios-time.sh - failures of time, see scenarios.sh: wrong clocks, slow nodes, long sessions.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034,SC2016 # as in scenarios.sh

# downs: print down-after-milliseconds of each sentinel.
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

lag_allowed() { admin "$1" config get min-replicas-max-lag | tail -n 1; }

# short_is_written SECONDS: write a key that expires. short_is_read: read it at both ports.
short_is_written() { [[ $(app 6380 set short 1 ex "$1") == OK ]]; }
short_is_read() { [[ $(app 6380 get short)$(app 6379 get short) == 11 ]]; }

# The master's clock is behind from the start; then all machines are paused for 90 s; then the host's clock is set back.
scenario_clock() {
    export LOOK_ANY_CLOCK=yes # their clocks do not follow this host's
    cluster_make
    local node
    clock_make head10 "${workers[@]}"
    rtc_start head10 "${workers[@]}"
    clock_write work11 -90000000
    touch "$dir/work11/off.airbuild-clock"
    machine_on head10 "${workers[@]}"
    eventually "the cluster accepts writes" short_is_written 60
    is "replicas do not serve a key that expires sooner than the master's clock is behind" "" "$(app 6379 get short)"
    writer_start

    rm "$dir/work11/off.airbuild-clock"
    eventually "the master's clock is corrected" clock_is_right work11
    clocks_do_no_harm "the master's clock"
    host_shift 90 head10 "${workers[@]}"
    eventually "all clocks are corrected after a pause of all machines" clock_is_right head10 "${workers[@]}"
    clocks_do_no_harm "all clocks"
    eventually "sentinels have their down-after-milliseconds again" downs_are "1500 2000 2500"

    host_shift -90 head10 "${workers[@]}"
    eventually "all clocks are set back after the host's was" clock_is_right head10 "${workers[@]}"
    clocks_do_no_harm "clocks that go back"
    is "every write is synced until a clock is where it was" always "$(admin work11 config get appendfsync | tail -n 1)"

    # keep-clock is killed while it sets a clock.
    admin work12 -p 26379 sentinel set redis-primary down-after-milliseconds 100000 >/dev/null
    admin work12 config set repl-timeout 1000 >/dev/null
    unit_kill work12 airbuild-clock KILL
    eventually "keep-clock restores the sentinel's settings when it starts again" downs_are "1500 2000 2500"
    is "keep-clock restores the settings of redis" 60 "$(admin work12 config get repl-timeout | tail -n 1)"

    # Like an engine without SENTINEL DEBUG.
    admin work13 -p 26379 acl setuser admin '-sentinel|debug' >/dev/null
    host_shift 30 head10 "${workers[@]}"
    eventually "clocks are corrected without SENTINEL DEBUG" clock_is_right head10 "${workers[@]}"
    clocks_do_no_harm "a clock without SENTINEL DEBUG"
    is "sentinel was restarted only where SENTINEL DEBUG is missing" "2 2 3" \
        "$(for node in "${workers[@]}"; do grep -c 'Sentinel ID is' "$dir/$node/log.sentinel"; done | xargs)"
    writer_stop
    is "no acknowledged write is lost" 0 "$(reported lost)"
}

# clocks_do_no_harm WHAT: the clocks that were set caused no failure, and keys that expire can be read.
clocks_do_no_harm() {
    eventually "$1: the cluster converges" converged
    check "$1: an expiring key is written" within 5 short_is_written 10
    check "$1: the key is read at both ports" within 5 short_is_read
    is "$1: no sentinel has entered TILT" "" "$(grep -h '+tilt' "$dir"/*/log.sentinel)"
    is "$1: no sentinel is in TILT" "sentinel_tilt:0 sentinel_tilt:0 sentinel_tilt:0" \
        "$(for node in "${workers[@]}"; do sentinel "$node" info sentinel | grep -o 'sentinel_tilt:.'; done | xargs)"
    is "$1: no master was reported down" "" "$(grep -h -E '[+](s|o)down master|[+]switch-master' "$dir"/*/log.sentinel)"
    check "$1: the master is the same" master_is work11
}

# session_open: connect a client; session_close ends it. session_id: print its number at the server, which changes if the
# head closes the connection and the client reconnects.
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
    within 20 session_answered "$lines"
    tail -n 1 "$dir/out"
}
session_answered() {
    (($(wc -l <"$dir/out") > $1))
}
session_close() {
    exec 7>&-
    wait "$session"
}

# Slow is not failed: machines are paused for a while, the network is slow, haproxy is paused. No client is disconnected
# and no master replaced. The sentinels' limit is long here, as they are not what is tested.
scenario_slow() {
    up down_after_ms=8000
    local session id
    session_open
    id=$(session_id)
    check "a session is open" test "$id" -gt 0
    machine_pause work11
    sleep 3
    machine_resume work11
    is "a master that was paused for 3 s keeps its clients" "$id" "$(session_id)"
    unit_pause work11 redis 4
    is "a master whose redis was paused for 4 s keeps its clients" "$id" "$(session_id)"
    for node in "${workers[@]}"; do on "$node" bash -c 'kill -STOP $(cat /run/sentinel.pid)'; done
    sleep 3
    for node in "${workers[@]}"; do on "$node" bash -c 'kill -CONT $(cat /run/sentinel.pid)'; done
    is "clients stay connected when all sentinels are paused for 3 s" "$id" "$(session_id)"
    on head10 bash -c 'pkill -STOP -P $(cat /run/haproxy.pid); sleep 2; pkill -CONT -P $(cat /run/haproxy.pid)'
    is "clients stay connected when haproxy is paused for 2 s" "$id" "$(session_id)"
    for node in "${workers[@]}"; do tc qdisc add dev "$node" root netem delay 700ms; done
    sleep 6
    is "clients stay connected when packets to the workers take 700 ms" "$id" "$(session_id)"
    for node in "${workers[@]}"; do tc qdisc del dev "$node" root; done
    eventually "the cluster converges" converged
    check "the master is the same" master_is work11
    is "no failover was tried" 0 "$(cat "$dir"/*/log.sentinel | grep -c ' +try-failover ')"
    # A failure is still noticed.
    unit_stop work11 redis KILL
    eventually "a failed master is replaced" master_is_not work11
    unit_allow work11 redis
    back
    session_close
}

# unit_pause NODE UNIT SECONDS: stop its process that long.
unit_pause() {
    on "$1" bash -c "kill -STOP \$(cat /run/$2.pid); sleep $3; kill -CONT \$(cat /run/$2.pid)"
}

# tilt_triggers: print that of each sentinel, in milliseconds.
tilt_triggers() {
    for node in "${workers[@]}"; do
        admin "$node" -p 26379 sentinel debug | sed -n '/^tilt-trigger$/I{n;p}'
    done | xargs
}

hears_of_failures() { admin "$1" -p 26379 client list | grep -q cmd=psubscribe; }

slow_is_noticed() {
    unit_pause work13 redis 3.5
    within 6 downs_are "3000 4000 5000"
}

# After a replica was slow, but not down, sentinels wait longer for a minute: a master that is as slow is not replaced.
scenario_patience() {
    export LOOK_ANY_CLOCK=yes # as in scenario_clock
    local node
    cluster_make
    clock_make head10 "${workers[@]}"
    rtc_start head10 "${workers[@]}"
    machine_on head10 "${workers[@]}"
    eventually "it converges" converged
    writer_start
    for node in "${workers[@]}"; do eventually "$node subscribes to reports of failures" hears_of_failures "$node"; done
    check "sentinels that took a slow node for down wait longer" within 60 slow_is_noticed
    unit_pause work11 redis 2.7
    sleep 2
    is "a master that is as slow is not replaced" 0 "$(cat "$dir"/*/log.sentinel | grep -c ' +try-failover ')"
    touch "$dir/work13/run/airbuild-clock/freezes"
    check "a node notices that it will be frozen" within 5 test ! -e "$dir/work13/run/airbuild-clock/freezes"
    is "its redis takes no replica for late then" 1000000000 "$(lag_allowed work13)"
    unit_pause work13 sentinel 4
    host_shift 90 head10 "${workers[@]}"
    eventually "all clocks are set forward by 90 s" clock_is_right head10 "${workers[@]}"
    sleep 3
    unit_pause work12 sentinel 4
    is "no sentinel that stood still around a freeze has entered TILT" "" "$(grep -h '+tilt' "$dir"/*/log.sentinel)"
    is "its redis does so again when its clock was set" 2 "$(lag_allowed work13)"
    is "setting the clock does not shorten the wait" "3000 4000 5000" "$(downs | xargs)"
    check "the wait is as before after a minute" within 90 downs_are "1500 2000 2500"
    is "and what sentinels tolerate, too" "2000 2000 2000" "$(tilt_triggers)"
    unit_stop work11 redis KILL
    eventually "a failed master is replaced" master_is_not work11
    unit_allow work11 redis
    back
    unit_kill work12 sentinel KILL
    sleep 8
    is "a restarted sentinel does not count as slow" "1500 2000 2500" "$(downs | xargs)"
    touch "$dir/work12/run/airbuild-clock/freezes"
    within 5 test ! -e "$dir/work12/run/airbuild-clock/freezes"
    check "a sentinel takes no node for down around a freeze" test "$(downs | sed -n 2p)" -gt 1000000000000
    unit_kill work12 sentinel KILL
    check "one that is killed then starts again, as before" within 10 downs_are "1500 2000 2500"
}

# All processors are busy: no client is disconnected, no master replaced. Run it alone, by its name: it disturbs others.
scenario_busy-host() {
    up
    local session id
    session_open
    id=$(session_id)
    check "a session is open" test "$id" -gt 0
    hog 15
    wait "${hogs[@]}"
    is "the session survives busy processors" "$id" "$(session_id)"
    check "the master is the same" master_is work11
    is "no failover was tried" 0 "$(cat "$dir"/*/log.sentinel | grep -c ' +try-failover ')"
    back
    session_close
}

# The head is cut off from all workers: after a while it sends no client to any of them.
scenario_deaf-head() {
    up min_replicas=0
    link_down head10
    sleep 8
    # Asked from its own machine, as the client is cut off from it too.
    check_not "a head that reaches no sentinel serves no writes" \
        on head10 timeout 2 redis-cli -h 172.31.255.10 -p 6380 set nobody 1
    link_up head10
    back
}

# acknowledge: write numbers through the head for as long as the password is accepted; prints the last one acknowledged.
acknowledge() {
    local number=0 reply=
    while [[ $reply != *WRONGPASS* && ! -e $dir/enough ]]; do
        reply=$(app 6380 set "ack:$((number + 1))" yes)
        [[ $reply != OK ]] || number=$((number + 1))
    done
    echo "$number"
}

# secrets_taken NODE...: they have reported that they use the seed's secrets.
secrets_taken() {
    local node
    for node; do
        grep -q "^airbuild: $node: the secrets are those of the seed" "$dir/$node/console" || return
    done
}

# password_refused ADDRESS PORT USER PASSWORD: whether that server refuses the login.
password_refused() {
    REDISCLI_AUTH=$4 timeout 2 redis-cli --no-auth-warning --user "$3" -h "$1" -p "$2" ping 2>&1 | grep -q WRONGPASS
}

# sentinels_log_in_again: close their connections, on the servers that accept the administrator's password.
sentinels_log_in_again() {
    local node port
    for node in "${workers[@]}"; do
        for port in 6379 26379; do admin "$node" -p "$port" client kill user sentinel >/dev/null; done
    done
}

# A cluster is thawed with another seed in each node's drive: the nodes change their secrets while they run, without an
# election. Then it boots with a third one, as after a launch that was cut short.
scenario_new-secrets() {
    export LOOK_ANY_CLOCK=yes # as in scenario_clock
    local node id port user last old_app=$REDISCLI_AUTH old_admin=$admin_auth
    cluster_make
    clock_make head10 "${workers[@]}"
    rtc_start head10 "${workers[@]}"
    for node in head10 "${workers[@]}"; do
        reseed "$node"
        mkdir -p "$dir/$node/home/air/.ssh" "$dir/$node/etc/ssh"
        printf '%s\n' 'ssh-ed25519 AAAAown me@home' 'ssh-ed25519 AAAAclient airbuild@air' >"$dir/$node/home/air/.ssh/authorized_keys"
    done
    machine_on head10 "${workers[@]}"
    eventually "it converges" converged
    eventually "all nodes are full members" test ! -e "$dir/work13/var/lib/airbuild/redis/unsettled"
    id=$(redis work11 info server | run_id)

    host_shift 90 head10 "${workers[@]}"
    eventually "all clocks are corrected" clock_is_right head10 "${workers[@]}"
    sleep 1
    is "nodes whose seed is the same keep their secrets" "" "$(grep -h 'the secrets are' "$dir"/*/console)"

    for node in head10 "${workers[@]}"; do reseed "$node" secrets=other; done
    acknowledge >"$dir/acknowledged" &
    sleep 1
    # One is slow, and meanwhile all sentinels have to log in again.
    sed -i "s|^old_admin=|until [ -e $dir/slow ]; do sleep 0.2; done\n&|" "$dir/work13/usr/lib/airbuild/after-thaw"
    host_shift 90 head10 "${workers[@]}"
    sleep 5
    sentinels_log_in_again
    other_secrets
    sentinels_log_in_again
    other_secrets
    check_not "a slow node has not changed yet" secrets_taken work13
    touch "$dir/slow"
    eventually "all nodes take the secrets of their seeds" secrets_taken head10 "${workers[@]}"
    sleep 1
    touch "$dir/enough"
    other_secrets
    eventually "it converges with the new secrets" converged
    last=$(<"$dir/acknowledged")
    check "writes were acknowledged until then" test "$last" -gt 0
    is "none of them is lost" "$last" "$(app 6380 --scan --pattern 'ack:*' | sort -u | wc -l)"
    is "the master is the same process" "$id" "$(redis work11 info server | run_id)"
    is "no sentinel took a node for down or tried a failover" "" \
        "$(grep -h -E '[+](s|o)down (master|slave)|[+]try-failover|[+]tilt' "$dir"/*/log.sentinel)"
    for port in 6379 6380; do
        check "the head refuses the old password at $port" password_refused 172.31.255.10 "$port" default "$old_app"
    done
    for node in "${workers[@]}"; do
        for port in 6379 26379; do
            check "$node refuses the old password of the administrator at $port" \
                password_refused "$(address "$node")" "$port" admin "$old_admin"
            for user in App:default Sentinel:sentinel Check:check Status:status; do
                check "$node refuses the old password of ${user#*:} at $port" password_refused "$(address "$node")" \
                    "$port" "${user#*:}" "$(printf "%.0s${user%:*}" {1..16} | head -c 32)"
            done
        done
    done
    is "the key of the login is another, that of a person stays" \
        $'ssh-ed25519 AAAAown me@home\nssh-ed25519 AAAAother airbuild@air' "$(<"$dir/head10/home/air/.ssh/authorized_keys")"
    is "the host key is another" "ssh-ed25519 AAAAother work11" "$(<"$dir/work11/etc/ssh/ssh_host_ed25519_key.pub")"
    is "and private" "600 644" "$(stat -c %a "$dir"/work11/etc/ssh/ssh_host_ed25519_key{,.pub} | xargs)"
    is "no file of a node has the old passwords" "" "$(grep -rlE "AppApp|AdminAdmin|CheckCheck" "$dir"/*/etc "$dir"/*/var)"

    # Everything that logs in again does so with the new ones.
    unit_kill work12 sentinel KILL
    unit_kill head10 airbuild-clock KILL
    machine_off work11
    eventually "another master is elected" master_is_not work11
    machine_on work11
    eventually "it converges with all nodes" converged
    eventually "the nodes count writes" grown
    cold_with_other_secrets
}

# grown: the count of seconds with writes grows.
grown() {
    local before
    look
    before=$(admin "$leader" -n 16 get airbuild:age)
    app 6380 set grown "$RANDOM" >/dev/null
    sleep 1.5
    app 6380 set grown "$RANDOM" >/dev/null
    sleep 1.5
    [[ $before && $(admin "$leader" -n 16 get airbuild:age) != "$before" ]]
}

cold_with_other_secrets() {
    local node
    machine_off head10 "${workers[@]}"
    other_secrets # which are the first ones again
    for node in head10 "${workers[@]}"; do reseed "$node"; done
    machine_on head10 "${workers[@]}"
    eventually "it boots with the secrets of its seeds" converged
    is "no file of a node has the previous passwords" "" "$(grep -rlE "aPPaPP|aDMINaDMIN|cHECKcHECK" "$dir"/*/etc "$dir"/*/var)"
    is "keys are kept" "$last" "$(app 6380 --scan --pattern 'ack:*' | sort -u | wc -l)"
}
