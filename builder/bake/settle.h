// settle.h - inside bake/ only: which image `auto`, `latest`, a version and a signed URL mean. What
// the network said once is remembered in the store, so that nothing flips under an image that is
// there.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_SETTLE_H
#define AIRBUILD_BAKE_SETTLE_H

#include "bake/source.h"

// While a plan is made: what was asked for, and what `auto` came to.
struct settle {
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
int settle_auto(
    struct settle *settle, const struct spec_base *base, struct spec_base *ret, struct error *err);
// Put the version, digest and day into the base of an official image, the digest into that of a
// signed URL, by what is known without the network; else it is unsettled.
int settle_known(const struct settle *settle, struct bake_source *source, struct error *err);
// The same by asking, and remember it. ERR_NETWORK when offline, too.
int settle_ask(const struct bake_job *job, struct error *err);
// Of the image that is meant when the spec names none: when mirrors list theirs and none has it any
// more, the newest signed one takes its place, which is remembered. It is left alone where it is
// kept.
int settle_pinned(const struct bake_job *job, bool *ret_replaced, struct error *err);
// Remember what `auto` came to. was_arch: it was Arch before.
int settle_record_auto(
    struct store *store, enum spec_base_kind kind, bool was_arch, struct error *err);

#endif
