# shellcheck shell=bash
# world.sh - shared by the tests of killed and of simultaneous commands; sourced inside tests/fast/sandbox. A world is a
# folder with a private libvirtd, whose hypervisor is libvirt's own `test` (it lives as long as one client stays connected),
# a home with a store, the cluster 'air' that is tested, and strangers: the cluster 'sea' of the same home, the domain 'test'
# and the network 'default', which are not airbuild's.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # set for the tests

airbuild=${AIRBUILD:-$PWD/build/airbuild}
shim=$PWD/build/tests/fault.so
stock=$PWD/build/tests/stock
nodes=(head10 work11 work12 work13)
strangers=(head20 work21 work22 work23)
unset AIRBUILD_STATE AIRBUILD_ASSETS AIRBUILD_FAULT AIRBUILD_FAULT_LOG NO_COLOR

# scratch_in_memory: set scratch, a folder in memory, where thousands of files are cheap.
scratch_in_memory() {
    scratch=$(mktemp -d)
    mount -t tmpfs -o mode=0711 tmpfs "$scratch"
    mount -t tmpfs tmpfs /run
}

# ---- libvirt --------------------------------------------------------------------------------------------------------

# start_daemon DIR: start an unprivileged libvirtd with its socket in DIR, and a virsh that stays connected.
start_daemon() {
    local run=$1/run end=$((SECONDS + 60))
    mkdir -p "$run" "$1/lib"
    cat >"$1/libvirtd.conf" <<END
unix_sock_dir = "$run"
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_rw_perms = "0777"
log_outputs = "4:file:$1/libvirtd.log"
END
    chown -R 65534:65534 "$run" "$1/lib" "$1/libvirtd.conf"
    : >"$1/libvirtd.log" && chown 65534:65534 "$1/libvirtd.log"
    HOME=$1/lib XDG_RUNTIME_DIR=$run XDG_CONFIG_HOME=$1/lib XDG_CACHE_HOME=$1/lib \
        setpriv --reuid 65534 --regid 65534 --clear-groups libvirtd -f "$1/libvirtd.conf" >/dev/null 2>&1 &
    until [[ -S $run/libvirt-sock ]]; do
        ((SECONDS < end)) || { echo "libvirtd did not start" >&2 && cat "$1/libvirtd.log" >&2 && return 1; }
        sleep 0.05
    done
    export AIRBUILD_FAULT_URI="test+unix:///default?socket=$run/libvirt-sock"
    coproc VIRSH { exec virsh -q -c "$AIRBUILD_FAULT_URI" 2>&1; }
    exec {virsh_out}<&"${VIRSH[0]}" {virsh_in}>&"${VIRSH[1]}"
    [[ $(lv 'list --all --name') == test ]] || { echo "libvirtd does not have the domains of 'test'" >&2 && return 1; }
}

# lv COMMAND...: print virsh's output for these commands, which it echoes after its prompt. All is read before any is
# printed, as the reader may stop early.
lv() {
    local line text=''
    printf '%s\n' "$@" 'echo __end__' '' >&"$virsh_in"
    while IFS= read -r -t 60 line <&"$virsh_out" && [[ $line != __end__* ]]; do
        [[ $line == 'virsh # '* || -z $line ]] || text+=$line$'\n'
    done
    printf '%s' "$text"
}

# ---- the world ------------------------------------------------------------------------------------------------------

# write_specs DIR: air; unused, the same with other images, which nothing uses; and sea.
write_specs() {
    local common='uri: test:///default
accel: tcg'
    printf '%s\nbase: debian\n' "$common" >"$1/air.yaml"
    printf '%s\nbase: {debian: {suite: trixie}}\n' "$common" >"$1/unused.yaml"
    cat >"$1/sea.yaml" <<END
$common
cluster: sea
base: {debian: {mirror: "http://127.0.0.1:1/debian"}}
network: {subnet: 172.31.254.0/24}
nodes:
  head20: {role: haproxy, address: 172.31.254.20}
  work21: {role: redis, address: 172.31.254.21}
  work22: {role: redis, address: 172.31.254.22}
  work23: {role: redis, address: 172.31.254.23}
END
}

# air ARGUMENT...: run airbuild on the cluster 'air'; sets status and output. fault=WAY:NUMBER: with that fault.
air() {
    status=0
    output=$(timeout -k 5 "${limit:-60}" env LD_PRELOAD="$shim" ${fault:+AIRBUILD_FAULT="$fault"} \
        "$airbuild" -q -f "${spec:-$world/air.yaml}" "$@" 2>&1 </dev/null) || status=$?
}

# must ARGUMENT...: the same; the test bails out if it fails.
must() {
    air "$@"
    ((status == 0)) || { echo "Bail out! 'airbuild $*' ended with $status: $output" && exit 1; }
}

