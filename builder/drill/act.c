// act.c - performs the acts of a drill: on machines by libvirt, on their services by the guest
// agent.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/interrupt.h"
#include "drill/execution.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "cluster/launch.h"
#include "store/store.h"
#include "virt/agent.h"

#define AGENT_MS 30000
#define NOTICE_MS 2000
#define PRESSED_MS 120000 // until a machine whose power button was pressed is off
#define PAUSE_MS 200
#define SHUFFLE_MS 3000 // the longest pause between two starts

static const struct act {
    const char *text;
    bool recovers;
    const char *verb, *unit; // for systemctl in the guest; NULL: done otherwise
    int (*call)(struct virt *virt, const char *cluster, const char *name, struct error *err);
} acts[] = {
    [ACT_PRESS] = {.text = "power button pressed", .call = virt_domain_press_power},
    [ACT_PULL] = {.text = "power pulled", .call = virt_domain_pull},
    [ACT_START] = {.text = "started", .recovers = true},
    [ACT_START_SHUFFLED] = {.text = "started", .recovers = true},
    [ACT_UNPLUG] = {.text = "network unplugged"},
    [ACT_PLUG] = {.text = "network plugged in", .recovers = true},
    [ACT_SUSPEND] = {.text = "paused", .call = virt_domain_suspend},
    [ACT_RESUME] = {.text = "resumed", .recovers = true, .call = virt_domain_resume},
    [ACT_KILL_REDIS] = {"redis killed", false, "kill", "redis.service", NULL},
    [ACT_STOP_REDIS] = {"redis stopped", false, "stop", "redis.service", NULL},
    [ACT_START_REDIS] = {"redis started", true, "start", "redis.service", NULL},
    [ACT_KILL_SENTINEL] = {"sentinel killed", false, "kill", "sentinel.service", NULL},
    [ACT_RESTART_HAPROXY] = {"haproxy restarted", false, "restart", "haproxy.service", NULL},
    [ACT_CUT_PEERS] = {.text = "cut off from the other workers"},
    [ACT_JOIN_PEERS] = {.text = "reaches the other workers", .recovers = true},
    [ACT_BURN] = {.text = "all processors busy"},
    [ACT_REST] = {.text = "all processors free", .recovers = true},
    [ACT_WATCH] = {0},
};

static int
in_guest(struct drill *drill, const char *node, const char *const *argv, struct error *err)
{
    int status = 0;
    FREE_AUTO char *output = NULL;
    if (virt_agent_run(drill->session.virt, drill->run->spec->cluster, node, argv, AGENT_MS,
            &status, &output, err) < 0)
        return -1;
    if (status != 0)
        return error_set(
            err, ERR_GUEST, "'%s' on '%s' ended with status %d: %s", argv[0], node, status, output);
    return 0;
}

// Does not wait: a unit may take its time to start, and its effect on clients is measured.
static int
systemctl(struct drill *drill, const char *node, enum drill_act act, struct error *err)
{
    bool kill = str_equal(acts[act].verb, "kill");
    const char *argv[] = {"/usr/bin/systemctl", kill ? "--signal=SIGKILL" : "--no-block",
        acts[act].verb, acts[act].unit, NULL};
    return in_guest(drill, node, argv, err);
}

// Drops packets from node to every other worker, answers included.
static int
cut_peers(struct drill *drill, size_t index, bool cut, struct error *err)
{
    const struct spec *spec = drill->run->spec;
    for (size_t i = 0; i < spec->node_count; i++) {
        if (i == index || spec->nodes[i].role != SPEC_REDIS)
            continue;
        FREE_AUTO char *address = str_format("%s/32", spec->nodes[i].address);
        const char *argv[] = {"/usr/bin/env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "ip", "route",
            cut ? "add" : "del", "blackhole", address, NULL};
        if (in_guest(drill, spec->nodes[index].name, argv, err) < 0)
            return -1;
    }
    return 0;
}

static int
perform_once(struct drill *drill, enum drill_act act, size_t index, struct error *err)
{
    struct virt *virt = drill->session.virt;
    const char *cluster = drill->run->spec->cluster;
    const char *node = drill->run->spec->nodes[index].name;
    if (acts[act].verb != NULL)
        return systemctl(drill, node, act, err);
    if (act == ACT_CUT_PEERS || act == ACT_JOIN_PEERS)
        return cut_peers(drill, index, act == ACT_CUT_PEERS, err);
    if (acts[act].call != NULL)
        return acts[act].call(virt, cluster, node, err);
    if (act == ACT_UNPLUG || act == ACT_PLUG)
        return virt_domain_link(virt, cluster, node, act == ACT_PLUG, err);
    if (virt_domain_start(virt, cluster, node, false, err) < 0)
        return -1;
    if (survey_others_serve(&drill->survey, index))
        session_yield(&drill->session, index, true);
    return 0;
}

