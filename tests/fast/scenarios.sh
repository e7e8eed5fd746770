# shellcheck shell=bash
# scenarios.sh - the failures that a cluster must survive, one function each, run by test-scenarios.sh in a sandbox of
# its own. They judge behaviour (lost writes, two masters, coming back by itself), not seconds.
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
    facts work11 first_master=172.31.255.11 quorum=3 >"$dir/work11/etc/airbuild/facts"
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

# app_sets KEY VALUE: succeed if that is acknowledged. counts NODE: if its data hold a count of writes (see count-writes).
app_sets() {
    [[ $(app 6380 set "$1" "$2") == OK ]]
}
counts() {
    [[ $(admin "$1" -n 16 get airbuild:age) == 0* ]]
}

# mark VALUE: write a marker that is acknowledged, and counted. marker: what the master has of it.
mark() {
    check "'$1' is acknowledged" within 15 app_sets marker "$1"
    sleep 1.3
}
marker() {
    look
    admin "$leader" get marker
}

# lose NODE [NAME=VALUE...]: its disk is lost; the new one joins a cluster that was there before.
lose() {
    rm -rf "${dir:?}/$1"
    machine_make "$1" joins=yes "${@:2}"
}

# restart NODE...: all workers are off; these come back, and one of them is elected.
restart() {
    machine_on "$@"
    check "they converge" within "$patience" converged
}

# Disks are lost while all are off: LOST (a list with commas) of a cluster whose master is MASTER and where STALE (or -)
# missed the last write, then they start: joint, or those that have least to offer first or last.
scenario_lost() {
    local lost=${1//,/ } master=$2 stale=$3 order=$4 node expected=''
    local -a few=() rest=()
    cluster_make
    machine_on head10 "${workers[@]}"
    check "it converges from its first boot" within "$patience" converged
    if [[ $master != work11 ]]; then
        for node in work12 work13; do
            [[ $node == "$master" ]] || admin "$node" config set replica-priority 0 >/dev/null
        done
        sleep 2.5
        machine_off work11
        check "$master is elected" within "$patience" master_is "$master"
        machine_on work11
        check "it converges with another master" within "$patience" converged
        for node in work12 work13; do admin "$node" config set replica-priority 100 >/dev/null; done
    fi
    mark one
    [[ $stale == - ]] || link_cut "$stale"
    sleep 0.5
    mark two
    machine_off "${workers[@]}"
    for node in "${workers[@]}"; do
        if [[ " $lost " == *" $node "* ]]; then
            lose "$node"
            few+=("$node")
        elif [[ $node == "$stale" ]]; then
            few+=("$node")
            expected=${expected:-one}
        else
            rest+=("$node")
            expected=two
        fi
    done
    case $order in
    joint) machine_on work13 work12 work11 ;;
    few-first) machine_on "${few[@]}" && sleep 4 && machine_on "${rest[@]}" ;;
    few-last) machine_on "${rest[@]}" && sleep 4 && machine_on "${few[@]}" ;;
    esac
    check "it converges with the disks that are left" within 90 converged
    is "with the data of the best of them" "$expected" "$(marker)"
    [[ -z $expected ]] || check_not "and never was a node without data master" grep -ls 'begins without' "$dir"/work1?/log.redis
    mark three
}

