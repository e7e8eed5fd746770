#!/bin/bash
# test-cluster.sh - the whole life of a cluster of four real domains, in a private lab: images, launch and its
# interruptions, typical commands, loss of machines, stop, launch again, the most important drills, destroy.
# Needs root and build/airbuild; images are taken from AIRBUILD_HOME or baked into it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # texts for another shell to expand
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
# shellcheck source=tests/e2e/drills.sh
. tests/e2e/drills.sh

readonly WORKERS='work11 work12 work13' ALL='head10 work11 work12 work13'
lab_begin airbuild-e2e

# ---- helpers of this test -------------------------------------------------------------------------------------------

running() { virsh list --name | xargs; }
all_run() { [[ $(running | xargs -n 1 | sort | xargs) == "$ALL" ]]; }
goes() { [[ $(virsh domstate "$1") == running ]]; }
is_off() { [[ $(virsh domstate "$1") == 'shut off' ]]; }
domain_ids() { for node in $ALL; do virsh domid "$node"; done | xargs; }
converged() { inside airbuild status; }
# The images of the spec, file by file.
listing() { find "${disks[@]%/*}" -type f -printf '%p %s %T@\n' | sort; }
free_of() { ! grep -q -r -F -e "$1" "${@:2}"; }
# passwords: print those of the seed of work11, one per line.
passwords() { inside airbuild seed work11 --reveal | grep -o -E "password_[a-z]+='?[A-Za-z0-9]{32}" | grep -o -E '[A-Za-z0-9]{32}$'; }

# ---- images ---------------------------------------------------------------------------------------------------------

run 1500 build/airbuild images
tap "$status" 'images bakes what is missing' "$output"
own_home
run 60 build/airbuild images --json
mapfile -t disks < <(json '.images[].disk')
before=$(listing)
is 'the spec needs three images' 3 "${#disks[@]}"
run 60 build/airbuild images --json
is 'images again bakes nothing' '0 false false false' "$status $(json '.images[].baked' | xargs)"
is 'images again changes nothing' "$before" "$(listing)"
check 'the lab starts' lab up
air 60 status --json
ends 'status fails before the first launch' 14

# ---- names in use ---------------------------------------------------------------------------------------------------

cat >"$scratch/foreign.xml" <<'EOF'
<domain type='qemu'><name>work12</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>
EOF
virsh define "$scratch/foreign.xml"
foreign=$(virsh dumpxml work12)
air 60 launch
ends 'launch refuses a foreign domain of the same name' 9
like 'the error names the domain' "'?work12'?" "$(errors)"
is 'a foreign domain is not touched' "$foreign" "$(virsh dumpxml work12)"
is 'a refused launch makes no domain and no network' 'work12 ' "$(virsh list --all --name | xargs) $(virsh net-list --all --name | xargs)"
is 'a refused launch makes no file but the lock' '' "$(find "$state" -type f ! -name '.*.lock')"
virsh undefine work12

# ---- too little memory ----------------------------------------------------------------------------------------------

printf 'nodes: {head10: {role: haproxy}, work11: {role: redis, memory: 1T}, work12: {role: redis}, work13: {role: redis}}' \
    >"$scratch/large.yaml"
air 120 launch -f "$scratch/large.yaml"
ends 'launch refuses nodes that need more memory than the host has' 7
like 'the error has the numbers' '4 nodes to start need 1 TiB of memory, but only .* of this host' "$(errors)"
is 'it makes no domain and no network' ' ' "$(virsh list --all --name | xargs) $(virsh net-list --all --name | xargs)"
is 'it makes no file but the lock' '' "$(find "$state" -type f ! -name '.*.lock')"

# ---- launch, with all that can happen meanwhile ---------------------------------------------------------------------

