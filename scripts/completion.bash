# shellcheck shell=bash
# completion.bash - bash completion of airbuild. The words come from the program (`airbuild help --words`), so they are
# always current.
# SPDX-License-Identifier: Apache-2.0

# _airbuild_words [OPTION...] [-- COMMAND]: sets words, one per line; an option that takes a value ends in '='.
_airbuild_words() {
    words=$("${COMP_WORDS[0]}" help --words "$@" 2>/dev/null)
}

# Of combined letters the last one may take a value.
_airbuild_takes_value() {
    local option=$1
    [[ $option != -[!-]?* ]] || option=-${option: -1}
    [[ $'\n'$words$'\n' == *$'\n'"$option="$'\n'* ]]
}

_airbuild_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

# Parse the words before the one to complete; sets command, operands, spec. Succeeds when that one is a value.
_airbuild_parse() {
    local i word
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if _airbuild_takes_value "$word"; then
            # bash passes the '=' as a separate word
            [[ ${COMP_WORDS[i + 1]} != '=' ]] || ((i + 1 == COMP_CWORD)) || ((i += 1))
            ((i + 1 < COMP_CWORD)) || return 0
            ((i += 1))
            [[ $word != -*f && $word != --spec ]] || spec=(--spec "${COMP_WORDS[i]}")
        elif [[ $word == -* ]]; then
            continue
        elif [[ -z $command ]]; then
            command=$word
            _airbuild_words -- "$command"
        else
            operands+=("$word")
        fi
    done
    return 1
}

_airbuild() {
    local current=${COMP_WORDS[COMP_CWORD]} words command='' operands=() spec=()
    COMPREPLY=()
    _airbuild_words
    if _airbuild_parse; then
        _airbuild_files "${current#=}"
        return
    fi
    [[ -z $command ]] || _airbuild_words "${spec[@]}" -- "$command"
    if [[ $current == -* ]]; then
        words=$(grep -e '^-' <<<"$words")
    elif [[ $command == ssh || $command == images ]] && ((${#operands[@]} > 0)); then
        _airbuild_files "$current"
        return
    elif [[ $command != stop && $command != drill ]] && ((${#operands[@]} > 0)); then
        return
    else
        words=$(grep -v -e '^-' <<<"$words")
    fi
    mapfile -t COMPREPLY < <(compgen -W "${words//=/}" -- "$current")
}

complete -F _airbuild airbuild
