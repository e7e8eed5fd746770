#!/bin/bash
# test-lost-domains.sh - lost disks on a cluster of four real domains, in a private lab: those of the first master, of the
# current one and a replica, of the only one with the last write, of a running master, and of all workers.
# fast/test-lost.sh tries every combination with processes. Needs root, build/airbuild and its images.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2086 # words
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh

readonly WORKERS='work11 work12 work13'
lab_begin airbuild-lost

# roles: set leader, the master, and near and far, the other workers.
roles() {
    local node rest=()
    leader=$(inside airbuild status --json | jq -r .master)
    for node in $WORKERS; do [[ $node == "$leader" ]] || rest+=("$node"); done
    near=${rest[0]} far=${rest[1]}
}
app() { typed "redis-cli -h head10 -p 6380 $*"; }
# mark VALUE: write a value that must survive, and wait until the append-only file is synced.
mark() {
    is "'$1' is acknowledged" OK "$(app set marker "$1")"
    sleep 2
}
# unplug NODE: set its link down.
unplug() { virsh domif-setlink "$1" "$(virsh domiflist "$1" | awk 'NF { print $1; exit }')" down >/dev/null; }
# power_off NODE...
power_off() {
    local node
    for node; do virsh destroy "$node" >/dev/null; done
}
lose() {
    local node
    for node; do rm -f "$state/air/nodes/$node/disk.qcow2"; done
}
# The cluster's files without the lock.
listing() { find "$state" -type f ! -name '.*.lock' -printf '%P %s %T@\n' | sort; }
# The console log has all boots.
began_empty() { inside airbuild logs "$1" | grep -c 'redis begins without, as master'; }
# relaunched NAME VALUE LOST...: launch reports the lost disks; every worker has the data, and none of LOST was master
# without data.
relaunched() {
    local node began=0
    for node in "${@:3}"; do began=$((began + $(began_empty "$node"))); done
    lose "${@:3}"
    air $BOOT_SECONDS launch
    ends "$1: launch" 0
    for node in "${@:3}"; do
        like "launch reports that the disk of $node is missing" "disk of '$node' is missing: it is made empty and copies" "$(errors)"
        began=$((began - $(began_empty "$node")))
    done
    is 'the head serves the data' "$2" "$(app get marker)"
    for node in $WORKERS; do is "$node has the data" "$2" "$(typed "redis-cli -h $node get marker")"; done
    is 'no node without data was master' 0 "$began"
}

begin_cluster

roles
mark one
power_off head10 $WORKERS
relaunched 'the first master lost its disk' one "$leader"

roles
mark two
power_off head10 $WORKERS
relaunched 'the current master and a replica lost their disks' two "$leader" "$near"

roles
unplug "$far"
mark three
power_off head10 $WORKERS
relaunched 'a replica is old and the master lost its disk' three "$leader"

roles
mark four
power_off "$leader"
relaunched 'a master lost its disk while the others run' four "$leader"
lost=$leader
roles
check_not 'a master that lost its disk is no longer master' test "$leader" = "$lost"

mark five
unplug "$far"
mark six
power_off head10 $WORKERS
relaunched 'only an old copy is left' five "$leader" "$near"

power_off head10 $WORKERS
lose $WORKERS
before=$(listing)
air 60 launch
ends 'all lost their disks: launch does not go on without an answer' 2
like 'and says what that means' 'no disk of a worker .* is left: it begins empty, and all its data is lost' "$(said)"
is 'it made nothing' "$before" "$(listing)"
is 'and started nothing' '' "$(virsh list --name | xargs)"
air $BOOT_SECONDS launch --yes
ends 'launch --yes begins with empty disks' 0
is 'the new cluster is empty' '' "$(app get marker)"
mark seven

check 'the lab stops' lab down
tap_end