aside launch
check 'launch starts all four machines' within 120 all_run
ids=$(domain_ids)
air 60 launch
ends 'a second launch at the same time fails as busy' 11
virsh destroy work13
aside_ends 'launch fails when a machine powers off meanwhile' 60 13
like 'the error names the machine' 'work13' "$(<"$scratch/aside")"
virsh destroy head10
hog 120
aside launch
check 'on a busy host nodes boot in turn' within 110 grep -q 'nodes boot 1 at a time' "$scratch/aside"
kill "${hogs[@]}"
check 'launch again starts it' within 60 all_run
check 'a worker boots first' within $BOOT_SECONDS goes work13
is 'the head is paused meanwhile' paused "$(virsh domstate head10)"
kill -INT -- "-$aside"
aside_ends 'Ctrl-C ends a launch' 60 130
check 'no machine stays paused' goes head10
is 'the machines keep running' "$(cut -d ' ' -f 2,3 <<<"$ids")" "$(domain_ids | cut -d ' ' -f 2,3)"
ids=$(domain_ids)
air $BOOT_SECONDS launch
ends 'the next launch continues until the cluster converges' 0
is 'the next launch keeps the machines' "$ids" "$(domain_ids)"
for node in $ALL; do like "the recap lists $node" "$node" "$output"; done

air $BOOT_SECONDS launch --json
ends 'launch of a running cluster succeeds' 0
is 'launch of a running cluster reports no change' true "$(json .unchanged)"
is 'launch of a running cluster changes nothing' "$ids" "$(domain_ids)"

air 60 status --json
ends 'status succeeds' 0
is 'status reports a converged cluster' true "$(json .converged)"
like 'the master is a worker' '^work1[123]$' "$(json .master)"
is 'status lists nodes and addresses' 'head10=172.31.255.10 work11=172.31.255.11 work12=172.31.255.12 work13=172.31.255.13' \
    "$(json '[.nodes[] | .name + "=" + .address] | join(" ")')"
is 'all nodes run' 'running running running running' "$(json '[.nodes[].state] | join(" ")')"
is 'one node is master' 1 "$(json '[.nodes[] | select(.role == "master")] | length')"
is 'the master is the one that status names' "$(json .master)" "$(json '.nodes[] | select(.role == "master").name')"
is 'two nodes are replicas' 2 "$(json '[.nodes[] | select(.role == "replica")] | length')"

# ---- what a person types --------------------------------------------------------------------------------------------

is 'ten SETs by the write port succeed' "$(yes OK | head -n 10)" \
    "$(typed 'for i in 1 2 3 4 5 6 7 8 9 10; do redis-cli -h head10 -p 6380 set hello$i world$i; done')"
is 'ten GETs by the read port succeed' "$(printf 'world%d\n' 1 2 3 4 5 6 7 8 9 10)" \
    "$(typed 'for i in 1 2 3 4 5 6 7 8 9 10; do redis-cli -h head10 -p 6379 get hello$i; done')"
like 'INFO replication by the read port names a worker' '^master_host:(work1[123]|172\.31\.255\.1[123])' \
    "$(typed 'redis-cli -h head10 -p 6379 info replication | grep master_host')"
like 'the read port refuses writes' READONLY "$(typed 'redis-cli -h head10 -p 6379 set hello1 x')"
like 'a write without the password is refused' NOAUTH "$(typed 'unset REDISCLI_AUTH; redis-cli -h head10 -p 6380 set hello1 x')"
is 'virsh list shows all machines' "$ALL" "$(typed 'virsh list --name' | sort | xargs)"
check 'ssh can kill redis on work12' \
    typed 'ssh work12 sudo systemctl kill --signal=SIGKILL redis'
check 'the cluster converges after redis was killed' within $BOOT_SECONDS converged
is 'ssh asks nothing and saves no host key' '' "$(typed 'ssh work11 true; ssh head10 true' 2>&1)"
is 'airbuild ssh runs a command' work13 "$(inside airbuild ssh work13 hostname </dev/null)"
like 'airbuild logs shows a console' 'airbuild: work11: ' "$(inside airbuild logs work11)"
# Enter, and then what ends it: ^].
like 'airbuild console shows the login prompt' 'work11 login: ' "$(
    { sleep 3 && echo && sleep 4 && printf '\035'; } |
        timeout -k 5 60 script -qec 'scripts/lab exec -- airbuild console work11' /dev/null 2>&1 | tail -n 2)"

