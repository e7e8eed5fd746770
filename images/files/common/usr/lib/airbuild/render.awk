# render.awk - print a template with a node's facts filled in: awk -f render.awk FACTS TEMPLATE
# FACTS is what facts.awk printed. In the template
#   @name@                        is the fact of that name
#   @each W in workers@ .. @end@  repeats what is between for every worker: @W.name@, @W.address@, @W.id@ (of its
#                                 sentinel)
#   @each W in peers@             the same for all workers but this node
#   @each W in replicas@          the same for all workers but the first master
#   @self.id@                     and its like are of this node, if it is a worker
#   @when NAME=VALUE@ .. @end@    keeps what is between if the fact has that value; `first` is yes on the first master
# A name that is not known, or a missing @end@, is a fault: status 1, nothing useful printed.
# SPDX-License-Identifier: Apache-2.0

FNR == NR {
    at = index($0, "=")
    value[substr($0, 1, at - 1)] = substr($0, at + 2, length($0) - at - 2)
    next
}

{ line[++lines] = $0 }

END {
    worker_count = split(value["workers"], workers, " ")
    value["first"] = value["address"] == value["first_master"] ? "yes" : "no"
    for (k = 1; k <= worker_count; k++)
        if (index(workers[k], "=" value["address"] "="))
            bind("self", "workers", k)
    render(1, lines)
    exit failed
}

function render(from, to,    i, last) {
    for (i = from; i <= to; i++) {
        if (line[i] !~ /^ *@(each|when) .*@$/) {
            print expand(line[i])
            continue
        }
        last = closing(i)
        block(i, last)
        i = last
    }
}

# The place of the @end@ that belongs to the block that opens at i.
function closing(i,    depth) {
    for (depth = 0; i <= lines; i++) {
        if (line[i] ~ /^ *@(each|when) .*@$/)
            depth++
        else if (line[i] ~ /^ *@end@$/ && --depth == 0)
            return i
    }
    failed = 1
    return lines + 1
}

function block(first, last,    word, head, k) {
    head = line[first]
    gsub(/^ *@|@$/, "", head)
    split(head, word, " ")
    if (word[1] == "when") {
        k = index(word[2], "=")
        if (value[substr(word[2], 1, k - 1)] == substr(word[2], k + 1))
            render(first + 1, last - 1)
        return
    }
    for (k = 1; k <= worker_count; k++)
        if (bind(word[2], word[4], k))
            render(first + 1, last - 1)
}

# Make worker k what the name stands for; 0 when the list has it not.
function bind(name, list, k,    part) {
    split(workers[k], part, "=")
    if (list == "peers" && part[2] == value["address"] || list == "replicas" && part[2] == value["first_master"])
        return 0
    value[name ".name"] = part[1]
    value[name ".address"] = part[2]
    value[name ".id"] = part[3]
    return 1
}

function expand(text,    out, name) {
    while (match(text, /@[a-z_.]+@/)) {
        name = substr(text, RSTART + 1, RLENGTH - 2)
        if (!(name in value))
            failed = 1
        out = out substr(text, 1, RSTART - 1) value[name]
        text = substr(text, RSTART + RLENGTH)
    }
    return out text
}
