// facts.h - the facts about a node and its cluster, which /etc/airbuild/facts holds and the node's
// configurations are made from. Internal to seed/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SEED_FACTS_H
#define AIRBUILD_SEED_FACTS_H

#include "base/cleanup.h"
#include "base/error.h"
#include "seed/secrets.h"
#include "seed/template.h"
#include "spec/spec.h"

struct facts {
    struct template_value *values; // their texts and cells are owned, too
    size_t count, capacity;
    size_t public_count; // /etc/airbuild/facts holds the first ones; only templates use the rest
};
void facts_free(struct facts *facts);
#define FACTS_AUTO CLEANUP(facts_free)

// secrets NULL or reveal false: see seed_build. ERR_SPEC when a value has a character that a shell
// could interpret; ERR_FAILED when the secrets lack a node. *ret is to be freed even then.
int facts_make(const struct spec *spec, const struct spec_node *node, const struct secrets *secrets,
    bool reveal, struct facts *ret, struct error *err);

// The text of /etc/airbuild/facts: lines NAME='value' that a POSIX shell can source. Caller frees.
char *facts_text(const struct facts *facts);

#endif
