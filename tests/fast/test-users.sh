#!/bin/bash
# test-users.sh - what each user of redis and sentinel may do and may not, on a real head and worker with the generated
# configurations, before and after redis has rewritten its own.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # dir is of inside.sh
set -u
. "$(dirname "$0")/inside.sh"
. "$(dirname "$0")/../assert.sh"
. "$(dirname "$0")/lib.sh"

# as USER PORT COMMAND...: straight to the worker.
as() {
    local password
    password=$(sed -n "s/^password_$1='\(.*\)'/\1/p" "$dir/work11/etc/airbuild/facts")
    REDISCLI_AUTH=$password timeout 2 redis-cli --no-auth-warning --user "${1/app/default}" \
        -h 172.31.255.11 -p "$2" "${@:3}" 2>&1
}

# may USER PORT COMMAND, may_not USER PORT COMMAND: permission is meant, not success.
may() {
    local seen
    seen=$(as "$1" "$2" "${@:3}" | head -n 1)
    [[ $seen != NOPERM* && $seen != NOAUTH* && $seen != *"can't publish"* && $seen != *"ACL failure"* && $seen != *"unknown command"* ]]
    tap $? "$1 may: ${*:3}" "$seen"
}
may_not() {
    local seen
    seen=$(as "$1" "$2" "${@:3}" | head -n 1)
    [[ $seen == NOPERM* || $seen == *"can't publish"* || $seen == *"ACL failure"* ]]
    tap $? "$1 may not: ${*:3}" "$seen"
}

# judge WORD PATTERN USER PORT: what the server says of each command of standard input, one a line (ACL DRYRUN).
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
    may app 6379 publish __s x
    may app 6379 spublish news x
    may app 6379 eval "return redis.call('publish', 'news', 'x')" 0
    may_not app 6379 publish __sentinel__:hello x
    may_not app 6379 spublish __sentinel__:hello x
    may_not app 6379 eval "return redis.call('publish', '__sentinel__:hello', 'x')" 0
    is "not in a transaction either" 1 \
        "$(printf 'multi\npublish __sentinel__:hello x\nexec\n' | as app 6379 | grep -c NOPERM)"
}

application() {
    all_may app 6379 <<'END'
info
info replication
role
client list
client setname worker
client id
keys *
scan 0
set a 1
flushdb
flushall
eval return(1) 0
script load return(1)
function list
command count
memory usage a
object encoding a
wait 0 0
dbsize
dump a
swapdb 0 1
pubsub channels
END
    all_may_not app 6379 <<'END'
config get masterauth
config set maxmemory 1
config rewrite
replicaof no one
slaveof no one
failover
shutdown nosave
acl list
acl setuser x on
module list
save
bgsave
bgrewriteaof
monitor
replconf listening-port 1
client kill 1.2.3.4:5
client pause 1
migrate 10.0.0.1 6379 a 0 100
slowlog get
END
    like "it listens to what it likes" "psubscribe.\*.1" "$(timeout 0.5 redis-cli -h 172.31.255.11 psubscribe '*' | tr '\n' ' ')"
}

others() {
    all_may check 6379 <<<$'ping\ninfo replication'
    all_may_not check 6379 <<<$'get a\nset a 1\nconfig get port\nclient list\npublish a b\nkeys *'
    all_may status 6379 <<<$'ping\ninfo\nrole\nset airbuild:probe 1\nget airbuild:probe\ndel airbuild:probe'
    all_may_not status 6379 <<<$'get a\nset a 1\nkeys *\nconfig get port\npublish __sentinel__:hello x'
    all_may_not replica 6379 <<<$'info\nget a\nset a 1\npublish a b'
    all_may sentinel 6379 <<<$'ping\ninfo\nrole\npublish __sentinel__:hello x\nconfig rewrite'
    all_may_not sentinel 6379 <<<$'get a\nset a 1\nconfig set port 1\npublish news x\nkeys *'
    all_may admin 6379 <<<$'config get port\nacl list\nclient list\npublish __sentinel__:hello x'
}

sentinels() {
    all_may app 26379 <<'END'
ping
info
role
sentinel masters
sentinel master redis-primary
sentinel replicas redis-primary
sentinel slaves redis-primary
sentinel sentinels redis-primary
sentinel get-master-addr-by-name redis-primary
client setname x
hello 3
command
END
    all_may_not app 26379 <<'END'
sentinel failover redis-primary
sentinel reset *
sentinel remove redis-primary
sentinel set redis-primary quorum 1
sentinel monitor x 127.0.0.1 1 1
sentinel flushconfig
sentinel is-master-down-by-addr 172.31.255.11 6379 0 *
acl list
shutdown nosave
publish __sentinel__:hello x
END
    like "it listens to the change of masters" "subscribe.\+switch-master.1" \
        "$(timeout 0.5 redis-cli -h 172.31.255.11 -p 26379 subscribe +switch-master | tr '\n' ' ')"
    like "by a pattern too" "psubscribe.\[-\+\]sdown.1" \
        "$(timeout 0.5 redis-cli -h 172.31.255.11 -p 26379 psubscribe '[-+]sdown' | tr '\n' ' ')"
    all_may check 26379 <<<$'ping\nsentinel get-master-addr-by-name redis-primary'
    all_may_not check 26379 <<<$'info\nsentinel masters\nsentinel failover redis-primary'
    all_may status 26379 <<<$'ping\ninfo\nsentinel master redis-primary\nsentinel replicas redis-primary'
    all_may status 26379 <<<$'sentinel sentinels redis-primary\nsentinel ckquorum redis-primary'
    all_may_not status 26379 <<<$'sentinel failover redis-primary\nsentinel reset *\npublish __sentinel__:hello x'
    all_may_not sentinel 26379 <<<$'sentinel failover redis-primary\ninfo'
    all_may admin 26379 <<<$'sentinel ckquorum redis-primary\nacl list'
}

# Nobody without a password, nobody with another's.
strangers() {
    local port
    for port in 6379 26379; do
        like "a stranger is refused at $port" NOAUTH "$(REDISCLI_AUTH='' redis-cli -h 172.31.255.11 -p "$port" info 2>&1)"
        like "a wrong password is refused at $port" WRONGPASS \
            "$(REDISCLI_AUTH=wrong redis-cli -h 172.31.255.11 -p "$port" ping 2>&1)"
        like "another's password is refused at $port" WRONGPASS \
            "$(redis-cli --no-auth-warning --user admin -h 172.31.255.11 -p "$port" ping 2>&1)"
    done
}

# shellcheck disable=SC2034 # lib.sh reads them
workers=(work11) quorum=1
cluster_make ha=no quorum=1 min_replicas=0 "workers=work11=172.31.255.11=$(id 1)"
machine_on head10 work11
check "one worker serves alone" within 30 converged
strangers
application
publishing
others
sentinels
# Both write their own files now, users too; everything holds after they read them again.
admin work11 config rewrite >/dev/null
admin work11 -p 26379 sentinel flushconfig >/dev/null
check "redis wrote its users" grep -q '^user default on .*#[0-9a-f]' "$dir/work11/var/lib/airbuild/redis/redis.conf"
machine_off work11
machine_on work11
check "it comes back with the files it wrote" within 30 converged
strangers
publishing
others
sentinels
tap_end