typed 'virsh shutdown work13' >/dev/null
check 'virsh shutdown powers off work13' within 240 is_off work13
like 'the machine shuts down by itself' shutdown "$(virsh domstate work13 --reason)"
air 60 status --json
is 'status reports that it is off' off "$(json '.nodes[] | select(.name == "work13").state')"
is 'writes continue' OK "$(typed 'redis-cli -h head10 -p 6380 set while-away yes')"
typed 'virsh start work13' >/dev/null
check 'the cluster converges after virsh start work13' within $BOOT_SECONDS converged
air 60 status --json
is 'work13 is a replica' 'running replica true' "$(json '.nodes[] | select(.name == "work13") | "\(.state) \(.role) \(.link_up)"')"
is 'work13 has the writes that it missed' yes "$(typed 'redis-cli -h work13 get while-away')"

# ---- clocks ---------------------------------------------------------------------------------------------------------

# clock_of WORKER: print how many milliseconds the clock of its redis is ahead of this host's.
clock_of() {
    typed 'now=$(redis-cli -h '"$1"' info server | sed -n "s/^server_time_usec:\([0-9]*\).*/\1/p")
        [ "$now" ] && echo $((now / 1000 - ${EPOCHREALTIME/./} / 1000))'
}
# Within a second, plus the duration of the query.
clocks_are_right() {
    local node ahead
    for node in $WORKERS; do
        ahead=$(clock_of "$node")
        [[ $ahead ]] && ((ahead > -1200 && ahead < 1200)) || return
    done
}
# clocks_were_set TENS: succeeds if all were set by TENS0 to TENS9 seconds.
clocks_were_set() {
    local node
    for node in $WORKERS; do
        inside airbuild logs "$node" | grep -q "clock set by +$1[0-9]\\." || return
    done
}
master() { inside airbuild status --json | jq -r .master; }
check 'clocks are right after the boot' within 30 clocks_are_right
leader=$(master)
for node in $ALL; do virsh suspend "$node"; done >/dev/null
sleep 22 # the first of two steps may be half a second less
for node in $ALL; do virsh resume "$node"; done >/dev/null
check 'resumed machines set their clocks' within 60 clocks_were_set 2
check 'resumed machines have the right time' within 60 clocks_are_right
check 'the cluster converges after a pause' within 60 converged
is 'the master is the same after a pause' "$leader" "$(master)"
is 'no sentinel is in TILT after a pause' 'sentinel_tilt:0 sentinel_tilt:0 sentinel_tilt:0' \
    "$(typed "for w in $WORKERS; do redis-cli -h \$w -p 26379 info sentinel | grep -o 'sentinel_tilt:.'; done" | xargs)"
for node in $ALL; do virsh suspend "$node"; done >/dev/null
hog 20
air $BOOT_SECONDS launch
kill "${hogs[@]}" 2>/dev/null
ends 'launch resumes paused machines' 0
check_not 'paused machines are resumed all at once' grep -q 'at a time' "$scratch/err"
is 'the master is the same after launch' "$leader" "$(master)"
is 'both ports serve a key that expires' 'OK yes yes' \
    "$(typed 'for c in "6380 set fleeting yes ex 10" "6380 get fleeting" "6379 get fleeting"; do redis-cli -h head10 -p $c; done' | xargs)"

# ---- freeze, thaw, reset --------------------------------------------------------------------------------------------

frozen_files() { find "$AIRBUILD_HOME/store/frozen/$key" -type f -exec sha256sum {} + | sort -k 2; }
no_tilt() { [[ $(typed "for w in $WORKERS; do redis-cli -h \$w -p 26379 info sentinel | grep -c sentinel_tilt:0; done" | xargs) == '1 1 1' ]]; }

