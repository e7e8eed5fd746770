// seed.h - one node's cloud-init documents (NoCloud), as text: made from the spec, the node and the
// secrets by the templates of cloud-init/. The node's configurations are inside user-data.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SEED_SEED_H
#define AIRBUILD_SEED_SEED_H

#include "base/cleanup.h"
#include "base/error.h"
#include "seed/secrets.h"
#include "spec/spec.h"

#include <stdbool.h>

#define SEED_HIDDEN "(hidden)"        // in place of a secret
#define SEED_LATER "(made at launch)" // in place of what a cluster without secrets lacks

struct seed {
    char *meta_data, *user_data, *network_config; // owned
    // systemd-networkd's file of the interface, for early_make; NULL when the user has a template
    // of user-data or network-config, which only cloud-init understands.
    char *network;
    // ADDRESS/PREFIX, if that is all there is to configure: no gateway and no name server. Or NULL.
    char *link;
};
void seed_free(struct seed *seed); // leaves {0}
#define SEED_AUTO CLEANUP(seed_free)

// The documents of one node of spec. reveal false writes SEED_HIDDEN in place of every password and
// private key. secrets may be NULL when reveal is false (a cluster that was never launched): what
// would come from them is then SEED_HIDDEN or SEED_LATER. ERR_SPEC when a template is wrong
// (file:line:column) or a value has a character that no facts file may hold; ERR_FAILED when the
// secrets lack the node. *ret is filled only on success.
int seed_build(const struct spec *spec, const struct spec_node *node, const struct secrets *secrets,
    bool reveal, struct seed *ret, struct error *err);

// Publishes the documents at path (0600, whole or not at all) as an ISO 9660 image: volume
// `cidata`, Rock Ridge and Joliet, made in-process; and beside them airbuild.tar (early.h), unless
// network is NULL. A file there that holds the same is left alone.
int iso_write(const struct seed *seed, const char *path, struct error *err);

#endif
