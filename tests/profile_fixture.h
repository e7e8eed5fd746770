// profile_fixture.h - profiles of launches, for tests of how they are shown.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_PROFILE_FIXTURE_H
#define AIRBUILD_TESTS_PROFILE_FIXTURE_H

#include "base/cleanup.h"
#include "base/str.h"
#include "cluster/profile.h"

#include <string.h>

#define PROFILE_HOSTILE "<b>\033[2J\"'&\xff\n.service"

static inline void
profile_add_node(struct profile *profile, const char *name, enum spec_role role, double start_s,
    const double *ends)
{
    struct profile_node *node = &profile->nodes[profile->count++];
    *node = (struct profile_node){.name = name, .role = role, .start_s = start_s};
    for (size_t i = 0; i < PROFILE_PHASES; i++)
        node->ends_s[i] = ends[i];
    node->units = mem_zero(PROFILE_UNITS, sizeof *node->units);
}

static inline void
profile_add_unit(
    struct profile *profile, const char *name, double start_s, double took_s, double cpu_s)
{
    struct profile_node *node = &profile->nodes[profile->count - 1];
    node->units[node->unit_count++] = (struct profile_unit){str_dup(name), start_s, took_s, cpu_s};
}

static inline struct profile *
profile_empty(void)
{
    struct profile *profile = mem_zero(1, sizeof *profile);
    profile->nodes = mem_zero(4, sizeof *profile->nodes);
    profile->seconds = 41.5;
    return profile;
}

// Nodes that boot at once, one that begins later, and one that did not answer.
static inline struct profile *
profile_usual(void)
{
    struct profile *profile = profile_empty();
    profile_add_node(
        profile, "head10", SPEC_HAPROXY, 0, (double[]){2.1, 6.2, 8.3, 11.4, 19.5, 41.5});
    profile_add_unit(profile, "haproxy.service", 11.4, 8.1, 2.2);
    profile_add_unit(profile, "systemd-journald.service", 8.9, 4.2, 1.1);
    profile_add_unit(profile, "init.scope", 8.6, 0, 2.5);
    profile_add_node(
        profile, "work11", SPEC_REDIS, 0.1, (double[]){2.4, 6.9, 9.0, 12.5, 26.0, 41.5});
    profile_add_unit(profile, "redis.service", 12.5, 10.9, 9.3);
    profile_add_unit(profile, "sentinel.service", 23.4, 2.6, 9.3);
    profile_add_unit(profile, "systemd-journald.service", 9.6, 4.0, 1.3);
    profile_add_unit(profile, "init.scope", 9.3, 0, 2.1);
    profile_add_unit(profile, "systemd-sysctl.service", 9.4, 0.3, -1);
    profile_add_node(profile, "worker12", SPEC_REDIS, 10, (double[]){12, 16, 16, 20, 41.5, 41.5});
    profile_add_unit(profile, "redis.service", 20, 21.5, 7);
    for (int i = 0; i < 12; i++) {
        FREE_AUTO char *name = str_format("extra%d.service", i);
        profile_add_unit(profile, name, 17, 1 - i / 100.0, 0.1);
    }
    profile_add_node(profile, "work13", SPEC_REDIS, 0, (double[PROFILE_PHASES]){0});
    profile->nodes[3].missing = str_dup("the guest agent of 'work13' failed the request: no agent");
    return profile;
}

static inline struct profile *
profile_hostile(void)
{
    struct profile *profile = profile_empty();
    profile_add_node(profile, "work11", SPEC_REDIS, 0, (double[]){1, 2, 3, 4, 5, 41.5});
    profile_add_unit(profile, PROFILE_HOSTILE, 5, 4, 3);
    FREE_AUTO char *name = mem_zero(256, 1);
    memset(name, 'x', 255);
    profile_add_unit(profile, name, 41.49, 0.001, 99999);
    profile_add_unit(profile, "\xc3\xa9\xc3", 1e-9, 0, 0);
    profile_add_node(profile, "work12", SPEC_REDIS, 0, (double[PROFILE_PHASES]){0});
    profile->nodes[1].missing = str_dup(PROFILE_HOSTILE);
    return profile;
}

#endif
