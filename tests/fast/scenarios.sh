# shellcheck shell=bash
# scenarios.sh - the failures that a cluster must survive, one function each, run by test-scenarios.sh in a sandbox of
# its own. They judge behaviour (lost writes, two masters, coming back by itself), not seconds. Those of machines are here;
# scenarios-data.sh and scenarios-time.sh have more.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034,SC2016 # dir and workers are of lib.sh; pace is for assert.sh; a machine expands its own

patience=60 # seconds for anything that must come about by itself

# up [NAME=VALUE...]: a converged cluster, being written to.
up() {
    cluster_make "$@"
    machine_on head10 "${workers[@]}"
    check "it converges from its first boot" within "$patience" converged
    writer_start
    sleep 1
}

# back: all is well again, and nothing is lost.
back() {
    check "it converges again" within "$patience" converged
    sleep 0.5
    writer_stop
    is "no acknowledged write is lost" 0 "$(said lost)"
    is "never do two masters accept writes" 0 "$(said two_masters)"
}

# first_role NODE: what it says it is as soon as it says anything.
first_role() {
    local role
    until [[ ${role-} ]]; do
        role=$(redis "$1" info replication | sed -n 's/^role:\([a-z]*\).*/\1/p')
    done
    echo "$role"
}

# A replica goes and comes back, by power, by shutdown; the sentinels are killed in turn; redis is killed on the master.
scenario_replica() {
    up
    machine_off work13
    sleep 2
    check "a key is read while a replica is off" test "$(app 6379 get airbuild:written:1)" = 1
    machine_on work13
    check "it converges when the replica is back" within "$patience" converged
    machine_stop work12
    machine_on work12
    check "it converges after the other was shut down" within "$patience" converged
    local node
    for node in "${workers[@]}"; do
        unit_kill "$node" sentinel KILL
        sleep 0.3
        check "sentinel is back on $node" within "$patience" sentinel "$node" ping
    done
    check "killed sentinels leave the master alone" within "$patience" master_is work11
    writer_stop
    is "no write failed all the time" 0 "$(said failed)"
    writer_start
    unit_kill work11 redis KILL
    back
}

# The machine of the master: power pulled, and back as a replica.
scenario_master-off() {
    up
    machine_off work11
    check "another is elected" within "$patience" master_is_not work11
    check "the two converge" within "$patience" converged
    machine_on work11
    is "the old master is a replica from its first word on" slave "$(first_role work11)"
    back
}

# Five masters are lost, each as soon as the last one's machine is back; no split may last.
scenario_elections() {
    up
    local number lost pace=0.4 # many of these run at once
    for number in {1..5}; do
        look
        lost=$leader
        machine_off "$lost"
        check "election $number: another becomes master" within "$patience" master_is_not "$lost"
        machine_on "$lost"
        check "election $number: all follow it" within "$patience" converged
    done
    is "no healthy master was replaced" 5 "$(cat "$dir"/*/log.sentinel | grep -c ' +promoted-slave ')"
    back
}

# The machine of the master: shut down. Its redis: stopped and kept so.
scenario_master-shutdown() {
    up
    local first
    machine_stop work11
    check "another is elected" within "$patience" master_is_not work11
    machine_on work11
    check "it converges when the old master is back" within "$patience" converged
    look
    first=$leader
    touch "$dir/$first/off.redis"
    unit_kill "$first" redis TERM
    check "another is elected when redis is stopped" within "$patience" master_is_not "$first"
    rm "$dir/$first/off.redis"
    back
}

# The master's cable is pulled, and put in again after the others have elected.
scenario_master-cut() {
    up
    link_cut work11
    check "another is elected" within "$patience" master_is_not work11
    # A replica that still followed the old master would let it take writes from who is there past the head.
    check "the two converge" within "$patience" converged
    link_mend work11
    check "it converges again" within "$patience" converged
    sleep 0.5
    writer_stop
    is "no acknowledged write is lost" 0 "$(said lost)"
    # What its replicas sent last arrives now, and makes it count them until it hears that they are gone: for less than a
    # second, four looks of the writer, it may take writes from who talks to it past the head. It stays master for ten
    # more, and takes none.
    check "the old master takes none from a second after its return" test "$(said two_masters)" -le 4
}

