// profile_text.c - see profile_show.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/json.h"
#include "cli/profile_show.h"
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#define BAR_COLUMNS 60
#define MARKS 6
#define UNITS_SHOWN 10
#define NAME_COLUMNS 40 // longer names of units are cut

double
profile_step(double seconds, unsigned most)
{
    static const double steps[] = {1, 2, 5};
    for (double power = 0.1;; power *= 10)
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            if (steps[i] * power * most >= seconds)
                return steps[i] * power;
}

// ---- bars ------------------------------------------------------------------------------------------

static void
add_axis(const struct profile *profile, int width, struct buf *text)
{
    double step = profile_step(profile->seconds, MARKS);
    int column = 0;
    buf_printf(text, "%*s", width + 2, "");
    for (unsigned i = 0; i * step <= profile->seconds; i++) {
        int at = (int) (i * step / profile->seconds * BAR_COLUMNS);
        FREE_AUTO char *mark = str_format("%.*f", step < 1 ? 1 : 0, i * step);
        buf_printf(text, "%*s%s", at - column, "", mark);
        column = at + (int) strlen(mark);
    }
    buf_add(text, "\n");
}

// Each column shows the phase in its middle, by the first letter of the phase.
static void
add_bar(const struct profile *profile, const struct profile_node *node, struct buf *text)
{
    BUF_AUTO struct buf bar = {0};
    size_t phase = 0;
    for (unsigned i = 0; i < BAR_COLUMNS; i++) {
        double at_s = (i + 0.5) * profile->seconds / BAR_COLUMNS;
        while (phase < PROFILE_PHASES && node->ends_s[phase] <= at_s)
            phase++;
        bool booted = at_s >= node->start_s && phase < PROFILE_PHASES;
        buf_add_bytes(&bar, booted ? profile_phases[phase] : " ", 1);
    }
    buf_printf(text, "  %s\n", bar.data);
}

static void
add_bars(const struct profile *profile, bool color, struct buf *text)
{
    int width = 0;
    for (size_t i = 0; i < profile->count; i++) {
        int length = (int) strlen(profile->nodes[i].name);
        width = length > width ? length : width;
    }
    add_axis(profile, width, text);
    for (size_t i = 0; i < profile->count; i++) {
        const struct profile_node *node = &profile->nodes[i];
        message_paint(text, color, COLOR_BOLD, node->name);
        buf_printf(text, "%*s", width - (int) strlen(node->name), "");
        if (node->missing == NULL) {
            add_bar(profile, node, text);
            continue;
        }
        FREE_AUTO char *why = text_clean(TEXT_WORD, node->missing);
        buf_printf(text, "  no profile: %s\n", why);
    }
}

// ---- tables ----------------------------------------------------------------------------------------

static void
add_phases(const struct profile *profile, bool color, struct buf *text)
{
    TABLE_AUTO struct table table = {0};
    table_heads(&table, "NODE", "START", "FIRMWARE", "KERNEL", "INITRD", "USERSPACE", "SERVER",
        "CLUSTER", NULL);
    for (size_t i = 0; i < profile->count; i++) {
        const struct profile_node *node = &profile->nodes[i];
        if (node->missing != NULL)
            continue;
        double last_s = node->start_s;
        table_row(&table);
        table_cell(&table, COLOR_BOLD, node->name);
        table_cellf(&table, COLOR_NONE, "%5.1f", node->start_s);
        for (size_t k = 0; k < PROFILE_PHASES; k++) {
            table_cellf(&table, COLOR_NONE, "%*.1f", (int) strlen(profile_phases[k]),
                node->ends_s[k] - last_s);
            last_s = node->ends_s[k];
        }
    }
    if (table.count > 1) {
        buf_add(text, "\n");
        table_print(&table, 0, color, text);
    }
}

struct place { // a unit on a node
    const struct profile_unit *unit;
    const char *node;
};

static int
compare_places(const void *a, const void *b)
{
    const struct place *one = a, *other = b;
    double difference = profile_weight(other->unit) - profile_weight(one->unit);
    return difference > 0 ? 1 : difference < 0 ? -1 : strcmp(one->unit->name, other->unit->name);
}

