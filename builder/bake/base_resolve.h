// base_resolve.h - inside bake/ only: resolves a base of the spec to a concrete one. The network's
// answers are remembered in the store, so that a base does not change until --refresh.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_BASE_RESOLVE_H
#define AIRBUILD_BAKE_BASE_RESOLVE_H

#include "bake/source.h"

// How the bases of one plan are resolved.
struct base_query {
    struct store *store;
    enum bake_ask ask;
    struct progress *progress;       // may be NULL
    struct strv *warnings;           // gets one sentence for each base that is not the wanted one
    const struct distro *auto_found; // `auto` resolved; NULL: not yet
    char **chosen;                   // gets a sentence about it when it was chosen just now
};

// base_auto.c: *ret is a copy of base, with AUTO replaced by the base of a distribution: the one
// that the store remembers, else one whose image the store has, else one whose mirrors answer
// within a few seconds. A choice is remembered, unless ask is BAKE_LOOK.
int base_resolve_auto(struct base_query *query, const struct spec_base *base, struct spec_base *ret,
    struct error *err);

// base_image.c: returns what an image of that base (not AUTO) is made from. Of an official image it
// finds version, digest and day, of a signed URL the digest: from memory, else (unless ask is
// BAKE_LOOK) from the network. The pinned image that has left the mirrors is replaced by the newest
// signed one. Caller frees *ret. ERR_NETWORK when offline, too; ERR_NOT_FOUND: no mirror has that
// version.
int base_resolve(const struct base_query *query, const struct spec_base *base,
    struct bake_source **ret, struct error *err);

// Downloads the disk image of a resolved base, and checks its digest and signature. Callers free
// the three texts.
int base_download(const struct base_query *query, const struct spec_base *base,
    struct base_disk *ret, struct error *err);

#endif