# The master loses its peers but still sees the head: what it takes until the others have elected is lost, and no more.
scenario_master-half-cut() {
    up
    peers_cut work11
    check "another is elected" within "$patience" master_is_not work11
    sleep 1
    writer_stop
    check "at most 4 s of writes are lost (250 a second)" test "$(said lost)" -le 1000
    is "never do two masters accept writes" 0 "$(said two_masters)"
    check "new writes reach the new master" test "$(app 6380 set after cut)" = OK
    is "the old one refuses writes" NOREPLICAS "$(redis work11 set airbuild:x 1 | cut -d ' ' -f 1)"
}

# The master stands still for longer than it takes to elect another, then goes on as if nothing had been.
scenario_pause() {
    up
    machine_pause work11
    check "another is elected" within "$patience" master_is_not work11
    sleep 2
    machine_resume work11
    # Who writes to it directly, past the head, may be acknowledged until it has counted its replicas anew, a second
    # later. Nobody is sent there.
    check "it converges again" within "$patience" converged
    writer_stop
    is "no acknowledged write is lost" 0 "$(said lost)"
}

# haproxy is killed; its machine is pulled.
scenario_head-restart() {
    up
    unit_kill head10 haproxy KILL
    check "writes come back" within "$patience" converged
    machine_off head10
    machine_on head10
    back
}

# All machines are pulled and started again in any order.
scenario_all-off() {
    up
    machine_off head10 "${workers[@]}"
    local node
    for node in $(shuf -e head10 "${workers[@]}"); do
        machine_on "$node"
        sleep "$((RANDOM % 3)).$((RANDOM % 10))"
    done
    back
}

# First boots in any order.
scenario_boot-order() {
    cluster_make
    local node
    for node in $(shuf -e head10 "${workers[@]}"); do
        machine_on "$node"
        sleep "$((RANDOM % 3)).$((RANDOM % 10))"
    done
    writer_start
    back
}

# The first boot ever, without the configured first master.
scenario_cold-without-first() {
    cluster_make
    machine_on head10 work12 work13
    writer_start
    check "the other two elect one and serve" within "$patience" converged
    machine_on work11
    check "the third joins as a replica" within "$patience" converged
    check "and does not become master" master_is_not work11
    back
}

# Two workers are off, then back: no write is acknowledged without a majority. The second time the master is among them.
scenario_two-down() {
    up
    machine_off work12 work13
    sleep 5
    is "a write without a majority is refused" NOREPLICAS "$(redis work11 set airbuild:x 1 | cut -d ' ' -f 1)"
    check_not "nothing is written through the head" test "$(app 6380 set alone 1)" = OK
    machine_on work12 work13
    check "it converges when they are back" within "$patience" converged
    look
    local first other
    first=$leader
    other=$(printf '%s\n' "${workers[@]}" | grep -v "$first" | shuf -n 1)
    machine_off "$first" "$other"
    sleep 3
    check_not "nothing is written through the head without the master" test "$(app 6380 set alone 1)" = OK
    check "stale reads go on" test "$(app 6379 get airbuild:written:1)" = 1
    machine_on "$other" "$first"
    back
}

# A replica that was away when the rest went down must not be elected before the one that missed nothing.
scenario_stale-replica() {
    up
    machine_off work13
    sleep 2
    machine_off work11 work12
    sleep 1
    machine_on work13 work12
    check "the replica that missed nothing is elected" within "$patience" master_is work12
    machine_on work11
    back
}

# The old master returns just when the others are about to elect.
scenario_return-at-election() {
    up
    touch "$dir/work11/off.redis"
    unit_kill work11 redis KILL
    sleep "1.$((RANDOM % 10))"
    rm "$dir/work11/off.redis"
    sleep 2
    back
}

