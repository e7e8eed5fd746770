// base_resolve.h - inside bake/ only: which image `auto`, `latest`, a version and a signed URL
// mean. What the network said once is remembered in the store, so that nothing flips under an image
// that is there.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_BASE_RESOLVE_H
#define AIRBUILD_BAKE_BASE_RESOLVE_H

#include "bake/source.h"

// While a plan is made: what was asked for, and what `auto` came to.
struct base_resolve {
    struct store *store;
    enum bake_ask ask;
    bool known;               // kind is
    enum spec_base_kind kind; // ARCH or DEBIAN
    bool was_arch;            // it was Arch before
    char *chosen;             // a sentence when it was asked for just now, else NULL; owned
    char *warning;            // a sentence that must not be overlooked, else NULL; owned
};

// *ret: a copy of base with AUTO resolved: by what the store remembers, else by an image of it that
// is there, else by asking mirrors of Arch for a few seconds.
int base_resolve_auto(struct base_resolve *resolve, const struct spec_base *base,
    struct spec_base *ret, struct error *err);
// Put the version, digest and day into the base of an official image, the digest into that of a
// signed URL, by what is known without the network; else it is unresolved.
int base_resolve_known(
    const struct base_resolve *resolve, struct bake_source *source, struct error *err);
// The same by asking, and remember it. ERR_NETWORK when offline, too.
int base_resolve_ask(const struct bake_job *job, struct error *err);
// Of the image that is meant when the spec names none: when mirrors list theirs and none has it any
// more, the newest signed one takes its place, which is remembered. It is left alone where it is
// kept.
int base_resolve_pinned(const struct bake_job *job, bool *ret_replaced, struct error *err);
// Remember what `auto` came to. was_arch: it was Arch before.
int base_record_auto(
    struct store *store, enum spec_base_kind kind, bool was_arch, struct error *err);

#endif
