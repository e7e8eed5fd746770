#!/bin/bash
# test-node-setup.sh - the configurations that a node makes from its facts, compared with golden files, with every shell and
# awk of a distribution; state that is kept; facts that are refused. No server is started.
# AIRBUILD_REGENERATE=1 rewrites the golden files.
# SPDX-License-Identifier: Apache-2.0
set -u
dir=$(mktemp -d -p /dev/shm) # in memory
trap 'rm -rf "$dir"' EXIT
chmod 711 "$dir"
# shellcheck source=tests/assert.sh
. "$(dirname "$0")/../assert.sh"
# shellcheck source=tests/fast/lib.sh
. "$(dirname "$0")/lib.sh"
golden=$top/tests/golden/node

# setup NODE [SHELL]
setup() { script "$1" node-setup "${2-sh}"; }

# golden NAME NODE FILE: compare that file of the node with the golden file.
golden() {
    local seen=$dir/$2/var/lib/airbuild/$3
    if [[ ${AIRBUILD_REGENERATE-} == 1 ]]; then
        mkdir -p "$golden"
        cp "$seen" "$golden/$1.${3#*/}"
        chmod 644 "$golden/$1.${3#*/}"
    fi
    check "$1: ${3#*/} equals the golden file" diff -u "$golden/$1.${3#*/}" "$seen"
}

# render NAME NODE [NAME=VALUE...]: compare the configurations of such a node with the golden files.
render() {
    rm -rf "${dir:?}/$2"
    machine_make "${@:2}"
    check "$1: node-setup succeeds" setup "$2"
    if [[ $2 == head* ]]; then
        golden "$1" "$2" haproxy/haproxy.cfg
        golden "$1" "$2" haproxy/haproxy.state
        check "$1: haproxy accepts the configuration" on_disk "$2" haproxy haproxy -c -f haproxy.cfg
    else
        golden "$1" "$2" redis/redis.conf
        golden "$1" "$2" sentinel/sentinel.conf
    fi
}

# on_disk NODE UNIT COMMAND...: run COMMAND in that unit's folder.
on_disk() {
    (cd "$dir/$1/var/lib/airbuild/$2" && "${@:3}")
}

one="work11=172.31.255.11=$(id 1)"
render head10 head10
render work11 work11
render work12 work12
render open work12 auth=no persistence=no password_app=
render single-head head10 ha=no quorum=1 "workers=$one"
render single-work work11 ha=no quorum=1 min_replicas=0 "workers=$one"
render five-head head10 quorum=3 "workers=$(for i in 1 2 3 4 5; do printf 'node-%s=10.0.0.%s=%s ' $i $((i * 9)) "$(id $i)"; done)" \
    first_master=10.0.0.9

# checks WORKERS: print how many checks haproxy makes per second when all succeed, and when all fail.
checks() {
    local list i
    list=$(for ((i = 1; i <= $1; i++)); do printf 'w%s=10.0.0.%s=%s ' "$i" "$i" "$(printf '%040d' "$i")"; done)
    rm -rf "$dir/head99"
    machine_make head99 "quorum=$(($1 / 2 + 1))" "workers=${list% }" first_master=10.0.0.1
    setup head99 >/dev/null
    awk 'function ms(text) { return text ~ /ms$/ ? text + 0 : 1000 * text }
        $1 == "server" {
            for (i = 4; i < NF; i++) if ($i == "inter" || $i == "downinter") rate[$i] = 1000 / ms($(i + 1))
            up += rate["inter"]; down += "downinter" in rate ? rate["downinter"] : rate["inter"]; delete rate
        }
        END { printf "%.0f %.0f\n", up, down }' "$dir/head99/var/lib/airbuild/haproxy/haproxy.cfg"
}
read -r up3 down3 < <(checks 3)
read -r up63 down63 < <(checks 63)
echo "# checks a second: $up3 to $down3 with 3 workers, $up63 to $down63 with 63"
check "the number of haproxy's checks does not grow with the square of the workers" test "$up63" -le $((22 * up3)) -a "$down63" -le $((22 * down3))
check "haproxy checks 63 workers less than 2000 times per second" test "$down63" -lt 2000 -a "$up3" -gt 0
check "haproxy accepts 63 workers" on_disk head99 haproxy haproxy -c -f haproxy.cfg

# Every shell and awk of a node gives the same result.
for shell in dash bash; do
    for awk in mawk gawk; do
        rm -rf "${dir:?}/work12" "${dir:?}/bin"
        mkdir "$dir/bin"
        ln -s "$(command -v "$awk")" "$dir/bin/awk"
        machine_make work12
        PATH=$dir/bin:$PATH setup work12 "$shell" >/dev/null
        check "$shell with $awk gives the same configuration" diff -u "$golden/work12.redis.conf" \
            "$dir/work12/var/lib/airbuild/redis/redis.conf"
    done