# make_world DIR: set world, make the images and launch sea, not air.
make_world() {
    local name
    world=$1 folder=$1/home/clusters/air
    mkdir -p "$world/scenes"
    chmod 0711 "$world"
    export AIRBUILD_HOME=$world/home
    write_specs "$world"
    start_daemon "$world" || return 1
    for name in air unused sea; do
        "$stock" "$world/$name.yaml" >"$world/$name.keys" || return 1
    done
    spec=$world/sea.yaml must launch --no-wait
    strangers_before=$(strangers_now)
}

# mark_disks CLUSTER NODE...: write data to their disks.
mark_disks() {
    local node
    for node in "${@:2}"; do
        qemu-io -c 'write -q -P 0x5a 1M 64k' "$AIRBUILD_HOME/clusters/$1/nodes/$node/disk.qcow2" >/dev/null
    done
}

# Print the state of the strangers: domains, networks, files and images.
strangers_now() {
    local name keys commands=('domstate test' 'net-info default' 'net-info sea')
    for name in "${strangers[@]}"; do commands+=("domstate $name" "domid $name" "domuuid $name"); done
    lv "${commands[@]}"
    mapfile -t keys <"$world/sea.keys"
    (cd "$AIRBUILD_HOME/store/images" && find ../../clusters/sea "${keys[@]}" -type f ! -name '*lock*' \
        -printf '%p %s %T@\n' | sort)
}

# keep_scene NAME: save the files and domains of air as the scene of that name.
keep_scene() {
    local scene=$world/scenes/$1 node
    mkdir -p "$scene"
    cp -a "$AIRBUILD_HOME" "$scene/home"
    for node in $(lv 'list --all --name' | grep -xF "$(printf '%s\n' "${nodes[@]}")"); do
        lv "dumpxml --inactive $node" >"$scene/$node.xml"
        [[ $(lv "domstate $node") != running* ]] || touch "$scene/$node.running"
    done
    ! has "$(lv 'net-list --all --name')" air || lv 'net-dumpxml --inactive air' >"$scene/net.xml"
}

# set_scene NAME: restore it.
set_scene() {
    local scene=$world/scenes/$1 node commands=('net-destroy air' 'net-undefine air')
    rm -rf "$AIRBUILD_HOME" "$world/second" "$world/out" && mkdir "$world/out"
    cp -a "$scene/home" "$AIRBUILD_HOME"
    for node in "${nodes[@]}"; do commands+=("destroy $node" "undefine $node"); done
    [[ ! -e $scene/net.xml ]] || commands+=("net-define $scene/net.xml" 'net-start air' 'net-autostart air')
    for node in "${nodes[@]}"; do
        [[ ! -e $scene/$node.xml ]] || commands+=("define $scene/$node.xml")
        [[ ! -e $scene/$node.running ]] || commands+=("start $node")
    done
    lv "${commands[@]}" >/dev/null
}

# ---- what must be true ----------------------------------------------------------------------------------------------
# Each adds a line to the array wrong for every violation.

wrong=()
blame() { wrong+=("$*"); }

# ended WHAT: the last command exited, or was interrupted.
ended() {
    case $status in
    124 | 137) blame "$1 did not end" ;;
    1[3-9][0-9]) [[ $status == 130 ]] || blame "$1 died of signal $((status - 128)): ${output##*$'\n'}" ;;
    esac
}

# succeeds ARGUMENT...
succeeds() {
    air "$@"
    ended "'$1'"
    ((status == 0 || status >= 124)) || blame "'$1' ended with $status: ${output##*$'\n'}"
}

