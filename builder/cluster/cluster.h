// cluster.h - a whole cluster of four (or more) nodes: plan, launch, look, stop, destroy.
// The nodes configure themselves; this only makes disks, seeds and domains, starts them and
// watches.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_CLUSTER_H
#define AIRBUILD_CLUSTER_CLUSTER_H

#include "base/error.h"
#include "base/progress.h"
#include "base/str.h"
#include "spec/spec.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// AIRBUILD_HOME, or its default (/var/lib/airbuild for root, $XDG_DATA_HOME/airbuild otherwise);
// caller frees.
char *cluster_home(void);
// To be called when a command begins: relative paths in AIRBUILD_HOME and AIRBUILD_STATE become
// absolute in the environment; ERR_USAGE when a folder has a name that cannot be used.
int cluster_settle_folders(struct error *err);
// The folder of a cluster's state: AIRBUILD_STATE (default HOME/clusters) and its name; caller
// frees.
char *cluster_folder(const struct spec *spec);
// FOLDER/nodes/NODE/FILE; caller frees.
char *cluster_node_path(const struct spec *spec, const char *node, const char *file);
bool cluster_exists(const struct spec *spec); // was launched and not destroyed
// What the spec does not say itself is what its cluster was launched with, when there is one.
void cluster_recall(struct spec *spec);

struct virt;
// A connection to the libvirt of the spec's cluster that acts for it; the caller closes it.
int cluster_connect(const struct spec *spec, struct virt **ret, struct error *err);

// ---- what is there
// -------------------------------------------------------------------------------------------------

struct cluster_node_report {
    const char *name, *address; // borrowed from the spec
    enum spec_role role;
    char *state;        // the domain's: "running", "off", "paused", "crashed", "absent", "not ours"
    char *phase;        // the last thing its console told, while it starts; or NULL
    char *says;         // "master", "replica", "serving", "starting", "unreachable", ...
    bool link_up;       // a replica's link to its master
    long long lag_s;    // seconds since a replica last heard of its master; -1 unknown
    char *sentinel;     // name (else address) of the node its sentinel names master, or NULL
    unsigned sentinels; // sentinels it knows, itself included; 0 unknown
    bool tilt;          // its sentinel only watches, as its clock jumped
    char *quorum;       // why its sentinel could not replace the master now; NULL: it could, or did
                        // not say
    long long clock_ms; // its clock ahead of the host's, or behind (negative); 0: right, or unknown
};

struct cluster_report {
    bool converged;
    char *summary;      // one line: "work11 is master, 2 replicas follow, 3 sentinels agree, head10
                        // serves", or what is awaited
    const char *master; // node name, NULL when there is none that all agree on
    bool writes, reads; // head10 serves them
    struct cluster_node_report *nodes; // in the order of the spec
    size_t node_count;
    bool tcg;       // the nodes are emulated
    double seconds; // of cluster_launch: from its beginning until converged
    bool unchanged; // cluster_launch found it converged and did nothing
};
void cluster_report_free(struct cluster_report *report);
void cluster_report_freep(struct cluster_report **report);
#define CLUSTER_REPORT_AUTO __attribute__((cleanup(cluster_report_freep)))

// One look, at most about 2 s. ERR_NOT_FOUND when no such cluster was launched.
int cluster_status(const struct spec *spec, struct cluster_report **ret, struct error *err);

// ---- plan
// ----------------------------------------------------------------------------------------------------------

// One thing launch would do. Borrowed constants but for object and detail.
struct cluster_step {
    const char *verb; // "keep", "make", "define", "start"
    char *object;     // "network air", "disk work11", "domain work11"
    char *detail;     // may be ""
    int kind;         // for launch itself
    size_t node;      // likewise: index in the spec
};
struct cluster_plan {
    struct cluster_step *steps;
    size_t count, capacity;
    struct strv
        differences; // where the launched cluster is not what the spec says; launch refuses then
    struct strv conflicts; // names in use by something that is not ours; launch refuses then
    struct strv faults;    // disks that cannot be kept as they are, a sentence each; likewise
    enum error_code fault; // cause of the first of them
    struct strv notes;     // what is missing and what that means, a sentence each
    bool empty; // no disk of a worker is left: the cluster begins empty, and launch asks first
};
struct cluster_launch;
// What cluster_launch of the same would do; changes nothing. Without a reachable libvirt it still
// answers: *ret_libvirt says why not (NULL when it was reached; the caller frees).
int cluster_plan_make(const struct cluster_launch *launch, struct cluster_plan **ret,
    char **ret_libvirt, struct error *err);
void cluster_plan_free(struct cluster_plan *plan);
void cluster_plan_freep(struct cluster_plan **plan);
#define CLUSTER_PLAN_AUTO __attribute__((cleanup(cluster_plan_freep)))

// ---- act
// -----------------------------------------------------------------------------------------------------------

struct cluster_launch {
    const struct spec *spec;
    const struct image *haproxy, *redis; // the images that new disks are laid over
    bool kvm;                            // as proven by virt/accel.h
    const char *accel_why;               // its sentence, told when a wait ends without success
    int64_t timeout_ms;                  // for converging; 0: 2 minutes, 10 under TCG
    bool no_wait;       // return when the domains run; the report is then of that moment
    const char *except; // node that is made but not started (drills); NULL: none
    // Asked before anything is touched when the disks of all workers are lost: 0 to begin empty,
    // else -1 and err. NULL: nobody agrees.
    int (*agree)(void *context, const char *sentence, struct error *err);
    void *context;
    struct progress *progress;
};
// Make what is missing, start what is off, wait until converged. Nothing is changed when all is
// there. What a first launch made is taken back when it fails before the domains run. ERR_CONFLICT
// lists the differences or the foreign names before anything is touched; ERR_TIMEOUT and ERR_GUEST
// name node, phase, accelerator and carry the last console lines; ERR_INTERRUPTED leaves a state
// that the next call continues from.
int cluster_launch(
    const struct cluster_launch *launch, struct cluster_report **ret, struct error *err);

// Power off gracefully, all at once (workers first when all are stopped), then pull the power of
// what does not stop within the deadline (180 s) and say so through progress.
// names: NULL or empty for all nodes.
int cluster_stop(const struct spec *spec, const struct strv *names, struct progress *progress,
    struct error *err);

// Remove domains, disks, seeds, secrets, network: everything but the images. Things that are not
// ours stay. A cluster that does not exist is fine: *ret_found false.
int cluster_destroy(
    const struct spec *spec, struct progress *progress, bool *ret_found, struct error *err);

// Keys of the images that the disks of all clusters of this home lie over (for prune).
int cluster_images_in_use(struct strv *ret_keys, struct error *err);

#endif
