# shellcheck shell=bash
# lib.sh - a cluster of processes for the fast tests: head10 and work11..13 are network, mount and process namespaces on
# the bridge 172.31.255.0/24, inside a parent namespace that has the client's address 172.31.255.254. The machines run
# the units of images/files/ (see `machine`). Nothing runs in the host's namespaces; when the parent's process 1 ends,
# every process, interface and mount is gone.
# SPDX-License-Identifier: Apache-2.0

fast=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$fast/../.." && pwd)
writer=$top/build/tests/writer
workers=(work11 work12 work13)
quorum=2
dir=${dir:?a folder for the machines}
declare -A pid=() init=() # of running machines: unshare, and process 1 of the machine, as seen from here
declare -A heard=()       # machines that can be probed: running, and with their link up
leader='' judged=''       # results of the last look

# The passwords of the application, the probing user and the administrator.
export REDISCLI_AUTH=AppAppAppAppAppAppAppAppAppAppAp
export STATUS_AUTH=StatusStatusStatusStatusStatusSt
admin_auth=AdminAdminAdminAdminAdminAdminAd

# address NODE
address() {
    echo "172.31.255.${1//[a-z]/}"
}

# role_of NODE
role_of() { [[ $1 == head* ]] && echo haproxy || echo redis; }

# seed NODE [NAME=VALUE...]: what the seed writes on that node; see tests/tools/node_files.c.
seed() {
    mkdir -p "$dir/$1/etc/airbuild"
    "$top/build/tests/node_files" "$dir/$1/etc/airbuild" "$1" "password_app=$REDISCLI_AUTH" "${@:2}"
}

# reseed NODE [NAME=VALUE...]: give it another seed, on the seed's disk only.
reseed() {
    mkdir -p "$dir/$1/dev"
    seed "$@" "iso=$dir/$1/dev/vdb"
}

# other_secrets: use the passwords of a seed with secrets=other from here on.
other_secrets() {
    local name
    for name in REDISCLI_AUTH STATUS_AUTH admin_auth; do
        printf -v "$name" %s "$(tr 'A-Za-z' 'a-zA-Z' <<<"${!name}")"
    done
}

# machine_make NODE [NAME=VALUE...]: make its disk as the image and the seed do.
machine_make() {
    local node=$1
    mkdir -p "$dir/$node/var/lib"
    cp -r "$top/images/files/common/." "$top/images/files/$(role_of "$node")/." "$dir/$node"
    chmod -R a+rX "$dir/$node/usr"
    seed "$@"
}

# script NODE NAME [SHELL]: run one of the node's scripts on its disk, without its machine.
script() {
    AIRBUILD_CONSOLE=$dir/$1/console AIRBUILD_ROOT=$dir/$1 "${3:-sh}" "$dir/$1/usr/lib/airbuild/$2" 2>&1
}

# machine_on NODE...: power on.
machine_on() {
    local node
    for node; do
        rm -f "$dir/$node/init"
        unshare --net --mount --pid --fork --kill-child \
            bash "$fast/machine" "$dir/$node" "$(address "$node")" "$(role_of "$node")" >>"$dir/$node/log.machine" 2>&1 &
        pid[$node]=$!
        until [[ -s $dir/$node/init ]]; do sleep 0.01; done
        init[$node]=$(cat "$dir/$node/init")
        link_on "$node"
        heard[$node]=yes
    done
}

# link_on NODE: connect a machine that was just powered on to the bridge.
link_on() {
    ip link add "$1" type veth peer name eth0 netns "${init[$1]}"
    ip link set "$1" master air0 up
}

# machine_off NODE...: cut the power.
machine_off() {
    local node
    for node; do
        unset "heard[$node]"
        ip link del "$node"
        kill -KILL "${pid[$node]}"
        wait "${pid[$node]}" 2>/dev/null
    done
}

# machine_stop NODE: shut down as on ACPI power-off: stop sentinel, then redis, then power off.
machine_stop() {
    unit_stop "$1" sentinel TERM
    unit_stop "$1" redis TERM
    within 20 unit_is_down "$1" redis
    machine_off "$1"
    unit_allow "$1" sentinel redis
}

# link_down NODE, link_up NODE
link_down() {
    unset "heard[$1]"
    ip link set "$1" down
}
link_up() {
    ip link set "$1" up
    heard[$1]=yes
}

# peers_cut NODE: cut the node off from the other workers; the head still reaches all of them.
peers_cut() {
    local other
    for other in "${workers[@]}"; do
        [[ $other == "$1" ]] && continue
        on "$1" ip neigh replace "$(address "$other")" lladdr 02:00:00:00:ff:ff dev eth0 nud permanent
        on "$other" ip neigh replace "$(address "$1")" lladdr 02:00:00:00:ff:ff dev eth0 nud permanent
    done
}

