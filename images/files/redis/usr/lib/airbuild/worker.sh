# worker.sh - functions of start-guard and wait-in-sync: query this node's redis and the other workers, and keep this
# node's membership. Sourced after common.sh, engine and load_facts.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # the variables are for those who source this; the facts are load_facts'

title='{title} {listen-addr} {server-mode}' # of the process, as redis has it by default
manifest=$state/redis/appendonlydir/appendonly.aof.manifest
no_writes=9999                     # min-replicas-to-write of a master that takes none yet
silence=$((down_after_ms * 3 / 4)) # milliseconds; a node that is silent for longer will soon be down

# membership: empty at first; `member` once this node was in sync or master; `joins` when it has no data and must not be
# master before. It is kept outside of the data, so that a node that lost its data knows that it had some.
membership=
{ read -r membership <"$state/membership"; } 2>/dev/null || :

# record WORD: set the membership, synced.
record() {
    [ "$membership" != "$1" ] || return 0
    echo "$1" >"$state/membership.new"
    sync "$state/membership.new"
    mv -T "$state/membership.new" "$state/membership"
    membership=$1
}

# admin ADDRESS ARGUMENTS...: a command to that redis as administrator.
admin() {
    REDISCLI_AUTH=$password_admin timeout "$((down_after_ms / 1000 + 1))" "$engine_cli" --no-auth-warning \
        --user admin -h "$@" 2>/dev/null
}

# each_peer COMMAND...: run it for all other workers at once, with the address of each.
each_peer() {
    for worker in $workers; do
        peer=${worker#*=}
        peer=${peer%=*}
        [ "$peer" = "$address" ] || "$@" "$peer" &
    done
    wait
}

# ask ADDRESS: print "EPOCH MASTER FLAGS SILENT" from that node's sentinel, SILENT being the milliseconds since the master
# last answered it; nothing if it does not answer in time.
# GET-MASTER-ADDR-BY-NAME names the new master at its promotion, SENTINEL MASTER a little later.
ask() {
    printf '%s %s\n' 'SENTINEL GET-MASTER-ADDR-BY-NAME' "$master_name" 'SENTINEL MASTER' "$master_name" |
        REDISCLI_AUTH=$password_status timeout "$((down_after_ms / 1000 + 1))" "$engine_cli" --no-auth-warning \
            --user status -h "$1" -p 26379 2>/dev/null |
        awk 'NR == 1 { master = $0 } { reply[name] = $0; name = $0 }
            END { if (NR > 4) print reply["config-epoch"], master, reply["flags"], reply["last-ok-ping-reply"] }'
}

# judge: query all peers' sentinels and redis, and weigh the sentinels' answers.
judge() {
    heard=$(each_peer ask_both)
    weigh
}

# weigh: of the lines of `ask` in `heard`, sets
#   newest    the worker with the highest epoch; this node's own sentinel counts by its file, unless that was replaced;
#             empty if there is none
#   epoch     that epoch
#   news      yes if peers answer and none knows an epoch as high as this node's own sentinel's
#   electing  yes if enough peers for an election answer and one of them takes the master for down or soon will: an election
#             goes on even if the master is back, and the writes it takes until then are lost
weigh() {
    trusted=yes
    [ ! -e "$state/sentinel/remade" ] || trusted=no
    # shellcheck disable=SC2046 # four words
    set -- $(
        echo "$heard" | awk -v workers="$workers" -v quorum="$quorum" -v limit="$silence" \
            -v trusted="$trusted" '
            function known(epoch, address) {
                if (index(workers, "=" address "=") && (epoch + 0 > best || best == "")) {
                    best = epoch + 0
                    master = address
                }
            }
            from == "own" {
                if ($1 == "sentinel" && $2 == "monitor")
                    own_master = $4
                if ($1 == "sentinel" && $2 == "config-epoch")
                    own_epoch = $4
                next
            }
            !begun++ && trusted == "yes" { known(own_epoch, own_master) }
            NF >= 2 { known($1, $2); if ($1 + 0 >= own_epoch + 0) informed = 1; answered = 1 }
            NF == 4 { voices++; if ($3 ~ /_down|failover/ || $4 + 0 > limit) down = 1 }
            END {
                print best + 0, (voices >= quorum && down ? "yes" : "no"), (answered && !informed ? "yes" : "no"), master
            }' from=own "$state/sentinel/sentinel.conf" from=peers -
    )
    epoch=$1 electing=$2 news=$3 newest=${4-}
}

# ask_data ADDRESS: print one word for that redis' data: `none`; COUNT.REST or `old` if not in sync (see data-age);
# `loading`; else `live`; nothing if it does not answer.
ask_data() {
    reply=$(printf 'ping\nconfig get proc-title-template\n' | admin "$1") || :
    case $reply in
    '') ;;
    *LOADING*) echo loading ;;
    *data=*)
        reply=${reply#*data=}
        echo "${reply%%[!0-9a-z.]*}"
        ;;
    *) echo live ;;
    esac
}

# ask_both ADDRESS: ask its sentinel and its redis.
ask_both() {
    ask "$1" &
    ask_data "$1"
    wait
}

# has_more WORD: whether a peer with that word may have data that this node, with count and rest, lacks.
has_more() {
    case $1 in
    live | loading) ;;
    *.*)
        [ -z "$count" ] || [ "${1%.*}" -gt "$count" ] || { [ "${1%.*}" = "$count" ] && [ "${1#*.}" -gt "$rest" ]; }
        ;;
    *) return 1 ;;
    esac
}

# tally: of the words in `heard`, count the peers that answered (answers), have no data (none), are not in sync (aged), and
# have more data than this node (better).
tally() {
    answers=0 none=0 aged=0 better=0
    for word in $(echo "$heard" | awk '/^(none|old|live|loading|[0-9]+[.][0-9]+)$/'); do
        answers=$((answers + 1))
        case $word in
        none) none=$((none + 1)) ;;
        *.* | old) aged=$((aged + 1)) ;;
        esac
        if has_more "$word"; then
            better=$((better + 1))
        fi
    done
}
