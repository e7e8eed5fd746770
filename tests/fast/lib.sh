# shellcheck shell=bash
# lib.sh - a cluster of processes for the fast tests: head10 and work11..13 as network, mount and process namespaces on
# a bridge 172.31.255.0/24, all of it inside a parent namespace where 172.31.255.254 (the client) is. The machines run
# what images/files/ holds, from its units (see `machine`). Nothing is in the host's namespaces, and the end of the
# parent's process 1, however it comes, ends every process and takes every interface and mount along.
# SPDX-License-Identifier: Apache-2.0

fast=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$fast/../.." && pwd)
writer=$top/build/tests/writer
workers=(work11 work12 work13)
quorum=2
dir=${dir:?a folder for the machines}
declare -A pid=() init=() # of machines that are on: unshare, and the machine's process 1, as seen from here
declare -A heard=()       # machines that can be asked: on, and with their cable in
leader='' judged=''       # of the last look

# The passwords of the application and of the probing user.
export REDISCLI_AUTH=AppAppAppAppAppAppAppAppAppAppAp
export STATUS_AUTH=StatusStatusStatusStatusStatusSt

# address NODE
address() {
    echo "172.31.255.${1//[a-z]/}"
}

# seed NODE [NAME=VALUE...]: what the seed writes on that node; see tests/tools/node_files.c.
seed() {
    mkdir -p "$dir/$1/etc/airbuild"
    "$top/build/tests/node_files" "$dir/$1/etc/airbuild" "$@"
}

# machine_make NODE [NAME=VALUE...]: its disk, as the image and the seed make it.
machine_make() {
    local node=$1 role=redis
    [[ $node == head* ]] && role=haproxy
    mkdir -p "$dir/$node/var/lib"
    cp -r "$top/images/files/common/." "$top/images/files/$role/." "$dir/$node"
    chmod -R a+rX "$dir/$node/usr"
    seed "$@"
}

# machine_on NODE...: power on.
machine_on() {
    local node role
    for node; do
        role=redis
        [[ $node == head* ]] && role=haproxy
        rm -f "$dir/$node/init"
        unshare --net --mount --pid --fork --kill-child \
            bash "$fast/machine" "$dir/$node" "$(address "$node")" "$role" >>"$dir/$node/log.machine" 2>&1 &
        pid[$node]=$!
        until [[ -s $dir/$node/init ]]; do sleep 0.01; done
        init[$node]=$(cat "$dir/$node/init")
        link_on "$node"
        heard[$node]=yes
    done
}

# link_on NODE: plug its cable in, which a machine that has just been powered on has not.
link_on() {
    ip link add "$1" type veth peer name eth0 netns "${init[$1]}"
    ip link set "$1" master air0 up
}

# machine_off NODE...: the power is pulled: nothing of it says goodbye.
machine_off() {
    local node
    for node; do
        unset "heard[$node]"
        ip link del "$node"
        kill -KILL "${pid[$node]}"
        wait "${pid[$node]}" 2>/dev/null
    done
}

# machine_stop NODE: shut down as on ACPI power-off: sentinel, then redis, each at its own pace; then it is off.
machine_stop() {
    touch "$dir/$1/off.sentinel" "$dir/$1/off.redis"
    unit_kill "$1" sentinel TERM
    unit_kill "$1" redis TERM
    within 20 unit_is_down "$1" redis
    machine_off "$1"
    rm "$dir/$1/off.sentinel" "$dir/$1/off.redis"
}

# link_cut NODE, link_mend NODE
link_cut() {
    unset "heard[$1]"
    ip link set "$1" down
}
link_mend() {
    ip link set "$1" up
    heard[$1]=yes
}

# peers_cut NODE: the other workers and it no longer hear each other; the head hears all.
peers_cut() {
    local other
    for other in "${workers[@]}"; do
        [[ $other == "$1" ]] && continue
        on "$1" ip neigh replace "$(address "$other")" lladdr 02:00:00:00:ff:ff dev eth0 nud permanent
        on "$other" ip neigh replace "$(address "$1")" lladdr 02:00:00:00:ff:ff dev eth0 nud permanent
    done
}

# on NODE COMMAND...: run it on that machine.
on() {
    nsenter --target "${init[$1]}" --net --mount --pid "${@:2}"
}

# machine_pause NODE, machine_resume NODE: all its processes stand still, and its network with them.
machine_pause() {
    link_cut "$1"
    on "$1" bash -c 'kill -STOP -1'
}
machine_resume() {
    on "$1" bash -c 'kill -CONT -1'
    link_mend "$1"
}

# unit_kill NODE UNIT SIGNAL
unit_kill() {
    on "$1" bash -c "kill -$3 \$(cat /run/$2.pid)"
}

unit_is_down() {
    ! on "$1" test -e "/run/$2.pid"
}

# redis NODE COMMAND...: as the status user, straight to a worker. sentinel NODE COMMAND...: to its sentinel.
redis() {
    REDISCLI_AUTH=$STATUS_AUTH timeout 2 redis-cli --no-auth-warning --user status -h "$(address "$1")" "${@:2}" 2>&1
}
sentinel() {
    redis "$1" -p 26379 "${@:2}"
}