static void
add_unit_row(const struct place *place, size_t others, struct table *table)
{
    const struct profile_unit *unit = place->unit;
    FREE_AUTO char *name = text_clean(TEXT_ROW, unit->name);
    table_row(table);
    if (text_columns(name) > NAME_COLUMNS)
        table_cellf(table, COLOR_BOLD, "%.*s...", NAME_COLUMNS - 3, name);
    else
        table_cell(table, COLOR_BOLD, name);
    table_cellf(table, COLOR_NONE, "%5.1f", unit->start_s);
    table_cellf(table, COLOR_NONE, "%5.1f", unit->took_s);
    if (unit->cpu_s >= 0)
        table_cellf(table, COLOR_NONE, "%5.1f", unit->cpu_s);
    else
        table_cell(table, COLOR_NONE, "    -");
    if (others > 0)
        table_cellf(table, COLOR_NONE, "%s (and %zu more)", place->node, others);
    else
        table_cell(table, COLOR_NONE, place->node);
}

// Adds the units of all nodes by their weight; one that several nodes have is shown where it has
// the greatest.
static void
add_unit_table(const struct profile *profile, bool color, struct buf *text)
{
    TABLE_AUTO struct table table = {0};
    FREE_AUTO struct place *places = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < profile->count; i++)
        for (size_t k = 0; k < profile->nodes[i].unit_count; k++) {
            mem_grow(&places, &capacity, count + 1, sizeof *places);
            places[count++] = (struct place){&profile->nodes[i].units[k], profile->nodes[i].name};
        }
    if (count == 0)
        return;
    qsort(places, count, sizeof *places, compare_places);
    table_heads(&table, "UNIT", "START", " TOOK", "  CPU", "SLOWEST ON", NULL);
    for (size_t i = 0; i < count && table.count <= UNITS_SHOWN; i++) {
        size_t others = 0;
        if (places[i].unit == NULL)
            continue;
        for (size_t k = i + 1; k < count; k++)
            if (places[k].unit != NULL && str_equal(places[k].unit->name, places[i].unit->name)) {
                others++;
                places[k].unit = NULL;
            }
        add_unit_row(&places[i], others, &table);
    }
    buf_add(text, "\n");
    table_print(&table, 0, color, text);
}

void
profile_text(const struct profile *profile, bool color, struct buf *text)
{
    const struct profile_node *first = profile->nodes;
    if (profile->count == 0) {
        buf_add(text, "no profile: no node booted in this launch\n");
        return;
    }
    for (size_t i = 0; i < profile->count; i++)
        if (profile->nodes[i].start_s < first->start_s)
            first = &profile->nodes[i];
    buf_printf(text, "Boot profile, in seconds since %s was started:\n\n", first->name);
    add_bars(profile, color, text);
    add_phases(profile, color, text);
    add_unit_table(profile, color, text);
}

// ---- JSON ------------------------------------------------------------------------------------------

static json_t *
profile_node_json(const struct profile_node *node)
{
    json_t *phases = json_object(), *units = json_array();
    double last_s = node->start_s;
    for (size_t i = 0; i < PROFILE_PHASES; i++) {
        FREE_AUTO char *key = str_format("%s_s", profile_phases[i]);
        json_object_set_new(phases, key, real_to_json(node->ends_s[i] - last_s));
        last_s = node->ends_s[i];
    }
    for (size_t i = 0; i < node->unit_count; i++) {
        const struct profile_unit *unit = &node->units[i];
        json_array_append_new(
            units, json_pack("{s:o, s:o, s:o, s:o}", "name", text_to_json(unit->name), "start_s",
                       real_to_json(unit->start_s), "took_s", real_to_json(unit->took_s), "cpu_s",
                       unit->cpu_s >= 0 ? real_to_json(unit->cpu_s) : json_null()));
    }
    if (node->missing != NULL) {
        json_decref(phases);
        phases = json_null();
    }
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "name", text_to_json(node->name), "role",
        spec_roles[node->role], "start_s", real_to_json(node->start_s), "phases", phases, "units",
        units, "missing", text_to_json(node->missing));
}

json_t *
profile_json(const struct profile *profile)
{
    json_t *nodes = json_array();
    for (size_t i = 0; i < profile->count; i++)
        json_array_append_new(nodes, profile_node_json(&profile->nodes[i]));
    json_t *seconds = profile->count > 0 ? real_to_json(profile->seconds) : json_null();
    return json_pack("{s:o, s:o}", "seconds", seconds, "nodes", nodes);
}
