// drill_report.c - see drill_report.h.
// SPDX-License-Identifier: Apache-2.0
#include "drill/drill_report.h"

#include "base/asset.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"
#include "base/text.h"

#include <string.h>

const char *
drill_result_word(const struct drill_result *result)
{
    if (!result->behaved)
        return "FAIL";
    return result->in_time ? "PASS" : "SLOW";
}

bool
drill_result_failed(const struct drill_result *result, bool strict)
{
    return !result->behaved || (strict && !result->in_time);
}

// ---- JSON -----------------------------------------------------------------------------------------

static json_t *
seconds_or_null(double seconds)
{
    return seconds >= 0 ? real_to_json(seconds) : json_null();
}

static json_t *
event_json(const struct drill_event *event)
{
    static const char *const kinds[] = {
        [DRILL_FAULT] = "fault",
        [DRILL_HEAL] = "heal",
        [DRILL_ROLE] = "role",
        [DRILL_CONVERGED] = "converged",
        [DRILL_NOTE] = "note",
    };
    json_t *value = json_object();
    json_object_set_new(value, "at_s", real_to_json((double) event->at_ms / 1000));
    json_object_set_new(value, "kind", text_to_json(kinds[event->kind]));
    json_object_set_new(value, "text", text_to_json(event->text));
    return value;
}

static json_t *
result_json(const struct drill_result *result)
{
    json_t *events = json_array();
    for (size_t i = 0; i < result->event_count; i++)
        json_array_append_new(events, event_json(&result->events[i]));
    json_t *value = json_object();
    json_object_set_new(value, "drill", text_to_json(result->info->name));
    json_object_set_new(value, "verdict", text_to_json(drill_result_word(result)));
    json_object_set_new(value, "why",
        result->behaved && result->in_time ? json_null() : text_to_json(result->verdict));
    json_object_set_new(value, "acked", json_integer((long long) result->acked));
    json_object_set_new(value, "lost", json_integer((long long) result->lost));
    json_object_set_new(value, "write_outage_s", real_to_json(result->write_outage_s));
    json_object_set_new(value, "write_pause_s", real_to_json(result->write_pause_s));
    json_object_set_new(value, "noise_s", real_to_json(result->noise_s));
    json_object_set_new(value, "read_outage_s", real_to_json(result->read_outage_s));
    json_object_set_new(value, "promoted_s", seconds_or_null(result->promoted_s));
    json_object_set_new(value, "converged_s", seconds_or_null(result->converged_s));
    json_object_set_new(value, "two_masters", json_integer(result->two_masters));
    json_object_set_new(value, "two_masters_s", real_to_json(result->two_masters_s));
    json_object_set_new(value, "behaved", json_boolean(result->behaved));
    json_object_set_new(value, "in_time", json_boolean(result->in_time));
    json_object_set_new(value, "fault_at_s", real_to_json((double) result->fault_ms / 1000));
    json_object_set_new(value, "events", events);
    return value;
}

json_t *
drill_report_json(const struct drill_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(list, result_json(&report->results[i]));
    return list;
}

// ---- XML and HTML -----------------------------------------------------------------------------------

