#!/bin/bash
# test-users.sh - the commands that each user of redis and sentinel may run, on a real head and worker with the generated
# configurations, before and after redis has rewritten its own. The servers list their commands; tests/users/ says which
# the application may run. ENGINE=NAME: use the servers of build/engines/NAME.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # inside.sh sets dir
set -u
. "$(dirname "$0")/inside.sh"
. "$(dirname "$0")/../assert.sh"
. "$(dirname "$0")/lib.sh"
if [[ -n ${ENGINE-} ]]; then
    # A copy, as the nodes' user may have no access to the checkout.
    cp -r "$top/build/engines/$ENGINE" "$dir/engine" && PATH=$dir/engine/bin:$PATH
    hash -r
fi

# as USER PORT COMMAND...: ask the worker.
as() {
    local password
    password=$(sed -n "s/^password_$1='\(.*\)'/\1/p" "$dir/work11/etc/airbuild/facts")
    REDISCLI_AUTH=$password timeout "${patience-5}" redis-cli --no-auth-warning --user "${1/app/default}" \
        -h 172.31.255.11 -p "$2" "${@:3}" 2>&1
}

# may USER PORT COMMAND, may_not USER PORT COMMAND: ok if the server grants or denies permission.
may() {
    local seen
    seen=$(as "$1" "$2" "${@:3}" | head -n 1)
    [[ $seen != NOPERM* && $seen != NOAUTH* && $seen != *"can't publish"* && $seen != *"ACL failure"* && $seen != *"unknown command"* ]]
    tap $? "$1 may: ${*:3}" "$seen"
}
may_not() {
    local seen
    seen=$(as "$1" "$2" "${@:3}" | head -n 1)
    [[ $seen == NOPERM* || $seen == *"can't publish"* || $seen == *"ACL failure"* || $seen == *"can't run this command"* ]]
    tap $? "$1 may not: ${*:3}" "$seen"
}

# permitted USER PORT ARGUMENT: print the server's commands that the user may run, as sorted names such as config|get. Each
# is tried with 0 to 7 arguments, all ARGUMENT, until the answer is not about their number.
permitted() {
    local -a names answers
    local i n arguments='' patience=60
    mapfile -t names < <(commands "$2")
    for ((n = 0; n <= 7; n++)); do
        local -a next=()
        mapfile -t answers < <(for i in "${names[@]}"; do
            echo "acl dryrun ${1/app/default} ${i/|/ }$arguments"
        done | as admin "$2" | grep .)
        for i in "${!names[@]}"; do
            case ${answers[i]-no answer} in
            OK) echo "${names[i]}" ;;
            *"no permissions"*) ;;
            *"wrong number"*) next+=("${names[i]}") ;;
            *) echo "${names[i]}: ${answers[i]-no answer}" ;;
            esac
        done
        names=("${next[@]}")
        arguments+=" $3"
    done | LC_ALL=C sort
}

# commands PORT: print the server's commands, sorted; without containers of subcommands.
commands() {
    as admin "$1" command list | awk -F '|' 'NF > 1 { over[$1] } { all[$0] }
        END { for (name in all) if (!(name in over) || name == "command") print name }' | LC_ALL=C sort
}

# by_table NAME PORT KIND: ok if the application may run exactly what tests/users/KIND allows.
by_table() {
    local seen table=$top/tests/users/$3
    seen=$(LC_ALL=C join -a 1 -o 0,2.2 -e undecided <(commands "$2") <(grep -v '^#' "$table"))
    is "$1: tests/users/$3 lists all commands of the server" "" "$(awk '$2 == "undecided" { print $1 }' <<<"$seen")"
    is "$1: the application may run the $(grep -c ' yes' <<<"$seen") of $(wc -l <<<"$seen") that are its own" \
        "$(awk '$2 == "yes" { print $1 }' <<<"$seen")" "$(permitted app "$2" x)"
}

# only USER PORT ARGUMENT NAME...: ok if the user may run these and what every user may.
only() {
    is "$1 may run at $2: ${*:4}" "$(printf '%s\n' "${@:4}" "$(allowed_to_all "$2")" | LC_ALL=C sort)" "$(permitted "$1" "$2" "$3")"
}
allowed_to_all() {
    as admin "$1" command list | grep -xE 'auth|hello|quit|reset'
}

# judge WORD PATTERN USER PORT: ok for each command of standard input if ACL DRYRUN's answer matches.
judge() {
    local -a commands answers
    local i
    mapfile -t commands
    mapfile -t answers < <(printf "acl dryrun ${3/app/default} %s\n" "${commands[@]}" | as admin "$4")
    for i in "${!commands[@]}"; do
        like "$3 $1: ${commands[i]}" "$2" "${answers[i]-}"
    done
}
all_may() { judge may '^OK$' "$@"; }
all_may_not() { judge 'may not' 'has no permissions to' "$@"; }

publishing() {
    may app 6379 publish news x
    may app 6379 publish _news x
    may app 6379 publish __keyspace@0__:a x
    may app 6379 publish '' x
    may app 6379 publish __sem x
    may app 6379 publish __s x
    may app 6379 spublish news x
    may app 6379 eval "return redis.call('publish', 'news', 'x')" 0
    may_not app 6379 publish __sentinel__:hello x
    may_not app 6379 spublish __sentinel__:hello x
    may_not app 6379 eval "return redis.call('publish', '__sentinel__:hello', 'x')" 0
    is "app may not publish to sentinels in a transaction" 1 \
        "$(printf 'multi\npublish __sentinel__:hello x\nexec\n' | as app 6379 | grep -c NOPERM)"
}

