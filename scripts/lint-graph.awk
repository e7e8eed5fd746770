# lint-graph.awk - rules that need all C files at once: what a header of builder/ declares is used by another file, or by
# its own and a test; and no files use each other's functions in a circle. scripts/lint calls it with all C sources.
# It reads lines, not C, as lint.awk does.
# SPDX-License-Identifier: Apache-2.0

FNR == 1 {
    ours = FILENAME ~ /^builder\//
    is_header = FILENAME ~ /\.h$/
}

/^[ \t]*#[ \t]*include/ { next }

{
    gsub(/"([^"\\]|\\.)*"/, "\"\"")
    sub(/\/\/.*/, "")
}

# What a header declares: a type, then the name before the first bracket.
ours && is_header && /^[a-z].*[ *][a-z_][a-z0-9_]*\(/ && !/^(static|typedef)/ {
    name = $0
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    if (!(name in declared))
        declared[name] = FILENAME ":" FNR
}

# A definition: clang-format puts the name into column 1.
ours && !is_header && match($0, /^[a-z_][a-z0-9_]*\(/) {
    home[substr($0, 1, RLENGTH - 1)] = FILENAME
    $0 = substr($0, RLENGTH)
}

# A word used in a file. In a header only what macros and inline functions say.
!(ours && is_header && /^[a-z]/) {
    rest = $0
    while (match(rest, /[A-Za-z_][A-Za-z0-9_]*/)) {
        word = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        if (!((FILENAME, word) in used)) {
            used[FILENAME, word] = FNR
            users[word] = users[word] " " FILENAME
        }
    }
}

function check_use(name,    list, i, n, here, elsewhere, tested) {
    n = split(users[name], list, " ")
    for (i = 1; i <= n; i++) {
        if (list[i] == home[name])
            here = 1
        else if (list[i] ~ /^builder\//)
            elsewhere = 1
        else
            tested = 1
    }
    if (elsewhere)
        return
    if (!here)
        print declared[name] ": nothing in builder/ uses '" name "'; remove it"
    else if (!tested && !(name "p" in declared))
        print declared[name] ": only its own file uses '" name "'; make it static"
}

# The files whose functions a file uses.
function add_edges(name,    list, i, n) {
    n = split(users[name], list, " ")
    for (i = 1; i <= n; i++)
        if (list[i] ~ /^builder\/.*\.c$/ && list[i] != home[name] && !((list[i], home[name]) in edge)) {
            edge[list[i], home[name]] = used[list[i], name]
            targets[list[i]] = targets[list[i]] " " home[name]
        }
}

# Each circle is reported once, at the first of its files by name.
function follow(start, at, path,    list, i, n) {
    n = split(targets[at], list, " ")
    for (i = 1; i <= n; i++) {
        if (list[i] == start)
            print at ":" edge[at, start] ": files use each other's functions in a circle: " path " -> " start \
                "; join them, or move what both need to a third"
        else if (list[i] > start && !((start, list[i]) in seen)) {
            seen[start, list[i]] = 1
            follow(start, list[i], path " -> " list[i])
        }
    }
}

END {
    for (name in declared) {
        if (!(name in home))
            continue
        check_use(name)
        add_edges(name)
    }
    for (file in targets)
        follow(file, file, file)
}