static const char *
entity_of(char letter)
{
    switch (letter) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

// Appends text escaped for elements and quoted attributes; characters that are not printable, which
// XML cannot hold, become \xNN.
static void
add_escaped(struct buf *buf, const char *text)
{
    FREE_AUTO char *clean = text_clean(TEXT_LINES, text != NULL ? text : "");
    for (const char *at = clean; *at != '\0'; at++) {
        const char *entity = entity_of(*at);
        buf_add_bytes(buf, entity != NULL ? entity : at, entity != NULL ? strlen(entity) : 1);
    }
}

static void
add_case(const struct drill_result *result, bool strict, struct buf *xml)
{
    buf_add(xml, "  <testcase classname=\"drill\" name=\"");
    add_escaped(xml, result->info->name);
    buf_printf(xml, "\" time=\"%.1f\">\n", (double) result->slot_count * DRILL_SLOT_MS / 1000);
    if (drill_result_failed(result, strict)) {
        buf_add(xml, "    <failure message=\"");
        add_escaped(xml, result->verdict);
        buf_add(xml, "\"/>\n");
    }
    buf_add(xml, "    <system-out>");
    add_escaped(xml, result->info->what);
    buf_printf(xml,
        ": %llu writes acknowledged, %llu lost; write outage %.2f s, read outage %.2f s; ",
        result->acked, result->lost, result->write_outage_s, result->read_outage_s);
    add_escaped(xml, result->verdict);
    buf_add(xml, "\n");
    for (size_t i = 0; i < result->event_count; i++) {
        buf_printf(xml, "%8.1f s  ", (double) (result->events[i].at_ms - result->fault_ms) / 1000);
        add_escaped(xml, result->events[i].text);
        buf_add(xml, "\n");
    }
    buf_add(xml, "    </system-out>\n  </testcase>\n");
}

char *
drill_report_junit(const struct drill_report *report, bool strict)
{
    struct buf xml = {0};
    size_t failures = 0, slots = 0;
    for (size_t i = 0; i < report->count; i++) {
        failures += drill_result_failed(&report->results[i], strict);
        slots += report->results[i].slot_count;
    }
    buf_add(&xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"drills of ");
    add_escaped(&xml, report->cluster);
    buf_add(&xml, "\" timestamp=\"");
    add_escaped(&xml, report->stamp);
    buf_printf(&xml, "\" tests=\"%zu\" failures=\"%zu\" time=\"%.1f\">\n", report->count, failures,
        (double) slots * DRILL_SLOT_MS / 1000);
    for (size_t i = 0; i < report->count; i++)
        add_case(&report->results[i], strict, &xml);
    buf_add(&xml, "</testsuite>\n");
    return buf_take(&xml);
}

// ---- the page: its data -------------------------------------------------------------------------------

static json_t *
limits_json(const struct drill_result *result)
{
    const struct drill_limits *limits = &result->limits;
    json_t *value = json_object();
    json_object_set_new(value, "write_outage_s", seconds_or_null(limits->outage_s));
    json_object_set_new(value, "write_pause_s", seconds_or_null(limits->pause_s));
    json_object_set_new(value, "read_outage_s", seconds_or_null(limits->read_outage_s));
    json_object_set_new(
        value, "lost", json_integer((long long) (limits->lost_s * DRILL_WRITES_PER_S)));
    return value;
}

// Returns a list of begin and end; null when there was none.
static json_t *
span_json(const struct drill_span *span)
{
    if (span->to_ms <= span->from_ms)
        return json_null();
    json_t *list = json_array();
    json_array_append_new(list, real_to_json((double) span->from_ms / 1000));
    json_array_append_new(list, real_to_json((double) span->to_ms / 1000));
    return list;
}

static json_t *
slots_json(const struct drill_result *result)
{
    json_t *acked = json_array(), *failed = json_array(), *reads = json_array(),
           *reads_failed = json_array(), *lost = json_array(), *value = json_object();
    for (size_t i = 0; i < result->slot_count; i++) {
        const struct drill_slot *slot = &result->slots[i];
        json_array_append_new(acked, json_integer(slot->acked));
        json_array_append_new(failed, json_integer(slot->failed));
        json_array_append_new(reads, json_integer(slot->reads));
        json_array_append_new(reads_failed, json_integer(slot->reads_failed));
        json_array_append_new(lost, json_integer(slot->lost));
    }
    json_object_set_new(value, "acked", acked);
    json_object_set_new(value, "failed", failed);
    json_object_set_new(value, "reads", reads);
    json_object_set_new(value, "reads_failed", reads_failed);
    json_object_set_new(value, "lost", lost);
    return value;
}

// Returns what result_json has, and the data of the timelines. It cannot end the element that holds
// it: '<' is escaped.
static char *
page_data(const struct drill_report *report)
{
    json_auto_t *data = json_object();
    json_t *drills = json_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct drill_result *result = &report->results[i];
        json_t *value = result_json(result);
        json_object_set_new(value, "what", text_to_json(result->info->what));
        json_object_set_new(value, "limit", text_to_json(result->info->limit));
        json_object_set_new(value, "limits", limits_json(result));
        json_object_set_new(value, "write_outage", span_json(&result->write_outage));
        json_object_set_new(value, "read_outage", span_json(&result->read_outage));
        json_object_set_new(value, "slot_s", real_to_json(DRILL_SLOT_MS / 1000.0));
        json_object_set_new(value, "slots", slots_json(result));
        json_array_append_new(drills, value);
    }
    json_object_set_new(data, "cluster", text_to_json(report->cluster));
    json_object_set_new(data, "time", text_to_json(report->stamp));
    json_object_set_new(data, "version", json_string(AIRBUILD_VERSION));
    json_object_set_new(data, "drills", drills);
    FREE_AUTO char *text = print_json(data, false);
    struct buf safe = {0};
    for (const char *at = text; *at != '\0'; at++)
        buf_add_bytes(&safe, *at == '<' ? "\\u003c" : at, *at == '<' ? strlen("\\u003c") : 1);
    return buf_take(&safe);
}

