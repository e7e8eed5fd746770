#!/bin/bash
# test-start-guard.sh - the role and the priority that redis starts with, for every answer of its peers. A stand-in for
# redis-cli answers from a file per address; no server is started.
# SPDX-License-Identifier: Apache-2.0
set -u
dir=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM HUP
chmod 711 "$dir"

# Run the test with each awk of the distributions, in parallel.
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
# ADDRESS.data is the answer of redis about its data.
[ -n "$port" ] || address=$address.data
# NAME.next replaces NAME after it was read once.
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

# node [NAME=VALUE...]: make a new work11; no peer answers.
node() {
    rm -rf "$root" "$SAYS"
    mkdir "$SAYS"
    machine_make work11 "$@"
    script work11 node-setup >/dev/null
}

# says NODE EPOCH MASTER [FLAGS [SILENT]]: set the answer of that node's sentinel, as redis-cli prints it.
says() {
    printf '%s\n' "172.31.255.$3" 6379 name redis-primary ip "172.31.255.$3" port 6379 flags "${4:-master}" \
        last-ok-ping-reply "${5:-100}" config-epoch "$2" quorum 2 >"$SAYS/172.31.255.$1"
}

# knew EPOCH MASTER: set what the node's own sentinel wrote. was MASTER: set the master that redis followed (-: none).
knew() {
    sed -i "s/^sentinel monitor .*/sentinel monitor redis-primary 172.31.255.$2 6379 2/" \
        "$root/var/lib/airbuild/sentinel/sentinel.conf"
    echo "sentinel config-epoch redis-primary $1" >>"$root/var/lib/airbuild/sentinel/sentinel.conf"
}
was() {
    sed -i '/^replicaof/d' "$conf"
    [[ $1 == - ]] || echo "replicaof 172.31.255.$1 6379" >>"$conf"
}

# holds NODE WORD: set what that node's redis reports about its data, as CONFIG GET prints it.
holds() {
    printf '%s\n' PONG proc-title-template "{title} {listen-addr} {server-mode} data=$2" >"$SAYS/172.31.255.$1.data"
}

aof=$root/var/lib/airbuild/redis/appendonlydir
manifest=$aof/appendonly.aof.manifest
incr=$aof/appendonly.aof.1.incr.aof
# shellcheck disable=SC2016 # no expressions
set_count() { # COUNT: print it as in the master's append-only file
    printf '*3\r\n$3\r\nset\r\n$12\r\nairbuild:age\r\n$20\r\n%09dabcd0000001\r\n' "$1"
}
# shellcheck disable=SC2016
data() { # COUNT [BYTES]: make a member's data up to that count, and that many bytes after it
    mkdir -p "$aof"
    printf 'file %s seq 1 type i\n' "${incr##*/}" >"$manifest"
    { printf '*2\r\n$3\r\nGET\r\n$1\r\n\0\r\n' && set_count "$1" && head -c "${2-0}" /dev/zero | tr '\0' '\n'; } >"$incr"
    was_member
}

# was_member: the node has had data.
was_member() {
    echo member >"$root/var/lib/airbuild/membership"
}

guard() {
    PATH=$dir/bin:$PATH AIRBUILD_CONSOLE=$dir/console AIRBUILD_ROOT=$root sh "$root/usr/lib/airbuild/start-guard" 2>&1
}

# starts NAME ROLE: ok if start-guard reports and configures ROLE: the master's last address byte, or - for master.
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
starts "the first master starts as master when no peer answers" -
node first_master=172.31.255.12
starts "another worker starts as replica of the first master" 12

# kept [NAME=VALUE...]: make a work11 that has been a member and has its data.
kept() {
    node "$@"
    data 42
}
kept
says 12 1 12
starts "it follows the master that one peer names" 12
kept
says 12 1 13 && says 13 1 13
starts "it follows the master that both peers name" 13
node
says 12 0 11 && says 13 0 11
starts "it is master when both peers name it" -
kept
says 12 1 12 && touch "$SAYS/172.31.255.13.hangs"
starts "it does not wait for a peer that does not answer" 12
node
touch "$SAYS/172.31.255.12.hangs" "$SAYS/172.31.255.13.hangs"
starts "it does not wait for two peers that do not answer" -

