// report_chart.c - the picture of a drill as SVG: acknowledged writes a second as an area, attempts
// that failed in another colour, reads as a thin line, the outage shaded, and what happened as
// labelled marks. Colours are classes of the page's style.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "cli/markup.h"
#include "cli/report.h"
#include "cli/report_marks.h"

#include <math.h>
#include <stdlib.h>

#define WIDTH 960
#define LEFT 44 // room for the numbers of the axis
#define RIGHT 12
#define PLOT 150  // height of the plot itself
#define BOTTOM 34 // room for the seconds
#define STEPS 460 // at most so many points in time
#define TICKS 12  // at most so many numbers on the axis of time
#define GRIDS 4   // at most so many lines across

struct chart {
    const struct drill_result *result;
    struct buf *html;
    size_t slots, per; // slots shown; slots a point
    double per_ms;     // units a millisecond
    int top, base;     // of the plot
    double most;       // a second, at the top
};

// ---- from slots to points -------------------------------------------------------------------------

enum series { ACKED, FAILED, READS, LOST };

static unsigned
series_value(const struct drill_slot *slot, enum series series)
{
    switch (series) {
    case ACKED:
        return slot->acked;
    case FAILED:
        return slot->failed + slot->reads_failed;
    case READS:
        return slot->reads;
    case LOST:
        return slot->lost;
    }
    return 0;
}

// A second, as the mean of the slots of one point.
static double
rate_at(const struct chart *chart, enum series series, size_t point)
{
    size_t from = point * chart->per, to = from + chart->per;
    double sum = 0;
    to = to < chart->slots ? to : chart->slots;
    for (size_t i = from; i < to; i++)
        sum += series_value(&chart->result->slots[i], series);
    return sum / (double) (to - from) * 1000 / DRILL_SLOT_MS;
}

static size_t
point_count(const struct chart *chart)
{
    return (chart->slots + chart->per - 1) / chart->per;
}

// Half more than the usual rate of writes: what comes in a burst after a stall is cut off at the
// top, and does not press all else to the ground.
static double
most_of(const struct chart *chart)
{
    size_t points = point_count(chart), count = 0;
    FREE_AUTO double *rates = mem_zero(points, sizeof *rates);
    for (size_t i = 0; i < points; i++)
        if (rate_at(chart, ACKED, i) > 0)
            rates[count++] = rate_at(chart, ACKED, i);
    qsort(rates, count, sizeof *rates, report_compare_numbers);
    return count > 0 ? rates[count / 2] * 1.4 : 100;
}

// The smallest of 1, 2, 5, 10, 20, ... that makes at most count steps of all.
static double
step_for(double all, unsigned count)
{
    static const double firsts[] = {1, 2, 5};
    for (double ten = 1;; ten *= 10)
        for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++)
            if (firsts[i] * ten * count >= all)
                return firsts[i] * ten;
}

// The next line of the grid above.
static double
top_of(double most)
{
    double step = step_for(most, GRIDS), top = step;
    while (top < most)
        top += step;
    return top;
}

static double
x_of(const struct chart *chart, int64_t at_ms)
{
    return LEFT + (double) at_ms * chart->per_ms;
}

static double
y_of(const struct chart *chart, double rate)
{
    return chart->base - fmin(rate / chart->most, 1) * PLOT;
}

// ---- parts of the picture ---------------------------------------------------------------------------

static double
point_x(const struct chart *chart, size_t point)
{
    size_t slot = point * chart->per < chart->slots ? point * chart->per : chart->slots;
    return x_of(chart, (int64_t) slot * DRILL_SLOT_MS);
}

// Steps, each as wide as its point: nothing is made smoother than it was.
static void
add_chart_steps(const struct chart *chart, enum series series)
{
    for (size_t i = 0; i < point_count(chart); i++)
        buf_printf(chart->html, "%s%.1fH%.1f", i == 0 ? "" : "V",
            y_of(chart, rate_at(chart, series, i)), point_x(chart, i + 1));
}

static void
add_area(const struct chart *chart, enum series series, const char *class)
{
    buf_printf(chart->html, "<path class=\"%s\" d=\"M%d %dV", class, LEFT, chart->base);
    add_chart_steps(chart, series);
    buf_printf(chart->html, "V%dZ\"/>\n", chart->base);
}

static void
add_chart_line(const struct chart *chart, enum series series, const char *class)
{
    buf_printf(chart->html, "<path class=\"%s\" d=\"M%d ", class, LEFT);
    add_chart_steps(chart, series);
    buf_add(chart->html, "\"/>\n");
}

static void
add_grid(const struct chart *chart)
{
    double step = step_for(chart->most, GRIDS);
    for (double rate = 0; rate <= chart->most; rate += step) {
        double y = y_of(chart, rate);
        buf_printf(chart->html,
            "<path class=\"%s\" d=\"M%d %.1fH%d\"/><text class=\"axis\" x=\"%d\" y=\"%.1f\" "
            "text-anchor=\"end\">%.0f%s</text>\n",
            rate > 0 ? "grid" : "ground", LEFT, y, WIDTH - RIGHT, LEFT - 6, y + 4, rate,
            rate + step > chart->most ? "/s" : "");
    }
}