# look: set stamps, by file below the cluster's nodes/, and from secrets.json ids, by node, and check_password.
declare -A ids=() stamps=() found_whole=()
look() {
    local name value
    ids=() check_password='' stamps=()
    while read -r name value; do
        if [[ $name == check ]]; then check_password=$value; else ids[$name]=$value; fi
    done < <(jq -r '"check \(.passwords.check)", (.nodes[] | "\(.name) \(.instance_id)")' "$folder/secrets.json" 2>/dev/null)
    while read -r name value; do stamps[${name#"$folder/nodes/"}]=$value; done < <(
        stat -c '%n %i %s %z' "$folder"/nodes/*/{disk.qcow2,seed.iso} 2>/dev/null
    )
}

# disk_whole NODE: succeeds if it is a valid qcow2 with its backing files. The result is kept until the file changes.
disk_whole() {
    local stamp=${stamps[$1/disk.qcow2]-}
    [[ -n $stamp ]] || return 1
    [[ -n ${found_whole[$stamp]-} ]] || qemu-img check -q "$folder/nodes/$1/disk.qcow2" >/dev/null 2>&1 || return 1
    found_whole[$stamp]=yes
}

# seed_whole NODE: succeeds if it is as long as its volume descriptor says and has the identity in the secrets.
seed_whole() {
    local seed=$folder/nodes/$1/seed.iso blocks
    local stamp="${stamps[$1/seed.iso]-} ${ids[$1]-} $check_password"
    [[ -n ${ids[$1]-} && -n ${stamps[$1/seed.iso]-} ]] || return 1
    [[ -z ${found_whole[$stamp]-} ]] || return 0
    blocks=$(od -An -t u4 -j $((32768 + 80)) -N 4 "$seed") && (($(stat -c %s "$seed") >= blocks * 2048 && blocks > 16)) &&
        grep -qaF "${ids[$1]}" "$seed" && grep -qaF "$check_password" "$seed" && found_whole[$stamp]=yes
}

secrets_whole() {
    local node
    for node in "${nodes[@]}"; do
        [[ -n ${ids[$node]-} && -n $check_password ]] || return 1
    done
}

# has LINES LINE: succeeds if LINE is one of LINES.
has() { [[ $'\n'$1$'\n' == *$'\n'$2$'\n'* ]]; }

# read_libvirt: set defined, running and networks.
read_libvirt() {
    local all
    all=$(lv 'list --all --name' 'echo ,' '' 'list --name' 'echo ,' '' 'net-list --name')
    defined=${all%%,*} running=${all#*,} networks=${all##*,}
    running=${running%%,*}
}

# kept WORD NAME: succeeds if this part, which plan keeps, is complete.
kept() {
    case $1 in
    secrets) secrets_whole ;;
    disk) disk_whole "$2" ;;
    seed) seed_whole "$2" ;;
    domain) has "$defined" "$2" ;;
    network) has "$networks" "$2" ;;
    *) true ;;
    esac
}

# The plan keeps only complete parts, and no disk or seed without its secrets.
judge_plan() {
    local verb word name secrets=''
    air plan --json
    ended "'plan'"
    ((status == 0 || status >= 124)) || blame "'plan' ended with $status: ${output##*$'\n'}"
    plan=$(jq -r '.steps[] | "\(.verb) \(.object)"' <<<"$output" 2>/dev/null)
    ! has "$plan" 'keep secrets' || secrets=keep
    look
    read_libvirt
    while read -r verb word name; do
        [[ $verb == keep ]] || continue
        kept "$word" "$name" || blame "plan keeps '$word $name', which is not complete"
        [[ ! $word =~ ^(disk|seed)$ || $secrets == keep ]] ||
            blame "plan keeps '$word $name' and makes new secrets"
    done <<<"$plan"
}

# judge_disks SCENE NODE...: their disks are the same as in that scene.
judge_disks() {
    local node
    for node in "${@:2}"; do
        cmp -s "$world/scenes/$1/home/clusters/air/nodes/$node/disk.qcow2" "$folder/nodes/$node/disk.qcow2" ||
            blame "the disk of '$node' with its data is lost or was replaced"
    done
}

# After a successful launch everything is complete and runs.
judge_launched() {
    local node line
    judge_plan
    while read -r line; do
        [[ $line == keep\ * ]] || blame "after launch plan would still '$line'"
    done <<<"$plan"
    secrets_whole || blame 'the secrets are not complete after launch'
    for node in "${nodes[@]}"; do
        disk_whole "$node" || blame "the disk of '$node' is not complete after launch"
        seed_whole "$node" || blame "the seed of '$node' is not complete or has another identity after launch"
        has "$running" "$node" || blame "'$node' does not run after launch"
    done
    [[ -s $folder/ssh/config ]] || blame 'there is no ssh/config after launch'
}

# leftovers FOLDER: print temporary files and folders in it, except locks of clusters.
leftovers() {
    find "$1" -mindepth 1 \( -name '.*' -o -name '*.new' -o -name '*.part' -o -name '*.tmp' \) -printf '%P\n' -prune |
        while read -r name; do
            [[ $name =~ ^clusters/\.[a-z0-9-]+\.lock$ ]] || echo "$name"
        done | sed -E 's/-[A-Za-z0-9]{6}$/-XXXXXX/'
}

judge_leftovers() {
    local name
    for name in $(leftovers "$1"); do
        blame "$2 leaves '$name'"
    done
}

# After destroy nothing of air is left.
judge_gone() {
    local node
    read_libvirt
    for node in "${nodes[@]}"; do
        ! has "$defined" "$node" || blame "destroy leaves the domain '$node'"
    done
    ! has "$(lv 'net-list --all --name')" air || blame "destroy leaves the network 'air'"
    [[ ! -e $folder ]] || blame "destroy leaves $(find "$folder" -printf '%P ' | head -c 300)"
    judge_leftovers "$AIRBUILD_HOME" destroy
}

# The images that back disks exist.
judge_images() {
    local key keys
    mapfile -t keys <"$world/sea.keys"
    ! compgen -G "$folder/nodes/*/disk.qcow2" >/dev/null || mapfile -t -O ${#keys[@]} keys <"$world/air.keys"
    for key in "${keys[@]}"; do
        [[ -s $AIRBUILD_HOME/store/images/$key/disk.qcow2 ]] || blame "an image in use is gone: $key"
    done
}

judge_strangers() {
    local now
    now=$(strangers_now)
    [[ $now == "$strangers_before" ]] ||
        blame "a stranger was changed: $(diff <(echo "$strangers_before") <(echo "$now") | head -n 3 | tr '\n' ' ')"
}
