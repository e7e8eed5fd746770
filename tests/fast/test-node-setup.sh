#!/bin/bash
# test-node-setup.sh - what a node makes of its seed: configurations put in place, with each shell and awk that a
# distribution may have; state that is kept; seeds that are refused. No server is started.
# SPDX-License-Identifier: Apache-2.0
set -u
dir=$(mktemp -d -p /dev/shm) # in memory
trap 'rm -rf "$dir"' EXIT
chmod 711 "$dir"
# shellcheck source=tests/assert.sh
. "$(dirname "$0")/../assert.sh"
# shellcheck source=tests/fast/lib.sh
. "$(dirname "$0")/lib.sh"

# setup NODE [SHELL]
setup() { script "$1" node-setup "${2-sh}"; }

# live NODE FILE...: these live configurations are as the seed's.
live() {
    local file
    for file in "${@:2}"; do
        check "$1: ${file#*/} is as the seed's" diff -u "$dir/$1/etc/airbuild/${file#*/}" "$dir/$1/var/lib/airbuild/$file"
    done
}

# configure NODE [NAME=VALUE...]: a fresh node.
configure() {
    rm -rf "${dir:?}/$1"
    machine_make "$@"
    check "${*} is configured" setup "$1"
    if [[ $1 == head* ]]; then
        live "$1" haproxy/haproxy.cfg haproxy/haproxy.state
        check "${*}: haproxy takes it" on_disk "$1" haproxy haproxy -c -f haproxy.cfg
    else
        live "$1" redis/redis.conf sentinel/sentinel.conf
    fi
}

# on_disk NODE UNIT COMMAND...: run COMMAND in that unit's folder.
on_disk() {
    (cd "$dir/$1/var/lib/airbuild/$2" && "${@:3}")
}

configure head10
configure work11
configure work12 auth=no persistence=no
configure head10 ha=no quorum=1 workers=1
configure work11 ha=no quorum=1 min_replicas=0 workers=1
configure head10 quorum=3 workers=5

# checks WORKERS: print how many checks haproxy makes per second when all succeed, and when all fail.
checks() {
    rm -rf "$dir/head10"
    machine_make head10 "quorum=$(($1 / 2 + 1))" "workers=$1"
    setup head10 >/dev/null
    awk 'function ms(text) { return text ~ /ms$/ ? text + 0 : 1000 * text }
        $1 == "server" {
            for (i = 4; i < NF; i++) if ($i == "inter" || $i == "downinter") rate[$i] = 1000 / ms($(i + 1))
            up += rate["inter"]; down += "downinter" in rate ? rate["downinter"] : rate["inter"]; delete rate
        }
        END { printf "%.0f %.0f\n", up, down }' "$dir/head10/var/lib/airbuild/haproxy/haproxy.cfg"
}
read -r up3 down3 < <(checks 3)
read -r up63 down63 < <(checks 63)
echo "# checks a second: $up3 to $down3 with 3 workers, $up63 to $down63 with 63"
check "haproxy's checks do not grow with the square of the workers" test "$up63" -le $((22 * up3)) -a "$down63" -le $((22 * down3))
check "63 workers are checked less than 2000 times a second" test "$down63" -lt 2000 -a "$up3" -gt 0
check "haproxy takes 63 workers" on_disk head10 haproxy haproxy -c -f haproxy.cfg

# The same with every shell and awk that a node may have.
for shell in dash bash; do
    for awk in mawk gawk; do
        rm -rf "${dir:?}/work12" "${dir:?}/bin"
        mkdir "$dir/bin"
        ln -s "$(command -v "$awk")" "$dir/bin/awk"
        machine_make work12
        PATH=$dir/bin:$PATH setup work12 "$shell" >/dev/null
        live work12 redis/redis.conf sentinel/sentinel.conf
        truncate -s 700 "$dir/work12/var/lib/airbuild/redis/redis.conf"
        PATH=$dir/bin:$PATH setup work12 "$shell" >/dev/null
        live work12 redis/redis.conf
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

# State is kept whatever the seed brings later; haproxy's configuration follows it.
echo "# rewritten by redis" >>"$dir/work12/var/lib/airbuild/redis/redis.conf"
echo "# rewritten by sentinel" >>"$dir/work12/var/lib/airbuild/sentinel/sentinel.conf"
before=$(cat "$dir/work12/var/lib/airbuild"/*/*.conf)
seed work12 quorum=1
check "it runs at every boot" setup work12
is "redis.conf and sentinel.conf are kept" "$before" "$(cat "$dir/work12/var/lib/airbuild"/*/*.conf)"
rm "$dir/work12/var/lib/airbuild/sentinel/sentinel.conf"
setup work12 >/dev/null
check "only what is absent is made" grep -q '^sentinel monitor redis-primary 172.31.255.11 6379 1$' \
    "$dir/work12/var/lib/airbuild/sentinel/sentinel.conf"