done

# Owners and modes: sentinel and redis write beside their files; no other user reads the passwords.
modes() {
    (cd "$dir/$1/var/lib/airbuild" && stat -c '%n %U:%G %a' . ./* ./*/* | tr '\n' ';')
}
rm -rf "$dir/work12" "$dir/head10"
machine_make work12
setup work12 >/dev/null
is "redis owns a worker's files" ". root:root 755;./redis redis:redis 700;./sentinel redis:redis 700;./settled root:root 600;\
./redis/redis.conf redis:redis 600;./sentinel/sentinel.conf redis:redis 600;" "$(modes work12)"
machine_make head10
setup head10 >/dev/null
is "haproxy can read its files but not write them" ". root:root 755;./haproxy root:haproxy 750;./settled root:root 640;\
./haproxy/haproxy.cfg root:haproxy 640;./haproxy/haproxy.state root:haproxy 640;" "$(modes head10)"
like "node-setup logs on the console" '^airbuild: head10: configured as haproxy$' "$(cat "$dir/head10/console")"

# Changed facts leave the state alone; haproxy's configuration follows them.
echo "# rewritten by redis" >>"$dir/work12/var/lib/airbuild/redis/redis.conf"
echo "# rewritten by sentinel" >>"$dir/work12/var/lib/airbuild/sentinel/sentinel.conf"
before=$(cat "$dir/work12/var/lib/airbuild"/*/*.conf)
facts work12 quorum=1 first_master=172.31.255.13 >"$dir/work12/etc/airbuild/facts"
check "node-setup succeeds at every boot" setup work12
is "node-setup keeps redis.conf and sentinel.conf" "$before" "$(cat "$dir/work12/var/lib/airbuild"/*/*.conf)"
rm "$dir/work12/var/lib/airbuild/sentinel/sentinel.conf"
setup work12 >/dev/null
check "node-setup makes only what is missing" grep -q '^sentinel monitor redis-primary 172.31.255.13 6379 1$' \
    "$dir/work12/var/lib/airbuild/sentinel/sentinel.conf"
facts head10 quorum=3 >"$dir/head10/etc/airbuild/facts"
setup head10 >/dev/null
check "haproxy.cfg follows the facts" grep -q 'var(txn.votes) -m int lt 3' "$dir/head10/var/lib/airbuild/haproxy/haproxy.cfg"

# A damaged file is made again, and the new one knows no role.
damage() { # FILE COMMAND...: damage it by COMMAND
    local file=$dir/work12/var/lib/airbuild/$1
    rm -f "${file%/*}/remade"
    "${@:2}" "$file"
    like "${*:2} of $1 is reported as damage" "work12: '.*$1' is damaged: it is made anew" "$(setup work12)"
    check "a valid $1 takes its place" grep -q '^user status' "$file"
    check "the new $1 knows no role" test -e "${file%/*}/remade"
}
damage sentinel/sentinel.conf truncate -s 0
damage redis/redis.conf truncate -s 0
damage redis/redis.conf truncate -s 700
damage sentinel/sentinel.conf sed -i '/^sentinel monitor/d'
damage sentinel/sentinel.conf truncate -s -1
like "node-setup keeps undamaged state" 'its state is kept$' "$(setup work12)"

check "node-setup records that the first boot is complete" test -e "$dir/head10/var/lib/airbuild/settled"

# The host name, as the kernel has it below this disk's /proc.
mkdir -p "$dir/head10/proc/sys/kernel"
echo head10 >"$dir/head10/proc/sys/kernel/hostname"
setup head10 >/dev/null
check_not "a correct host name is left alone" test -e "$dir/head10/etc/hostname"
echo localhost >"$dir/head10/proc/sys/kernel/hostname"
setup head10 >/dev/null
is "a wrong host name is replaced" head10 "$(cat "$dir/head10/proc/sys/kernel/hostname")"
is "the host name is kept for later boots" "head10 644" "$(cat "$dir/head10/etc/hostname") $(stat -c %a "$dir/head10/etc/hostname")"