# What a file system may leave of a file that grew when power was lost: zeros at its end; and worse, on a replica.
scenario_damage() {
    up
    local node file
    machine_off work11
    check "another is elected" within "$patience" master_is_not work11
    check "the two converge" within "$patience" converged
    file=$(echo "$dir"/work11/var/lib/airbuild/redis/appendonlydir/*.incr.aof)
    truncate -s "$((($(stat -c %s "$file") / 4096 + 1) * 4096))" "$file"
    machine_on work11
    check "the old master's machine comes back with zeros in its data" within "$patience" converged
    check "which were cut off" grep -q 'was never written: it is cut to' "$dir/work11/log.redis"
    look
    node=work12 # the one that was a replica all the time: its file is not being rewritten
    [[ $leader != work12 ]] || node=work13
    machine_off "$node"
    file=$(echo "$dir/$node"/var/lib/airbuild/redis/appendonlydir/*.incr.aof)
    printf 'no command at all%.0s' {1..20} | dd of="$file" bs=1 seek="$(($(stat -c %s "$file") / 2))" conv=notrunc status=none
    machine_on "$node"
    check "a replica comes back with data that nobody can read" within "$patience" converged
    check "which were put aside" grep -q 'cannot be read: it is put aside' "$dir/$node/log.redis"
    back
}

# A new seed for the same disk: the facts differ, the state stays.
scenario_reseed() {
    up
    local before
    machine_off work11
    check "another is elected" within "$patience" master_is_not work11
    before=$(grep -c . "$dir/work11/var/lib/airbuild/sentinel/sentinel.conf")
    seed work11 quorum=3
    machine_on work11
    back
    check "sentinel kept its state" grep -q '^sentinel monitor redis-primary .* 2$' \
        "$dir/work11/var/lib/airbuild/sentinel/sentinel.conf"
    check "and its file" test "$before" -gt 20
}

# Without persistence a killed master has nothing left: a replica takes over, and nothing is lost.
scenario_no-persistence() {
    up persistence=no
    unit_kill work11 redis KILL
    check "a replica takes over" within "$patience" master_is_not work11
    back
}

# haproxy starts while a second worker says that it is master: no client may ever reach that one.
scenario_stale-master() {
    # The stale one stands before the real one in haproxy's list.
    up first_master=172.31.255.13 min_replicas=0
    local real seen stale=0
    real=$(redis work13 info server | sed -n 's/^run_id:\([0-9a-f]*\).*/\1/p')
    for _ in 1 2 3; do
        admin work11 replicaof no one >/dev/null
        unit_kill head10 haproxy KILL
        for _ in {1..40}; do
            seen=$(app 6380 info server | sed -n 's/^run_id:\([0-9a-f]*\).*/\1/p')
            [[ -z $seen || $seen == "$real" ]] || stale=$((stale + 1))
            sleep 0.02
        done
    done
    is "the real master is reached again" "$real" "$seen"
    is "the stale one was never" 0 "$stale"
    writer_stop
    is "no acknowledged write is lost" 0 "$(said lost)"
}

# Sessions end when their server loses its role; reads find a server as long as there is one.
scenario_sessions() {
    up
    local session
    mkfifo "$dir/in"
    redis-cli -h 172.31.255.10 -p 6380 <"$dir/in" >"$dir/out" 2>&1 &
    session=$!
    exec 7>"$dir/in"
    echo "set session 1" >&7
    check "a session is there" within 5 grep -q OK "$dir/out"
    peers_cut work11
    check "another is elected" within "$patience" master_is_not work11
    sleep 2
    echo "info server" >&7
    sleep 0.5
    check_not "the session with the old master has ended" \
        grep -q "$(redis work11 info server | sed -n 's/^run_id:\([0-9a-f]*\).*/\1/p')" "$dir/out"
    exec 7>&-
    wait "$session"
    writer_stop
    look
    local node
    for node in "${workers[@]}"; do
        [[ $node == "$leader" ]] || machine_off "$node"
    done
    check "without replicas the master is read" within "$patience" test "$(app 6379 get session)"
}