// ---- the page: its table ------------------------------------------------------------------------------

static void
add_seconds(struct buf *html, double seconds, bool none)
{
    if (none)
        buf_add(html, "<td>–</td>");
    else
        buf_printf(html, "<td>%.2f s</td>", seconds);
}

static void
add_row(const struct drill_result *result, struct buf *html)
{
    buf_add(html, "<tr><th scope=\"row\">");
    add_escaped(html, result->info->name);
    buf_add(html, "<small>");
    add_escaped(html, result->info->what);
    buf_add(html, "; must hold: ");
    add_escaped(html, result->info->limit);
    buf_printf(html, "</small></th><td>%s", drill_result_word(result));
    if (!result->behaved || !result->in_time) {
        buf_add(html, "<small>");
        add_escaped(html, result->verdict);
        buf_add(html, "</small>");
    }
    buf_printf(html, "</td><td>%llu of %llu</td>", result->lost, result->acked);
    add_seconds(html, result->write_outage_s, result->write_outage_s <= 0);
    add_seconds(html, result->write_pause_s, result->write_pause_s <= 0);
    add_seconds(html, result->read_outage_s, result->read_outage_s <= 0);
    add_seconds(html, result->promoted_s, result->promoted_s < 0);
    add_seconds(html, result->converged_s, result->converged_s < 0);
    buf_add(html, "</tr>\n");
}

static char *
page_table(const struct drill_report *report)
{
    struct buf html = {0};
    buf_add(&html, "<h1>Drills of cluster ");
    add_escaped(&html, report->cluster);
    buf_add(&html, "</h1>\n<p class=\"dim\">");
    add_escaped(&html, report->stamp);
    buf_add(&html,
        ", airbuild " AIRBUILD_VERSION
        "</p>\n<section class=\"plain\" tabindex=\"0\" role=\"region\" aria-label=\"Results\">"
        "<table>\n<thead><tr>"
        "<th>Drill</th><th>Verdict</th><th>Writes lost</th><th>No writes for</th>"
        "<th>Longest write gap</th><th>No reads for</th><th>New master after</th>"
        "<th>Converged after</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < report->count; i++)
        add_row(&report->results[i], &html);
    buf_add(&html, "</tbody></table></section>");
    return buf_take(&html);
}

// ---- the page -----------------------------------------------------------------------------------------

// Appends the page from *at to the slot, then text; moves *at behind the slot.
static int
fill_slot(struct buf *html, const char **at, const char *slot, const char *text, struct error *err)
{
    const char *found = strstr(*at, slot);
    if (found == NULL)
        return error_set(err, ERR_DAMAGED,
            "the page '" DRILL_PAGE "' has no '%s'; remove it from the folder that AIRBUILD_ASSETS "
            "names",
            slot);
    buf_add_bytes(html, *at, (size_t) (found - *at));
    buf_add(html, text);
    *at = found + strlen(slot);
    return 0;
}

int
drill_report_page(const struct drill_report *report, char **ret, struct error *err)
{
    FREE_AUTO char *page = NULL;
    if (asset_read(DRILL_PAGE, &page, NULL, err) < 0)
        return -1;
    BUF_AUTO struct buf html = {0};
    const char *at = page;
    FREE_AUTO char *table = page_table(report), *data = page_data(report);
    if (fill_slot(&html, &at, "@PLAIN@", table, err) < 0 ||
        fill_slot(&html, &at, "@DATA@", data, err) < 0)
        return -1;
    buf_add(&html, at);
    *ret = buf_take(&html);
    return 0;
}