# admin NODE COMMAND...: as the administrator.
admin() {
    REDISCLI_AUTH=AdminAdminAdminAdminAdminAdminAd timeout 2 redis-cli --no-auth-warning --user admin \
        -h "$(address "$1")" "${@:2}" 2>&1
}

# stands_back NODE: it is not to be elected, and all sentinels know.
stands_back() {
    local other
    admin "$1" config set replica-priority 0 >/dev/null
    for other in "${workers[@]}"; do
        sentinel "$other" sentinel replicas redis-primary | grep -x -A 200 "$(address "$1"):6379" |
            grep -x -m 1 -A 1 slave-priority | grep -qx 0 || return
    done
}

# app PORT COMMAND...: as the application, through the head.
app() {
    timeout 2 redis-cli -h 172.31.255.10 -p "$1" "${@:2}" 2>&1
}

# look: what those that can be heard say, all asked at once as by `airbuild status`: $leader, the worker that says it is
# master and that a quorum of sentinels names (-: none), and $judged: converged, or what is not so yet.
look() {
    local node
    local -a targets=()
    for node in head10 "${workers[@]}"; do
        if [[ ${heard[$node]-} ]]; then
            targets+=("$node=$(address "$node")")
        else
            targets+=("!$node=$(address "$node")")
        fi
    done
    read -r leader judged < <("$top/build/tests/look" "$quorum" "${targets[@]}")
}
converged() {
    look
    echo "$judged"
    [[ $judged == converged ]]
}

# master_is NODE, master_is_not NODE: it is master, or another one is.
master_is() {
    look
    [[ $leader == "$1" ]]
}
master_is_not() {
    look
    [[ $leader != - && $leader != "$1" ]]
}

# writer_start: a client that writes, reads and watches. writer_stop: what it saw, as JSON, in $report.
writer_start() {
    "$writer" 172.31.255.10 172.31.255.11 172.31.255.12 172.31.255.13 >"$dir/writer.json" 2>"$dir/writer.err" &
    writer_pid=$!
}
writer_stop() {
    kill -TERM "$writer_pid"
    wait "$writer_pid"
    report=$(cat "$dir/writer.json" "$dir/writer.err")
    echo "# ${scenario-}: $report" | head -n 1
}

# said FIELD: a number of $report.
said() {
    sed -n "s/.*\"$1\": \(-\?[0-9.]*\).*/\1/p" <<<"$report"
}

# clock_make NODE...: machines that are off get clocks of their own, which agree with the host's, and an RTC, of which
# rtc_start makes the time pass. What a machine takes for its host's clock is the real one and $dir/NODE/host seconds.
clock_make() {
    local node
    for node; do
        mkdir -p "$dir/$node/sys/class/rtc/rtc0"
        cp "$top/build/tests/clock.so" "$dir/$node"
        chmod a+rx "$dir/$node/clock.so"
        echo 0 >"$dir/$node/host"
        clock_write "$node" 0
        echo "$EPOCHSECONDS" >"$dir/$node/sys/class/rtc/rtc0/since_epoch"
    done
}
rtc_start() {
    local node rest ahead
    while :; do
        rest=$((1000000 - 10#${EPOCHREALTIME#*.}))
        printf -v rest '0.%06d' "$((rest < 1000000 ? rest : 999999))"
        sleep "$rest"
        # One write over the old text, so that nobody reads half of it.
        for node; do
            read -r ahead <"$dir/$node/host"
            echo "$((EPOCHSECONDS + ahead))" 1<>"$dir/$node/sys/class/rtc/rtc0/since_epoch"
        done
    done &
}

# host_shift SECONDS NODE...: they stood still for that long while their host went on; or it was set back (-).
host_shift() {
    local node ahead
    for node in "${@:2}"; do
        read -r ahead <"$dir/$node/host"
        echo "$((ahead + $1))" >"$dir/$node/host"
    done
}

# clock_write NODE MICROSECONDS: so far its clock is ahead of the host's from now on, which its processes see as a step.
# clock_read NODE: how far it is.
clock_write() {
    local bytes='' byte i ahead
    read -r ahead <"$dir/$1/host"
    ahead=$((ahead * 1000000 + $2))
    for ((i = 0; i < 64; i += 8)); do
        printf -v byte '\\x%02x' $((ahead * 1000 >> i & 255))
        bytes+=$byte
    done
    printf '%b' "$bytes" 1<>"$dir/$1/clock"
}
clock_read() {
    local value ahead
    value=$(od -A n -t d8 "$dir/$1/clock")
    read -r ahead <"$dir/$1/host"
    echo "$((value / 1000 - ahead * 1000000))"
}

# clock_is_right NODE...: within a second of the host's. The RTC here shows the host's seconds.
clock_is_right() {
    local node ahead
    for node; do
        ahead=$(clock_read "$node")
        ((ahead > -1000000 && ahead < 1000000)) || return
    done
}

# cluster_make [NAME=VALUE...]: below $dir, which is there: the bridge, the client's address, and four machines that are off.
cluster_make() {
    local node
    ip link set lo up
    ip link add air0 type bridge
    ip address add 172.31.255.254/24 dev air0
    ip link set air0 up
    for node in head10 "${workers[@]}"; do machine_make "$node" "$@"; done
}
