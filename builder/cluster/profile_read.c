// profile_read.c - reads what a node reports of its boot; see profile.h. Every figure may be wrong
// or hostile: those that cannot be are left out, and the rest is fitted into the launch.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/profile.h"

#include "base/str.h"

#include <string.h>

#define NAME_MAX_BYTES 255     // systemd's own limit of a unit's name (UNIT_NAME_MAX)
#define MICRO_MAX (1ULL << 50) // greater ones are not a time; 36 years
#define SECONDS_DIGITS 9       // before the point, likewise
#define WEIGHT_MIN 0.01        // seconds; less is not worth a line

// The clock first: the host reads its own when the agent has started this. Devices and targets take
// no time of their own, and asking for them would take twice as long as for the rest.
const char profile_script[] =
    "export LC_ALL=C\n"
    "read -r up idle </proc/uptime && echo \"Uptime=$up\"\n"
    "dmesg | sed -n 's/^\\[ *\\([0-9.]*\\)\\] Run \\/init as init process$/Initrd=\\1/p'\n"
    "systemctl show -p UserspaceTimestampMonotonic\n"
    "echo\n"
    "exec systemctl show -p Id -p InactiveExitTimestampMonotonic -p ActiveEnterTimestampMonotonic"
    " -p InactiveEnterTimestampMonotonic -p CPUUsageNSec init.scope '*.service' '*.mount' "
    "'*.swap'\n";

// Microseconds of the node's monotonic clock; 0: it did not happen.
struct unit_stamps {
    const char *id; // NULL: none yet
    uint64_t began, active, ended;
    double cpu_s; // -1: unknown
};

struct reading {
    const struct profile_clock *clock;
    struct profile_node *node;
    double zero_s; // when the node's clock began, once uptime is known
    uint64_t uptime, initrd, userspace;
    uint64_t server, ready; // when the first unit of its role began and the last was ready
    bool unready;           // one of them is not
    struct unit_stamps unit;
    size_t capacity;
};

const char *const profile_phases[PROFILE_PHASES] = {
    [PROFILE_FIRMWARE] = "firmware",
    [PROFILE_KERNEL] = "kernel",
    [PROFILE_INITRD] = "initrd",
    [PROFILE_USERSPACE] = "userspace",
    [PROFILE_SERVER] = "server",
    [PROFILE_CLUSTER] = "cluster",
};

void
profile_free(struct profile *profile)
{
    if (profile == NULL)
        return;
    for (size_t i = 0; i < profile->count; i++) {
        struct profile_node *node = &profile->nodes[i];
        for (size_t k = 0; k < node->unit_count; k++)
            free(node->units[k].name);
        free(node->units);
        free(node->missing);
    }
    free(profile->nodes);
    free(profile);
}

// ---- figures ---------------------------------------------------------------------------------------

// Reads "12.345" seconds as microseconds; 0 when it is no such number.
static uint64_t
read_seconds(const char *text)
{
    size_t whole = strspn(text, "0123456789");
    const char *fraction = text[whole] == '.' ? text + whole + 1 : text + whole;
    uint64_t micro = 0;
    if (whole > SECONDS_DIGITS || fraction[strspn(fraction, "0123456789")] != '\0')
        return 0;
    for (size_t i = 0; i < whole; i++)
        micro = micro * 10 + (uint64_t) (text[i] - '0');
    for (int i = 0; i < 6; i++)
        micro = micro * 10 + (*fraction != '\0' ? (uint64_t) (*fraction++ - '0') : 0);
    return micro;
}

static uint64_t
read_micro(const char *text)
{
    unsigned long long micro = 0;
    return str_to_u64(text, MICRO_MAX, &micro) ? micro : 0;
}

// Returns a time of the node's clock as a time of the profile, within the launch.
static double
fit_time(const struct reading *reading, uint64_t micro)
{
    const struct profile_clock *clock = reading->clock;
    double end_s = (double) (clock->converged_ms - clock->base_ms) / 1000;
    double at_s = reading->zero_s + (double) micro / 1e6;
    return at_s < reading->node->start_s ? reading->node->start_s : at_s > end_s ? end_s : at_s;
}

// ---- units -----------------------------------------------------------------------------------------

double
profile_weight(const struct profile_unit *unit)
{
    return unit->took_s > unit->cpu_s ? unit->took_s : unit->cpu_s;
}

static int
compare_weights(const void *a, const void *b)
{
    const struct profile_unit *one = a, *other = b;
    double difference = profile_weight(other) - profile_weight(one);
    return difference > 0 ? 1 : difference < 0 ? -1 : strcmp(one->name, other->name);
}

