#!/bin/bash
# test-cli-usage.sh - the command line: usage errors, exit statuses, JSON, colors, closed streams.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # some texts are expanded by another shell
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/cli/cli.sh
. tests/cli/cli.sh

commands=$("$airbuild" help --json | jq -r '.commands[].name')

# ---- usage errors -----------------------------------------------------------------------------------------------------
refuses 'no command' 2 "^airbuild: no command given; see 'airbuild --help'$" "$airbuild"
refuses 'an unknown command' 2 "no command 'lanch' \(did you mean 'launch'\?\)" "$airbuild" lanch
refuses 'a command without a similar one' 2 "there is no command 'elephant'; see" "$airbuild" elephant
refuses 'an empty command' 2 "there is no command ''" "$airbuild" ''
refuses 'an unknown option' 2 "'--wach' \(did you mean '--watch'\?\); see 'airbuild status --help'" "$airbuild" status --wach
refuses 'an unknown option before the command' 2 "'--jsn' \(did you mean '--json'\?\); see 'airbuild --help'" \
    "$airbuild" --jsn status
refuses 'an ambiguous abbreviation' 2 "'--re' is ambiguous: '--recipe', '--rebuild', '--refresh'; see" "$airbuild" images --re
refuses 'an unknown letter among others' 2 "there is no option '-x'; see" "$airbuild" status -qx
refuses 'a value to a flag' 2 "'--json' takes no value" "$airbuild" status --json=yes
refuses 'an option without its value' 2 "'--spec' needs a value" "$airbuild" plan --spec
refuses 'an option in place of a value' 2 "'--spec' needs a value" "$airbuild" plan --spec --quiet
refuses 'an option twice' 2 "'-f' is given twice" "$airbuild" -f a plan -f b
refuses 'an operand too many' 2 "'airbuild status' does not take 'work11'" "$airbuild" status work11
refuses 'an operand missing' 2 "usage: airbuild ssh NODE \[COMMAND...\]; see" "$airbuild" ssh
refuses 'an unknown action' 2 "'images' has no action 'prnue' \(did you mean 'prune'\?\)" "$airbuild" images prnue
refuses 'a folder missing' 2 "usage: airbuild images export FOLDER" "$airbuild" images export
refuses 'a folder too many' 2 "'airbuild images list' does not take 'x'" "$airbuild" images list x
refuses 'an option of another action' 2 "'airbuild images list' does not take '--offline'" "$airbuild" images list --offline
refuses 'a timeout that is not a number' 2 "a number of seconds from 1 to" "$airbuild" launch --timeout 2m
refuses 'a timeout of 0' 2 "a number of seconds from 1 to" "$airbuild" launch --timeout 0
refuses 'a profile without waiting' 2 "'--no-wait' excludes '--profile', which waits" "$airbuild" launch --profile --no-wait
refuses 'its page without waiting' 2 "'--no-wait' excludes '--html', which waits" "$airbuild" launch --no-wait --html boot.html
refuses 'a folder as its page' 1 "cannot write the page '.': Is a directory" "$airbuild" launch --html .
refuses 'a page in no folder' 1 "cannot write the page 'none/boot.html': No such file" "$airbuild" launch --html none/boot.html
error_json 'endless JSON' 2 usage "$airbuild" logs -f --json work11
refuses 'destroy without --yes and without a terminal' 2 "destroying cluster 'air' needs --yes" "$airbuild" destroy
refuses 'help on something unknown' 14 "there is no help on 'elephant'" "$airbuild" help elephant
refuses 'an unknown node' 14 "'work14'" "$airbuild" seed work14
refuses 'a node named like a path' 14 'no node' "$airbuild" logs ../../etc

# ---- help and version -------------------------------------------------------------------------------------------------
for command in $commands; do
    separate "$airbuild" "$command" --help
    like "help of $command" "^Usage: airbuild $command " "$out"
    is "help of $command succeeds without errors" '0 ' "$status $errors"
done
like 'help needs no operands' '^Usage: airbuild ssh' "$("$airbuild" --help ssh)"
is 'help COMMAND is COMMAND --help' "$("$airbuild" launch -h)" "$("$airbuild" help launch)"
is 'help is --help' "$("$airbuild" --help)" "$("$airbuild" help)"
is 'help fits a terminal of 80 columns' '' "$(for c in $commands; do "$airbuild" help "$c"; done | grep -E '.{81}')"
like '--version prints the version' '^airbuild [0-9]+\.[0-9]+\.[0-9]+$' "$("$airbuild" --version)"
is '--version --json has the same version' "$("$airbuild" -V)" "airbuild $("$airbuild" status --version --json | jq -r .version)"
"$airbuild" help example >example.yaml
is 'abbreviations' "$("$airbuild" --vers --js)" "$("$airbuild" --version --json)"
is 'letters in one word, the last with its value' "$("$airbuild" env --hosts)" "$("$airbuild" env --hosts -qf example.yaml)"
is 'the example is the built-in cluster' "$("$airbuild" env --hosts)" "$("$airbuild" env --hosts -f example.yaml)"

# ---- errors for programs ----------------------------------------------------------------------------------------------
error_json 'a usage error as JSON' 2 usage "$airbuild" --json status --wach
error_json 'a usage error before its --json' 2 usage "$airbuild" status --wach --json
error_json 'a usage error before its --js' 2 usage "$airbuild" status --wach --js
error_json 'no command, as JSON' 2 usage "$airbuild" --json
error_json 'a missing spec as JSON' 14 not-found "$airbuild" --json plan -f /nonexistent.yaml
error_json 'an unknown node as JSON' 14 not-found "$airbuild" seed --json work14
error_json 'destroy as JSON does not ask' 2 usage "$airbuild" destroy --json
printf 'cluster: "\\e[31mair\x7f"\n' >hostile.yaml
error_json 'a hostile value' 3 spec "$airbuild" plan --json -f hostile.yaml

# ---- colors -----------------------------------------------------------------------------------------------------------
escape=$'\033'
terminal "$airbuild" lanch
like 'errors are colored on a terminal' "$escape" "$output"
terminal env NO_COLOR=1 "$airbuild" lanch
is 'NO_COLOR disables colours' '' "$(grep -F "$escape" <<<"$output")"
terminal env NO_COLOR= "$airbuild" lanch
like 'an empty NO_COLOR is ignored' "$escape" "$output"
terminal "$airbuild" status --no-color --wach
is '--no-color disables colours' '' "$(grep -F "$escape" <<<"$output")"
terminal env TERM=dumb "$airbuild" lanch
is 'a dumb terminal gets no colours' '' "$(grep -F "$escape" <<<"$output")"
run 60 "$airbuild" lanch
is 'a pipe gets no colours' '' "$(grep -F "$escape" <<<"$output")"

# ---- streams ----------------------------------------------------------------------------------------------------------
status=0
errors=$("$airbuild" help 2>&1 >/dev/full) || status=$?
is 'output to a full disk has its own status' 7 "$status"
like 'and its message' 'cannot write the result to standard output' "$errors"
set -o pipefail
check 'an early end of the reader is not a failure' bash -c 'set -o pipefail; "$1" help spec | head -n 1' - "$airbuild"
set +o pipefail
check 'closed streams are harmless' bash -c '"$1" help <&- >&- 2>&-; exit 0' - "$airbuild"
run 60 bash -c '"$1" lanch >&- <&-' - "$airbuild"
is 'an error reaches standard error if the others are closed' 2 "$status"

tap_end