// Seconds, counted from the fault.
static void
add_time(const struct chart *chart)
{
    double all = (double) chart->slots * DRILL_SLOT_MS / 1000;
    double fault = (double) chart->result->fault_ms / 1000, step = step_for(all, TICKS);
    double first = -(double) (long long) (fault / step) * step;
    for (double at = first; at + fault <= all; at += step) {
        double x = x_of(chart, (int64_t) ((at + fault) * 1000));
        buf_printf(chart->html,
            "<path class=\"ground\" d=\"M%.1f %dv4\"/><text class=\"axis\" x=\"%.1f\" y=\"%d\" "
            "text-anchor=\"middle\">%s%.0f%s</text>\n",
            x, chart->base, x, chart->base + 18, at < -step / 2 ? "−" : "", at < 0 ? -at : at,
            at + step + fault > all ? " s" : "");
    }
}

static void
add_outage(const struct chart *chart)
{
    const struct drill_span *span = &chart->result->write_outage;
    if (span->to_ms <= span->from_ms)
        return;
    double x = x_of(chart, span->from_ms), width = x_of(chart, span->to_ms) - x;
    buf_printf(chart->html,
        "<rect class=\"outage\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>", x, chart->top,
        width, PLOT);
    double seconds = chart->result->write_outage_s;
    double middle = x + width / 2;
    bool left = x + width > WIDTH - 120;
    if (width > 56) // of the text
        buf_printf(chart->html,
            "<text class=\"gap\" y=\"%d\" text-anchor=\"middle\"><tspan x=\"%.1f\">no "
            "writes</tspan><tspan x=\"%.1f\" dy=\"14\">%.2f s</tspan></text>\n",
            chart->top + PLOT / 2, middle, middle, seconds);
    else
        buf_printf(chart->html,
            "<text class=\"gap\" x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">no writes: %.2f s</text>\n",
            left ? x - 5 : x + width + 5, chart->top + 14, left ? "end" : "start", seconds);
}

static void
add_mark(const struct chart *chart, const struct report_mark *mark)
{
    double x = x_of(chart, mark->at_ms);
    double y = mark->row * REPORT_ROW + REPORT_ROW - 4;
    buf_printf(chart->html, "<g class=\"%s\"><title>%.1f s: ", mark->class,
        (double) (mark->at_ms - chart->result->fault_ms) / 1000);
    markup_text(chart->html, mark->text);
    buf_printf(chart->html, "</title><path d=\"M%.1f %.1fV%d\"/>", x,
        mark->row >= 0 ? y - 8 : (double) chart->top, chart->base);
    if (mark->row >= 0) {
        buf_printf(chart->html, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">",
            mark->left ? x - 4 : x + 4, y, mark->left ? "end" : "start");
        markup_text(chart->html, mark->text);
        buf_add(chart->html, "</text>");
    }
    buf_add(chart->html, "</g>\n");
}

// ---- the picture ------------------------------------------------------------------------------------

// The last slot is not whole.
static void
chart_fill(struct chart *chart, const struct drill_result *result, struct buf *html, size_t steps)
{
    *chart = (struct chart){.result = result, .html = html};
    chart->slots = result->slot_count > 1 ? result->slot_count - 1 : result->slot_count;
    chart->per = (chart->slots + steps - 1) / steps;
    if (chart->slots > 0)
        chart->most = most_of(chart);
}

void
report_chart(const struct drill_result *result, struct buf *html)
{
    struct chart chart;
    chart_fill(&chart, result, html, STEPS);
    if (chart.slots == 0)
        return;
    chart.per_ms = (double) (WIDTH - LEFT - RIGHT) / (double) (chart.slots * DRILL_SLOT_MS);
    REPORT_MARKS_AUTO struct report_marks marks = {0};
    report_marks_place(&marks, result, LEFT, WIDTH - RIGHT, chart.per_ms);
    chart.top = (int) marks.rows * REPORT_ROW + 6;
    chart.base = chart.top + PLOT;
    chart.most = top_of(chart.most);
    buf_printf(html, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH,
        chart.base + BOTTOM - 10);
    markup_text(html, result->info->what);
    buf_printf(html, ": no writes for %.2f s\">\n", result->write_outage_s);
    add_grid(&chart);
    add_time(&chart);
    add_outage(&chart);
    add_area(&chart, ACKED, "acked");
    add_chart_line(&chart, ACKED, "ackedline");
    if (result->lost > 0)
        add_area(&chart, LOST, "lost");
    add_area(&chart, FAILED, "failed");
    add_chart_line(&chart, READS, "reads");
    for (size_t i = 0; i < marks.count; i++)
        add_mark(&chart, &marks.items[i]);
    buf_add(html, "</svg>\n");
}

#define SPARK_WIDTH 120
#define SPARK_HEIGHT 22

void
report_spark(const struct drill_result *result, struct buf *html)
{
    struct chart chart;
    chart_fill(&chart, result, html, SPARK_WIDTH / 2);
    if (chart.slots == 0)
        return;
    double wide = (double) SPARK_WIDTH / (double) point_count(&chart);
    buf_printf(html,
        "<svg class=\"spark\" viewBox=\"0 0 %d %d\" aria-hidden=\"true\">"
        "<path class=\"acked\" d=\"M0 %dV",
        SPARK_WIDTH, SPARK_HEIGHT, SPARK_HEIGHT);
    for (size_t i = 0; i < point_count(&chart); i++)
        buf_printf(html, "%s%.1fH%.1f", i == 0 ? "" : "V",
            SPARK_HEIGHT * (1 - fmin(rate_at(&chart, ACKED, i) / chart.most, 1)),
            (double) (i + 1) * wide);
    buf_printf(html, "V%dZ\"/></svg>", SPARK_HEIGHT);
}
