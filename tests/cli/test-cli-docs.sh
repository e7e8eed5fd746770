#!/bin/bash
# test-cli-docs.sh - compares help, manual and completion with the tables of the program, both ways: commands, options
# with their letters and values, keys of the spec, environment, exit statuses.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/cli/cli.sh
. tests/cli/cli.sh
manual=$root/builder/cli/airbuild.1

# same NAME ONE OTHER: checks that two lists are equal; prints their difference.
same() {
    local difference verdict=0
    difference=$(diff <(sort <<<"$2") <(sort <<<"$3")) || verdict=1
    [[ -n $2 ]] || verdict=1
    tap "$verdict" "$1" "$difference"
}

tables=$("$airbuild" help --json)
commands=$(jq -r '.commands[].name' <<<"$tables")

# "COMMAND -l --name VALUE", global ones without COMMAND; a missing letter or value is left out.
table_options=$(jq -r '
    def line($c): [$c, (if .letter then "-" + .letter else empty end), "--" + .name, .value // empty] | join(" ");
    (.options[] | line("")), (.commands[] | .name as $c | .options[] | line($c))' <<<"$tables")

# ---- the manual -------------------------------------------------------------------------------------------------------
is 'mandoc reports nothing about the manual' '' "$(mandoc -T lint -W warning "$manual" 2>&1)"
is 'man can format the manual' 0 "$(man -l "$manual" >/dev/null 2>&1; echo $?)"
same 'the manual has all commands' "$commands" "$(sed -n 's/^\.Ss airbuild \([a-z]*\).*/\1/p' "$manual")"
same 'the manual has all options' "$table_options" "$(awk '
    /^\.S[hs]/ { inside = $1 == ".Ss" || $2 == "OPTIONS"; command = $1 == ".Ss" ? $3 : "" }
    inside && /^\.It Fl/ {
        line = command
        for (i = 3; i <= NF; i++) {
            if ($(i - 1) == "Fl") line = line " -" $i
            if ($(i - 1) == "Ar") line = line " " $i
        }
        print line
    }' "$manual")"
for command in $commands; do
    shown=$(sed -n "s/^\.Ss airbuild $command//p" "$manual" | sed -E 's/ (Ar|Cm|Op)//g; s/^ //')
    [[ $command != images ]] || shown=$(grep -A 1 '^\.Ss airbuild images' "$manual" | tail -n 1 | sed -E 's/\.?(Op|Ar|Cm) ?//g')
    wanted=$(jq -r --arg c "$command" '.commands[] | select(.name == $c).arguments' <<<"$tables")
    is "the manual has the arguments of $command" "$(tr -d '[] ' <<<"$wanted")" "$(tr -d '[] ' <<<"$shown")"
done
same 'the manual has all keys of the spec' "$("$airbuild" help spec | grep -E '^[a-z]+(\.[A-Za-z0-9-]+)*$')" \
    "$(sed -n 's/^\.It Ic //p' "$manual")"
# The manual names each proxy variable once and says that most may be in capitals.
same 'environment of the manual' \
    "$(grep -rhoE 'getenv\("[A-Z_]+"\)|"[a-z]+_proxy"' "$root/builder" | grep -oE '[A-Z_]{2,}|[a-z]+_proxy' | sort -u)" \
    "$(sed -n '/^\.Sh ENVIRONMENT/,/^\.Sh FILES/s/^\.It Ev //p' "$manual" | sed 's/ , /\n/g' | sort -u)"
same 'the manual has all exit statuses' \
    "$(grep -oE 'ERR_[A-Z_]+ = [0-9]+' "$root/builder/base/error.h" | grep -oE '[0-9]+$')" \
    "$(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/s/^\.It //p' "$manual")"

# ---- help -------------------------------------------------------------------------------------------------------------
# help_options [COMMAND]: prints the options in its help, as above, without hidden letters.
help_options() {
    "$airbuild" help "$@" | sed -nE 's/^ {2,6}((-[a-zA-Z], )?--[a-z-]+( [A-Z]+)?)( .*)?$/\1/p' | tr -d ,
}
for command in $commands; do
    own=$(grep "^$command " <<<"$table_options" | sed "s/^$command //")
    letters=$(grep -oE '(^| )-[a-zA-Z]( |$)' <<<"$own" | tr -d ' ')
    general=$(grep '^ ' <<<"$table_options" | sed 's/^ //')
    for letter in $letters; do general=${general//"$letter --"/"--"}; done
    same "help of $command shows its options" "${own:+$own$'\n'}$general" "$(help_options "$command")"
done
same 'help lists all commands' "$commands" \
    "$("$airbuild" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')"

# ---- completion -------------------------------------------------------------------------------------------------------
# shellcheck source=scripts/completion.bash
. "$root/scripts/completion.bash"
# complete_words WORD...: prints what completion offers for the last word.
complete_words() {
    COMP_WORDS=("$airbuild" "$@") COMP_CWORD=$#
    _airbuild
    printf '%s\n' "${COMPREPLY[@]}"
}
# options_of [COMMAND]: prints all names and letters that may follow it.
options_of() {
    local own letters
    own=$(grep "^${1-} " <<<"$table_options" | grep -oE -- '(^| )--?[a-zA-Z-]+' | tr -d ' ')
    letters=$(grep -xE -- '-[a-zA-Z]' <<<"$own")
    echo "$own"
    [[ -z ${1-} ]] || grep '^ ' <<<"$table_options" | grep -oE -- '(^| )--?[a-zA-Z-]+' | tr -d ' ' | grep -vxF -- "${letters:-none}"
}
same 'completion offers the commands' "$commands" "$(complete_words '')"
same 'completion offers the global options' "$(options_of)" "$(complete_words -)"
for command in $commands; do
    same "completion of $command offers its options" "$(options_of "$command" | grep .)" "$(complete_words "$command" -)"
done
nodes=$'head10\nwork11\nwork12\nwork13'
for command in ssh console logs seed stop; do
    same "completion of $command offers the nodes" "$nodes" "$(complete_words "$command" '')"
done
same "completion completes a part of a node's name" $'work11\nwork12\nwork13' "$(complete_words logs w)"
same 'completion of stop offers a second node' "$nodes" "$(complete_words stop work11 '')"
is 'completion of seed offers no second node' '' "$(complete_words seed work11 '')"
same 'completion offers the actions of images' $'bake\nlist\nverify\nprune\nshow\nexport\nimport' "$(complete_words images '')"
same 'completion offers the topics of help' "$commands"$'\nspec\nexample' "$(complete_words help '')"
drills=$("$airbuild" drill --list --json | jq -r '.[].drill')
same 'completion of drill offers the drills' "$drills" "$(complete_words drill '')"
same 'a second one too' "$drills" "$(complete_words drill master-off '')"
same 'a file for the page' 'other.yaml' "$(touch other.yaml; complete_words drill --html o)"
is 'status takes no operand' '' "$(complete_words status '')"
"$airbuild" help example | sed 's/work13/other13/' >other.yaml
same 'nodes of the given spec' $'head10\nother13\nwork11\nwork12' "$(complete_words ssh --spec other.yaml '')"
same 'combined letters' $'head10\nother13\nwork11\nwork12' "$(complete_words ssh -qf other.yaml '')"
same 'before the command too' $'other13' "$(complete_words -f other.yaml stop o)"
same 'with an equals sign, as bash cuts it' $'other13' "$(complete_words stop --spec = other.yaml o)"
same 'a file where a value is wanted' 'other.yaml' "$(complete_words plan --spec o)"
same 'and after an equals sign' 'other.yaml' "$(complete_words plan --spec = o)"
same 'options with a wrong spec' "$(options_of ssh | grep .)" "$(complete_words ssh -f /dev/null -)"
same 'the letter of logs takes no value' "$nodes" "$(complete_words logs -f '')"

tap_end