# The server's own answer for every command it has.
application() {
    by_table "$1" 6379 server
    by_table "$1" 26379 sentinel
}

# Permissions that depend on arguments, and real answers.
behaviour() {
    may app 6379 client list
    may app 6379 script load 'return 1'
    may_not app 6379 client pause 1
    may_not app 6379 eval "return redis.call('slowlog', 'get')" 0
    may_not app 26379 client pause 10000 all
    may_not app 26379 client kill type normal
    may_not app 26379 sentinel failover redis-primary
    like "app may subscribe to any channel" "psubscribe.\*.1" "$(timeout 0.5 redis-cli -h 172.31.255.11 psubscribe '*' | tr '\n' ' ')"
    like "app may subscribe to changes of the master" "subscribe.\+switch-master.1" \
        "$(timeout 0.5 redis-cli -h 172.31.255.11 -p 26379 subscribe +switch-master | tr '\n' ' ')"
    like "app may subscribe to sentinel by a pattern" "psubscribe.\[-\+\]sdown.1" \
        "$(timeout 0.5 redis-cli -h 172.31.255.11 -p 26379 psubscribe '[-+]sdown' | tr '\n' ' ')"
}

others() {
    only check 6379 x info ping
    only status 6379 airbuild:x del get info ping role set time
    only replica 6379 x ping psync replconf
    only sentinel 6379 __sentinel__:hello 'client|kill' 'client|setname' 'config|rewrite' exec failover info multi ping \
        publish role 'script|kill' slaveof subscribe
    only check 26379 x ping 'sentinel|get-master-addr-by-name'
    only status 26379 x info ping 'sentinel|ckquorum' 'sentinel|get-master-addr-by-name' 'sentinel|master' \
        'sentinel|replicas' 'sentinel|sentinels'
    only sentinel 26379 __sentinel__:hello 'client|setname' ping publish 'sentinel|is-master-down-by-addr'
    all_may_not status 6379 <<<$'get a\nset a 1'
    all_may_not sentinel 6379 <<<$'publish news x'
    all_may admin 6379 <<<$'config get port\nacl list\nclient list\npublish __sentinel__:hello x'
    all_may admin 26379 <<<$'sentinel ckquorum redis-primary\nacl list'
}

# reaches PORT: succeeds if the head's port can be reached from outside.
reaches() {
    timeout 2 bash -c "exec 3<>/dev/tcp/172.31.255.10/$1" 2>/dev/null
}

# haproxy's control socket is for its user only, and its monitor for the head only.
head_control() {
    check "clients reach the head's ports" reaches 6380
    check_not "clients do not reach the head's monitor" reaches 2000
    check "the head's monitor listens on loopback" on head10 bash -c 'exec 3<>/dev/tcp/127.0.0.1/2000'
    like "haproxy's socket is for its user only" '^600 haproxy$' "$(on head10 stat -c '%a %U' /run/airbuild-haproxy/stats.sock)"
}

stranger_ping() {
    [[ $(env -u REDISCLI_AUTH redis-cli -h 172.31.255.11 ping) == PONG ]]
}

# Connections without a password, with a wrong one, with another user's.
strangers() {
    local port
    for port in 6379 26379; do
        like "a client without a password is refused at $port" NOAUTH "$(REDISCLI_AUTH='' redis-cli -h 172.31.255.11 -p "$port" info 2>&1)"
        like "a wrong password is refused at $port" WRONGPASS \
            "$(REDISCLI_AUTH=wrong redis-cli -h 172.31.255.11 -p "$port" ping 2>&1)"
        like "another user's password is refused at $port" WRONGPASS \
            "$(redis-cli --no-auth-warning --user admin -h 172.31.255.11 -p "$port" ping 2>&1)"
    done
}

# shellcheck disable=SC2034 # lib.sh reads them
workers=(work11) quorum=1
cluster_make ha=no quorum=1 min_replicas=0 workers=1
machine_on head10 work11
check "a single worker serves" within 30 converged
strangers
kind=$(as admin 6379 info server | sed -n 's/^\(redis\|valkey\)_version:/\1 /p' | tail -n 1 | tr -d '\r')
application "$kind"
behaviour
publishing
others
head_control
# Both rewrite their files, users included, and read them again.
admin work11 config rewrite >/dev/null
admin work11 -p 26379 sentinel flushconfig >/dev/null
check "redis writes its users" grep -q '^user default on .*#[0-9a-f]' "$dir/work11/var/lib/airbuild/redis/redis.conf"
machine_off work11
machine_on work11
check "the worker starts with the files it wrote" within 30 converged
strangers
application "$kind, files rewritten"
publishing
others
# Without passwords no more is permitted.
machine_off work11
rm -r "$dir/work11"
machine_make work11 ha=no quorum=1 min_replicas=0 auth=no workers=1
machine_on work11
check "redis serves without passwords" within 30 stranger_ping
check "sentinel serves without passwords" within 30 sentinel work11 ping
application "$kind, auth: off"
like "no client may publish to sentinels" NOPERM \
    "$(env -u REDISCLI_AUTH redis-cli -h 172.31.255.11 publish __sentinel__:hello x)"
tap_end