# A replica missed an acknowledged write; it is shut down, which writes its dump.rdb, after the one that has the write.
scenario_cut-then-shutdown() {
    up
    writer_stop
    mark one
    link_cut work13
    sleep 3
    mark two
    machine_off work12
    sleep 2
    touch "$dir/work13/var/lib/airbuild/redis/temp-1.rdb"
    machine_stop work13
    touch -d '+2 days' "$dir"/work13/var/lib/airbuild/redis/{dump.rdb,appendonlydir/*}
    machine_off work11
    restart work13 work12
    is "the write is there" two "$(marker)"
}

# The master is shut down first, then the others, the one that missed the write last of all.
scenario_clean-stop-without-master() {
    up
    writer_stop
    mark one
    link_cut work13
    sleep 2
    mark two
    machine_stop work11
    machine_stop work12
    machine_stop work13
    restart work13 work12
    is "the write is there" two "$(marker)"
}

# Two replicas that have the same count: the one that is cut off within the second misses a write.
scenario_same-second() {
    up
    writer_stop
    mark one
    link_cut work13
    check "the write is acknowledged" test "$(app 6380 set marker two)" = OK
    machine_off "${workers[@]}"
    restart work13 work12
    is "the write is there" two "$(marker)"
}

# A replica missed a write, and its clock is a day ahead; that of the one which has the write is a day behind.
scenario_wrong-clocks() {
    export LOOK_ANY_CLOCK=yes
    cluster_make
    clock_make work12 work13
    clock_write work12 -86400000000
    clock_write work13 86400000000
    touch "$dir"/work1{2,3}/off.airbuild-clock
    machine_on head10 "${workers[@]}"
    check "it converges from its first boot" within "$patience" converged
    mark one
    link_cut work13
    sleep 3
    mark two
    machine_off "${workers[@]}"
    machine_on work13 work12
    # It is not converged: for a clock that is ahead, what the head writes has expired.
    check "the one that has it is elected" within "$patience" master_is work12
    is "the write is there" two "$(marker)"
}

# A replica that missed a write is pulled again, with all others: while it copies the data, or as soon as it has (WHEN).
scenario_mid-sync() {
    up
    writer_stop
    mark one
    machine_off work13
    mark two
    local value
    value=$(head -c 20000 /dev/urandom | base64 -w 0)
    seq 400 | sed "s:.*:set fill& $value:" | app 6380 >/dev/null
    if [[ $1 == copying ]]; then
        machine_on work13
        tc qdisc add dev work13 root tbf rate 8mbit burst 64kb latency 1s
    else
        machine_on work13
    fi
    check "it is $1" within "$patience" sync_is work13 "$1"
    machine_off "${workers[@]}"
    restart work13 work12
    is "the write is there" two "$(marker)"
}

# sync_is NODE copying|copied: what it says of its copy of the data.
sync_is() {
    case $2/$(redis "$1" info replication) in
    copying/*master_sync_in_progress:1*) ;;
    copied/*master_link_status:up*) ;;
    *) return 1 ;;
    esac
}

# Without persistence: the one that was shut down cleanly has an old dump, the others nothing; then nobody has anything.
scenario_persistence-off() {
    up persistence=no
    writer_stop
    mark one
    machine_stop work13
    mark two
    machine_off work11
    machine_on work13 work11
    check "they converge" within "$patience" converged
    is "the write is there" two "$(marker)"
    machine_off "${workers[@]}"
    local node
    for node in "${workers[@]}"; do rm -f "$dir/$node/var/lib/airbuild/redis/dump.rdb"; done
    echo nonsense >"$dir/work12/var/lib/airbuild/redis/dump.rdb"
    restart "${workers[@]}"
    is "all is lost, but they start" "" "$(marker)"
    check "a dump that cannot be read was put aside" test -e "$dir/work12/var/lib/airbuild/redis/dump.rdb.damaged"
    mark three
}

# FLUSHALL takes the count of writes away: it is written again, larger.
scenario_flushall() {
    up
    writer_stop
    mark one
    local before after
    before=$(admin work11 -n 16 get airbuild:age)
    check "the application flushes all" test "$(app 6380 flushall)" = OK
    check "the count comes back" within 10 counts work11
    after=$(admin work11 -n 16 get airbuild:age)
    check "and is larger" test "$((10#${after:0:9}))" -gt "$((10#${before:0:9}))"
    is "the application's database stays clean" 0 "$(app 6380 dbsize)"
}

# The old master's machine, cut off and replaced, comes back alone; later one that knows of the election and has its data.
scenario_stale-first-alone() {
    up
    writer_stop
    mark one
    admin work13 config set replica-priority 0 >/dev/null
    sleep 2.5
    link_cut work11
    check "another is elected" within "$patience" master_is work12
    mark two
    machine_off "${workers[@]}"
    machine_on work11
    check "the old master says why it does not serve" within "$patience" grep -q 'no majority follows' "$dir/work11/console"
    machine_on work13
    check "the one with the newer data is elected" within "$patience" master_is work13
    is "the write is there" two "$(marker)"
    machine_on work12
    check "they converge" within "$patience" converged
}

# Configurations that were emptied are made anew, and no node with old data is the first master again.
scenario_emptied() {
    up
    writer_stop
    mark one
    machine_off work11
    check "another is elected" within "$patience" master_is_not work11
    mark two
    local file
    for file in redis/redis.conf sentinel/sentinel.conf; do truncate -s 0 "$dir/work11/var/lib/airbuild/$file"; done
    machine_on work11
    check "it converges with the emptied one" within "$patience" converged
    check "which is a replica" master_is_not work11
    machine_off "${workers[@]}"
    for file in redis/redis.conf sentinel/sentinel.conf; do truncate -s 0 "$dir/work11/var/lib/airbuild/$file"; done
    restart "${workers[@]}"
    is "the write is there" two "$(marker)"
}

# A killed master that takes long to load its data is replaced; one that loads them at once is not.
scenario_master-loading() {
    cluster_make
    local node
    for node in "${workers[@]}"; do
        printf 'key-load-delay 3000\nloading-process-events-interval-bytes 1024\n' >>"$dir/$node/usr/lib/airbuild/templates/redis.conf"
    done
    machine_on head10 "${workers[@]}"
    check "it converges" within "$patience" converged
    unit_kill work11 redis KILL
    check "it converges when a master with few data was killed" within "$patience" converged
    look
    local lost=$leader
    seq 1 10000 | awk '{ print "set k" $1 " v" }' | app 6380 >/dev/null
    sleep 2
    admin "$lost" bgrewriteaof >/dev/null
    sleep 3
    local start=$SECONDS
    unit_kill "$lost" redis KILL
    sleep 1
    check "writes are back" within "$patience" app_sets k v
    echo "# seconds without writes: $((SECONDS - start))"
    check "by another master" master_is_not "$lost"
}

# disk_make NODE...: machines that are off get disks of 64 MiB. disk_fill NODE...: nothing more fits on them. disk_free.
disk_make() {
    local node
    for node; do mount -t tmpfs -o size=64m disk "$dir/$node/var/lib"; done
}
disk_fill() {
    local node
    for node; do
        cat /dev/zero >"$dir/$node/var/lib/filler" 2>/dev/null
    done
}
disk_free() {
    local node
    for node; do rm "$dir/$node/var/lib/filler"; done
}

# The disks of some workers (a list with commas) have no room left: what cannot be kept is not acknowledged, and all is
# well by itself when there is room. One full disk takes no writes away.
scenario_disk-full() {
    local -a full
    IFS=, read -ra full <<<"$1"
    cluster_make
    disk_make "${workers[@]}"
    machine_on head10 "${workers[@]}"
    check "it converges from its first boot" within "$patience" converged
    writer_start
    sleep 1
    disk_fill "${full[@]}"
    if ((${#full[@]} == 1)); then
        sleep 5
        check "writes go on" within "$patience" app_sets k v
    else
        check "writes are refused" within "$patience" app_refuses k v
        ((${#full[@]} < 3)) || check "with a word why" within "$patience" app_hears MISCONF k v
    fi
    sleep 5
    check "reads go on" within "$patience" test "$(app 6379 get airbuild:written:1)" = 1
    disk_free "${full[@]}"
    back
}
app_refuses() {
    [[ $(app 6380 set "$@") =~ ^(MISCONF|NOREPLICAS) ]]
}
app_hears() {
    [[ $(app 6380 set "${@:2}") == "$1 "* ]]
}

# The memory that redis may have is full: it refuses what makes more of it, and serves on. A replica that returns then
# catches up.
scenario_memory-full() {
    cluster_make maxmemory=16
    machine_on head10 "${workers[@]}"
    check "it converges from its first boot" within "$patience" converged
    local value said
    value=$(head -c 20000 /dev/zero | tr '\0' x)
    said=$(seq 2000 | sed "s/.*/set fill& $value/" | timeout 60 redis-cli -h 172.31.255.10 -p 6380 | sort | uniq -c)
    check "what fits is taken" grep -q OK <<<"$said"
    check "and what does not is refused" grep -q OOM <<<"$said"
    is "a key is read at both ports" "20000 20000" "$(for port in 6380 6379; do app "$port" strlen fill1; done | xargs)"
    machine_off work13
    sleep 1
    # What it cannot hold while the copy is made and sent is not to make it start again and again.
    timeout 60 sh -c 'while :; do seq 100 | sed "s/.*/set fill& $1/"; done | redis-cli -h 172.31.255.10 -p 6380' - "$value" >/dev/null &
    local load=$!
    machine_on work13
    check "a replica that returns catches up while there are writes" within "$patience" sync_is work13 copied
    check "which went on all the time" kill "$load"
    wait "$load"
    is "nobody's redis ended" "1 1" \
        "$(for node in work11 work12; do grep -c 'Ready to accept connections' "$dir/$node/log.redis"; done | xargs)"
    is "keys can be taken away" 200 "$(app 6380 del fill{1..200})"
    check "then there is room" within 5 app_sets k "$value"
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

# hog SECONDS: all processors are busy for so long, with several processes each.
hog() {
    local i
    local -a hogs=()
    for ((i = 0; i < 3 * $(nproc); i++)); do
        timeout "$1" sh -c 'while :; do :; done' &
        hogs+=($!)
    done
    wait "${hogs[@]}"
}

# All processors are busy: nobody is cut off, no master replaced. Run it by its name, alone: it would disturb the others.
scenario_busy-host() {
    up
    local session id
    session_open
    id=$(session_id)
    check "a session is there" test "$id" -gt 0
    hog 15
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
