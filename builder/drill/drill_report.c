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
result_json(const struct drill_result *result)
{
    static const char *const kinds[] = {
        [DRILL_FAULT] = "fault",
        [DRILL_HEAL] = "heal",
        [DRILL_ROLE] = "role",
        [DRILL_CONVERGED] = "converged",
        [DRILL_NOTE] = "note",
    };
    json_t *events = json_array(), *value = json_object();
    for (size_t i = 0; i < result->event_count; i++) {
        const struct drill_event *event = &result->events[i];
        json_array_append_new(
            events, json_pack("{s:o, s:s, s:o}", "at_s", real_to_json((double) event->at_ms / 1000),
                        "kind", kinds[event->kind], "text", text_to_json(event->text)));
    }
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

static void
add_case(const struct drill_result *result, bool strict, struct buf *xml)
{
    FREE_AUTO char *name = text_escape(result->info->name);
    FREE_AUTO char *what = text_escape(result->info->what);
    FREE_AUTO char *verdict = text_escape(result->verdict);
    buf_printf(xml, "  <testcase classname=\"drill\" name=\"%s\" time=\"%.1f\">\n", name,
        (double) result->slot_count * DRILL_SLOT_MS / 1000);
    if (drill_result_failed(result, strict))
        buf_printf(xml, "    <failure message=\"%s\"/>\n", verdict);
    buf_printf(xml,
        "    <system-out>%s: %llu writes acknowledged, %llu lost; write outage %.2f s, read outage "
        "%.2f s; %s\n",
        what, result->acked, result->lost, result->write_outage_s, result->read_outage_s, verdict);
    for (size_t i = 0; i < result->event_count; i++) {
        const struct drill_event *event = &result->events[i];
        FREE_AUTO char *text = text_escape(event->text);
        buf_printf(xml, "%8.1f s  %s\n", (double) (event->at_ms - result->fault_ms) / 1000, text);
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
    FREE_AUTO char *cluster = text_escape(report->cluster), *stamp = text_escape(report->stamp);
    buf_printf(&xml,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"drills of %s\" "
        "timestamp=\"%s\" tests=\"%zu\" failures=\"%zu\" time=\"%.1f\">\n",
        cluster, stamp, report->count, failures, (double) slots * DRILL_SLOT_MS / 1000);
    for (size_t i = 0; i < report->count; i++)
        add_case(&report->results[i], strict, &xml);
    buf_add(&xml, "</testsuite>\n");
    return buf_take(&xml);
}

// ---- the page: its data -------------------------------------------------------------------------------

// Returns a list of begin and end; null when there was none.
static json_t *
span_json(const struct drill_span *span)
{
    if (span->to_ms <= span->from_ms)
        return json_null();
    return json_pack("[o, o]", real_to_json((double) span->from_ms / 1000),
        real_to_json((double) span->to_ms / 1000));
}

static json_t *
slots_json(const struct drill_result *result)
{
    json_t *slots = json_pack(
        "{s:[], s:[], s:[], s:[], s:[]}", "acked", "failed", "reads", "reads_failed", "lost");
    for (size_t i = 0; i < result->slot_count; i++) {
        const struct drill_slot *slot = &result->slots[i];
        json_array_append_new(json_object_get(slots, "acked"), json_integer(slot->acked));
        json_array_append_new(json_object_get(slots, "failed"), json_integer(slot->failed));
        json_array_append_new(json_object_get(slots, "reads"), json_integer(slot->reads));
        json_array_append_new(
            json_object_get(slots, "reads_failed"), json_integer(slot->reads_failed));
        json_array_append_new(json_object_get(slots, "lost"), json_integer(slot->lost));
    }
    return slots;
}

// Returns what result_json has, and the data of the timelines. It cannot end the element that holds
// it: '<' is escaped.
static char *
page_data(const struct drill_report *report)
{
    json_t *drills = json_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct drill_result *result = &report->results[i];
        const struct drill_limits *limits = &result->limits;
        json_t *value = result_json(result);
        json_object_set_new(value, "what", text_to_json(result->info->what));
        json_object_set_new(value, "limit", text_to_json(result->info->limit));
        json_object_set_new(value, "limits",
            json_pack("{s:o, s:o, s:o, s:I}", "write_outage_s", seconds_or_null(limits->outage_s),
                "write_pause_s", seconds_or_null(limits->pause_s), "read_outage_s",
                seconds_or_null(limits->read_outage_s), "lost",
                (json_int_t) (limits->lost_s * DRILL_WRITES_PER_S)));
        json_object_set_new(value, "write_outage", span_json(&result->write_outage));
        json_object_set_new(value, "read_outage", span_json(&result->read_outage));
        json_object_set_new(value, "slot_s", real_to_json(DRILL_SLOT_MS / 1000.0));
        json_object_set_new(value, "slots", slots_json(result));
        json_array_append_new(drills, value);
    }
    json_auto_t *data = json_pack("{s:o, s:o, s:s, s:o}", "cluster", text_to_json(report->cluster),
        "time", text_to_json(report->stamp), "version", AIRBUILD_VERSION, "drills", drills);
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

static char *
page_table(const struct drill_report *report)
{
    struct buf html = {0};
    FREE_AUTO char *cluster = text_escape(report->cluster), *stamp = text_escape(report->stamp);
    buf_printf(&html,
        "<h1>Drills of cluster %s</h1>\n<p class=\"dim\">%s, airbuild " AIRBUILD_VERSION
        "</p>\n<section class=\"plain\" tabindex=\"0\" role=\"region\" aria-label=\"Results\">"
        "<table>\n<thead><tr>"
        "<th>Drill</th><th>Verdict</th><th>Writes lost</th><th>No writes for</th>"
        "<th>Longest write gap</th><th>No reads for</th><th>New master after</th>"
        "<th>Converged after</th></tr></thead>\n<tbody>\n",
        cluster, stamp);
    for (size_t i = 0; i < report->count; i++) {
        const struct drill_result *result = &report->results[i];
        FREE_AUTO char *name = text_escape(result->info->name),
                       *what = text_escape(result->info->what);
        FREE_AUTO char *limit = text_escape(result->info->limit),
                       *verdict = text_escape(result->verdict);
        buf_printf(&html, "<tr><th scope=\"row\">%s<small>%s; must hold: %s</small></th><td>%s",
            name, what, limit, drill_result_word(result));
        if (!result->behaved || !result->in_time)
            buf_printf(&html, "<small>%s</small>", verdict);
        buf_printf(&html, "</td><td>%llu of %llu</td>", result->lost, result->acked);
        add_seconds(&html, result->write_outage_s, result->write_outage_s <= 0);
        add_seconds(&html, result->write_pause_s, result->write_pause_s <= 0);
        add_seconds(&html, result->read_outage_s, result->read_outage_s <= 0);
        add_seconds(&html, result->promoted_s, result->promoted_s < 0);
        add_seconds(&html, result->converged_s, result->converged_s < 0);
        buf_add(&html, "</tr>\n");
    }
    buf_add(&html, "</tbody></table></section>");
    return buf_take(&html);
}

// ---- the page -----------------------------------------------------------------------------------------

int
drill_report_page(const struct drill_report *report, char **ret, struct error *err)
{
    FREE_AUTO char *table = page_table(report), *data = page_data(report);
    const struct asset_slot slots[] = {{"@PLAIN@", table}, {"@DATA@", data}};
    return asset_fill(DRILL_PAGE, slots, 2, ret, err);
}
