// show.c - see show.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/show.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/message.h"
#include "cli/table.h"

#include <stdlib.h>

static bool
is_master(const struct cluster_node_report *node)
{
    return str_equal(node->says, "master");
}

static bool
is_replica(const struct cluster_node_report *node)
{
    return str_equal(node->says, "replica");
}

// Returns the current role: "haproxy", "master", "replica", or "redis" while that is unknown.
static const char *
role_text(const struct cluster_node_report *node)
{
    if (node->role == SPEC_REDIS && (is_master(node) || is_replica(node)))
        return node->says;
    return spec_role_name(node->role);
}

static void
state_cell(struct table *table, const struct cluster_node_report *node)
{
    enum message_color color = COLOR_YELLOW;
    if (str_equal(node->state, "running"))
        color = COLOR_GREEN;
    else if (str_equal(node->state, "crashed") || str_equal(node->state, "not ours"))
        color = COLOR_RED;
    table_cell(table, color, node->state);
}

static void
link_cell(struct table *table, const struct cluster_node_report *node)
{
    if (is_master(node))
        table_cell(table, COLOR_NONE, NULL);
    else if (is_replica(node))
        table_cell(table, node->link_up ? COLOR_GREEN : COLOR_RED, node->link_up ? "up" : "down");
    else if (str_equal(node->says, "serving"))
        table_cell(table, COLOR_GREEN, node->says);
    else
        table_cell(table, COLOR_YELLOW, node->phase != NULL ? node->phase : node->says);
}

static void
sentinel_cell(struct table *table, const struct cluster_node_report *node)
{
    if (node->sentinel == NULL)
        table_cell(table, COLOR_NONE, NULL);
    else
        table_cellf(table, COLOR_NONE, "%s (%u sentinel%s)", node->sentinel, node->sentinels,
            node->sentinels == 1 ? "" : "s");
}

// Returns further problems of a node, or NULL; the caller frees.
static char *
note_of(const struct cluster_node_report *node)
{
    STRV_AUTO struct strv notes = {0};
    if (node->clock_ms != 0)
        strv_addf(&notes, "clock %.1f s %s", (double) llabs(node->clock_ms) / 1000,
            node->clock_ms < 0 ? "behind" : "ahead");
    if (node->tilt)
        strv_add(&notes, "TILT");
    if (node->quorum != NULL)
        strv_add(&notes, node->quorum);
    return notes.count > 0 ? strv_join(&notes, "; ") : NULL;
}

// Adds a line below the table for each node with problems.
static void
show_notes(const struct cluster_report *report, bool color, struct buf *text)
{
    for (size_t i = 0; i < report->node_count; i++) {
        FREE_AUTO char *note = note_of(&report->nodes[i]);
        FREE_AUTO char *clean = note != NULL ? text_clean(TEXT_LINES, note) : NULL;
        if (clean == NULL)
            continue;
        message_paint(text, color, COLOR_YELLOW, report->nodes[i].name);
        buf_printf(text, ": %s\n", clean);
    }
}

void
show_nodes(const struct cluster_report *report, bool color, struct buf *text)
{
    TABLE_AUTO struct table table = {0};
    table_heads(&table, "NODE", "ADDRESS", "STATE", "ROLE", "LINK", "LAG", "SENTINEL NAMES", NULL);
    for (size_t i = 0; i < report->node_count; i++) {
        const struct cluster_node_report *node = &report->nodes[i];
        table_row(&table);
        table_cell(&table, COLOR_BOLD, node->name);
        table_cell(&table, COLOR_NONE, node->address);
        state_cell(&table, node);
        table_cell(&table, is_master(node) ? COLOR_BOLD : COLOR_NONE, role_text(node));
        link_cell(&table, node);
        if (node->lag_s >= 0 && is_replica(node))
            table_cellf(&table, COLOR_NONE, "%lld s", node->lag_s);
        else
            table_cell(&table, COLOR_NONE, NULL);
        sentinel_cell(&table, node);
    }
    table_print(&table, 0, color, text);
    show_notes(report, color, text);
}

void
show_verdict(const struct cluster_report *report, bool color, struct buf *text)
{
    FREE_AUTO char *summary =
        text_clean(TEXT_LINES, report->summary != NULL ? report->summary : "");
    message_paint(text, color, report->converged ? COLOR_GREEN : COLOR_YELLOW,
        report->converged ? "converged:" : "not converged:");
    buf_printf(text, " %s\n", summary);
}

static struct jv *
node_json(const struct cluster_node_report *node)
{
    struct jv *value = jv_object();
    jv_set_string(value, "name", node->name);
    jv_set_string(value, "address", node->address);
    jv_set_string(value, "state", node->state);
    jv_set_string(value, "role", role_text(node));
    jv_set_string(value, "says", node->says);
    jv_set_string(value, "phase", node->phase);
    jv_set(value, "link_up", is_replica(node) ? jv_bool(node->link_up) : jv_null());
    jv_set(value, "lag_s", node->lag_s >= 0 ? jv_int(node->lag_s) : jv_null());
    jv_set_string(value, "sentinel", node->sentinel);
    jv_set(value, "sentinels", node->sentinels > 0 ? jv_int(node->sentinels) : jv_null());
    jv_set_bool(value, "tilt", node->tilt);
    jv_set_string(value, "quorum", node->quorum);
    jv_set(value, "clock_ms", node->clock_ms != 0 ? jv_int(node->clock_ms) : jv_null());
    return value;
}

struct jv *
show_json(const struct spec *spec, const struct cluster_report *report)
{
    struct jv *nodes = jv_array();
    for (size_t i = 0; i < report->node_count; i++)
        jv_push(nodes, node_json(&report->nodes[i]));
    struct jv *value = jv_object();
    jv_set_string(value, "cluster", spec->cluster);
    jv_set_bool(value, "converged", report->converged);
    jv_set_string(value, "summary", report->summary);
    jv_set_string(value, "master", report->master);
    jv_set_bool(value, "writes", report->writes);
    jv_set_bool(value, "reads", report->reads);
    jv_set(value, "nodes", nodes);
    return value;
}
