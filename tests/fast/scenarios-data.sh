# scenarios-data.sh - failures of data, see scenarios.sh: lost disks, old copies, full disks and full memory.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034,SC2016 # as in scenarios.sh

# app_sets KEY VALUE: succeeds if the write is acknowledged. counts NODE: succeeds if its data hold a count of writes (see
# count-writes).
app_sets() {
    [[ $(app 6380 set "$1" "$2") == OK ]]
}
counts() {
    [[ $(admin "$1" -n 16 get airbuild:age) == 0* ]]
}

# mark VALUE: write a marker and wait until it is acknowledged and counted. marker: print the marker that the master has.
mark() {
    check "'$1' is acknowledged" within 15 app_sets marker "$1"
    sleep 1.3
}
marker() {
    look
    admin "$leader" get marker
}

# lose NODE [NAME=VALUE...]: replace its disk by a new one, which joins the existing cluster.
lose() {
    rm -rf "${dir:?}/$1"
    machine_make "$1" joins=yes "${@:2}"
}

# restart NODE...: start these; all workers are off. One of them is elected.
restart() {
    machine_on "$@"
    eventually "the workers converge" converged
}

# scenario_lost LOST MASTER STALE ORDER: the workers LOST (with commas) of a cluster with the master MASTER lose their disks
# while all are off; STALE (or -) missed the last write. ORDER of the starts: joint, or few-first or few-last, where few are
# those without the newest data.
scenario_lost() {
    local lost=${1//,/ } master=$2 stale=$3 order=$4 node expected=''
    local -a few=() rest=()
    cluster_make
    machine_on head10 "${workers[@]}"
    eventually "it converges from its first boot" converged
    if [[ $master != work11 ]]; then
        for node in work12 work13; do
            [[ $node == "$master" ]] || eventually "$node is no candidate for master" is_no_candidate "$node"
        done
        machine_off work11
        eventually "$master is elected" master_is "$master"
        machine_on work11
        eventually "the cluster converges with another master" converged
        for node in work12 work13; do admin "$node" config set replica-priority 100 >/dev/null; done
    fi
    mark one
    [[ $stale == - ]] || link_down "$stale"
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
    check "the cluster converges with the remaining disks" within 90 converged
    is "it has the newest data that were left" "$expected" "$(marker)"
    [[ -z $expected ]] || check_not "no node without data was master" grep -ls 'begins without' "$dir"/work1?/log.redis
    mark three
}

# A replica missed an acknowledged write. It is shut down, which writes its dump.rdb, after the one that has the write.
scenario_cut-then-shutdown() {
    up
    writer_stop
    mark one
    link_down work13
    sleep 3
    mark two
    machine_off work12
    sleep 2
    touch "$dir/work13/var/lib/airbuild/redis/temp-1.rdb"
    machine_stop work13
    touch -d '+2 days' "$dir"/work13/var/lib/airbuild/redis/{dump.rdb,appendonlydir/*}
    machine_off work11
    restart work13 work12
    is "the acknowledged write is kept" two "$(marker)"
}

# Shutdown of the master first, then of the others, that which missed the write last.
scenario_clean-stop-without-master() {
    up
    writer_stop
    mark one
    link_down work13
    sleep 2
    mark two
    machine_stop work11
    machine_stop work12
    machine_stop work13
    restart work13 work12
    is "the acknowledged write is kept" two "$(marker)"
}

# Two replicas have the same count, but the one that is cut off within the same second missed a write.
scenario_same-second() {
    up
    writer_stop
    mark one
    link_down work13
    check "the write is acknowledged" test "$(app 6380 set marker two)" = OK
    machine_off "${workers[@]}"
    restart work13 work12
    is "the acknowledged write is kept" two "$(marker)"
}

# A replica missed a write and its clock is a day ahead; the one with the write is a day behind.
scenario_wrong-clocks() {
    export LOOK_ANY_CLOCK=yes
    cluster_make
    clock_make work12 work13
    clock_write work12 -86400000000
    clock_write work13 86400000000
    touch "$dir"/work1{2,3}/off.airbuild-clock
    machine_on head10 "${workers[@]}"
    eventually "it converges from its first boot" converged
    mark one
    link_down work13
    sleep 3
    mark two
    machine_off "${workers[@]}"
    machine_on work13 work12
    # It does not converge: for a clock that is ahead, the keys that the head writes have expired.
    eventually "the worker with the write is elected" master_is work12
    is "the acknowledged write is kept" two "$(marker)"
}

# scenario_mid-sync WHEN: power cut of all while a replica that missed a write copies the data (copying), or just after
# (copied).
scenario_mid-sync() {
    up
    writer_stop
    mark one
    machine_off work13
    mark two
    local value
    value=$(head -c 20000 /dev/urandom | base64 -w 0)
    seq 400 | sed "s:.*:set fill& $value:" | app 6380 >/dev/null
    machine_on work13
    [[ $1 == copied ]] || tc qdisc add dev work13 root tbf rate 8mbit burst 64kb latency 1s
    eventually "the state of its copy is $1" sync_is work13 "$1"
    machine_off "${workers[@]}"
    restart work13 work12
    is "the acknowledged write is kept" two "$(marker)"
}

# sync_is NODE copying|copied: succeeds if it reports this state of its copy of the data.
sync_is() {
    case $2/$(redis "$1" info replication) in
    copying/*master_sync_in_progress:1*) ;;
    copied/*master_link_status:up*) ;;
    *) return 1 ;;
    esac
}

# Without persistence: one that was shut down has an old dump, the others nothing; then none has data.
scenario_persistence-off() {
    up persistence=no
    writer_stop
    mark one
    machine_stop work13
    mark two
    machine_off work11
    machine_on work13 work11
    eventually "the workers converge" converged
    is "the acknowledged write is kept" two "$(marker)"
    machine_off "${workers[@]}"
    local node
    for node in "${workers[@]}"; do rm -f "$dir/$node/var/lib/airbuild/redis/dump.rdb"; done
    echo nonsense >"$dir/work12/var/lib/airbuild/redis/dump.rdb"
    restart "${workers[@]}"
    is "the cluster starts although all data are lost" "" "$(marker)"
    check "an unreadable dump is kept aside" test -e "$dir/work12/var/lib/airbuild/redis/dump.rdb.damaged"
    mark three
}

# FLUSHALL removes the count of writes, which is written again and is larger.
scenario_flushall() {
    up
    writer_stop
    mark one
    local before after
    before=$(admin work11 -n 16 get airbuild:age)
    check "the application may run FLUSHALL" test "$(app 6380 flushall)" = OK
    check "the count is written again" within 10 counts work11
    after=$(admin work11 -n 16 get airbuild:age)
    check "the new count is larger" test "$((10#${after:0:9}))" -gt "$((10#${before:0:9}))"
    is "the application's database stays clean" 0 "$(app 6380 dbsize)"
}

# The replaced master starts alone; later a worker that knows of the election and has its data.
scenario_stale-first-alone() {
    up
    writer_stop
    mark one
    eventually "work13 is no candidate for master" is_no_candidate work13
    link_down work11
    eventually "another is elected" master_is work12
    mark two
    machine_off "${workers[@]}"
    machine_on work11
    eventually "the old master logs why it does not serve" grep -q 'no majority follows' "$dir/work11/console"
    machine_on work13
    eventually "the worker with the newer data is elected" master_is work13
    is "the acknowledged write is kept" two "$(marker)"
    machine_on work12
    eventually "the workers converge" converged
}

# Emptied configurations are made again, and no node with old data becomes the first master again.
scenario_emptied() {
    up
    writer_stop
    mark one
    machine_off work11
    eventually "another is elected" master_is_not work11
    mark two
    local file
    for file in redis/redis.conf sentinel/sentinel.conf; do truncate -s 0 "$dir/work11/var/lib/airbuild/$file"; done
    machine_on work11
    eventually "the cluster converges with emptied configurations on one node" converged
    check "that node is a replica" master_is_not work11
    machine_off "${workers[@]}"
    for file in redis/redis.conf sentinel/sentinel.conf; do truncate -s 0 "$dir/work11/var/lib/airbuild/$file"; done
    restart "${workers[@]}"
    is "the acknowledged write is kept" two "$(marker)"
}

# A killed master that takes long to load its data is replaced; one that loads them at once is not.
scenario_master-loading() {
    cluster_make
    local node
    for node in "${workers[@]}"; do
        printf 'key-load-delay 3000\nloading-process-events-interval-bytes 1024\n' >>"$dir/$node/etc/airbuild/redis.conf"
    done
    machine_on head10 "${workers[@]}"
    eventually "the cluster converges" converged
    unit_kill work11 redis KILL
    eventually "the cluster converges after a master with few data was killed" converged
    look
    local lost=$leader
    seq 1 10000 | awk '{ print "set k" $1 " v" }' | app 6380 >/dev/null
    sleep 2
    admin "$lost" bgrewriteaof >/dev/null
    sleep 3
    local start=$SECONDS
    unit_kill "$lost" redis KILL
    sleep 1
    eventually "writes succeed again" app_sets k v
    echo "# seconds without writes: $((SECONDS - start))"
    check "another worker is master" master_is_not "$lost"
}

# disk_make NODE...: give machines that are off disks of 64 MiB. disk_fill NODE..., disk_free NODE...: fill them, free them.
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

# scenario_disk-full NODES: the disks of some workers (with commas) are full: a write that cannot be kept is not
# acknowledged, and the cluster recovers when there is space. With one full disk writes continue.
scenario_disk-full() {
    local -a full
    IFS=, read -ra full <<<"$1"
    cluster_make
    disk_make "${workers[@]}"
    machine_on head10 "${workers[@]}"
    eventually "it converges from its first boot" converged
    writer_start
    sleep 1
    disk_fill "${full[@]}"
    if ((${#full[@]} == 1)); then
        sleep 5
        eventually "writes continue" app_sets k v
    else
        eventually "writes are refused" app_refuses k v
        ((${#full[@]} < 3)) || eventually "the error says why" app_hears MISCONF k v
    fi
    sleep 5
    eventually "reads continue" test "$(app 6379 get airbuild:written:1)" = 1
    disk_free "${full[@]}"
    back
}
app_refuses() {
    [[ $(app 6380 set "$@") =~ ^(MISCONF|NOREPLICAS) ]]
}
app_hears() {
    [[ $(app 6380 set "${@:2}") == "$1 "* ]]
}

# The memory limit of redis is reached: it refuses writes that need memory, and serves the rest. A replica that returns
# catches up.
scenario_memory-full() {
    cluster_make maxmemory=16
    machine_on head10 "${workers[@]}"
    eventually "it converges from its first boot" converged
    local value answers
    value=$(head -c 20000 /dev/zero | tr '\0' x)
    answers=$(seq 2000 | sed "s/.*/set fill& $value/" | timeout 60 redis-cli -h 172.31.255.10 -p 6380 | sort | uniq -c)
    check "writes that fit are accepted" grep -q OK <<<"$answers"
    check "writes that do not fit are refused" grep -q OOM <<<"$answers"
    is "a key is read at both ports" "20000 20000" "$(for port in 6380 6379; do app "$port" strlen fill1; done | xargs)"
    machine_off work13
    sleep 1
    # Writes that arrive while the copy is made must not make it start again and again.
    timeout 60 sh -c 'while :; do seq 100 | sed "s/.*/set fill& $1/"; done | redis-cli -h 172.31.255.10 -p 6380' - "$value" >/dev/null &
    local load=$!
    machine_on work13
    eventually "a replica that returns catches up under load" sync_is work13 copied
    check "the load ran all the time" kill "$load"
    wait "$load"
    is "no redis has restarted" "1 1" \
        "$(for node in work11 work12; do grep -c 'Ready to accept connections' "$dir/$node/log.redis"; done | xargs)"
    is "keys can be deleted" 200 "$(app 6380 del fill{1..200})"
    check "then writes are accepted" within 5 app_sets k "$value"
}
