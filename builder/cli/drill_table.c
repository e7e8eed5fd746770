// drill_table.c - see drill_table.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/drill_table.h"

#include "base/cleanup.h"
#include "cli/message.h"
#include "cli/table.h"

#include <stdlib.h>

// ---- results --------------------------------------------------------------------------------------

static void
seconds_cell(struct table *table, double seconds, bool none)
{
    if (none)
        table_cell(table, COLOR_NONE, NULL);
    else
        table_cellf(table, COLOR_NONE, "%.2f s", seconds);
}

static void
add_lines(const struct drill_report *report, bool color, struct buf *text)
{
    TABLE_AUTO struct table table = {0};
    table_heads(&table, "DRILL", "VERDICT", "LOST", "NO WRITES", "LONGEST GAP", "NO READS",
        "PROMOTED", "CONVERGED", NULL);
    for (size_t i = 0; i < report->count; i++) {
        const struct drill_result *result = &report->results[i];
        table_row(&table);
        table_cell(&table, COLOR_BOLD, result->info->name);
        table_cell(&table,
            !result->behaved  ? COLOR_RED
            : result->in_time ? COLOR_GREEN
                              : COLOR_YELLOW,
            drill_result_word(result));
        table_cellf(&table, result->lost > 0 ? COLOR_RED : COLOR_NONE, "%llu of %llu", result->lost,
            result->acked);
        seconds_cell(&table, result->write_outage_s, result->write_outage_s <= 0);
        seconds_cell(&table, result->write_pause_s, false);
        seconds_cell(&table, result->read_outage_s, result->read_outage_s <= 0);
        seconds_cell(&table, result->promoted_s, result->promoted_s < 0);
        seconds_cell(&table, result->converged_s, result->converged_s < 0);
    }
    table_print(&table, 0, color, text);
}

// Adds the limits that were not met, and the counts.
static void
add_verdicts(const struct drill_report *report, bool color, struct buf *text)
{
    size_t passed = 0, slow = 0, failed = 0;
    for (size_t i = 0; i < report->count; i++) {
        const struct drill_result *result = &report->results[i];
        if (result->behaved && result->in_time) {
            passed++;
            continue;
        }
        FREE_AUTO char *verdict = text_clean(TEXT_LINES, result->verdict);
        buf_printf(text, "%s%s: %s\n", slow + failed == 0 ? "\n" : "", result->info->name, verdict);
        slow += result->behaved;
        failed += !result->behaved;
    }
    FREE_AUTO char *words =
        str_format("%zu passed, %zu too slow, %zu failed", passed, slow, failed);
    buf_add(text, "\n");
    message_paint(text, color,
        failed > 0 ? COLOR_RED
        : slow > 0 ? COLOR_YELLOW
                   : COLOR_GREEN,
        words);
    buf_add(text, "\n");
}

// ---- drills that ran more than once ---------------------------------------------------------------

static int
compare_numbers(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

// Adds "4.31 s (3.90 to 4.80)": median, minimum and maximum of values.
static void
spread_cell(struct table *table, double *values, size_t count)
{
    if (count == 0) {
        table_cell(table, COLOR_NONE, NULL);
        return;
    }
    qsort(values, count, sizeof *values, compare_numbers);
    double median = (values[(count - 1) / 2] + values[count / 2]) / 2;
    table_cellf(table, COLOR_NONE, "%.2f s (%.2f to %.2f)", median, values[0], values[count - 1]);
}

static void
add_spread(struct table *table, const struct drill_report *report, const struct drill_info *info)
{
    FREE_AUTO double *outage = mem_zero(report->count, sizeof *outage);
    FREE_AUTO double *promoted = mem_zero(report->count, sizeof *promoted);
    FREE_AUTO double *converged = mem_zero(report->count, sizeof *converged);
    size_t runs = 0, passed = 0, promotions = 0, convergences = 0;
    unsigned long long lost = 0;
    for (size_t i = 0; i < report->count; i++) {
        const struct drill_result *result = &report->results[i];
        if (result->info != info)
            continue;
        outage[runs++] = result->write_outage_s;
        passed += result->behaved && result->in_time;
        lost += result->lost;
        if (result->promoted_s >= 0)
            promoted[promotions++] = result->promoted_s;
        if (result->converged_s >= 0)
            converged[convergences++] = result->converged_s;
    }
    table_row(table);
    table_cell(table, COLOR_BOLD, info->name);
    table_cellf(table, passed < runs ? COLOR_YELLOW : COLOR_GREEN, "%zu of %zu", passed, runs);
    table_cellf(table, lost > 0 ? COLOR_RED : COLOR_NONE, "%llu", lost);
    spread_cell(table, outage, runs);
    spread_cell(table, promoted, promotions);
    spread_cell(table, converged, convergences);
}

static void
add_medians(const struct drill_report *report, bool color, struct buf *text)
{
    TABLE_AUTO struct table table = {0};
    bool again = false;
    table_heads(
        &table, "DRILL", "PASSED", "LOST", "NO WRITES: MEDIAN", "PROMOTED", "CONVERGED", NULL);
    for (size_t i = 0; i < report->count; i++) {
        const struct drill_info *info = report->results[i].info;
        size_t first = 0;
        while (report->results[first].info != info)
            first++;
        if (first == i)
            add_spread(&table, report, info);
        else
            again = true;
    }
    if (!again)
        return;
    buf_add(text, "\n");
    table_print(&table, 0, color, text);
}

void
drill_table(const struct drill_report *report, bool color, struct buf *text)
{
    add_lines(report, color, text);
    add_medians(report, color, text);
    add_verdicts(report, color, text);
}
