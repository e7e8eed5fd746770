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

// Makes the documents of nodes, from what is the same for all of them. reveal false writes
// SEED_HIDDEN in place of every password and private key. secrets may be NULL when reveal is false
// (a cluster that was never launched): what would come from them is then SEED_HIDDEN or SEED_LATER.
// ERR_SPEC when a value has a character that no facts file may hold; ERR_FAILED when the secrets
// lack a node. spec and secrets must outlive the maker.
struct seed_maker;
int seed_maker_new(const struct spec *spec, const struct secrets *secrets, bool reveal,
    struct seed_maker **ret, struct error *err);
void seed_maker_free(struct seed_maker *maker);
DEFINE_FREEP(struct seed_maker, seed_maker_free)
#define SEED_MAKER_AUTO CLEANUP(seed_maker_freep)

// The documents of one of the spec's nodes. ERR_SPEC when a template is wrong (file:line:column) or
// a value has a character that no facts file may hold. *ret is filled only on success.
int seed_make(const struct seed_maker *maker, const struct spec_node *node, struct seed *ret,
    struct error *err);
// The same for a single node.
int seed_build(const struct spec *spec, const struct spec_node *node, const struct secrets *secrets,
    bool reveal, struct seed *ret, struct error *err);

// Publishes the documents at path (0600, whole or not at all) as an ISO 9660 image: volume
// `cidata`, Rock Ridge and Joliet, made in-process; and beside them airbuild.tar (early.h), unless
// network is NULL. A file there that holds the same is left alone.
int iso_write(const struct seed *seed, const char *path, struct error *err);

#endif
