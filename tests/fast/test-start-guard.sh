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
port=
while [ "$#" -gt 0 ]; do
    if [ "$1" = -h ]; then address=$2; fi
    if [ "$1" = -p ]; then port=$2; fi
    shift
done
# Of a redis there is ADDRESS.data, what it says of its data.
[ -n "$port" ] || address=$address.data
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

# holds NODE WORD: what that node's redis says of its data, as CONFIG GET has it.
holds() {
    printf '%s\n' PONG proc-title-template "{title} {listen-addr} {server-mode} data=$2" >"$SAYS/172.31.255.$1.data"
}

aof=$root/var/lib/airbuild/redis/appendonlydir
manifest=$aof/appendonly.aof.manifest
incr=$aof/appendonly.aof.1.incr.aof
# shellcheck disable=SC2016 # no expressions
set_count() { # COUNT: as the master's append-only file has it
    printf '*3\r\n$3\r\nset\r\n$12\r\nairbuild:age\r\n$20\r\n%09dabcd0000001\r\n' "$1"
}
# shellcheck disable=SC2016
data() { # COUNT [BYTES]: a member's data up to that count, and so many bytes after it
    mkdir -p "$aof"
    printf 'file %s seq 1 type i\n' "${incr##*/}" >"$manifest"
    { printf '*2\r\n$3\r\nGET\r\n$1\r\n\0\r\n' && set_count "$1" && head -c "${2-0}" /dev/zero | tr '\0' '\n'; } >"$incr"
    was_member
}

