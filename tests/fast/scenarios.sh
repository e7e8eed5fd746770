# shellcheck shell=bash
# scenarios.sh - the failures that a cluster must survive, one function each; test-scenarios.sh runs each in its own
# sandbox. They judge behaviour (lost writes, two masters, recovery without help), not duration. Failures of machines are
# here, others in scenarios-data.sh and scenarios-time.sh.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034,SC2016 # dir and workers are set by lib.sh, pace is read by assert.sh, some texts are expanded on a machine

patience=60 # seconds

# eventually NAME COMMAND...: ok if COMMAND succeeds within $patience seconds.
eventually() { check "$1" within "$patience" "${@:2}"; }

# up [NAME=VALUE...]: start a cluster with these facts, wait until it converges, and write to it.
up() {
    cluster_make "$@"
    machine_on head10 "${workers[@]}"
    eventually "the cluster converges after its first boot" converged
    writer_start
    sleep 1
}

# back: the cluster converges, and no write was lost.
back() {
    eventually "the cluster converges again" converged
    sleep 0.5
    writer_stop
    is "no acknowledged write is lost" 0 "$(reported lost)"
    is "two masters never accept writes" 0 "$(reported two_masters)"
}

# machines_on_shuffled: start all, in random order and with pauses.
machines_on_shuffled() {
    local node
    for node in $(shuf -e head10 "${workers[@]}"); do
        machine_on "$node"
        sleep "$((RANDOM % 3)).$((RANDOM % 10))"
    done
}

# run_id: of the server, from INFO on standard input.
run_id() { sed -n 's/^run_id:\([0-9a-f]*\).*/\1/p'; }

# first_role NODE: print the first role that its redis reports.
first_role() {
    local role
    until [[ ${role-} ]]; do
        role=$(redis "$1" info replication | sed -n 's/^role:\([a-z]*\).*/\1/p')
    done
    echo "$role"
}

# Power cut and shutdown of a replica; every sentinel killed in turn; the master's redis killed.
scenario_replica() {
    up
    machine_off work13
    sleep 2
    check "keys are read while a replica is off" test "$(app 6379 get airbuild:written:1)" = 1
    machine_on work13
    eventually "the cluster converges when the replica is back" converged
    machine_stop work12
    machine_on work12
    eventually "the cluster converges after the other replica was shut down and started" converged
    local node
    for node in "${workers[@]}"; do
        unit_kill "$node" sentinel KILL
        sleep 0.3
        eventually "a killed sentinel restarts on $node" sentinel "$node" ping
    done
    eventually "the master stays when sentinels are killed" master_is work11
    writer_stop
    is "no write fails meanwhile" 0 "$(reported failed)"
    writer_start
    unit_kill work11 redis KILL
    back
}

# Power cut of the master, which returns as a replica.
scenario_master-off() {
    up
    machine_off work11
    eventually "another master is elected" master_is_not work11
    eventually "the other two converge" converged
    machine_on work11
    is "the old master starts as a replica" slave "$(first_role work11)"
    back
}

# Five masters are lost, each as soon as the previous one is back.
scenario_elections() {
    up
    local number lost pace=0.4 # many of these run at the same time
    for number in {1..5}; do
        look
        lost=$leader
        machine_off "$lost"
        eventually "election $number: another master is elected" master_is_not "$lost"
        machine_on "$lost"
        eventually "election $number: all workers follow it" converged
    done
    is "no healthy master is replaced" 5 "$(cat "$dir"/*/log.sentinel | grep -c ' +promoted-slave ')"
    back
}

# Shutdown of the master's machine; then its redis is stopped and stays off.
scenario_master-shutdown() {
    up
    local first
    machine_stop work11
    eventually "another master is elected" master_is_not work11
    machine_on work11
    eventually "the cluster converges when the old master is back" converged
    look
    first=$leader
    unit_stop "$first" redis TERM
    eventually "another master is elected when redis is stopped" master_is_not "$first"
    unit_allow "$first" redis
    back
}

# The master's link goes down, and comes up after the others have elected another.
scenario_master-cut() {
    up
    link_down work11
    eventually "another master is elected" master_is_not work11
    # A replica that still follows the old master would let it accept writes that do not come through the head.
    eventually "the other two converge" converged
    link_up work11
    eventually "the cluster converges again" converged
    sleep 0.5
    writer_stop
    is "no acknowledged write is lost" 0 "$(reported lost)"
    # Packets that its replicas sent before arrive now, so it counts them as connected until it learns otherwise: for less
    # than a second, four looks of the writer, it may accept direct writes. It stays master for ten more and accepts none.
    check "the old master accepts no writes later than a second after its return" test "$(reported two_masters)" -le 4
}