# The newest epoch counts, from any source.
kept
knew 1 12 && was 12 && says 13 0 11
starts "a peer with an old epoch cannot make it master" 12
kept
knew 2 13 && was 13 && says 12 1 12
starts "a peer with an old epoch cannot make it follow a past master" 13
kept
knew 3 11 && was - && says 12 2 13
starts "the last master stays master although a peer remembers an older one" -
kept
knew 1 12 && was -
starts "its own sentinel's newer state overrides that of redis" 12
kept
knew 1 11 && was - && says 12 2 13 && says 13 1 11
starts "one peer with a newer epoch is enough" 13
kept
knew 4 11 && was 12 && says 12 4 11 && says 13 4 11
starts "a replica is never promoted, although all name it" 12

# Invalid answers count as none.
node
says 12 9 99
starts "it does not follow an address that is not a worker's" -
node
printf 'NOAUTH Authentication required.\n\nNOAUTH Authentication required.\n\n' >"$SAYS/172.31.255.12"
starts "an error is not an answer" -
node
head -c 3000 /dev/urandom >"$SAYS/172.31.255.12"
starts "garbage is not an answer" -
node
printf '\n\nERR No such master with that name\n\n' >"$SAYS/172.31.255.12"
starts "a sentinel without a master is not an answer" -

# It accepts no writes before wait-in-sync has seen that no other master is elected.
least() {
    sed -n 's/^min-replicas-to-write //p' "$conf"
}
kept
says 12 0 11 && says 13 0 11
starts "it is master again when both peers name it" -
check "a restarted master accepts no writes yet" test "$(least)" -gt 100
says 12 1 12
starts "a replaced master follows" 12
is "a replica may accept writes when it is elected" 1 "$(least)"
node first_master=172.31.255.12 min_replicas=2
echo 'min-slaves-to-write 9999' >>"$conf"
starts "a replica" 12
is "takes them when as many follow it as the seed says" 2 "$(least)"
node workers=1 quorum=1 min_replicas=0
starts "a master without peers" -
is "takes them at once" 0 "$(least)"

# A master that returns while its peers are about to elect another waits for them.
elected() {
    says "$1" 1 12
    mv "$SAYS/172.31.255.$1" "$SAYS/172.31.255.$1.next"
}
kept
elected 12 && says 12 0 11 s_down,o_down,master && elected 13 && says 13 0 11 s_down,master
starts "it waits for the election when its peers report it down" 12
kept
elected 12 && says 12 0 11 master 1900 && elected 13 && says 13 0 11 master 1800
starts "it waits for the election when its peers are about to report it down" 12
kept down_after_ms=100
says 12 0 11 s_down,o_down,master && says 13 0 11 s_down,master
starts "its wait for the election times out" -
kept
says 12 0 11 s_down,master
starts "it does not wait when only one peer reports it down" -

