// look.c - probe a cluster of the fast tests as `airbuild status` does: prints the name of the
// master (or -) and then "converged" or what is missing.
//
// usage: look QUORUM NODE=ADDRESS... (!NODE=ADDRESS: it is off; STATUS_AUTH: password of the user
// status; LOOK_ANY_CLOCK: do not compare clocks with this host's)
//
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/str.h"
#include "probe/probe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 16
#define LOOK_MS 2000

// Split NODE=ADDRESS or !NODE=ADDRESS in place.
static struct probe_target
target(char *word)
{
    bool off = word[0] == '!';
    char *name = word + (off ? 1 : 0);
    char *equals = strchr(name, '=');
    if (equals != NULL)
        *equals = '\0';
    return (struct probe_target){.name = name,
        .address = equals != NULL ? equals + 1 : "",
        .head = strncmp(name, "head", 4) == 0,
        .running = !off};
}

int
main(int argc, char **argv)
{
    struct probe_target targets[NODES_MAX];
    struct probe_result results[NODES_MAX];
    struct probe_verdict verdict;
    struct probe_access access = {
        .user = "status", .password = getenv("STATUS_AUTH"), .master_name = "redis-primary"};
    ERROR_AUTO struct error err = {0};
    size_t count = 0;
    if (argc < 3 || argc - 2 > NODES_MAX) {
        fputs("usage: look QUORUM NODE=ADDRESS...\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); // as airbuild does
    for (char **word = argv + 2; *word != NULL; word++)
        targets[count++] = target(*word);
    if (probe_cluster(targets, count, &access, LOOK_MS, results, &err) < 0) {
        fprintf(stderr, "look: %s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < count && getenv("LOOK_ANY_CLOCK") != NULL; i++)
        results[i].redis.clock_known = false;
    probe_assess(targets, results, count, (unsigned) atoi(argv[1]), &verdict);
    printf("%s %s\n", verdict.master >= 0 ? targets[verdict.master].name : "-",
        verdict.converged ? "converged" : verdict.awaited);
    return 0;
}