# The master is cut off from its peers but not from the head: only what it accepts before the election is lost.
scenario_master-half-cut() {
    up
    peers_cut work11
    eventually "another master is elected" master_is_not work11
    sleep 1
    writer_stop
    check "at most 4 s of writes are lost (at 250 per second)" test "$(reported lost)" -le 1000
    is "two masters never accept writes" 0 "$(reported two_masters)"
    check "new writes reach the new master" test "$(app 6380 set after cut)" = OK
    is "the old master refuses writes" NOREPLICAS "$(redis work11 set airbuild:x 1 | cut -d ' ' -f 1)"
}

# Both replicas stand still for less than redis itself takes to notice: writes wait, and go on. Then for longer.
scenario_write-lease() {
    up
    unit_pause work12 redis 2.4 &
    unit_pause work13 redis 2.4
    wait $!
    eventually "writes go on" grep -q 'replicas answer again' "$dir/work11/console"
    writer_stop
    is "no acknowledged write is lost" 0 "$(reported lost)"
    unit_pause work12 redis 7 &
    local other=$!
    unit_pause work13 redis 7 &
    sleep 5
    is "writes that nobody hears are refused in the end" NOREPLICAS "$(redis work11 set airbuild:x 1 | cut -d ' ' -f 1)"
    wait $! "$other"
    eventually "the cluster converges" converged
    check "the master is the same" master_is work11
}

# The master is paused for longer than an election takes, then resumed.
scenario_pause() {
    up
    machine_pause work11
    eventually "another master is elected" master_is_not work11
    sleep 2
    machine_resume work11
    # It may acknowledge direct writes until it has counted its replicas again, a second later. The head sends it none.
    eventually "the cluster converges again" converged
    writer_stop
    is "no acknowledged write is lost" 0 "$(reported lost)"
}

# haproxy is killed; then the power of the head is cut.
scenario_head-restart() {
    up
    unit_kill head10 haproxy KILL
    eventually "the cluster converges after haproxy was killed" converged
    machine_off head10
    machine_on head10
    back
}

# Power cut of all machines, which start in random order.
scenario_all-off() {
    up
    machine_off head10 "${workers[@]}"
    machines_on_shuffled
    back
}

# First boots in random order.
scenario_boot-order() {
    cluster_make
    machines_on_shuffled
    writer_start
    back
}

# First boot without the configured first master.
scenario_cold-without-first() {
    cluster_make
    machine_on head10 work12 work13
    writer_start
    eventually "the other two elect a master and serve" converged
    machine_on work11
    eventually "the third joins as a replica" converged
    check "the first master of the spec is not master" master_is_not work11
    back
}

# First boot without the first master, of sentinels that know one other worker only, as of a large cluster they know some.
scenario_few-known() {
    workers=(work11 work12 work13 work14 work15) quorum=3
    cluster_make workers=5 quorum=3
    local node
    for node in "${workers[@]}"; do
        sed -i -E "/^sentinel known-/{/ ($(address work12)|$(address "$node")) /!d}" "$dir/$node/etc/airbuild/sentinel.conf"
    done
    is "a sentinel knows one other" 1 "$(grep -c '^sentinel known-sentinel ' "$dir/work15/etc/airbuild/sentinel.conf")"
    machine_on head10 work12 work13 work14 work15
    eventually "the others find each other, elect a master and serve" converged
    machine_on work11
    eventually "the first master joins as a replica" converged
    check "it is not master" master_is_not work11
    look
    local lost=$leader
    machine_off "$lost"
    eventually "another master is elected" master_is_not "$lost"
    machine_on "$lost"
    eventually "the cluster converges again" converged
}

# Two workers are off, then back: no write is acknowledged without a majority. The second time one of them is the master.
scenario_two-down() {
    up
    machine_off work12 work13
    sleep 5
    is "a write without a majority is refused" NOREPLICAS "$(redis work11 set airbuild:x 1 | cut -d ' ' -f 1)"
    check_not "a write through the head is refused" test "$(app 6380 set alone 1)" = OK
    machine_on work12 work13
    eventually "the cluster converges when they are back" converged
    look
    local first other
    first=$leader
    other=$(printf '%s\n' "${workers[@]}" | grep -v "$first" | shuf -n 1)
    machine_off "$first" "$other"
    sleep 3
    check_not "a write through the head is refused without the master" test "$(app 6380 set alone 1)" = OK
    check "stale reads continue" test "$(app 6379 get airbuild:written:1)" = 1
    machine_on "$other" "$first"
    back
}