# The priority: smaller with more writes in the data, 0 while a peer has more. File times and other files do not count.
aged() { # COUNT [BYTES]: print the priority of a replica with such data
    node first_master=172.31.255.12
    data "$@"
    guard >/dev/null
    priority
}
known() { # print what start-guard found: KIND COUNT REST PRIORITY NEWS ROLE
    cat "$root/var/lib/airbuild/redis/unsettled"
}
old=$(aged 41)
new=$(aged 42)
check "more writes give a smaller priority" test 100 -lt "$new" -a "$new" -lt "$old" -a "$old" -lt 2147483647
is "the configuration has one line for the priority" 1 "$(grep -c '^replica-priority' "$conf")"
is "the bytes after the count are known" "data 42 300000 $new no 172.31.255.12" "$(aged 42 300000 >/dev/null; known)"
check "the age of the data is shown to peers" grep -q 'data=42.300000"$' "$conf"
node first_master=172.31.255.12
data 41
touch -d '+1 year' "$incr"
echo REDIS >"$root/var/lib/airbuild/redis/dump.rdb"
echo REDIS >"$root/var/lib/airbuild/redis/temp-99.rdb"
guard >/dev/null
is "file times, dump.rdb and temporary files do not count" "$old" "$(priority)"
node first_master=172.31.255.12
data 41
printf 'file base.rdb seq 1 type b\nfile %s seq 1 type i\n' "${incr##*/}" >"$manifest"
printf 'REDIS0010\376\020\373\001\0\0\014airbuild:age\024000000050abcd0000001\377\001\n\003\004' >"$aof/base.rdb"
set_count 40 >/dev/null && printf '*1\r\n' >"$incr"
guard >/dev/null
is "a count in the base file is found" "data 50 4" "$(known | cut -d ' ' -f 1-3)"
node first_master=172.31.255.12
data 41
: >"$incr"
guard >/dev/null
check "data without a count are older than any with one" test "$(priority)" -gt "$old"
while read -r words expected; do
    node first_master=172.31.255.12
    data 42 300
    holds 12 "${words%,*}" && holds 13 "${words#*,}"
    [[ $words != live* ]] || printf '%s\n' PONG proc-title-template '{title} {listen-addr} {server-mode}' >"$SAYS/172.31.255.12.data"
    guard >/dev/null
    is "$awk: the priority is right with peers that have $words" "$expected" "$(priority)"
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
is "the priority is 0 while a peer loads its data" 0 "$(priority)"
node first_master=172.31.255.12
data 42
knew 3 12 && says 13 2 11
guard >/dev/null
is "it knows when its peers missed an election" "yes 172.31.255.12" "$(known | cut -d ' ' -f 5-)"
says 12 3 12
guard >/dev/null
is "it knows when one peer did not miss it" "no 172.31.255.12" "$(known | cut -d ' ' -f 5-)"
kept
starts "a master with data starts as master" -
is "a master that may have been replaced has an age" "master 42 0 $new no " "$(known)"
is "a master that may have been replaced has the priority of its age" "$new" "$(priority)"
check "a master shows the age of its data" grep -q 'data=42.0"$' "$conf"
node
echo 'replica-priority 5000' >>"$conf"
starts "a first master starts as master" -
is "a first master has the default priority" "" "$(priority)"

# A node without data does not become master while another may have data.
closed() { # NAME: ok if the users of sentinels and the application are off
    is "$awk: $1" "default off sentinel off" "$(awk '$1 == "user" && $3 == "off" { printf "%s%s off", sep, $2; sep = " " }' "$conf")"
}
without() { # NAME ROLE: ok if start-guard starts it without data, as a replica of ROLE
    like "$awk: $1" "redis starts without data, as replica of 172.31.255.$2" "$(guard)"
    is "$awk: $1: it cannot be elected" 0 "$(priority)"
    closed "$1: its ACL is closed"
    check "$awk: $1: its peers can see that it has no data" grep -q 'data=none"$' "$conf"
}
node joins=yes
without "a new disk does not restart an existing cluster" 12
without "a new disk does not restart it after a reboot either" 12
node joins=yes
says 12 1 13
without "a new disk follows the master that a peer names" 13
node joins=yes && says 12 0 11 && says 13 0 11
without "a new disk is not master although its peers name it" 12
node joins=yes
without "a new disk starts without data" 12
data 42
starts "a new disk with data starts like any other node" 12
check_not "a node with data has an open ACL" grep -qE '^user (default|sentinel) off' "$conf"
node
was_member
without "a member without its data" 12
node
knew 2 11
without "a node that knows of an election" 12
node
says 12 1 11
without "a node whose peer knows of an election" 12
node
holds 13 77.5
without "a node whose peer has data" 12
node
holds 12 none && holds 13 none
starts "not one whose peers have none either" -
node joins=yes workers=1 quorum=1 min_replicas=0
starts "nor one that is alone" -
node persistence=no
starts "without persistence a node may be master at its first start" -
was_member
without "without persistence a node is not master after a restart" 12
node persistence=no
was_member
printf 'REDIS\014airbuild:age\024000000050abcd0000001\377' >"$root/var/lib/airbuild/redis/dump.rdb"
says 12 1 12
starts "without persistence a clean shutdown leaves data" 12
is "a clean shutdown leaves the age of the data" "data 50 0" "$(known | cut -d ' ' -f 1-3)"

# A configuration that was made again knows no role.
node
data 42 && : >"$root/var/lib/airbuild/redis/remade" && : >"$root/var/lib/airbuild/sentinel/remade"
starts "a new configuration does not make old data the first master's" 12
closed "undecided"
is "a node without a known role is undecided" undecided "$(known | cut -d ' ' -f 1)"
node
data 42 && : >"$root/var/lib/airbuild/redis/remade" && says 12 3 13
starts "its peers know its role" 13
node first_master=172.31.255.12
data 42 && : >"$root/var/lib/airbuild/redis/remade" && says 12 3 11
starts "its peers know that it is the master" -

