# lint.awk - checks the C sources line by line; scripts/lint calls it with all of them. It relies on clang-format,
# which puts the braces of functions into column 1.
# SPDX-License-Identifier: Apache-2.0

BEGIN {
    # What each folder may include besides itself (CONTRIBUTING.md has the picture).
    may["base"] = ""
    may["yaml"] = "base"
    may["spec"] = "base yaml"
    may["store"] = "base"
    may["fetch"] = "base"
    may["bake"] = "base yaml spec store fetch"
    may["seed"] = "base yaml spec"
    may["virt"] = "base spec"
    may["probe"] = "base"
    may["cluster"] = "base spec store seed virt probe"
    may["drill"] = "base spec store seed virt probe cluster"
    may["cli"] = "base yaml spec store bake seed virt probe cluster drill"
    may["main.c"] = "base cli"

    # The one folder of each library.
    owner["openssl"] = "base"
    owner["yaml"] = "yaml"
    owner["curl"] = "fetch"
    owner["guestfs"] = "bake"
    owner["archive"] = owner["archive_entry"] = "seed"
    owner["libvirt"] = owner["libxml"] = "virt"
    owner["hiredis"] = "probe"

    # Calls: the files that may have them ("-": none, nor tests), and what to use instead.
    forbid("system popen", "-", "run programs by base/proc.h")
    forbid("fork vfork clone execv execve execvp execvpe execl execlp execle posix_spawn posix_spawnp", \
        "^builder/base/(cpu_burn|proc)\\.c$", "run programs by base/proc.h")
    forbid("sleep usleep nanosleep clock_nanosleep", "^builder/base/clock\\.c$", "wait by base/clock.h")
    forbid("printf vprintf puts putchar perror", "^builder/(cli/|main\\.c$|base/progress\\.c$)", \
        "only cli/ and base/progress.c print")
    forbid("exit abort", "^builder/(cli/|main\\.c$)", "return an error; only cli/ ends the program")
    forbid("strcpy strcat sprintf vsprintf gets", "-", "use base/str.h")
}

function forbid(names, where, advice,    list, i, n) {
    n = split(names, list, " ")
    for (i = 1; i <= n; i++) {
        allowed[list[i]] = where
        instead[list[i]] = advice
    }
}

function complain(file, line, what) {
    print file ":" line ": " what
}

# Returns the line without comments and quoted text. in_comment is kept from line to line.
function code_of(line,    out, at) {
    out = ""
    while (line != "") {
        if (in_comment) {
            at = index(line, "*/")
            if (at == 0)
                return out
            line = substr(line, at + 2)
            in_comment = 0
            continue
        }
        if (!match(line, /"|'|\/\/|\/\*/))
            return out line
        out = out substr(line, 1, RSTART - 1)
        if (RLENGTH == 2) {
            if (substr(line, RSTART, 2) == "//")
                return out
            in_comment = 1
            line = substr(line, RSTART + 2)
            continue
        }
        quote = substr(line, RSTART, 1)
        line = substr(line, RSTART + 1)
        while (line != "" && substr(line, 1, 1) != quote)
            line = substr(line, substr(line, 1, 1) == "\\" ? 3 : 2)
        line = substr(line, 2)
        out = out quote quote
    }
    return out
}

function end_of_file() {
    if (last_line > 500 && !excused)
        complain(last_file, 501, "the file has " last_line " lines; split it, or say in its head '// Longer than 500 lines: REASON'")
}

FNR == 1 {
    end_of_file()
    excused = in_comment = in_function = 0
    name = "?"
    split(FILENAME, part, "/")
    ours = part[1] == "builder"
    module = part[2]
}

{
    last_file = FILENAME
    last_line = FNR
    code = code_of($0)
}

FNR <= 20 && /^\/\/ Longer than 500 lines: ./ { excused = 1 }

# ---- functions

match(code, /^[a-z_][a-zA-Z0-9_]*\(/) { name = substr(code, 1, RLENGTH - 1) }
code == "{" {
    in_function = FNR
    claim("function '" name "'")
}
code ~ /^}/ && in_function {
    if (FNR - in_function + 1 > 60)
        complain(FILENAME, in_function, "function '" name "' has " FNR - in_function + 1 " lines; split it (60 at most)")
    in_function = 0
}

# ---- names: one thing each, so that a debugger, a profiler and a reader tell them apart

function claim(what) {
    if (!ours)
        return
    if (what in claimed)
        complain(FILENAME, FNR, what " is also in " claimed[what] "; choose another name")
    else
        claimed[what] = FILENAME
}

match(code, /^(struct|enum|union) [a-z_0-9]+ \{/) { claim("'" substr(code, 1, RLENGTH - 2) "'") }

# ---- includes

function check_library(header, file, line,    library) {
    library = header
    sub(/[\/.].*/, "", library)
    if (!(library in owner))
        return
    if (FILENAME ~ /\.h$/)
        shows_library[module "/" part[3]] = header
    if (module != owner[library])
        complain(file, line, "<" header "> belongs to " owner[library] "/; ask for what is needed by a header of that folder")
    else if (library == "guestfs" && guestfs_file != "" && guestfs_file != file)
        complain(file, line, "<guestfs.h> is already included by " guestfs_file "; libguestfs belongs to one file")
    else if (library == "guestfs")
        guestfs_file = file
}

function check_own(header, file, line,    folder) {
    if (header !~ /^[a-z]+\/[a-z_0-9]+\.h$/) {
        complain(file, line, "\"" header "\" is not written as \"FOLDER/FILE.h\"")
        return
    }
    folder = header
    sub(/\/.*/, "", folder)
    if (folder != module && !index(" " may[module] " ", " " folder " "))
        complain(file, line, "\"" header "\": " module " may include only " (may[module] == "" ? "itself" : may[module]))
    if (folder != module) {
        includes++
        include_header[includes] = header
        include_place[includes] = file ":" line
    }
}

ours && /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    header = $0
    sub(/^[^<"]*[<"]/, "", header)
    sub(/[>"].*/, "", header)
    if ($0 ~ /</) check_library(header, FILENAME, FNR)
    else check_own(header, FILENAME, FNR)
    next
}

# ---- calls

code ~ /\(/ {
    rest = code
    while (match(rest, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
        call = substr(rest, RSTART, RLENGTH - 1)
        sub(/[ \t]+$/, "", call)
        before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : ""
        rest = substr(rest, RSTART + RLENGTH)
        if (!(call in allowed) || before == "." || before == ">")
            continue
        if (!ours && allowed[call] != "-")
            continue
        if (allowed[call] == "-" || FILENAME !~ allowed[call])
            complain(FILENAME, FNR, "call of '" call "': " instead[call])
    }
}

ours && FILENAME !~ /^builder\/(cli\/|main\.c$|base\/progress\.c$)/ \
    && code ~ /[a-z]\(.*[^A-Za-z_](stdout|stderr)[^A-Za-z_]/ {
    complain(FILENAME, FNR, "writes to the user's streams: only cli/ and base/progress.c print")
}

END {
    end_of_file()
    for (i = 1; i <= includes; i++)
        if (include_header[i] in shows_library)
            print include_place[i] ": \"" include_header[i] "\" shows <" shows_library[include_header[i]] "> to another folder; keep it out of that header"
}