# on NODE COMMAND...: run a command on that machine.
on() {
    nsenter --target "${init[$1]}" --net --mount --pid "${@:2}"
}

# machine_pause NODE, machine_resume NODE: stop all its processes and its link; continue them.
machine_pause() {
    link_down "$1"
    on "$1" bash -c 'kill -STOP -1'
}
machine_resume() {
    on "$1" bash -c 'kill -CONT -1'
    link_up "$1"
}

# unit_kill NODE UNIT SIGNAL: it restarts. unit_stop NODE UNIT SIGNAL: it does not until unit_allow NODE UNIT...
unit_kill() { on "$1" bash -c "kill -$3 \$(cat /run/$2.pid)"; }
unit_stop() { touch "$dir/$1/off.$2" && unit_kill "$@"; }
unit_allow() {
    local unit
    for unit in "${@:2}"; do rm "$dir/$1/off.$unit"; done
}
unit_is_down() { ! on "$1" test -e "/run/$2.pid"; }

# redis NODE COMMAND...: ask a worker as the user status. sentinel NODE COMMAND...: ask its sentinel.
redis() {
    REDISCLI_AUTH=$STATUS_AUTH timeout 2 redis-cli --no-auth-warning --user status -h "$(address "$1")" "${@:2}" 2>&1
}
sentinel() { redis "$1" -p 26379 "${@:2}"; }

# admin NODE COMMAND...: ask it as the administrator.
admin() {
    REDISCLI_AUTH=$admin_auth timeout 2 redis-cli --no-auth-warning --user admin \
        -h "$(address "$1")" "${@:2}" 2>&1
}

# is_no_candidate NODE: exclude it from elections; succeeds when all sentinels know. wait-in-sync must have ended, which sets
# the priority last.
is_no_candidate() {
    local other
    [[ ! -e $dir/$1/var/lib/airbuild/redis/unsettled ]] || return
    admin "$1" config set replica-priority 0 >/dev/null
    for other in "${workers[@]}"; do
        sentinel "$other" sentinel replicas redis-primary | grep -x -A 200 "$(address "$1"):6379" |
            grep -x -m 1 -A 1 slave-priority | grep -qx 0 || return
    done
}

# app PORT COMMAND...: ask the head as the application.
app() {
    timeout 2 redis-cli -h 172.31.255.10 -p "$1" "${@:2}" 2>&1
}

# look: probe the machines in $heard as `airbuild status` does. Sets $leader, the master that a quorum of sentinels names
# (-: none), and $judged: "converged", or what is missing.
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
# converged: succeeds if the cluster is.
converged() {
    look
    echo "$judged"
    [[ $judged == converged ]]
}

# master_is NODE, master_is_not NODE: it is master, or another node is.
master_is() {
    look
    [[ $leader == "$1" ]]
}
master_is_not() {
    look
    [[ $leader != - && $leader != "$1" ]]
}

# writer_start: start a client that writes, reads and watches. writer_stop: sets $report, its results as JSON.
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

# reported FIELD: print a number of $report.
reported() { sed -n "s/.*\"$1\": \(-\?[0-9.]*\).*/\1/p" <<<"$report"; }

# clock_make NODE...: give machines that are off clocks of their own, equal to the host's, and an RTC, which rtc_start
# keeps up to date. A machine's RTC is ahead of the real clock by the seconds in $dir/NODE/host.
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
        # Not EPOCHSECONDS, whose clock is a tick late. One write, so that no reader sees half of the text.
        for node; do
            read -r ahead <"$dir/$node/host"
            echo "$((${EPOCHREALTIME%.*} + ahead))" 1<>"$dir/$node/sys/class/rtc/rtc0/since_epoch"
        done
    done &
}

# host_shift SECONDS NODE...: move their RTC forward, as if they had been paused that long, or back (-).
host_shift() {
    local node ahead
    for node in "${@:2}"; do
        read -r ahead <"$dir/$node/host"
        echo "$((ahead + $1))" >"$dir/$node/host"
    done
}

# clock_write NODE MICROSECONDS: step its clock to be that far ahead of its RTC. clock_read NODE: print how far it is.
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

# clock_is_right NODE...: succeeds if they are within a second of the RTC, which counts seconds.
clock_is_right() {
    local node ahead
    for node; do
        ahead=$(clock_read "$node")
        ((ahead > -1000000 && ahead < 1000000)) || return
    done
}

# cluster_make [NAME=VALUE...]: make the bridge, the client's address and, below $dir, four machines that are off.
cluster_make() {
    local node
    ip link set lo up
    ip link add air0 type bridge
    ip address add 172.31.255.254/24 dev air0
    ip link set air0 up
    for node in head10 "${workers[@]}"; do machine_make "$node" "$@"; done
}
