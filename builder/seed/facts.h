// facts.h - the files of a node that hold facts about the cluster, but for /etc/airbuild/facts
// (seed.h has it). Internal to seed/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SEED_FACTS_H
#define AIRBUILD_SEED_FACTS_H

#include "base/error.h"
#include "spec/spec.h"

// The text of /etc/hosts on every node: all nodes by name. ERR_SPEC when a name could not stand
// there. Caller frees *ret.
int facts_hosts(const struct spec *spec, char **ret, struct error *err);

// NAME.CLUSTER; caller frees.
char *facts_fqdn(const struct spec *spec, const struct spec_node *node);

#endif