static void
restart_convergence(struct drill *drill)
{
    drill->last_act_ms = clock_ms();
    drill->converged_ms = 0;
}

static int
perform_on_node(struct drill *drill, const struct drill_step *step, size_t index, struct error *err)
{
    enum drill_act act = step->act;
    interrupt_hold();
    // What drill_repair must undo besides starting machines and plugging links in.
    if (act == ACT_PRESS || act == ACT_START)
        drill->pressed = act == ACT_PRESS ? step->whom : WHOM_NONE;
    if (act == ACT_STOP_REDIS || act == ACT_START_REDIS)
        drill->redis_stopped = act == ACT_STOP_REDIS;
    if (act == ACT_CUT_PEERS || act == ACT_JOIN_PEERS)
        drill->peers_cut = act == ACT_CUT_PEERS;
    int result = perform_once(drill, act, index, err);
    interrupt_release();
    if (result < 0)
        return error_context(err, "drill '%s'", drill->scenario->info.name);
    restart_convergence(drill);
    return 0;
}

static size_t
random_below(size_t limit)
{
    FREE_AUTO char *digits = random_hex(8);
    return strtoul(digits, NULL, 16) % limit;
}

// Finds the image that backs the disk of a node.
static int
find_image(const struct drill *drill, struct store *store, const struct spec_node *node,
    struct image **ret, struct error *err)
{
    const char *key = record_image(drill->session.record, node->name);
    if (key == NULL)
        return error_set(err, ERR_NOT_FOUND,
            "node '%s' has never had a disk, so it cannot get a new one; run 'airbuild launch'",
            node->name);
    return store_find(store, key, ret, err);
}

// The user agreed to that before the drill.
static int
agree_to_loss(void *context, const char *sentence, struct error *err)
{
    (void) context;
    (void) sentence;
    (void) err;
    return 0;
}

// Gives every node a new disk and starts all but the first master, as a first launch would.
static int
new_disks(struct drill *drill, struct error *err)
{
    const struct spec *spec = drill->run->spec;
    struct session *session = &drill->session;
    FREE_AUTO char *home = cluster_home();
    STORE_AUTO struct store *store = NULL;
    IMAGE_AUTO struct image *haproxy = NULL, *redis = NULL;
    if (store_open(home, &store, err) < 0 ||
        find_image(drill, store, spec_head(spec), &haproxy, err) < 0 ||
        find_image(drill, store, spec_first_master(spec), &redis, err) < 0)
        return -1;
    int wiped = 0;
    interrupt_hold();
    for (size_t i = 0; i < spec->node_count && wiped == 0; i++) {
        const char *node = spec->nodes[i].name;
        FREE_AUTO char *disk = cluster_node_path(spec, node, "disk.qcow2");
        wiped = virt_domain_pull(session->virt, spec->cluster, node, err) < 0
                    ? -1
                    : dir_remove(disk, err);
    }
    interrupt_release();
    if (wiped < 0)
        return -1;
    const char *except = spec_first_master(spec)->name;
    drill_note(drill, DRILL_NOTE, "all disks are new, '%s' stays off", except);
    const struct launch_options options = {.spec = spec,
        .haproxy = haproxy,
        .redis = redis,
        .kvm = drill->run->kvm,
        .no_wait = true,
        .except = except,
        .agree = agree_to_loss,
        .progress = drill->run->progress};
    LAUNCH_AUTO struct launch launch = {.options = &options, .session = session};
    if (launch_in_session(&launch, err) < 0)
        return -1;
    restart_convergence(drill);
    return 0;
}