// The servers of a node, whose readiness is its role's.
static void
note_server(struct reading *reading)
{
    static const char *const servers[] = {"redis.service", "sentinel.service", "haproxy.service"};
    const struct unit_stamps *unit = &reading->unit;
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        if (!str_equal(unit->id, servers[i]))
            continue;
        reading->unready |= unit->active < unit->began;
        if (reading->server == 0 || unit->began < reading->server)
            reading->server = unit->began;
        if (unit->active > reading->ready)
            reading->ready = unit->active;
    }
}

// Ends a unit's paragraph. A unit activates until it is active or, as one of type oneshot, has
// ended, as `systemd-analyze blame` has it.
static void
end_unit(struct reading *reading)
{
    struct unit_stamps unit = reading->unit;
    struct profile_node *node = reading->node;
    if (unit.id != NULL && unit.id[0] != '\0' && unit.began > 0 &&
        strlen(unit.id) <= NAME_MAX_BYTES) {
        uint64_t done = unit.active >= unit.began ? unit.active : unit.ended;
        note_server(reading);
        struct profile_unit found = {.start_s = fit_time(reading, unit.began), .cpu_s = unit.cpu_s};
        found.took_s = fit_time(reading, done >= unit.began ? done : MICRO_MAX) - found.start_s;
        if (profile_weight(&found) >= WEIGHT_MIN && found.start_s < fit_time(reading, MICRO_MAX)) {
            mem_grow(&node->units, &reading->capacity, node->unit_count + 1, sizeof found);
            found.name = str_dup(unit.id);
            node->units[node->unit_count++] = found;
        }
    }
    reading->unit = (struct unit_stamps){.cpu_s = -1};
}

static void
read_unit_value(struct unit_stamps *unit, const char *key, const char *value)
{
    unsigned long long nano;
    if (str_equal(key, "Id"))
        unit->id = value;
    else if (str_equal(key, "InactiveExitTimestampMonotonic"))
        unit->began = read_micro(value);
    else if (str_equal(key, "ActiveEnterTimestampMonotonic"))
        unit->active = read_micro(value);
    else if (str_equal(key, "InactiveEnterTimestampMonotonic"))
        unit->ended = read_micro(value);
    else if (str_equal(key, "CPUUsageNSec") && str_to_u64(value, MICRO_MAX * 1000, &nano))
        unit->cpu_s = (double) nano / 1e9;
}

// ---- the whole -------------------------------------------------------------------------------------

// The lines of a node come before its units.
static void
read_node_value(struct reading *reading, const char *key, const char *value)
{
    const struct profile_clock *clock = reading->clock;
    if (str_equal(key, "Uptime")) {
        reading->uptime = read_seconds(value);
        reading->zero_s =
            (double) (clock->asked_ms - clock->base_ms) / 1000 - (double) reading->uptime / 1e6;
    } else if (str_equal(key, "Initrd")) {
        reading->initrd = read_seconds(value);
    } else if (str_equal(key, "UserspaceTimestampMonotonic")) {
        reading->userspace = read_micro(value);
    } else {
        read_unit_value(&reading->unit, key, value);
    }
}

// Sets the ends of the phases. A server that the node does not know, or that is not ready, takes
// the rest of the time.
static void
end_phases(const struct reading *reading)
{
    uint64_t ends[PROFILE_PHASES] = {
        [PROFILE_FIRMWARE] = 0,
        [PROFILE_KERNEL] = reading->initrd > 0 ? reading->initrd : reading->userspace,
        [PROFILE_INITRD] = reading->userspace,
        [PROFILE_USERSPACE] = reading->server > 0 ? reading->server : MICRO_MAX,
        [PROFILE_SERVER] = reading->unready ? MICRO_MAX : reading->ready,
        [PROFILE_CLUSTER] = MICRO_MAX,
    };
    double last_s = reading->node->start_s;
    for (size_t i = 0; i < PROFILE_PHASES; i++) {
        double end_s = fit_time(reading, ends[i]);
        last_s = end_s > last_s ? end_s : last_s;
        reading->node->ends_s[i] = last_s;
    }
}

int
profile_read(const char *text, const struct profile_clock *clock, struct profile_node *node,
    struct error *err)
{
    struct reading reading = {.clock = clock, .node = node, .unit = {.cpu_s = -1}};
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        char *separator = strchr(lines.items[i], '=');
        if (lines.items[i][0] == '\0') {
            end_unit(&reading);
        } else if (separator != NULL) {
            *separator = '\0';
            read_node_value(&reading, lines.items[i], separator + 1);
        }
    }
    end_unit(&reading);
    if (reading.uptime == 0 || reading.userspace == 0)
        return error_set(err, ERR_GUEST,
            "it did not report the times of its boot; 'airbuild ssh %s systemctl show' shows what "
            "its systemd has",
            node->name);
    end_phases(&reading);
    if (node->unit_count > 0)
        qsort(node->units, node->unit_count, sizeof *node->units, compare_weights);
    while (node->unit_count > PROFILE_UNITS)
        free(node->units[--node->unit_count].name);
    return 0;
}