# refused WHAT PATTERN [-] NODE [NAME=VALUE...]: ok if node-setup prints one line that matches and makes nothing. With - the
# facts get the lines of standard input.
refused() {
    local what=$1 pattern=$2 extra='' seen status=0
    shift 2
    if [[ $1 == - ]]; then
        extra=$(cat)
        shift
    fi
    rm -rf "${dir:?}/$1"
    machine_make "$@"
    echo "$extra" >>"$dir/$1/etc/airbuild/facts"
    seen=$(setup "$1") || status=$?
    [[ $status == 1 && $seen == "airbuild: "* && $seen =~ $pattern && $seen != *$'\n'* ]] &&
        [[ ! -e $dir/$1/var/lib/airbuild && $seen == "$(cat "$dir/$1/console")" && ! -e $dir/owned ]]
    tap $? "$what is refused" "status $status: $seen"
}

refused "a command in a value" "line 27 is not of the form" - work11 <<<"ha='\$(touch $dir/owned)'"
refused "a backquote" "line 27 is not of the form" - work11 <<<"ha='\`touch $dir/owned\`'"
refused "a second value on a line" "line 27 is not of the form" - work11 <<<"ha='yes';touch $dir/owned"
refused "a value without quotes" "line 27 is not of the form" - work11 <<<"ha=yes"
refused "a command" "line 27 is not of the form" - work11 <<<"touch $dir/owned"
refused "a fact that comes twice" "says 'quorum' a second time" - work11 <<<"quorum='1'"
refused "binary" "line 27 is not of the form" - work11 < <(head -c 300 /dev/zero | tr '\0' '\377')
refused "an empty fact" "'master_name' is missing" work11 master_name=
refused "a node name with a path" "'node' is '../x', not a host name" work11 node=../x
refused "a role of another kind" "'role' is 'mail', not redis or haproxy" work11 role=mail
refused "half an address" "'address' is '172.31.255', not an IPv4 address" work11 address=172.31.255
refused "an address out of range" "'first_master' is '172.31.255.256'" work11 first_master=172.31.255.256
refused "a first master that is no worker" "'first_master' is '172.31.255.9', not a worker's address" work11 \
    first_master=172.31.255.9
refused "a worker that is not among the workers" "'workers' does not name 'work14' at '172.31.255.14'" work14
refused "a worker without an id" "'workers' has 'work11=172.31.255.11', not NAME=ADDRESS=ID" work11 \
    workers=work11=172.31.255.11
refused "a short id" "not NAME=ADDRESS=ID of 40" work11 workers=work11=172.31.255.11=abc
refused "equal ids" "'workers' has something of 'work12=.*' a second time" work11 \
    "workers=work11=172.31.255.11=$(id 1) work12=172.31.255.12=$(id 1)"
refused "no worker" "'workers' is missing" head10 workers=
refused "a quorum above the number of workers" "'quorum' is '4', not a number from 1 to 3" head10 quorum=4
refused "a quorum of 0" "'quorum' is '0'" work11 quorum=0
refused "a number with a leading zero" "'quorum' is '02'" work11 quorum=02
refused "a huge number" "'down_after_ms' is '99999999999999999999'" work11 down_after_ms=99999999999999999999
refused "more replicas than there are" "'min_replicas' is '3'" work11 min_replicas=3
refused "a switch that is neither yes nor no" "'persistence' is 'maybe', not yes or no" work11 persistence=maybe
refused "another switch" "'joins' is 'perhaps', not yes or no" work11 joins=perhaps
refused "a short password, which is not shown," "'password_admin' is not 16 to 128 letters and digits$" work11 \
    password_admin=secret
refused "a missing password" "'password_check' is missing" head10 password_check=
refused "auth without a password for the application" "'password_app' is missing" work11 password_app=

rm -rf "$dir/work11"
machine_make work11
rm "$dir/work11/etc/airbuild/facts"
like "missing facts are refused" "^airbuild: .* cannot read '.*facts': the seed has not arrived" "$(setup work11)"

# A file that cannot be written leaves no partial configuration.
machine_make work11
mkdir -p "$dir/work11/var/lib/airbuild/redis/redis.conf.new"
check_not "node-setup fails if a file cannot be written" setup work11
check_not "a failed node-setup leaves no configuration" test -e "$dir/work11/var/lib/airbuild/redis/redis.conf"
check_not "a failed node-setup does not complete the first boot" test -e "$dir/work11/var/lib/airbuild/settled"

# A template with an unknown name makes nothing.
rm -rf "$dir/work11"
machine_make work11
echo '@no_such_fact@' >>"$dir/work11/usr/lib/airbuild/templates/redis.conf"
like "a damaged template is refused" "cannot make '.*redis.conf' from its template" "$(setup work11)"
check_not "a damaged template makes no configuration" test -e "$dir/work11/var/lib/airbuild/redis/redis.conf"
tap_end