inside virsh -q suspend work13 >/dev/null
air 60 freeze
ends 'freeze refuses a cluster with a paused node' 1
like 'the error names the node' "'work13' is paused.*airbuild launch" "$(errors)"
inside virsh -q resume work13 >/dev/null
check 'the cluster converges again' within 120 converged
air 60 reset --yes
ends 'reset without a set fails' 14
is 'it touches nothing' "$ALL" "$(running | xargs -n 1 | sort | xargs)"
typed 'redis-cli -h head10 -p 6380 set frozen yes' >/dev/null
leader=$(master)
air 300 freeze --json
ends 'freeze succeeds' 0
key=$(json .key)
files=$(frozen_files)
is 'the set has four memories, disks and seeds' 14 "$(wc -l <<<"$files")"
is 'only root reads the set' '700 600' "$(stat -c %a "$AIRBUILD_HOME/store/frozen/$key" "$AIRBUILD_HOME/store/frozen/$key/work11/memory.zst" | xargs)"
check 'the cluster runs on after a freeze' within 120 converged
is 'the master is the same after a freeze' "$leader" "$(master)"
typed 'redis-cli -h head10 -p 6380 set thawed no' >/dev/null
air 300 reset --yes
ends 'reset succeeds' 0
is 'reset brings back the data of the freeze' 'yes ' "$(typed 'for k in frozen thawed; do redis-cli -h head10 -p 6379 get $k; done' | xargs -d '\n')"
air 120 destroy --yes
sleep 5
air 300 launch
ends 'launch thaws the set' 0
like 'it says so' 'thawing the frozen set' "$(errors)"
check 'thawed machines have the right time' clocks_are_right
check 'no sentinel is in TILT after a thaw' no_tilt
is 'a thawed cluster has the data' yes "$(typed 'redis-cli -h head10 -p 6379 get frozen')"
is 'a thawed cluster has the master' "$leader" "$(master)"
is 'ssh works at once' work11 "$(typed 'ssh work11 hostname')"
admin=$(inside airbuild seed work11 --reveal | sed -n "s/.*password_admin='\?\([A-Za-z0-9]\{32\}\).*/\1/p" | head -n 1)
is 'sentinels fail over at once' OK \
    "$(inside env REDISCLI_AUTH="$admin" redis-cli --user admin -h work11 -p 26379 sentinel failover redis-primary)"
