# facts.awk - check the facts of a node, print those that are known as NAME='value', one a line.
# Upon the first fault it prints one sentence about it instead and ends with status 1. It reads no other file.
# SPDX-License-Identifier: Apache-2.0

BEGIN {
    quote = sprintf("%c", 39)
    split("node role cluster address subnet head workers first_master master_name quorum down_after_ms" \
        " failover_timeout_ms min_replicas min_replicas_max_lag persistence auth password_app password_admin" \
        " password_replica password_sentinel password_check password_status ha joins maxmemory maxmemory_policy", \
        known, " ")
    for (i in known)
        is_known[known[i]] = 1
    policies = "noeviction allkeys-lru allkeys-lfu allkeys-random volatile-lru volatile-lfu volatile-random volatile-ttl"
}

{
    text = $0
    sub(/[ \t]+$/, "", text)
    while (!failed && text != "" && text !~ /^#/)
        text = take(text)
    if (failed)
        exit 1
}

END {
    # Seeds of older versions have no word on these.
    if (!("maxmemory" in fact))
        fact["maxmemory"] = "auto"
    if (!("maxmemory_policy" in fact))
        fact["maxmemory_policy"] = "noeviction"
    if (!failed)
        check_all()
    if (failed)
        exit 1
    for (i = 1; i in known; i++)
        if (known[i] in fact)
            printf "%s=%s%s%s\n", known[i], quote, fact[known[i]], quote
}

# Only the first complaint is printed, and nothing after it.
function complain(sentence) {
    if (!failed)
        print sentence
    failed = 1
}

# Take one NAME='value' from the front of text; the rest comes back.
function take(text,    name, value) {
    sub(/^[ \t]+/, "", text)
    if (!match(text, "^[a-z_]+=" quote "[A-Za-z0-9 ./=_:-]*" quote "([ \t]+|$)")) {
        complain("line " NR " is not of the form NAME=" quote "value" quote)
        return ""
    }
    name = substr(text, 1, index(text, "=") - 1)
    value = substr(text, length(name) + 3, RLENGTH - length(name) - 2)
    sub(quote "[ \t]*$", "", value)
    if (name in fact)
        complain("line " NR " says " quote name quote " a second time")
    if (name in is_known)
        fact[name] = value
    return substr(text, RLENGTH + 1)
}

function check_all() {
    check("node", is_label(fact["node"]), "a host name")
    check("role", fact["role"] == "redis" || fact["role"] == "haproxy", "redis or haproxy")
    check("cluster", is_label(fact["cluster"]), "a name")
    check("address", is_address(fact["address"]), "an IPv4 address")
    check("first_master", is_address(fact["first_master"]), "an IPv4 address")
    check("master_name", fact["master_name"] ~ /^[A-Za-z0-9._-]+$/, "a name")
    check("password_check", is_password(fact["password_check"]), "a password")
    check("auth", is_switch(fact["auth"]), "yes or no")
    check_workers()
    check("quorum", is_number(fact["quorum"], 1, worker_count), "a number from 1 to " worker_count)
    if (fact["role"] == "redis")
        check_worker_facts()
}

function check_worker_facts(    user, users, i) {
    check("down_after_ms", is_number(fact["down_after_ms"], 100, 3600000), "a number of milliseconds")
    check("failover_timeout_ms", is_number(fact["failover_timeout_ms"], 100, 3600000), "a number of milliseconds")
    check("min_replicas", is_number(fact["min_replicas"], 0, worker_count - 1), "below the number of workers")
    check("min_replicas_max_lag", is_number(fact["min_replicas_max_lag"], 0, 3600), "a number of seconds")
    check("maxmemory", fact["maxmemory"] == "auto" || is_number(fact["maxmemory"], 16, 1048576), \
        "auto or a number of MiB from 16")
    check("maxmemory_policy", index(" " policies " ", " " fact["maxmemory_policy"] " "), "one of " policies)
    check("persistence", is_switch(fact["persistence"]), "yes or no")
    check("joins", !("joins" in fact) || is_switch(fact["joins"]), "yes or no") # absent from older seeds: no
    split("admin replica sentinel status", users, " ")
    for (i in users) {
        user = "password_" users[i]
        check(user, is_password(fact[user]), "a password")
    }
    if (fact["auth"] == "yes")
        check("password_app", is_password(fact["password_app"]), "a password")
    if (!failed && worker_name[fact["address"]] != fact["node"])
        complain(quote "workers" quote " does not name " quote fact["node"] quote " at " quote fact["address"] quote)
}

# A password is never part of a complaint.
function check(name, good, wanted) {
    if (good || failed)
        return
    if (!(name in fact) || fact[name] == "")
        complain(quote name quote " is missing")
    else if (name ~ /^password/)
        complain(quote name quote " is not 16 to 128 letters and digits")
    else
        complain(quote name quote " is " quote fact[name] quote ", not " wanted)
}

function check_workers(    list, part, i) {
    worker_count = split(fact["workers"], list, " ")
    for (i = 1; i <= worker_count; i++)
        if (split(list[i], part, "=") != 3 || !is_label(part[1]) || !is_address(part[2]) || !is_id(part[3]))
            complain(quote "workers" quote " has " quote list[i] quote ", not NAME=ADDRESS=ID of 40 hexadecimal digits")
        else if (part[1] in seen || part[2] in seen || part[3] in seen)
            complain(quote "workers" quote " has something of " quote list[i] quote " a second time")
        else {
            seen[part[1]] = seen[part[2]] = seen[part[3]] = 1
            worker_name[part[2]] = part[1]
        }
    check("workers", worker_count > 0, "")
    check("first_master", fact["first_master"] in worker_name, "a worker's address")
}

function is_label(text) {
    return text ~ /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$/ && length(text) <= 63
}

function is_switch(text) {
    return text == "yes" || text == "no"
}

function is_number(text, least, most) {
    return text ~ /^(0|[1-9][0-9]*)$/ && length(text) < 10 && text + 0 >= least && text + 0 <= most
}

function is_address(text,    part, i) {
    if (text !~ /^[0-9.]+$/ || split(text, part, ".") != 4)
        return 0
    for (i = 1; i <= 4; i++)
        if (!is_number(part[i], 0, 255))
            return 0
    return 1
}

function is_id(text) {
    return text ~ /^[0-9a-f]+$/ && length(text) == 40
}

function is_password(text) {
    return text ~ /^[A-Za-z0-9]+$/ && length(text) >= 16 && length(text) <= 128
}
