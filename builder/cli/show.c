// show.c - see show.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/show.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
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
    return spec_roles[node->role];
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

// Adds a line below the table for each node with further problems.
static void
show_notes(const struct cluster_report *report, bool color, struct buf *text)
{
    for (size_t i = 0; i < report->node_count; i++) {
        const struct cluster_node_report *node = &report->nodes[i];
        STRV_AUTO struct strv notes = {0};
        if (node->clock_ms != 0)
            strv_addf(&notes, "clock %.1f s %s", (double) llabs(node->clock_ms) / 1000,
                node->clock_ms < 0 ? "behind" : "ahead");
        if (node->tilt)
            strv_add(&notes, "TILT");
        if (node->quorum != NULL)
            strv_add(&notes, node->quorum);
        if (notes.count == 0)
            continue;
        FREE_AUTO char *joined = strv_join(&notes, "; ");
        FREE_AUTO char *clean = text_clean(TEXT_LINES, joined);
        message_paint(text, color, COLOR_YELLOW, node->name);
        buf_printf(text, ": %s\n", clean);
    }
}

void
show_report(const struct cluster_report *report, bool color, struct buf *text)
{
    TABLE_AUTO struct table table = {0};
    table_heads(&table, "NODE", "ADDRESS", "STATE", "ROLE", "LINK", "LAG", "SENTINEL NAMES", NULL);
    for (size_t i = 0; i < report->node_count; i++) {
        const struct cluster_node_report *node = &report->nodes[i];
        bool bad = str_equal(node->state, "crashed") || str_equal(node->state, "not ours");
        enum message_color good = str_equal(node->state, "running") ? COLOR_GREEN : COLOR_YELLOW;
        table_row(&table);
        table_cell(&table, COLOR_BOLD, node->name);
        table_cell(&table, COLOR_NONE, node->address);
        table_cell(&table, bad ? COLOR_RED : good, node->state);
        table_cell(&table, is_master(node) ? COLOR_BOLD : COLOR_NONE, role_text(node));
        link_cell(&table, node);
        if (node->lag_s >= 0 && is_replica(node))
            table_cellf(&table, COLOR_NONE, "%lld s", node->lag_s);
        else
            table_cell(&table, COLOR_NONE, NULL);
        if (node->sentinel != NULL)
            table_cellf(&table, COLOR_NONE, "%s (%u sentinel%s)", node->sentinel, node->sentinels,
                node->sentinels == 1 ? "" : "s");
        else
            table_cell(&table, COLOR_NONE, NULL);
    }
    table_print(&table, 0, color, text);
    show_notes(report, color, text);
    buf_add(text, "\n");
    FREE_AUTO char *summary =
        text_clean(TEXT_LINES, report->summary != NULL ? report->summary : "");
    message_paint(text, color, report->converged ? COLOR_GREEN : COLOR_YELLOW,
        report->converged ? "converged:" : "not converged:");
    buf_printf(text, " %s\n", summary);
}

static json_t *
node_json(const struct cluster_node_report *node)
{
    json_t *value = json_object();
    json_object_set_new(value, "name", text_to_json(node->name));
    json_object_set_new(value, "address", text_to_json(node->address));
    json_object_set_new(value, "state", text_to_json(node->state));
    json_object_set_new(value, "role", text_to_json(role_text(node)));
    json_object_set_new(value, "says", text_to_json(node->says));
    json_object_set_new(value, "phase", text_to_json(node->phase));
    json_object_set_new(
        value, "link_up", is_replica(node) ? json_boolean(node->link_up) : json_null());
    json_object_set_new(value, "lag_s", node->lag_s >= 0 ? json_integer(node->lag_s) : json_null());
    json_object_set_new(value, "sentinel", text_to_json(node->sentinel));
    json_object_set_new(
        value, "sentinels", node->sentinels > 0 ? json_integer(node->sentinels) : json_null());
    json_object_set_new(value, "tilt", json_boolean(node->tilt));
    json_object_set_new(value, "quorum", text_to_json(node->quorum));
    json_object_set_new(
        value, "clock_ms", node->clock_ms != 0 ? json_integer(node->clock_ms) : json_null());
    return value;
}

json_t *
show_json(const struct spec *spec, const struct cluster_report *report)
{
    json_t *nodes = json_array();
    for (size_t i = 0; i < report->node_count; i++)
        json_array_append_new(nodes, node_json(&report->nodes[i]));
    return json_pack("{s:o, s:b, s:o, s:o, s:b, s:b, s:o}", "cluster", text_to_json(spec->cluster),
        "converged", report->converged, "summary", text_to_json(report->summary), "master",
        text_to_json(report->master), "writes", report->writes, "reads", report->reads, "nodes",
        nodes);
}
