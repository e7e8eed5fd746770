#!/bin/bash
# test-lost.sh - scenario_lost of scenarios-data.sh for every combination of lost disks, master, old copy and order of
# starts. Prints a table at the end.
# usage: test-lost.sh [LOST:MASTER:STALE:ORDER...] (without: all of them)
# SPDX-License-Identifier: Apache-2.0
set -u
here=$(cd "$(dirname "$0")" && pwd)
plan=()
for lost in work11 work12 work13 work11,work12 work11,work13 work12,work13 work11,work12,work13; do
    for master in work11 work12 work13; do
        for stale in - work11 work12 work13; do
            for order in joint few-first few-last; do
                # The master's copy is never old, and a lost disk is neither old nor new.
                [[ $stale != "$master" && ,$lost, != *,$stale,* ]] || continue
                [[ $lost != *,*,* || $order == joint ]] || continue
                plan+=("lost:$lost:$master:$stale:$order")
            done
        done
    done
done
(($# == 0)) || plan=("${@/#/lost:}")
results=$(mktemp)
trap 'rm -f "$results"' EXIT
"$here/test-scenarios.sh" -j "${JOBS:-$((5 * $(nproc)))}" "${plan[@]}" | tee "$results"
awk '
    / - lost:/ {
        name = $0
        sub(/^.* - lost:/, "", name)
        sub(/: .*/, "", name)
        if (!(name in verdict)) {
            order[++count] = name
            verdict[name] = "data kept"
        }
        if (/^not ok/)
            verdict[name] = "FAILED"
    }
    END {
        print "# disks lost, master, old copy, start order"
        for (i = 1; i <= count; i++) {
            print "# " order[i] ": " verdict[order[i]]
            failed += verdict[order[i]] == "FAILED"
        }
        printf "# combinations run: %d, failed: %d\n", count, failed
    }' "$results"