seed head10 quorum=3
setup head10 >/dev/null
check "haproxy.cfg follows the seed" grep -q 'var(txn.votes) -m int lt 3' "$dir/head10/var/lib/airbuild/haproxy/haproxy.cfg"

# A sentinel whose state is lost, or that joins, begins at an epoch above those its peers have used.
is "a new cluster begins at epoch 0" 0 "$(sed -n 's/^sentinel current-epoch //p' "$dir/work12/etc/airbuild/sentinel.conf")"
check "a sentinel that was replaced begins at the time" grep -q '^sentinel current-epoch [1-9][0-9]\{9\}$' \
    "$dir/work12/var/lib/airbuild/sentinel/sentinel.conf"
machine_make work13 joins=yes
setup work13 >/dev/null
check "one that joins does, too" grep -q '^sentinel current-epoch [1-9][0-9]\{9\}$' \
    "$dir/work13/var/lib/airbuild/sentinel/sentinel.conf"

# A damaged file is replaced; its role is not taken from the new one.
damage() { # FILE HOW...
    local file=$dir/work12/var/lib/airbuild/$1
    rm -f "${file%/*}/remade"
    "${@:2}" "$file"
    like "${*:2} of $1 is no state" "work12: '.*$1' is damaged: it is replaced by the seed's" "$(setup work12)"
    check "a whole one takes its place" grep -q '^user status' "$file"
    check "which knows no role" test -e "${file%/*}/remade"
}
damage sentinel/sentinel.conf truncate -s 0
damage redis/redis.conf truncate -s 0
damage redis/redis.conf truncate -s 700
damage sentinel/sentinel.conf sed -i '/^sentinel monitor/d'
damage sentinel/sentinel.conf truncate -s -1
like "node-setup keeps undamaged state" 'its state is kept$' "$(setup work12)"

check "node-setup records that the first boot is complete" test -e "$dir/head10/var/lib/airbuild/settled"

# The seed's files are laid down without cloud-init, until that has run. Programs that change a machine are stubs, which
# log their calls.
mkdir -p "$dir/stubs" "$dir/seed"
for name in ip modprobe systemctl useradd; do
    printf '#!/bin/sh\n{ echo "%s $*"; [ "$*" != "-force -batch -" ] || cat; } >>"%s"\n' "$name" "$dir/calls" >"$dir/stubs/$name"
