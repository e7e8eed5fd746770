# drills.sh - drills on a converged cluster of real domains. Sourced after lib.sh. A drill fails on lost writes, two masters
# at once, or a cluster that does not converge again; times are printed, not judged. Writes build/drills.html and
# build/drills.json.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # lib.sh sets scratch and others

readonly DRILL_SECONDS=900

# field DRILL FIELD: print a result of a drill.
field() { jq -r --arg d "$1" --arg f "$2" 'map(select(.drill == $d)) | last | .[$f]' "$scratch/drills.json"; }

# judge DRILL: ok if the cluster behaved; prints the figures.
judge() {
    local name=$1 word why
    word=$(field "$name" verdict)
    why=$(field "$name" why)
    tap "$([[ $word == PASS || $word == SLOW ]]; echo $?)" "$name: the cluster behaves" "$word: $why"
    echo "# $word: $(field "$name" lost) of $(field "$name" acked) writes lost, no writes for" \
        "$(field "$name" write_outage_s) s, no reads for $(field "$name" read_outage_s) s, new master after" \
        "$(field "$name" promoted_s) s, converged after $(field "$name" converged_s) s"
    [[ $word != SLOW ]] || echo "# $why"
}

# drills_run NAME...
drills_run() {
    local name
    air $((DRILL_SECONDS * $#)) drill --yes --json --html build/drills.html "$@"
    printf '%s\n' "$output" >"$scratch/drills.json"
    cp "$scratch/drills.json" build/drills.json
    tap "$((status != 0 && status != 15))" 'all drills run' "$output"$'\n'"$(errors)"
    is 'the results are in the order of the drills' "$*" "$(json '[.[].drill] | join(" ")')"
    for name; do judge "$name"; done
    is 'the exit status agrees with the results' "$(json 'if all(.behaved) then 0 else 15 end')" "$status"
    is 'the page has the same results' "$(json 'map([.drill, .verdict]) | tojson')" \
        "$(sed -n 's|.*id="data">\(.*\)</script>$|\1|p' build/drills.html | jq -r '.drills | map([.drill, .verdict]) | tojson')"
    air 60 status --json
    ends 'the cluster is converged after the drills' 0
    is 'every machine runs after the drills' 'running running running running' "$(json '[.nodes[].state] | join(" ")')"
    is 'the clients of the drills leave no keys' '' \
        "$(typed 'redis-cli -h head10 -p 6380 --scan --pattern "airbuild:drill:*:*"' 2>&1)"
}

# drill_interrupted: Ctrl-C during a drill repairs what the drill broke.
drill_interrupted() {
    aside drill master-cut
    check "the drill unplugs the master's network" within 120 grep -q 'network unplugged' "$scratch/aside"
    kill -INT -- "-$aside"
    aside_ends 'Ctrl-C ends the drill' 120 130
    like 'an interrupted drill repairs what it broke' 'repairing what was broken' "$(<"$scratch/aside")"
    air "$BOOT_SECONDS" launch
    ends 'launch converges after an interrupted drill' 0
}