# Leftovers of killed writers.
node
mkdir -p "$aof"
touch "$aof/temp-rewriteaof-bg-7.aof" "$root/var/lib/airbuild/redis/temp-7.rdb" "$conf.aB3xYz"
starts "files of killed writers do not count" -
is "files of killed writers are removed" "redis.conf started unsettled" "$(cd "${conf%/*}" && echo redis* s* t* u* | sed 's/ [a-z]\*//')"
rm -rf "$aof"

# Data that a power cut damaged are examined after a start that failed, and only then.
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
starts "damaged data do not prevent the first start" -
check "the first start leaves the data alone" cmp "$file" "$dir/zeros"
is "the next start reports zeros in the data" 1 "$(guard | grep -c 'was never written: it is cut to')"
check "the next start cuts off the zeros" cmp "$file" "$dir/whole"
guard >/dev/null
check "later starts cut off nothing more" cmp "$file" "$dir/whole"
damaged
printf 'a\0\n\0b' >>"$file"
cp "$file" "$dir/odd"
guard >/dev/null && guard >/dev/null
check "a master keeps unreadable data" cmp "$file" "$dir/odd"
says 12 1 12
like "a replica puts unreadable data aside" "appendonlydir' cannot be read: .*all of it comes from 172.31.255.12" "$(guard)"
check "the data are put aside unchanged" cmp "$aof.damaged/${file##*/}" "$dir/odd"
check_not "the replica starts without data" test -e "$aof"
is "a replica without its data cannot be elected" 0 "$(priority)"
damaged first_master=172.31.255.12
guard >/dev/null && guard >/dev/null
check "a replica keeps readable data" cmp "$file" "$dir/whole"

node persistence=no
was_member
echo nonsense >"$root/var/lib/airbuild/redis/dump.rdb"
guard >/dev/null
like "without persistence an unreadable dump is put aside" "dump.rdb' cannot be read" "$(guard)"
check "the data are put aside unchanged" test -e "$root/var/lib/airbuild/redis/dump.rdb.damaged"

# maxmemory: two fifths of the memory beyond 192 MiB, at least 16 MiB, computed before each start.
memory() {
    echo "MemTotal: $(($1 * 1024)) kB" >"$dir/meminfo"
    AIRBUILD_MEMINFO=$dir/meminfo guard >/dev/null
    sed -n 's/^maxmemory //p' "$conf"
}
node
is "a node of 725 MiB gets 213 MiB for data" 213mb "$(memory 725)"
like "replication buffer and client limit fit the memory" "maxmemory-clients 53mb.*replica 106mb 0 0" \
    "$(grep -E '^(maxmemory-clients|client-output)' "$conf" | sort -r | tr '\n' ' ')"
is "a node of 2048 MiB gets 742 MiB for data" 742mb "$(memory 2048)"
is "a node of 200 MiB gets the minimum for data" 16mb "$(memory 200)"
node maxmemory=100 maxmemory_policy=allkeys-lru
is "maxmemory of the spec is used" 100mb "$(memory 725)"
like "maxmemory-policy of the spec is used" allkeys-lru "$(grep ^maxmemory-policy "$conf")"

# No other line, owner or mode changes, and no password is on a command line.
kept
guard >/dev/null
rm -f "${conf%/*}/unsettled"
echo "# Generated by CONFIG REWRITE" >>"$conf"
before=$(grep -Ev '^(replicaof|replica-priority|proc-title-template|min-replicas-to-write) ' "$conf")
says 12 1 12
starts "a file that redis rewrote is changed" 12
is "start-guard keeps all other lines" "$before" "$(grep -Ev '^(replicaof|replica-priority|proc-title-template|min-replicas-to-write) ' "$conf")"
is "start-guard keeps owner and mode" "redis:redis 600" "$(stat -c '%U:%G %a' "$conf")"
is "start-guard leaves no other file" "appendonlydir redis.conf started unsettled" "$(cd "${conf%/*}" && echo *)"
check_not "no password is on a command line" grep -q Password "$SAYS/argv"
is "peers are asked as the user status" "$STATUS_AUTH" "$(grep Status "$SAYS/auth" | sort -u)"
tap_end