# A replica that was off when the others lost power must not be elected before the one with all writes.
scenario_stale-replica() {
    up
    machine_off work13
    sleep 2
    machine_off work11 work12
    sleep 1
    machine_on work13 work12
    eventually "the replica with all writes is elected" master_is work12
    machine_on work11
    back
}

# The old master returns just when the others are about to elect another.
scenario_return-at-election() {
    up
    unit_stop work11 redis KILL
    sleep "1.$((RANDOM % 10))"
    unit_allow work11 redis
    sleep 2
    back
}

# Damage of data by a power cut: zeros at the end of the file; and, on a replica, unreadable data.
scenario_damage() {
    up
    local node file
    machine_off work11
    eventually "another master is elected" master_is_not work11
    eventually "the other two converge" converged
    file=$(echo "$dir"/work11/var/lib/airbuild/redis/appendonlydir/*.incr.aof)
    truncate -s "$((($(stat -c %s "$file") / 4096 + 1) * 4096))" "$file"
    machine_on work11
    eventually "the old master returns although its data end in zeros" converged
    check "the zeros are cut off" grep -q 'was never written: it is cut to' "$dir/work11/log.redis"
    look
    node=work12 # it has been a replica all the time, so its file is not being rewritten
    [[ $leader != work12 ]] || node=work13
    machine_off "$node"
    file=$(echo "$dir/$node"/var/lib/airbuild/redis/appendonlydir/*.incr.aof)
    printf 'no command at all%.0s' {1..20} | dd of="$file" bs=1 seek="$(($(stat -c %s "$file") / 2))" conv=notrunc status=none
    machine_on "$node"
    eventually "a replica returns although its data are unreadable" converged
    check "unreadable data are kept aside" grep -q 'cannot be read: it is put aside' "$dir/$node/log.redis"
    back
}

# A new seed for the same disk: the facts change, the state stays.
scenario_reseed() {
    up
    local before
    machine_off work11
    eventually "another master is elected" master_is_not work11
    before=$(grep -c . "$dir/work11/var/lib/airbuild/sentinel/sentinel.conf")
    seed work11 quorum=3
    machine_on work11
    back
    check "sentinel keeps its state" grep -q '^sentinel monitor redis-primary .* 2$' \
        "$dir/work11/var/lib/airbuild/sentinel/sentinel.conf"
    check "sentinel keeps its configuration file" test "$before" -gt 20
}

# Without persistence a killed master has no data: a replica takes over, and nothing is lost.
scenario_no-persistence() {
    up persistence=no
    unit_kill work11 redis KILL
    eventually "a replica takes over" master_is_not work11
    back
}

# haproxy starts while a second worker reports the role master: no client may reach that one.
scenario_stale-master() {
    # The stale master comes before the real one in haproxy's list.
    up first_master=172.31.255.13 min_replicas=0
    local real seen stale=0
    real=$(redis work13 info server | run_id)
    for _ in 1 2 3; do
        admin work11 replicaof no one >/dev/null
        unit_kill head10 haproxy KILL
        for _ in {1..40}; do
            seen=$(app 6380 info server | run_id)
            [[ -z $seen || $seen == "$real" ]] || stale=$((stale + 1))
            sleep 0.02
        done
    done
    is "clients reach the real master again" "$real" "$seen"
    is "clients never reach the stale master" 0 "$stale"
    writer_stop
    is "no acknowledged write is lost" 0 "$(reported lost)"
}

# Sessions end when their server loses its role; reads are served as long as any worker runs.
scenario_sessions() {
    up
    local session
    session_open
    echo "set session 1" >&7
    check "a session is open" within 5 grep -q OK "$dir/out"
    peers_cut work11
    eventually "another master is elected" master_is_not work11
    sleep 2
    echo "info server" >&7
    sleep 0.5
    check_not "the session with the old master is closed" \
        grep -q "$(redis work11 info server | run_id)" "$dir/out"
    session_close
    writer_stop
    look
    local node
    for node in "${workers[@]}"; do
        [[ $node == "$leader" ]] || machine_off "$node"
    done
    eventually "without replicas reads go to the master" test "$(app 6379 get session)"
}