// Starts all machines in random order, with random pauses.
static int
start_shuffled(struct drill *drill, struct error *err)
{
    const struct spec *spec = drill->run->spec;
    FREE_AUTO size_t *order = mem_zero(spec->node_count, sizeof *order);
    for (size_t i = 0; i < spec->node_count; i++) {
        size_t at = random_below(i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (size_t i = 0; i < spec->node_count; i++) {
        const char *node = spec->nodes[order[i]].name;
        const struct drill_step step = {ACT_START, WHOM_ALL, 0};
        drill_note(drill, DRILL_HEAL, "%s: started", node);
        if (perform_on_node(drill, &step, order[i], err) < 0 ||
            clock_sleep((int64_t) random_below(SHUFFLE_MS), err) < 0)
            return -1;
    }
    return 0;
}

static int
perform_on_all(struct drill *drill, const struct drill_step *step, struct error *err)
{
    static const struct drill_step notice = {ACT_WATCH, WHOM_NONE, NOTICE_MS};
    static const struct drill_step recover = {ACT_AWAIT_CONVERGED, WHOM_NONE, 0};
    const struct spec *spec = drill->run->spec;
    int suspended = 0;
    // libvirt needs a second to pull one power cord. Pausing all machines first makes them
    // disappear at the same moment.
    interrupt_hold();
    for (size_t i = 0; i < spec->node_count && suspended == 0; i++)
        if (step->act == ACT_PULL && drill_concerns(drill, step->whom, i))
            suspended = perform_once(drill, ACT_SUSPEND, i, err);
    interrupt_release();
    if (suspended < 0)
        return -1;
    for (size_t i = 0; i < spec->node_count; i++) {
        if (!drill_concerns(drill, step->whom, i))
            continue;
        if (interrupt_check(err) < 0)
            return -1;
        drill_note(drill, acts[step->act].recovers ? DRILL_HEAL : DRILL_FAULT, "%s: %s",
            spec->nodes[i].name, acts[step->act].text);
        if (perform_on_node(drill, step, i, err) < 0)
            return -1;
        // Until the others have detected its failure, and until it has recovered.
        if (step->act == ACT_KILL_SENTINEL &&
            (drill_await(drill, &notice, err) < 0 || drill_await(drill, &recover, err) < 0))
            return -1;
    }
    return 0;
}

int
drill_perform(struct drill *drill, const struct drill_step *step, struct error *err)
{
    int64_t now = clock_ms();
    if (interrupt_check(err) < 0)
        return -1;
    drill->broken_ms = drill->broken_ms == 0 ? now : drill->broken_ms;
    if (drill->measure_ms == 0 && drill->measuring)
        drill->measure_ms = now;
    if (drill->measure_ms != 0 && drill->heal_ms == 0 && acts[step->act].recovers)
        drill->heal_ms = now;
    if (step->act == ACT_NEW_DISKS)
        return new_disks(drill, err);
    if (step->act == ACT_BURN || step->act == ACT_REST) {
        bool burn = step->act == ACT_BURN;
        drill_note(drill, burn ? DRILL_FAULT : DRILL_HEAL, "host: %s", acts[step->act].text);
        cpu_burn_end(&drill->burn);
        // Twice the time allows for a slow observer.
        if (burn && cpu_burn_start(&drill->burn, 2LL * DRILL_BURN_MS, err) < 0)
            return -1;
        restart_convergence(drill);
        return 0;
    }
    if (step->act == ACT_START_SHUFFLED)
        return start_shuffled(drill, err);
    return perform_on_all(drill, step, err);
}

static size_t
count_running(struct drill *drill, enum drill_whom whom)
{
    SURVEY_AUTO struct survey survey = {0};
    ERROR_AUTO struct error ignored = {0};
    survey_make(&drill->session, 0, &survey, &ignored);
    return drill_running(drill, &survey, whom);
}

void
drill_repair(struct drill *drill)
{
    const struct spec *spec = drill->run->spec;
    struct virt *virt = drill->session.virt;
    ERROR_AUTO struct error ignored = {0};
    interrupt_acknowledge();
    cpu_burn_end(&drill->burn);
    if (drill->broken_ms == 0 || virt == NULL)
        return;
    interrupt_hold();
    drill_note(drill, DRILL_NOTE, "repairing what was broken");
    // A machine whose power button was pressed may still run: it must be off before it is started.
    int64_t end = clock_ms() + PRESSED_MS;
    while (count_running(drill, drill->pressed) > 0 && clock_left(end) > 0)
        clock_sleep(PAUSE_MS, &ignored);
    for (size_t i = 0; i < spec->node_count; i++) {
        const char *node = spec->nodes[i].name;
        virt_domain_link(virt, spec->cluster, node, true, &ignored);
        virt_domain_start(virt, spec->cluster, node, false, &ignored);
        virt_domain_resume(virt, spec->cluster, node, &ignored);
    }
    bool peers = drill->peers_cut && cut_peers(drill, drill->master, false, &ignored) < 0;
    bool redis = drill->redis_stopped &&
                 systemctl(drill, spec->nodes[drill->master].name, ACT_START_REDIS, &ignored) < 0;
    if (peers || redis || count_running(drill, WHOM_ALL) < spec->node_count)
        drill_note(drill, DRILL_NOTE, "could not repair everything; run 'airbuild launch'");
    interrupt_release();
}
