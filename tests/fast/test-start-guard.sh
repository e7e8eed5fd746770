#!/bin/bash
# test-start-guard.sh - which role and which priority redis starts with, for every answer that peers may give. The peers
# are a stand-in for redis-cli that says what a file of their address holds; no server is started.
# SPDX-License-Identifier: Apache-2.0
set -u
dir=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM HUP
chmod 711 "$dir"

# All of it with each awk that a distribution has, at the same time.
if [[ $# == 0 ]]; then
    for awk in mawk gawk; do bash "$0" "$awk" >"$dir/$awk" & done
    wait
    cat "$dir/mawk" "$dir/gawk" | awk '/^1\.\./ { planned += substr($1, 4); next }
        / - / { sub(/ok [0-9]+/, "ok " ++count) }
        { print }
        END { print "1.." planned + 0; exit !count || count != planned }'
    exit
fi
. "$(dirname "$0")/../assert.sh"
. "$(dirname "$0")/lib.sh"

awk=$1
mkdir "$dir/bin"
ln -s "$(command -v "$awk")" "$dir/bin/awk"
cat >"$dir/bin/redis-cli" <<'END'
#!/bin/sh
echo "$*" >>"$SAYS/argv"
echo "$REDISCLI_AUTH" >>"$SAYS/auth"
cat >>"$SAYS/asked"
while [ "$#" -gt 0 ]; do
    if [ "$1" = -h ]; then address=$2; fi
    shift
done
# A file NAME.next takes NAME's place after it was read once.
if [ -e "$SAYS/$address" ]; then
    cat "$SAYS/$address"
    [ ! -e "$SAYS/$address.next" ] || mv "$SAYS/$address.next" "$SAYS/$address"
elif [ -e "$SAYS/$address.hangs" ]; then
    sleep 30
else
    echo "Could not connect to Redis" >&2
    exit 1
fi
END
chmod 755 "$dir/bin/redis-cli"
root=$dir/work11
conf=$root/var/lib/airbuild/redis/redis.conf
export SAYS=$dir/says

# node [NAME=VALUE...]: a fresh work11, with nothing said by anybody.
node() {
    rm -rf "$root" "$SAYS"
    mkdir "$SAYS"
    machine_make work11 "$@"
    AIRBUILD_CONSOLE=/dev/null AIRBUILD_ROOT=$root sh "$root/usr/lib/airbuild/node-setup" >/dev/null
}

# says NODE EPOCH MASTER [FLAGS [SILENT]]: what that node's sentinel answers, as redis-cli prints it.
says() {
    printf '%s\n' "172.31.255.$3" 6379 name redis-primary ip "172.31.255.$3" port 6379 flags "${4:-master}" \
        last-ok-ping-reply "${5:-100}" config-epoch "$2" quorum 2 >"$SAYS/172.31.255.$1"
}

# knew EPOCH MASTER: what the node's own sentinel wrote. was MASTER: whom redis followed (- for nobody).
knew() {
    sed -i "s/^sentinel monitor .*/sentinel monitor redis-primary 172.31.255.$2 6379 2/" \
        "$root/var/lib/airbuild/sentinel/sentinel.conf"
    echo "sentinel config-epoch redis-primary $1" >>"$root/var/lib/airbuild/sentinel/sentinel.conf"
}
was() {
    sed -i '/^replicaof/d' "$conf"
    [[ $1 == - ]] || echo "replicaof 172.31.255.$1 6379" >>"$conf"
}

guard() {
    PATH=$dir/bin:$PATH AIRBUILD_CONSOLE=$dir/console AIRBUILD_ROOT=$root sh "$root/usr/lib/airbuild/start-guard" 2>&1
}

# starts WHAT ROLE: run the guard; the role it says and the configuration's are ROLE (an address' end, or - for master).
starts() {
    local seen line='' text="redis starts as master"
    if [[ $2 != - ]]; then
        line="replicaof 172.31.255.$2 6379"
        text="redis starts as replica of 172.31.255.$2"
    fi
    seen=$(guard)
    [[ $seen == "airbuild: work11: $text" && $(grep -E '^(replicaof|slaveof)' "$conf") == "$line" ]]
    tap $? "$awk: $1" "$seen"$'\n'"$(tail -n 3 "$conf")"
}

priority() {
    sed -n 's/^replica-priority //p' "$conf"
}

node
starts "the first master starts as master when nobody answers" -
node first_master=172.31.255.12
starts "another starts as its replica" 12

node
says 12 1 12
starts "it follows the one that a peer names" 12
node
says 12 1 13 && says 13 1 13
starts "or both" 13
node
says 12 0 11 && says 13 0 11
starts "it is master when they name it" -
node
says 12 1 12 && touch "$SAYS/172.31.255.13.hangs"
starts "a peer that does not answer is not waited for" 12
node
touch "$SAYS/172.31.255.12.hangs" "$SAYS/172.31.255.13.hangs"
starts "nor are two" -

# The newest epoch is right, whoever knows it.
node
knew 1 12 && was 12 && says 13 0 11
starts "a peer that slept cannot make a master of it" 12
node
knew 2 13 && was 13 && says 12 1 12
starts "nor a replica of a past master" 13
node
knew 3 11 && was - && says 12 2 13
starts "the last master stays master though a peer remembers another" -
node
knew 1 12 && was -
starts "its own sentinel knew better than redis" 12
node
knew 1 11 && was - && says 12 2 13 && says 13 1 11
starts "one peer that knows more is enough" 13
node
knew 4 11 && was 12 && says 12 4 11 && says 13 4 11
starts "it is never promoted, though all name it" 12

# What is not an answer is none.
node
says 12 9 99
starts "an address that is no worker's is not followed" -
node
printf 'NOAUTH Authentication required.\n\nNOAUTH Authentication required.\n\n' >"$SAYS/172.31.255.12"
starts "an error is no answer" -
node
head -c 3000 /dev/urandom >"$SAYS/172.31.255.12"
starts "noise is no answer" -
node
printf '\n\nERR No such master with that name\n\n' >"$SAYS/172.31.255.12"
starts "a sentinel that knows no master is no answer" -

# A master that comes back while they are about to elect another waits for them.
elected() {
    says "$1" 1 12
    mv "$SAYS/172.31.255.$1" "$SAYS/172.31.255.$1.next"
}
node
elected 12 && says 12 0 11 s_down,o_down,master && elected 13 && says 13 0 11 s_down,master
starts "it waits for the election when the peers take it for down" 12
node
elected 12 && says 12 0 11 master 1900 && elected 13 && says 13 0 11 master 1800
starts "or are about to" 12
node down_after_ms=100
says 12 0 11 s_down,o_down,master && says 13 0 11 s_down,master
starts "but not for ever" -
node
says 12 0 11 s_down,master
starts "one peer cannot elect" -
node persistence=no
elected 12 && says 12 0 11 && elected 13 && says 13 0 11
starts "without persistence it is master at its first start" -
starts "and not after a restart, when another has the data" 12

# The priority: the newer the data, the smaller; without data the largest; 100 (none written) for a master.
node first_master=172.31.255.12
starts "a replica without data" 12
none=$(priority)
aof=$root/var/lib/airbuild/redis/appendonlydir
mkdir -p "$aof"
touch -d '2026-01-01' "$aof/appendonly.aof.1.base.rdb"
touch -d '2026-03-01' "$aof/appendonly.aof.1.incr.aof"
touch "$aof/appendonly.aof.manifest"
starts "a replica with old data" 12
old=$(priority)
touch -d '2026-03-01 00:01' "$aof/appendonly.aof.1.incr.aof"
starts "a replica with newer data" 12
new=$(priority)
check "the newer the data, the smaller the priority" test 100 -lt "$new" -a "$new" -lt "$old" -a "$old" -lt "$none"
check "which fits 31 bits" test "$none" -lt 2147483647
is "one line of it" 1 "$(grep -c '^replica-priority' "$conf")"
node
echo 'replica-priority 5000' >>"$conf"
starts "a master" -
is "has none" "" "$(priority)"

# Data that the loss of power damaged: looked at after a start that came to nothing, and only then.
damaged() {
    node "$@"
    mkdir -p "$aof"
    printf 'file appendonly.aof.1.incr.aof seq 1 type i\n' >"$aof/appendonly.aof.manifest"
    printf '%s\r\n' '*2' "\$6" SELECT "\$1" 0 >"$file"
    cp "$file" "$dir/whole"
}
file=$aof/appendonly.aof.1.incr.aof
damaged
head -c 70000 /dev/zero >>"$file"
cp "$file" "$dir/zeros"
starts "at the first start" -
check "data are left alone" cmp "$file" "$dir/zeros"
guard >/dev/null
check "at the next one the zeros at their end are cut off" cmp "$file" "$dir/whole"
guard >/dev/null
check "and no more" cmp "$file" "$dir/whole"
damaged
printf 'a\0\n\0b' >>"$file"
cp "$file" "$dir/odd"
guard >/dev/null && guard >/dev/null
check "what a master cannot read stays" cmp "$file" "$dir/odd"
says 12 1 12
like "what a replica cannot read is put aside" "appendonlydir' cannot be read: .*all of it comes from 172.31.255.12" "$(guard)"
check "as it was" cmp "$aof.damaged/${file##*/}" "$dir/odd"
check_not "it begins anew" test -e "$aof"
is "and is the least preferred" "$none" "$(priority)"
damaged first_master=172.31.255.12
guard >/dev/null && guard >/dev/null
check "what it can read stays" cmp "$file" "$dir/whole"

# Nothing but those two lines changes, nor owner nor mode; what was asked told no password.
node
echo "# Generated by CONFIG REWRITE" >>"$conf"
before=$(cat "$conf")
says 12 1 12
starts "a file that redis wrote" 12
is "keeps all its other lines" "$before" "$(grep -Ev '^(replicaof|replica-priority) ' "$conf")"
is "its owner and mode" "redis:redis 600" "$(stat -c '%U:%G %a' "$conf")"
is "and no other file is left" "redis.conf started unsettled" "$(cd "${conf%/*}" && echo *)"
check_not "no password was on a command line" grep -q Password "$SAYS/argv"
is "it was asked as the status user" "$STATUS_AUTH" "$(sort -u "$SAYS/auth")"
tap_end
