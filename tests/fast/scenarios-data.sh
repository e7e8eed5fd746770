# scenarios-data.sh - more of scenarios.sh: lost disks, old copies, full disks and full memory.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034,SC2016 # as in scenarios.sh

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
            [[ $node == "$master" ]] || check "$node stands back" within "$patience" stands_back "$node"
        done
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
    check "work13 stands back" within "$patience" stands_back work13
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
        printf 'key-load-delay 3000\nloading-process-events-interval-bytes 1024\n' >>"$dir/$node/etc/airbuild/redis.conf"
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
