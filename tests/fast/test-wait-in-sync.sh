#!/bin/bash
# test-wait-in-sync.sh - when a started master accepts writes, for every answer of its peers' sentinels. A stand-in for
# redis-cli answers from files; no server is started.
# SPDX-License-Identifier: Apache-2.0
set -u
dir=$(mktemp -d -p /dev/shm)
waiting=
finish() {
    stop
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
. "$(dirname "$0")/../assert.sh"
. "$(dirname "$0")/lib.sh"

mkdir "$dir/bin"
cat >"$dir/bin/redis-cli" <<'END'
#!/bin/sh
arguments=$*
port=6379
while [ "$#" -gt 0 ]; do
    if [ "$1" = -h ]; then address=$2; fi
    if [ "$1" = -p ]; then port=$2; fi
    shift
done
case $address:$port:$arguments in
172.31.255.11:6379:*' info '*) cat "$SAYS/info" ;;
172.31.255.11:6379:*' eval '*) echo 0 ;;
172.31.255.11:6379:*' client kill '*) echo 1 ;;
172.31.255.11:6379:*)
    while read -r line; do
        echo "$line" >>"$SAYS/told"
        case $line in
        'replicaof no one') sed -i 's/^role:.*/role:master/' "$SAYS/info" ;;
        'replicaof '*) sed -i 's/^role:.*/role:slave/; s/^master_link_status:.*/master_link_status:down/' "$SAYS/info" ;;
        esac
        echo OK
    done
    ;;
*) cat "$SAYS/$address:$port" ;;
esac
END
chmod 755 "$dir/bin/redis-cli"
root=$dir/work11
export SAYS=$dir/says

# starts ROLE UNSETTLED [LINK]: run wait-in-sync after work11's redis has started with what start-guard wrote.
starts() {
    stop
    rm -rf "$root" "$SAYS/told"
    machine_make work11
    : >"$root/usr/lib/airbuild/write-lease" # it would connect from here
    script work11 node-setup >/dev/null
    is_now "$1" "${3-up}"
    [[ $2 != joins* ]] || : >"$root/var/lib/airbuild/redis/closed"
    echo "$2" >"$root/var/lib/airbuild/redis/unsettled"
    PATH=$dir/bin:$PATH AIRBUILD_CONSOLE=/dev/null AIRBUILD_ROOT=$root \
        setsid sh "$root/usr/lib/airbuild/wait-in-sync" >"$dir/log" 2>&1 &
    waiting=$!
}
stop() {
    [[ -z $waiting ]] || kill -KILL -- "-$waiting" 2>/dev/null
    waiting=
}

# is_now ROLE [LINK]: set what work11's redis reports; it has two replicas.
is_now() {
    printf '%s\n' "role:$1" "master_link_status:${2-up}" "slave0:ip=172.31.255.12,port=6379,state=online" \
        "slave1:ip=172.31.255.13,port=6379,state=online" >"$SAYS/info"
}

# says EPOCH MASTER FLAGS SILENT: set the answer of both peers' sentinels; their redis are in sync.
says() {
    local peer
    for peer in 12 13; do
        printf '%s\n' "172.31.255.$2" 6379 name redis-primary ip "172.31.255.$2" port 6379 flags "$3" \
            last-ok-ping-reply "$4" config-epoch "$1" quorum 2 >"$dir/new"
        mv "$dir/new" "$SAYS/172.31.255.$peer:26379"
        printf '%s\n' PONG proc-title-template '{title} {listen-addr} {server-mode}' >"$SAYS/172.31.255.$peer:6379"
    done
}

is_open() {
    grep -q '^config set .*min-replicas-to-write 1 ' "$SAYS/told"
}
follows_12() {
    grep -qx 'replicaof 172.31.255.12 6379' "$SAYS/told"
}

is_settled() {
    grep -q '^config set replica-priority 100 ' "$SAYS/told"
}

# stays_closed NAME: ok if it accepts no writes for the time of many looks.
stays_closed() {
    sleep 3
    check_not "$1" is_open
}

mkdir "$SAYS"
for unsettled in 'new - 0 0 no ' 'master 42 0 2147479958 no '; do
    kind=${unsettled%% *}
    says 0 11 s_down,o_down,master 5000
    starts master "$unsettled"
    stays_closed "$kind: it accepts no writes while its peers' sentinels report it down"
    says 0 11 master,failover_in_progress 100
    stays_closed "$kind: it accepts no writes while a sentinel holds an election"
    says 0 11 master 1300
    stays_closed "$kind: it accepts no writes before the sentinels have reached it"
    says 0 11 master 300
    check "$kind: it accepts writes when the sentinels name it" within 20 is_open

    says 1 12 master 100
    starts master "$unsettled"
    check "$kind: it follows the elected master" within 20 follows_12
    check_not "$kind: it accepted no writes meanwhile" is_open
    is_now slave
    check "$kind: a replica in sync may accept writes when elected" within 20 is_open
done

# Where no worker has data, the named one begins. Its ACL is closed to sentinels, so they report it down.
says 0 11 s_down,o_down,master 5000
for peer in 12 13; do printf '%s\n' PONG proc-title-template 'data=none' >"$SAYS/172.31.255.$peer:6379"; done
starts slave 'joins - 0 0 no 172.31.255.12' down
check "joins: it begins although it is reported down" within 20 is_settled
check "joins: its ACL is opened to sentinels" grep -qx 'acl setuser sentinel on' "$SAYS/told"
check "joins: it becomes master" grep -qx 'replicaof no one' "$SAYS/told"

rm "$SAYS"/172*
starts master 'new - 0 0 no '
check "it accepts writes when no sentinel answers" within 20 is_open
tap_end
