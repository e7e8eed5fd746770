// drill_report.c - see drill_report.h.
// SPDX-License-Identifier: Apache-2.0
#include "drill/drill_report.h"

#include "base/asset.h"
#include "base/cleanup.h"
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

static struct jv *
seconds_or_null(double seconds)
{
    return seconds >= 0 ? jv_real(seconds) : jv_null();
}

static struct jv *
event_json(const struct drill_event *event)
{
    static const char *const kinds[] = {
        [DRILL_FAULT] = "fault",
        [DRILL_HEAL] = "heal",
        [DRILL_ROLE] = "role",
        [DRILL_CONVERGED] = "converged",
        [DRILL_NOTE] = "note",
    };
    struct jv *value = jv_object();
    jv_set(value, "at_s", jv_real((double) event->at_ms / 1000));
    jv_set_string(value, "kind", kinds[event->kind]);
    jv_set_string(value, "text", event->text);
    return value;
}

static struct jv *
result_json(const struct drill_result *result)
{
    struct jv *events = jv_array();
    for (size_t i = 0; i < result->event_count; i++)
        jv_push(events, event_json(&result->events[i]));
    struct jv *value = jv_object();
    jv_set_string(value, "drill", result->info->name);
    jv_set_string(value, "verdict", drill_result_word(result));
    jv_set(
        value, "why", result->behaved && result->in_time ? jv_null() : jv_string(result->verdict));
    jv_set_int(value, "acked", (long long) result->acked);
    jv_set_int(value, "lost", (long long) result->lost);
    jv_set(value, "write_outage_s", jv_real(result->write_outage_s));
    jv_set(value, "write_pause_s", jv_real(result->write_pause_s));
    jv_set(value, "noise_s", jv_real(result->noise_s));
    jv_set(value, "read_outage_s", jv_real(result->read_outage_s));
    jv_set(value, "promoted_s", seconds_or_null(result->promoted_s));
    jv_set(value, "converged_s", seconds_or_null(result->converged_s));
    jv_set_int(value, "two_masters", result->two_masters);
    jv_set(value, "two_masters_s", jv_real(result->two_masters_s));
    jv_set_bool(value, "behaved", result->behaved);
    jv_set_bool(value, "in_time", result->in_time);
    jv_set(value, "fault_at_s", jv_real((double) result->fault_ms / 1000));
    jv_set(value, "events", events);
    return value;
}

struct jv *
drill_report_json(const struct drill_report *report)
{
    struct jv *list = jv_array();
    for (size_t i = 0; i < report->count; i++)
        jv_push(list, result_json(&report->results[i]));
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

static struct jv *
limits_json(const struct drill_result *result)
{
    const struct drill_limits *limits = &result->limits;
    struct jv *value = jv_object();
    jv_set(value, "write_outage_s", seconds_or_null(limits->outage_s));
    jv_set(value, "write_pause_s", seconds_or_null(limits->pause_s));
    jv_set(value, "read_outage_s", seconds_or_null(limits->read_outage_s));
    jv_set_int(value, "lost", (long long) (limits->lost_s * DRILL_WRITES_PER_S));
    return value;
}

// Returns a list of begin and end; null when there was none.
static struct jv *
span_json(const struct drill_span *span)
{
    if (span->to_ms <= span->from_ms)
        return jv_null();
    struct jv *list = jv_array();
    jv_push(list, jv_real((double) span->from_ms / 1000));
    jv_push(list, jv_real((double) span->to_ms / 1000));
    return list;
}

static struct jv *
slots_json(const struct drill_result *result)
{
    struct jv *acked = jv_array(), *failed = jv_array(), *reads = jv_array(),
              *reads_failed = jv_array(), *lost = jv_array(), *value = jv_object();
    for (size_t i = 0; i < result->slot_count; i++) {
        const struct drill_slot *slot = &result->slots[i];
        jv_push(acked, jv_int(slot->acked));
        jv_push(failed, jv_int(slot->failed));
        jv_push(reads, jv_int(slot->reads));
        jv_push(reads_failed, jv_int(slot->reads_failed));
        jv_push(lost, jv_int(slot->lost));
    }
    jv_set(value, "acked", acked);
    jv_set(value, "failed", failed);
    jv_set(value, "reads", reads);
    jv_set(value, "reads_failed", reads_failed);
    jv_set(value, "lost", lost);
    return value;
}

// Returns what result_json has, and the data of the timelines. It cannot end the element that holds
// it: '<' is escaped.
static char *
page_data(const struct drill_report *report)
{
    JV_AUTO struct jv *data = jv_object();
    struct jv *drills = jv_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct drill_result *result = &report->results[i];
        struct jv *value = result_json(result);
        jv_set_string(value, "what", result->info->what);
        jv_set_string(value, "limit", result->info->limit);
        jv_set(value, "limits", limits_json(result));
        jv_set(value, "write_outage", span_json(&result->write_outage));
        jv_set(value, "read_outage", span_json(&result->read_outage));
        jv_set(value, "slot_s", jv_real(DRILL_SLOT_MS / 1000.0));
        jv_set(value, "slots", slots_json(result));
        jv_push(drills, value);
    }
    jv_set_string(data, "cluster", report->cluster);
    jv_set_string(data, "time", report->stamp);
    jv_set_string(data, "version", AIRBUILD_VERSION);
    jv_set(data, "drills", drills);
    FREE_AUTO char *text = jv_print(data, false);
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
