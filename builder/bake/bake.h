// bake.h - makes images from recipes: plans which ones a spec needs, and bakes those that are
// missing. Only bake/guest.h includes libguestfs. The store never shows an unfinished image.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_BAKE_H
#define AIRBUILD_BAKE_BAKE_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/str.h"
#include "spec/spec.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bake_state {
    BAKE_READY,   // in the store
    BAKE_MISSING, // not in the store
    BAKE_DAMAGED, // in the store, but changed since it was published: baked again
};

const char *bake_state_name(enum bake_state state); // "ready", "missing", "damaged"

struct bake_item {
    char *name; // task name for people: "base-debian", "haproxy", "redis"
    char *key;  // of the image
    enum bake_state state;
    bool baked;                 // bake_run made it
    char *why;                  // one sentence: why it is not ready; NULL when it is
    struct image *image;        // owned; NULL until it is ready
    struct bake_source *source; // inside bake/ only: what it is made from
};

// The bases first (one, or one a role), then haproxy, then redis, then a recipe of the user over
// redis' base. bake_run changes states and images, nothing else.
struct bake_plan {
    struct bake_item *items;
    size_t count, base_count;
    char *base;   // "debian", "file", "haproxy debian, redis arch": what they are, `auto` resolved
    char *chosen; // a sentence when `auto` was resolved just now; NULL when it was known before
    // Sentences for the end of a command's output: another base than the wanted one.
    struct strv warnings;
};

// When the network is queried for `auto`, `latest`, a version and a signed URL. Answers are
// remembered, and used the next time.
enum bake_ask {
    BAKE_LOOK,      // only for an `auto` without an answer; nothing is remembered
    BAKE_ASK_NEW,   // for all without an answer
    BAKE_ASK_AGAIN, // for all
    BAKE_ASK_NEVER, // `auto` without an answer is the fallback, the rest is ERR_NETWORK
};

// Resolves the spec's bases, then lists the images that it needs. Takes milliseconds without the
// network; no appliance is started. extra: path of a further recipe over redis' base, or NULL.
// progress may be NULL. Caller frees *ret. ERR_SPEC: recipe wrong (with its place); ERR_NOT_FOUND:
// no such base file or image; ERR_NETWORK.
int bake_plan_make(const struct spec *spec, struct store *store, const char *extra,
    enum bake_ask ask, struct progress *progress, struct bake_plan **ret, struct error *err);
void bake_plan_free(struct bake_plan *plan);
DEFINE_FREEP(struct bake_plan, bake_plan_free)
#define BAKE_PLAN_AUTO CLEANUP(bake_plan_freep)

bool bake_plan_ready(const struct bake_plan *plan); // nothing to do
const struct image *bake_image(
    const struct bake_plan *plan, enum spec_role role); // NULL while it is not ready
const struct image *bake_image_named(const struct bake_plan *plan, const char *name);

struct bake_options {
    bool kvm;      // the accelerator was proven; else the appliance is emulated (TCG)
    bool offline;  // no mirror is used: packages that are not kept are an error
    bool refresh;  // packages are downloaded again, although they are kept
    unsigned jobs; // role images at once; 0: as many as there are cores, at most one a role
    // Keys of images that back nodes' disks, beside those that the store knows: these are never
    // baked again. May be NULL.
    const struct strv *in_use;
    struct progress *progress; // may be NULL
};

// Makes what is not ready: the bases, then the layers in parallel. On success every item is
// BAKE_READY and has its image; what was made before a failure stays. A plan of BAKE_LOOK may have
// bases that are not resolved: ERR_NETWORK. Other errors: ERR_NETWORK (no mirror, nothing kept),
// ERR_MISSING (mmdebstrap, qemu-img; with the install line), ERR_SPACE (checked before it starts
// too), ERR_SPEC (a recipe's step failed), ERR_TIMEOUT, ERR_INTERRUPTED, ERR_BUSY, ERR_DAMAGED (an
// image in use is damaged).
int bake_run(struct bake_plan *plan, struct store *store, const struct bake_options *options,
    struct error *err);

#endif