# was_member: it had data, once.
was_member() {
    echo member >"$root/var/lib/airbuild/membership"
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

# kept [NAME=VALUE...]: a work11 that has been a member, and has its data.
kept() {
    node "$@"
    data 42
}
kept
says 12 1 12
starts "it follows the one that a peer names" 12
kept
says 12 1 13 && says 13 1 13
starts "or both" 13
node
says 12 0 11 && says 13 0 11
starts "it is master when they name it" -
kept
says 12 1 12 && touch "$SAYS/172.31.255.13.hangs"
starts "a peer that does not answer is not waited for" 12
node
touch "$SAYS/172.31.255.12.hangs" "$SAYS/172.31.255.13.hangs"
starts "nor are two" -

# The newest epoch is right, whoever knows it.
kept
knew 1 12 && was 12 && says 13 0 11
starts "a peer that slept cannot make a master of it" 12
kept
knew 2 13 && was 13 && says 12 1 12
starts "nor a replica of a past master" 13
kept
knew 3 11 && was - && says 12 2 13
starts "the last master stays master though a peer remembers another" -
kept
knew 1 12 && was -
starts "its own sentinel knew better than redis" 12
kept
knew 1 11 && was - && says 12 2 13 && says 13 1 11
starts "one peer that knows more is enough" 13
kept
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

# It takes no writes before wait-in-sync has seen that nobody is elected in its place.
least() {
    sed -n 's/^min-replicas-to-write //p' "$conf"
}
kept
says 12 0 11 && says 13 0 11
starts "named by both it is master again" -
check "which takes no writes yet" test "$(least)" -gt 100
says 12 1 12
starts "replaced it follows" 12
is "and takes writes as soon as it is elected" 1 "$(least)"
node first_master=172.31.255.12 min_replicas=2
echo 'min-slaves-to-write 9999' >>"$conf"
starts "a replica" 12
is "takes them when as many follow it as the seed says" 2 "$(least)"
node workers=1 quorum=1 min_replicas=0
starts "a master without peers" -
is "takes them at once" 0 "$(least)"

# A master that comes back while they are about to elect another waits for them.
elected() {
    says "$1" 1 12
    mv "$SAYS/172.31.255.$1" "$SAYS/172.31.255.$1.next"
}
kept
elected 12 && says 12 0 11 s_down,o_down,master && elected 13 && says 13 0 11 s_down,master
starts "it waits for the election when the peers take it for down" 12
kept
elected 12 && says 12 0 11 master 1900 && elected 13 && says 13 0 11 master 1800
starts "or are about to" 12
kept down_after_ms=100
says 12 0 11 s_down,o_down,master && says 13 0 11 s_down,master
starts "but not for ever" -
kept
says 12 0 11 s_down,master
starts "one peer cannot elect" -

# The priority: the more writes the data hold, the smaller; 0 while a peer has more. No file time and no other file counts.
aged() { # COUNT [BYTES]: the priority that a replica with such data gets
    node first_master=172.31.255.12
    data "$@"
    guard >/dev/null
    priority
}
known() { # what the guard found: KIND COUNT REST PRIORITY NEWS ROLE
    cat "$root/var/lib/airbuild/redis/unsettled"
}
old=$(aged 41)
new=$(aged 42)
check "the more writes, the smaller the priority" test 100 -lt "$new" -a "$new" -lt "$old" -a "$old" -lt 2147483647
is "one line of it" 1 "$(grep -c '^replica-priority' "$conf")"
is "the bytes after the count are known" "data 42 300000 $new no 172.31.255.12" "$(aged 42 300000 >/dev/null; known)"
check "and told to peers" grep -q 'data=42.300000"$' "$conf"
node first_master=172.31.255.12
data 41
touch -d '+1 year' "$incr"
echo REDIS >"$root/var/lib/airbuild/redis/dump.rdb"
echo REDIS >"$root/var/lib/airbuild/redis/temp-99.rdb"
guard >/dev/null
is "no file time counts, no dump.rdb and no temporary file" "$old" "$(priority)"
node first_master=172.31.255.12
data 41
printf 'file base.rdb seq 1 type b\nfile %s seq 1 type i\n' "${incr##*/}" >"$manifest"
printf 'REDIS0010\376\020\373\001\0\0\014airbuild:age\024000000050abcd0000001\377\001\n\003\004' >"$aof/base.rdb"
set_count 40 >/dev/null && printf '*1\r\n' >"$incr"
guard >/dev/null
is "a count in the base is found" "data 50 4" "$(known | cut -d ' ' -f 1-3)"
node first_master=172.31.255.12
data 41
: >"$incr"
guard >/dev/null
check "data without a count are older than any with" test "$(priority)" -gt "$old"
while read -r words expected; do
    node first_master=172.31.255.12
    data 42 300
    holds 12 "${words%,*}" && holds 13 "${words#*,}"
    [[ $words != live* ]] || printf '%s\n' PONG proc-title-template '{title} {listen-addr} {server-mode}' >"$SAYS/172.31.255.12.data"
    guard >/dev/null
    is "$awk: with peers that have $words it gets" "$expected" "$(priority)"
done <<END
live,none 0
43.0,41.0 0
42.301,none 0
42.300,42.299 $new
41.999,old $new
none,none $new
END
node first_master=172.31.255.12
data 42
echo LOADING Redis is loading the dataset in memory >"$SAYS/172.31.255.13.data"
guard >/dev/null
is "while a peer loads its data it gets" 0 "$(priority)"
node first_master=172.31.255.12
data 42
knew 3 12 && says 13 2 11
guard >/dev/null
is "that its peers slept through an election is known" "yes 172.31.255.12" "$(known | cut -d ' ' -f 5-)"
says 12 3 12
guard >/dev/null
is "and that one of them did not" "no 172.31.255.12" "$(known | cut -d ' ' -f 5-)"
kept
starts "a master with data" -
is "may have been replaced: it has an age" "master 42 0 $new no " "$(known)"
is "and the priority of that" "$new" "$(priority)"
check "who can know how old its data are" grep -q 'data=42.0"$' "$conf"
node
echo 'replica-priority 5000' >>"$conf"
starts "a first master" -
is "has the priority of any other" "" "$(priority)"

# A node without data is no master while another may have some.
closed() { # what sentinels and the application log in with is off
    is "$awk: $1" "default off sentinel off" "$(awk '$1 == "user" && $3 == "off" { printf "%s%s off", sep, $2; sep = " " }' "$conf")"
}
without() { # WHAT ROLE: the guard says that it starts without data, as a replica of ROLE
    like "$awk: $1" "redis starts without data, as replica of 172.31.255.$2" "$(guard)"
    is "$awk: $1: it cannot be elected" 0 "$(priority)"
    closed "$1: it is closed"
    check "$awk: $1: its peers can know" grep -q 'data=none"$' "$conf"
}
node joins=yes
without "a new disk in an old cluster does not begin it anew" 12
without "nor after a restart" 12
node joins=yes
says 12 1 13
without "it follows the master that a peer names" 13
node joins=yes && says 12 0 11 && says 13 0 11
without "it is not master though they name it" 12
node joins=yes
without "at first" 12
data 42
starts "once it has data it is a node as any other" 12
check_not "and open" grep -qE '^user (default|sentinel) off' "$conf"
node
was_member
without "a member whose data are lost" 12
node
knew 2 11
without "a node that knows of an election" 12
node
says 12 1 11
without "a node whose peer knows of one" 12
node
holds 13 77.5
without "a node whose peer has data" 12
node
holds 12 none && holds 13 none
starts "not one whose peers have none either" -
node joins=yes workers=1 quorum=1 min_replicas=0
starts "nor one that is alone" -
node persistence=no
starts "without persistence it is master at its first start" -
was_member
without "and not after a restart" 12
node persistence=no
was_member
printf 'REDIS\014airbuild:age\024000000050abcd0000001\377' >"$root/var/lib/airbuild/redis/dump.rdb"
says 12 1 12
starts "unless it was shut down cleanly" 12
is "with the age of that" "data 50 0" "$(known | cut -d ' ' -f 1-3)"

# A configuration that was made anew knows no role.
node
data 42 && : >"$root/var/lib/airbuild/redis/remade" && : >"$root/var/lib/airbuild/sentinel/remade"
starts "no first master with old data" 12
closed "undecided"
is "until somebody says which" undecided "$(known | cut -d ' ' -f 1)"
node
data 42 && : >"$root/var/lib/airbuild/redis/remade" && says 12 3 13
starts "its peers know" 13
node first_master=172.31.255.12
data 42 && : >"$root/var/lib/airbuild/redis/remade" && says 12 3 11
starts "even that it is the master" -

# What killed writers left.
node
mkdir -p "$aof"
touch "$aof/temp-rewriteaof-bg-7.aof" "$root/var/lib/airbuild/redis/temp-7.rdb" "$conf.aB3xYz"
starts "left-over files do not count" -
is "and are gone" "redis.conf started unsettled" "$(cd "${conf%/*}" && echo redis* s* t* u* | sed 's/ [a-z]\*//')"
rm -rf "$aof"

# Data that the loss of power damaged: looked at after a start that came to nothing, and only then.
damaged() {
    node "$@"
    was_member
    mkdir -p "$aof"
    printf 'file appendonly.aof.1.incr.aof seq 1 type i\n' >"$aof/appendonly.aof.manifest"
    { printf '%s\r\n' '*2' "\$6" SELECT "\$1" 0 && set_count 7; } >"$file"
    cp "$file" "$dir/whole"
}
file=$aof/appendonly.aof.1.incr.aof
damaged
head -c 3000000 /dev/zero >>"$file"
cp "$file" "$dir/zeros"
starts "at the first start" -
check "data are left alone" cmp "$file" "$dir/zeros"
is "at the next one" 1 "$(guard | grep -c 'was never written: it is cut to')"
check "the zeros at their end are cut off" cmp "$file" "$dir/whole"
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
is "and cannot be elected" 0 "$(priority)"
damaged first_master=172.31.255.12
guard >/dev/null && guard >/dev/null
check "what it can read stays" cmp "$file" "$dir/whole"

node persistence=no
was_member
echo nonsense >"$root/var/lib/airbuild/redis/dump.rdb"
guard >/dev/null
like "without persistence a dump that cannot be read is put aside" "dump.rdb' cannot be read" "$(guard)"
check "as it was" test -e "$root/var/lib/airbuild/redis/dump.rdb.damaged"

# How much memory data may take: two fifths of what is beyond 192 MiB, looked at before each start; 16 MiB at least.
memory() {
    echo "MemTotal: $(($1 * 1024)) kB" >"$dir/meminfo"
    AIRBUILD_MEMINFO=$dir/meminfo guard >/dev/null
    sed -n 's/^maxmemory //p' "$conf"
}
node
is "a node of 725 MiB" 213mb "$(memory 725)"
like "has a replication buffer and a bound for clients that fit" "maxmemory-clients 53mb.*replica 106mb 0 0" \
    "$(grep -E '^(maxmemory-clients|client-output)' "$conf" | sort -r | tr '\n' ' ')"
is "one that got more" 742mb "$(memory 2048)"
is "one that has hardly any" 16mb "$(memory 200)"
node maxmemory=100 maxmemory_policy=allkeys-lru
is "what the spec says holds" 100mb "$(memory 725)"
like "its policy too" allkeys-lru "$(grep ^maxmemory-policy "$conf")"

# Nothing but those lines changes, nor owner nor mode; what was asked told no password.
kept
guard >/dev/null
rm -f "${conf%/*}/unsettled"
echo "# Generated by CONFIG REWRITE" >>"$conf"
before=$(grep -Ev '^(replicaof|replica-priority|proc-title-template|min-replicas-to-write) ' "$conf")
says 12 1 12
starts "a file that redis wrote" 12
is "keeps all its other lines" "$before" "$(grep -Ev '^(replicaof|replica-priority|proc-title-template|min-replicas-to-write) ' "$conf")"
is "its owner and mode" "redis:redis 600" "$(stat -c '%U:%G %a' "$conf")"
is "and no other file is left" "appendonlydir redis.conf started unsettled" "$(cd "${conf%/*}" && echo *)"
check_not "no password was on a command line" grep -q Password "$SAYS/argv"
is "it was asked as the status user" "$STATUS_AUTH" "$(grep Status "$SAYS/auth" | sort -u)"
tap_end
