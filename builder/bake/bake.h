// bake.h - recipes made into images: which ones a spec needs (pure and fast), and making those that
// are missing. Only bake/guest*.c speak libguestfs. Nothing half-baked is ever visible in the
// store.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_BAKE_H
#define AIRBUILD_BAKE_BAKE_H

#include "base/error.h"
#include "base/progress.h"
#include "base/str.h"
#include "spec/spec.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bake_state {
    BAKE_READY,   // in the store and well
    BAKE_MISSING, // to be baked
    BAKE_DAMAGED, // in the store, but not what was published: baked again
};

struct bake_item {
    char *name; // task name for people: "base-debian", "haproxy", "redis"
    char *key;  // of the image
    enum bake_state state;
    char *why;                  // one sentence: why it is not ready; NULL when it is
    struct image *image;        // owned; NULL until it is ready
    struct bake_source *source; // inside bake/ only: what it is made from
};

// The bases first (one, or one a role), then haproxy, then redis (then a recipe of the user, over
// redis' base).
struct bake_plan {
    struct bake_item *items;
    size_t count, base_count;
    char *base; // "debian", "file", "haproxy debian, redis arch": what they are, `auto` resolved
    // Says what `auto` came to just now; NULL when it was known before. bake_run records
    // and tells it.
    char *chosen;
    enum spec_base_kind auto_kind; // what is recorded with it
    bool auto_was_arch;
    // Sentences that must not be overlooked: another base than was wanted. bake_run adds to them;
    // they are for the end of what a command says.
    struct strv warnings;
};

enum bake_ask {
    BAKE_ASK_NEW,   // what was asked before holds
    BAKE_ASK_AGAIN, // ask again what `auto` and `latest` mean
    BAKE_ASK_NEVER, // no network: `auto` that was never resolved is Debian
};

// Finds the images that the spec needs and those the store has. Milliseconds, but for the first
// time that `auto` is resolved, when mirrors of Arch are asked for a few seconds; nothing is
// changed and no appliance is started. extra: path of a further recipe to bake over the same base,
// or NULL. ERR_SPEC: recipe wrong (with its place); ERR_NOT_FOUND: no such base file.
int bake_plan_make(const struct spec *spec, struct store *store, const char *extra,
    enum bake_ask ask, struct bake_plan **ret, struct error *err);
void bake_plan_free(struct bake_plan *plan);
void bake_plan_freep(struct bake_plan **plan);
#define BAKE_PLAN_AUTO __attribute__((cleanup(bake_plan_freep)))

bool bake_plan_ready(const struct bake_plan *plan); // nothing to do, nor to be recorded
const struct image *bake_image(
    const struct bake_plan *plan, enum spec_role role); // NULL while it is not ready
const struct image *bake_image_named(const struct bake_plan *plan, const char *name);

struct bake_options {
    bool kvm;      // the accelerator was proven; else the appliance is emulated (TCG)
    bool offline;  // no mirror is asked: packages that are not kept are an error
    bool refresh;  // ask again: what `latest` is, and for packages that are kept (not when offline)
    unsigned jobs; // role images at once; 0: as many as there are cores, at most one a role
    // Keys that nodes' disks lie over, beside those that the store knows to be used: such an image
    // is never baked again. May be NULL.
    const struct strv *in_use;
    struct progress *progress; // may be NULL
};

// Make what is not ready: the bases, then the layers at the same time. When it comes back with 0
// every item is BAKE_READY and has its image. What was made before a failure stays. Errors:
// ERR_NETWORK (no mirror, nothing kept), ERR_MISSING (mmdebstrap, qemu-img; with the install line),
// ERR_SPACE (checked before it starts too), ERR_SPEC (a recipe's step failed), ERR_TIMEOUT,
// ERR_INTERRUPTED, ERR_BUSY, ERR_DAMAGED (an image in use is damaged).
int bake_run(struct bake_plan *plan, struct store *store, const struct bake_options *options,
    struct error *err);

#endif
