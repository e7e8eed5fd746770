// report_junit.c - drills as JUnit's XML, as CI machines read it.
// SPDX-License-Identifier: Apache-2.0
#include "cli/markup.h"
#include "cli/report.h"

static bool
is_failure(const struct drill_result *result, bool strict)
{
    return !result->behaved || (strict && !result->in_time);
}

static void
add_case(const struct drill_result *result, bool strict, struct buf *xml)
{
    buf_add(xml, "  <testcase classname=\"drill\" name=\"");
    markup_text(xml, result->info->name);
    buf_printf(xml, "\" time=\"%.1f\">\n", (double) result->slot_count * DRILL_SLOT_MS / 1000);
    if (is_failure(result, strict)) {
        buf_add(xml, "    <failure message=\"");
        markup_text(xml, result->verdict);
        buf_add(xml, "\"/>\n");
    }
    buf_add(xml, "    <system-out>");
    markup_text(xml, result->info->what);
    buf_printf(xml,
        ": %llu writes acknowledged, %llu lost; write outage %.2f s, read outage %.2f s; ",
        result->acked, result->lost, result->write_outage_s, result->read_outage_s);
    markup_text(xml, result->verdict);
    buf_add(xml, "\n");
    for (size_t i = 0; i < result->event_count; i++) {
        buf_printf(xml, "%8.1f s  ", (double) (result->events[i].at_ms - result->fault_ms) / 1000);
        markup_text(xml, result->events[i].text);
        buf_add(xml, "\n");
    }
    buf_add(xml, "    </system-out>\n  </testcase>\n");
}

char *
report_junit(const struct report *report, bool strict)
{
    struct buf xml = {0};
    size_t failures = 0, slots = 0;
    for (size_t i = 0; i < report->count; i++) {
        failures += is_failure(&report->results[i], strict);
        slots += report->results[i].slot_count;
    }
    buf_add(&xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"drills of ");
    markup_text(&xml, report->cluster);
    buf_add(&xml, "\" timestamp=\"");
    markup_text(&xml, report->stamp);
    buf_printf(&xml, "\" tests=\"%zu\" failures=\"%zu\" time=\"%.1f\">\n", report->count, failures,
        (double) slots * DRILL_SLOT_MS / 1000);
    for (size_t i = 0; i < report->count; i++)
        add_case(&report->results[i], strict, &xml);
    buf_add(&xml, "</testsuite>\n");
    return buf_take(&xml);
}
