// cluster.h - a whole cluster: plan, launch, status, stop, destroy. The nodes configure themselves;
// this only makes disks, seeds and domains, starts them and watches.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_CLUSTER_H
#define AIRBUILD_CLUSTER_CLUSTER_H

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/str.h"
#include "spec/spec.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- folders: the caller frees the paths --------------------------------------------------------

// AIRBUILD_HOME; default: /var/lib/airbuild for root, $XDG_DATA_HOME/airbuild otherwise.
char *cluster_home(void);
// AIRBUILD_STATE, the parent of the clusters' folders; default: HOME/clusters.
char *cluster_parent(void);
// Makes relative paths in AIRBUILD_HOME and AIRBUILD_STATE absolute in the environment, once, when
// a command begins. ERR_USAGE: a program that airbuild passes the folder to would misread its name.
int cluster_check_folders(struct error *err);
char *cluster_folder(const struct spec *spec); // PARENT/CLUSTER
char *cluster_node_path(const struct spec *spec, const char *node, const char *file);

// ---- existence ----------------------------------------------------------------------------------

bool cluster_exists(const struct spec *spec); // it was launched and not destroyed
// Fills in the values that the spec leaves open with those of its cluster, if that exists.
void cluster_recall(struct spec *spec);
// Returns the keys of the images that back the disks of all clusters of this home (for prune).
int cluster_images_in_use(struct strv *ret_keys, struct error *err);

struct virt;
// Connects to the libvirt of the spec's cluster, to act for that cluster; the caller closes it.
int cluster_connect(const struct spec *spec, struct virt **ret, struct error *err);

// ---- status -------------------------------------------------------------------------------------

struct cluster_node_report {
    const char *name, *address; // borrowed from the spec
    enum spec_role role;
    char *state;        // the domain's: "running", "off", "paused", "crashed", "absent", "not ours"
    char *phase;        // while it boots: the last step on its console; or NULL
    char *says;         // "master", "replica", "serving", "starting", "unreachable", ...
    bool link_up;       // a replica's link to its master
    long long lag_s;    // seconds since a replica last heard from its master; -1: unknown
    char *sentinel;     // name (else address) of the node that its sentinel calls master, or NULL
    unsigned sentinels; // sentinels it knows, itself included; 0: unknown
    bool tilt;          // its sentinel only watches, as its clock jumped
    char *quorum;       // why its sentinel could not replace the master now; NULL: it could, or did
                        // not answer
    long long clock_ms; // its clock ahead of the host's, or behind (negative); 0: right, or unknown
};

struct cluster_report {
    bool converged;
    char *summary;      // one line: "work11 is master, 2 replicas follow, 3 sentinels agree, head10
                        // serves", or what is awaited
    const char *master; // node name; NULL: the sentinels agree on none
    bool writes, reads; // the head serves them
    struct cluster_node_report *nodes; // in the order of the spec
    size_t node_count;
    bool tcg;                // the nodes are emulated
    double seconds;          // from the begin of cluster_launch until converged
    bool unchanged;          // cluster_launch had nothing to do
    struct profile *profile; // of the nodes that it booted (profile.h); NULL: it was not asked for
};
void cluster_report_freep(struct cluster_report **report);
#define CLUSTER_REPORT_AUTO CLEANUP(cluster_report_freep)

// Looks once, for about 2 s at most. ERR_NOT_FOUND: there is no such cluster.
int cluster_status(const struct spec *spec, struct cluster_report **ret, struct error *err);

// ---- plan and launch ----------------------------------------------------------------------------

struct launch_options {
    const struct spec *spec;
    const struct image *haproxy, *redis; // they back new disks
    bool kvm;                            // as proven by virt/accel.h
    const char *accel_why;               // its reason, for the message of a wait that failed
    int64_t timeout_ms;                  // for converging; 0: 2 minutes, 10 under TCG
    bool cold;                           // boot the nodes even if a frozen set matches
    bool new_secrets;                    // a thawed cluster gets passwords and SSH keys of its own
    bool no_wait;       // return when the domains run; the report is then of that moment
    bool profile;       // find out what the nodes that boot spend their time on; not with no_wait
    const char *except; // node that is made but not started (drills); NULL: none
    // Called before anything is changed when the disks of all workers are lost: 0 to begin empty,
    // else -1 and err. NULL: never begin empty.
    int (*agree)(void *context, const char *sentence, struct error *err);
    void *context;
    struct progress *progress;
};

// One step of a launch.
struct cluster_step {
    const char *verb; // constant: "keep", "make", "define", "start"
    char *object;     // "network air", "disk work11", "domain work11"
    char *detail;     // may be ""
    int kind;         // for launch itself
    size_t node;      // likewise: index in the spec
};
struct cluster_plan {
    struct cluster_step *steps;
    size_t count, capacity;
    struct strv differences;   // between the launched cluster and the spec; launch refuses, as it
                               // does for conflicts and faults
    struct strv conflicts;     // names in use by something that is not this cluster's
    struct strv faults;        // one sentence for each disk or domain that cannot be used as it is,
                               // and for a host with too little memory
    enum error_code refusal;   // why launch refuses; ERR_NONE: it does not
    struct strv notes;         // one sentence for each missing disk, with the consequence
    struct frozen_set *frozen; // the set that a first launch thaws; NULL: it boots the nodes
    bool again; // the nodes are removed first: a thaw that was cut short begins again, or a reset
    bool empty; // no disk of a worker is left: the cluster begins empty, and launch asks first
    struct image **images; // by node: the one that backs its disk, or will; NULL: it is missing
    size_t image_count;
};
// Returns what cluster_launch with the same options would do; changes nothing. Works without
// libvirt too: *ret_libvirt is then the reason, which the caller frees, and NULL otherwise.
int cluster_plan_make(const struct launch_options *options, struct cluster_plan **ret,
    char **ret_libvirt, struct error *err);
void cluster_plan_freep(struct cluster_plan **plan);
#define CLUSTER_PLAN_AUTO CLEANUP(cluster_plan_freep)

// Makes what is missing, starts what is off, and waits until the cluster has converged. Changes
// nothing when all is there. A first launch that fails before the domains run removes what it made.
// ERR_CONFLICT, ERR_DAMAGED and ERR_SPACE list the reasons before anything is changed; ERR_TIMEOUT
// and ERR_GUEST as converge_wait; after ERR_INTERRUPTED the next call continues.
int cluster_launch(
    const struct launch_options *options, struct cluster_report **ret, struct error *err);

// Replaces the nodes of a cluster by the frozen set that cluster_launch would thaw in their place;
// their data since then is lost. ERR_NOT_FOUND: there is no cluster, or no set that matches, and
// ERR_CONFLICT: the spec has changed; nothing was changed then. When the set cannot be thawed
// (ERR_DAMAGED and others), the cluster is off and has its data. When it is cut short, the next
// launch boots the nodes with their data, or thaws the set.
int cluster_reset(
    const struct launch_options *options, struct cluster_report **ret, struct error *err);

// ---- stop and destroy ---------------------------------------------------------------------------

// Powers off gracefully, all at once (workers first when all are stopped), then pulls the power of
// what still runs after 180 s and reports that. names: NULL or empty for all nodes. ERR_NOT_FOUND:
// no such node, or no cluster.
int cluster_stop(const struct spec *spec, const struct strv *names, struct progress *progress,
    struct error *err);

// Removes domains, disks, seeds, secrets and network: everything but the images. Leaves what is not
// the cluster's. *ret_found is false when there is no cluster, which is no error.
int cluster_destroy(
    const struct spec *spec, struct progress *progress, bool *ret_found, struct error *err);

#endif