new_master() { [[ $(master) == work1? && $(master) != "$leader" ]]; }
check 'another worker becomes master' within 60 new_master
check 'the cluster converges after it' within 120 converged
is 'the set has not changed' "$files" "$(frozen_files)"
air 300 launch --profile
ends 'launch of a thawed cluster has nothing to do' 0
like 'no node of it has a profile' 'no profile: no node booted in this launch' "$output"
air 400 stop
ends 'a thawed cluster stops' 0
air $BOOT_SECONDS launch --json --html "$scratch/boot.html"
ends 'a thawed cluster boots' 0
is 'every node has a profile' "head10 haproxy.service
work11 redis.service
work12 redis.service
work13 redis.service" "$(json '.profile.nodes[] | select(.phases.kernel_s > 0 and .phases.server_s > 0) |
    "\(.name) \(.units[] | select(.took_s > 0 and .cpu_s > 0).name | select(test("redis|haproxy")))"')"
like 'the page has them, too' '<section id="work13">' "$(cat "$scratch/boot.html")"
is 'it has the data after the boot' yes "$(typed 'redis-cli -h head10 -p 6379 get frozen')"

# ---- a machine that boots -------------------------------------------------------------------------------------------

# nice_of NODE: print the niceness of the autogroup that its emulator is in.
nice_of() { inside sh -c "sed 's/.* //' /proc/\$(cat /run/libvirt/qemu/$1.pid)/autogroup"; }
yields() { [[ $(nice_of work13) == 5 ]]; }
virsh destroy work13 >/dev/null
aside launch
check 'a machine that boots beside others yields to them' within 30 yields
aside_ends 'launch starts one machine' $BOOT_SECONDS 0
is 'a machine that serves has its usual share' '0 0 0 0' "$(for node in $ALL; do nice_of "$node"; done | xargs)"

# ---- stop, and launch with what was there ---------------------------------------------------------------------------

air 400 stop
ends 'stop succeeds' 0
is 'stop powers off all machines' '' "$(running)"
inodes=$(stat -c '%i' "$state"/air/nodes/*/disk.qcow2 | xargs)
run $BOOT_SECONDS scripts/up
tap "$status" 'scripts/up launches the cluster again' "$output"
is 'the machines keep their disks' "$inodes" "$(stat -c '%i' "$state"/air/nodes/*/disk.qcow2 | xargs)"
is 'the head serves the data' world7 "$(typed 'redis-cli -h head10 -p 6379 get hello7')"
check 'every worker has the data' typed "for w in $WORKERS; do redis-cli -h \$w get while-away | grep -qx yes || exit; done"
like 'scripts/up says which shell to open' '    scripts/lab shell' "$output"
commands=$(sed -n '/^    scripts.lab shell/d; s/^    //p' <<<"$output")
is 'the commands that scripts/up shows work' "$(yes OK | head -n 10)
$(printf 'world%d\n' 1 2 3 4 5 6 7 8 9 10)" "$(typed "$commands" | head -n 20)"
is 'the last command that scripts/up shows lists four machines' 4 "$(typed "$commands" | tail -n +21 | grep -c running)"

# ---- secrets --------------------------------------------------------------------------------------------------------

mapfile -t words < <(passwords)
like 'seed --reveal shows the passwords' '^[1-9]' "${#words[@]}"
inside airbuild seed work11 >"$scratch/seed"
inside cat /proc/[0-9]*/cmdline >"$scratch/arguments" 2>/dev/null
inside airbuild logs work11 >"$scratch/console"
shown=0
for word in "${words[@]}"; do
    free_of "$word" "$scratch/seed" "$scratch/arguments" "$scratch/console" || shown=$((shown + 1))
done
is 'seed, command lines and the console show no password' 0 "$shown"
is 'the secrets file is readable by root only' '600 root' "$(stat -c '%a %U' "$state/air/secrets.json")"
is 'the private key is readable by root only' 600 "$(stat -c %a "$state/air/ssh/id_ed25519")"

# ---- drills ---------------------------------------------------------------------------------------------------------

drills_run master-off all-off
drill_interrupted

# ---- destroy --------------------------------------------------------------------------------------------------------

air 60 destroy
ends 'destroy refuses without --yes' 2
is 'a refused destroy touches nothing' "$ALL" "$(running | xargs -n 1 | sort | xargs)"
air 120 destroy --yes
ends 'destroy --yes succeeds' 0
is 'destroy leaves no machine' '' "$(virsh list --all --name | xargs)"
is 'destroy leaves no network' '' "$(virsh net-list --all --name | xargs)"
is 'destroy leaves no file' '' "$(find "$state" -mindepth 1)"
is 'destroy leaves the images alone' "$before" "$(listing)"
air 60 destroy --yes
ends 'destroy succeeds when there is nothing' 0

# ---- a damaged image ------------------------------------------------------------------------------------------------

redis=${disks[-1]}
chmod u+w "$redis"
printf x | dd of="$redis" bs=1 seek=$(($(stat -c %s "$redis") / 2)) conv=notrunc status=none
run 120 build/airbuild images verify
is 'images verify finds one changed byte' 10 "$status"
like 'the error names the image' 'redis' "$output"
truncate -s -4096 "$redis"
run 120 scripts/lab exec -- airbuild launch --cold
is 'launch refuses a truncated image' 10 "$status"
is 'a refused launch leaves nothing' '' "$(virsh list --all --name | xargs)$(find "$state" -type f)"

lab down >/dev/null
check_not 'the lab leaves nothing' test -e "${state%/clusters}"
tap_end
