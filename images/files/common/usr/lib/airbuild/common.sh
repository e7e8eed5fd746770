# common.sh - paths, facts and console messages for airbuild's scripts on a node. Sourced, never run. On an emulated
# machine every process takes a tenth of a second or more, so these scripts avoid them.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034 # the variables are for the scripts that source this

# Tests set AIRBUILD_ROOT (a folder that stands for /), AIRBUILD_FACTS and AIRBUILD_CONSOLE.
lib=${AIRBUILD_ROOT-}/usr/lib/airbuild
state=${AIRBUILD_ROOT-}/var/lib/airbuild
facts=${AIRBUILD_FACTS-${AIRBUILD_ROOT-}/etc/airbuild/facts}
console=${AIRBUILD_CONSOLE-/dev/console}
node=

# Peers send bytes; awk would complain about those that are not characters of the locale.
LC_ALL=C
export LC_ALL

# say TEXT: one line for the journal and the machine's console.
say() {
    [ -n "$node" ] || load_name
    echo "airbuild: $node: $*"
    # Not fatal without a console.
    { echo "airbuild: $node: $*" >>"$console"; } 2>/dev/null || :
}

# load_name: sets node from the facts' first line, or to the host's name if there are none.
load_name() {
    { IFS="'" read -r _ node _ <"$facts"; } 2>/dev/null || node=$(uname -n)
}

# fail TEXT: say it and end.
fail() {
    say "$*"
    exit 1
}

# now: sets seconds since the machine booted, which no step of the clock changes.
now() {
    read -r seconds _ </proc/uptime
    seconds=${seconds%.*}
}

# take_fact LINE: a fact becomes a shell variable of its name. Fails if the line is not NAME='value'.
take_fact() {
    case ${1%%=*} in
    '' | *[!a-z_]*) return 1 ;;
    esac
    value=${1#*=}
    case $value in
    \'*\') value=${value#?} value=${value%?} ;;
    *) return 1 ;;
    esac
    case $value in
    *[!A-Za-z0-9\ ./=_:-]*) return 1 ;;
    esac
    eval "${1%%=*}=\$value"
}

# load_facts: the seed's facts as shell variables of the same names. airbuild has checked their values; a file that was
# damaged since is refused.
load_facts() {
    [ -r "$facts" ] || fail "cannot read '$facts': the seed has not arrived; look at its disk and at cloud-init's log"
    joins= # the last one
    while IFS= read -r line || [ -n "$line" ]; do
        take_fact "$line" || fail "'$facts' is damaged: a line is not of the form NAME='value'"
    done <"$facts"
    [ -n "$joins" ] || fail "'$facts' is damaged: it has no end"
}