done
chmod +x "$dir/stubs"/*
early() { PATH=$dir/stubs:$PATH AIRBUILD_SEED=$dir/seed "${@}"; }

# pack: make the seed's airbuild.tar, and leave work13 with an empty disk.
pack() {
    rm -rf "${dir:?}/work13" "$dir/calls"
    machine_make work13
    mkdir -p "$dir/work13/sys/class/net/eth7" "$dir/work13/sys/class/net/lo" "$dir/work13/usr/lib/systemd/system"
    touch "$dir/work13/usr/lib/systemd/system/cloud-init-local.service" "$dir/calls"
    echo 172.31.255.13/24 >"$dir/work13/etc/airbuild/link"
    printf '%s\n' air 'ssh-ed25519 AAAA one' 'ssh-ed25519 BBBB two' >"$dir/work13/etc/airbuild/login"
    tar -C "$dir/work13" -cf "$dir/seed/airbuild.tar" etc/airbuild/{facts,redis.conf,sentinel.conf,link,login}
    rm -rf "$dir/work13/etc/airbuild"
}
pack
check "a node configures itself from the seed disk" early setup work13
live work13 redis/redis.conf sentinel/sentinel.conf
is "it brings up its interface, and does not wait for cloud-init" "modprobe -q virtio_net
ip -force -batch -
link set dev eth7 addrgenmode none
address add 172.31.255.13/24 broadcast + dev eth7
link set dev eth7 up" "$(cat "$dir/calls")"
cp "$dir/work13/var/lib/airbuild/redis/redis.conf" "$dir/state"
: >"$dir/work13/etc/airbuild/facts"
echo '# rewritten by redis' >>"$dir/work13/var/lib/airbuild/redis/redis.conf"
check "files are laid down again until cloud-init has run" early setup work13
check "but state is kept" test "$(tail -n 1 "$dir/work13/var/lib/airbuild/redis/redis.conf")" = '# rewritten by redis'
mkdir -p "$dir/work13/var/lib/cloud"
touch "$dir/work13/var/lib/cloud/airbuild-seed"
: >"$dir/work13/etc/airbuild/facts"
like "then they are the node's" 'it has no end$' "$(early setup work13)"

pack
rm "$dir/seed/airbuild.tar"
like "a seed without them is cloud-init's" 'the seed has not arrived' "$(early setup work13)"
is "which runs first" "modprobe -q virtio_net
systemctl start cloud-init-local.service" "$(cat "$dir/calls")"
mkdir -p "$dir/work13/var/lib/cloud/instance"
touch "$dir/work13/var/lib/cloud/airbuild-seed" "$dir/work13/var/lib/cloud/instance/boot-finished"
: >"$dir/calls"
early setup work13 >/dev/null
is "but once only" '' "$(cat "$dir/calls")"

# The account for ssh, before cloud-init makes it.
pack
early setup work13 >/dev/null
printf '#!/bin/sh\necho air:x:0:0::/home/air:/bin/bash\n' >"$dir/stubs/getent"
printf '#!/bin/sh\nexit 1\n' >"$dir/stubs/id"
# shellcheck disable=SC2016 # the stub's
printf '#!/bin/sh\nshift 7; mkdir -p "$1"\n' >"$dir/stubs/install"
printf '#!/bin/sh\n' >"$dir/stubs/chown"
chmod +x "$dir/stubs"/*
check "make-login makes the seed's account" early script work13 make-login
like "of its name" 'useradd .*--shell /bin/bash air$' "$(cat "$dir/calls")"
is "with its keys" "ssh-ed25519 AAAA one
ssh-ed25519 BBBB two 600" "$(cat "$dir/work13/home/air/.ssh/authorized_keys") $(stat -c %a "$dir/work13/home/air/.ssh/authorized_keys")"

# The host name, as the kernel has it below this disk's /proc.
mkdir -p "$dir/head10/proc/sys/kernel"
echo head10 >"$dir/head10/proc/sys/kernel/hostname"
setup head10 >/dev/null
check_not "a correct host name is left alone" test -e "$dir/head10/etc/hostname"
echo localhost >"$dir/head10/proc/sys/kernel/hostname"
setup head10 >/dev/null
is "a wrong host name is replaced" head10 "$(cat "$dir/head10/proc/sys/kernel/hostname")"
is "the host name is kept for later boots" "head10 644" "$(cat "$dir/head10/etc/hostname") $(stat -c %a "$dir/head10/etc/hostname")"

# refused WHAT PATTERN SCRIPT [LINE]: work11 with its facts edited by sed and a line added: one line that says why, and
# nothing made.
refused() {
    local seen status=0
    rm -rf "$dir/work11"
    machine_make work11
    sed -i "$3" "$dir/work11/etc/airbuild/facts"
    [[ $# == 3 ]] || echo "$4" >>"$dir/work11/etc/airbuild/facts"
    seen=$(setup work11) || status=$?
    [[ $status == 1 && $seen == "airbuild: "* && $seen =~ $2 && $seen != *$'\n'* ]] &&
        [[ ! -e $dir/work11/var/lib/airbuild && $seen == "$(cat "$dir/work11/console")" && ! -e $dir/owned ]]
    tap $? "$1 is refused" "status $status: $seen"
}

form="not of the form NAME='value'"
refused "a command in a value" "$form" '' "ha='\$(touch $dir/owned)'"
refused "a backquote" "$form" '' "ha='\`touch $dir/owned\`'"
refused "a second value on a line" "$form" '' "ha='yes';touch $dir/owned"
refused "a quote in a value" "$form" '' "ha='yes' touch 'owned'"
refused "a value without quotes" "$form" '' "ha=yes"
refused "a value without its end" "$form" '' "ha='"
refused "a command" "$form" '' "touch $dir/owned"
refused "a command with an assignment" "$form" '' "touch $dir/owned a='b'"
refused "a name of another kind" "$form" '' "PATH='/tmp'"
refused "binary" "$form" '' "$(head -c 300 /dev/zero | tr '\0' '\377')"
refused "half of the facts" "it has no end" 5,99d
refused "no fact at all" "it has no end" d
refused "a role of another kind" "the role is 'mail'" "s/^role=.*/role='mail'/"

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

# Nor does a seed that did not bring all.
for what in rm "truncate -s 0"; do
    rm -rf "$dir/work11"
    machine_make work11
    $what "$dir/work11/etc/airbuild/redis.conf"
    like "a seed without redis.conf is refused ($what)" "cannot make '.*redis.conf' from the seed's" "$(setup work11)"
    check_not "and nothing is made of it" test -e "$dir/work11/var/lib/airbuild/redis/redis.conf"
done
tap_end
