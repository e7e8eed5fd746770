// report_html.c - drills as one page to look at: what passed, and a card with a picture for each.
// The picture is report_chart.c's.
// SPDX-License-Identifier: Apache-2.0
#include "cli/markup.h"
#include "cli/report.h"

static const char style[] =
    ":root{color-scheme:light dark;--page:#f6f5f2;--card:#fff;--ink:#1d2329;--dim:#667078;"
    "--line:#e2e0da;--acked:#2a9d8f;--failed:#d1495b;--reads:#5b7fb9;--fault:#c1121f;"
    "--heal:#2b7a3d;--role:#7a4fb5;--note:#a06a00;--good:#1d7a46;--goodbg:#dff3e6;--slow:#8a5a00;"
    "--slowbg:#fdf0d2;--bad:#a8172b;--badbg:#fbdfe2}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#14171a;--card:#1d2125;--ink:#e6e8ea;"
    "--dim:#98a2aa;--line:#32383e;--acked:#3fc1b0;--failed:#f0697c;--reads:#86a9e0;"
    "--fault:#ff6b75;--heal:#6fcf8b;--role:#bd9bf0;--note:#e0b050;--good:#7fdca2;--goodbg:#173425;"
    "--slow:#f0c66b;--slowbg:#3a2d10;--bad:#ff8a96;--badbg:#42181e}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\n"
    "main{max-width:1040px;margin:0 auto;padding:32px 20px 64px}h1{font-size:28px;margin:0}"
    "h2{font-size:19px;margin:0}p{margin:4px "
    "0}.dim{color:var(--dim)}.what::first-letter{text-transform:uppercase}a{color:inherit}\n"
    "section{background:var(--card);border:1px solid var(--line);border-radius:12px;"
    "padding:20px 22px;margin-top:20px}.title{display:flex;align-items:center;gap:12px}\n"
    ".word{font-size:12px;font-weight:700;letter-spacing:.04em;padding:2px 9px;border-radius:99px}"
    ".PASS{color:var(--good);background:var(--goodbg)}.SLOW{color:var(--slow);"
    "background:var(--slowbg)}.FAIL{color:var(--bad);background:var(--badbg)}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}th{font-size:12px;font-weight:600;color:var(--dim);"
    "text-align:right;padding:4px 10px}td{text-align:right;padding:6px 10px;"
    "border-top:1px solid var(--line)}th:first-child,td:first-child{text-align:left;"
    "padding-left:0}.spark{width:120px;height:22px;"
    "display:block;margin-left:auto}.some{color:var(--bad)}\n"
    ".why{border-left:3px solid var(--slow);padding-left:10px;margin:10px 0}"
    ".FAILwhy{border-color:var(--bad)}dl{display:grid;"
    "grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:6px 16px;margin:14px 0}"
    "dt{font-size:12px;color:var(--dim)}dd{margin:0;font-size:20px;font-weight:600;"
    "font-variant-numeric:tabular-nums}dd small{display:block;font-size:12px;font-weight:400;"
    "color:var(--dim)}\n"
    "svg{display:block;width:100%;height:auto}svg text{font-size:11px;fill:var(--dim)}"
    ".grid{stroke:var(--line);fill:none}.ground{stroke:var(--dim);fill:none;opacity:.6}"
    ".acked{fill:var(--acked);fill-opacity:.28}.ackedline{stroke:var(--acked);stroke-width:1.3;"
    "fill:none}.failed{fill:var(--failed);fill-opacity:.85}.lost{fill:var(--ink)}.reads{stroke:var("
    "--reads);"
    "stroke-width:1;fill:none;opacity:.9}.outage{fill:var(--failed);fill-opacity:.11}"
    "svg "
    ".gap{fill:var(--failed);font-weight:600;paint-order:stroke;stroke:var(--card);stroke-width:"
    "3px;"
    "stroke-opacity:.7}\n"
    "g path{fill:none;stroke-width:1.2}g text{paint-order:stroke;stroke:var(--card);"
    "stroke-width:3px;font-weight:500}.fault path{stroke:var(--fault)}"
    "svg .fault text{fill:var(--fault)}.heal path{stroke:var(--heal)}"
    "svg .heal text{fill:var(--heal)}.role path{stroke:var(--role);stroke-dasharray:4 3}"
    "svg .role text{fill:var(--role)}.converged path{stroke:var(--heal);stroke-dasharray:1 3}"
    "svg .converged text{fill:var(--heal)}.note path{stroke:var(--note);stroke-dasharray:1 3}"
    "svg .note text{fill:var(--note)}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:12px;color:var(--dim);"
    "margin-top:6px}.legend i{display:inline-block;width:14px;height:10px;border-radius:2px;"
    "margin-right:6px}details{margin-top:10px;font-size:13px;color:var(--dim)}"
    "summary{cursor:pointer}ol{list-style:none;margin:6px 0 0;padding:0;"
    "font-variant-numeric:tabular-nums}li span{display:inline-block;min-width:76px;"
    "text-align:right;padding-right:12px}\n"
    "@media print{section{break-inside:avoid}}\n";

static void
add_word(const struct drill_result *result, struct buf *html)
{
    const char *word = report_word(result);
    buf_printf(html, "<span class=\"word %s\">%s</span>", word, word);
}

// "4.31 s", or a dash.
static void
add_seconds(struct buf *html, double seconds, bool none)
{
    if (none)
        buf_add(html, "–");
    else
        buf_printf(html, "%.2f s", seconds);
}

// "12 345", with narrow spaces.
static void
add_grouped_number(struct buf *html, unsigned long long count)
{
    if (count >= 1000) {
        add_grouped_number(html, count / 1000);
        buf_printf(html, "\u202f%03llu", count % 1000);
    } else {
        buf_printf(html, "%llu", count);
    }
}

// ---- the summary ----------------------------------------------------------------------------------

static void
add_summary_row(const struct drill_result *result, size_t index, struct buf *html)
{
    buf_printf(html, "<tr><td><a href=\"#d%zu\">", index + 1);
    markup_text(html, result->info->name);
    buf_add(html, "</a></td><td>");
    add_word(result, html);
    buf_add(html, "</td><td>");
    add_grouped_number(html, result->acked);
    buf_printf(html, "</td><td%s>", result->lost > 0 ? " class=\"some\"" : "");
    add_grouped_number(html, result->lost);
    buf_add(html, "</td><td>");
    add_seconds(html, result->write_outage_s, result->write_outage_s <= 0);
    buf_add(html, "</td><td>");
    add_seconds(html, result->read_outage_s, result->read_outage_s <= 0);
    buf_add(html, "</td><td>");
    add_seconds(html, result->promoted_s, result->promoted_s < 0);
    buf_add(html, "</td><td>");
    add_seconds(html, result->converged_s, result->converged_s < 0);
    buf_add(html, "</td><td>");
    report_spark(result, html);
    buf_add(html, "</td></tr>\n");
}

static void
add_summary(const struct report *report, struct buf *html)
{
    size_t passed = 0, failed = 0;
    unsigned long long acked = 0, lost = 0;
    for (size_t i = 0; i < report->count; i++) {
        passed += report->results[i].behaved && report->results[i].in_time;
        failed += !report->results[i].behaved;
        acked += report->results[i].acked;
        lost += report->results[i].lost;
    }
    buf_add(html, "<h1>Drills of cluster ");
    markup_text(html, report->cluster);
    buf_add(html, "</h1>\n<p class=\"dim\">");
    markup_text(html, report->stamp);
    buf_printf(html, " · %zu drills: %zu passed, %zu too slow, %zu failed · ", report->count,
        passed, report->count - passed - failed, failed);
    add_grouped_number(html, acked);
    buf_add(html, " writes acknowledged, ");
    add_grouped_number(html, lost);
    buf_add(html, " of them lost</p>\n");
    buf_add(html, "<section class=\"scroll\"><table>\n<tr><th>drill</th><th>verdict</th>"
                  "<th>acknowledged</th><th>lost</th><th>no writes</th><th>no reads</th>"
                  "<th>new master</th><th>converged</th><th>writes</th></tr>\n");
    for (size_t i = 0; i < report->count; i++)
        add_summary_row(&report->results[i], i, html);
    buf_add(html, "</table></section>\n");
}

// ---- a card ---------------------------------------------------------------------------------------

static void
add_figures(const struct drill_result *result, struct buf *html)
{
    buf_printf(
        html, "<dl><div><dt>writes lost</dt><dd%s>", result->lost > 0 ? " class=\"some\"" : "");
    add_grouped_number(html, result->lost);
    buf_add(html, "<small>of ");
    add_grouped_number(html, result->acked);
    buf_add(html, " acknowledged</small></dd></div><div><dt>no writes for</dt><dd>");
    add_seconds(html, result->write_outage_s, result->write_outage_s <= 0);
    buf_printf(html, "<small>longest gap %.2f s; before, %.2f s</small></dd></div>",
        result->write_pause_s, result->noise_s);
    buf_add(html, "<div><dt>no reads for</dt><dd>");
    add_seconds(html, result->read_outage_s, result->read_outage_s <= 0);
    buf_add(html, "</dd></div><div><dt>new master after</dt><dd>");
    add_seconds(html, result->promoted_s, result->promoted_s < 0);
    buf_add(html, "</dd></div><div><dt>converged after</dt><dd>");
    add_seconds(html, result->converged_s, result->converged_s < 0);
    buf_add(html, "</dd></div><div><dt>two masters</dt><dd>");
    if (result->two_masters == 0)
        buf_add(html, "never");
    else
        buf_printf(
            html, "%.1f s<small>at %u looks</small>", result->two_masters_s, result->two_masters);
    buf_add(html, "</dd></div></dl>\n");
}

static void
add_events(const struct drill_result *result, struct buf *html)
{
    buf_add(html, "<details><summary>What happened</summary><ol>\n");
    for (size_t i = 0; i < result->event_count; i++) {
        buf_printf(html, "<li><span>%.1f s</span>",
            (double) (result->events[i].at_ms - result->fault_ms) / 1000);
        markup_text(html, result->events[i].text);
        buf_add(html, "</li>\n");
    }
    buf_add(html, "</ol></details>\n");
}

static void
add_legend(const struct drill_result *result, struct buf *html)
{
    const char *lost = result->lost == 0 ? ""
                                         : "<span><i style=\"background:var(--ink)\"></i>"
                                           "acknowledged and lost</span>";
    buf_printf(html,
        "<div class=\"legend\"><span><i style=\"background:var(--acked);opacity:.6\"></i>writes "
        "acknowledged a second</span>%s<span><i style=\"background:var(--failed)\"></i>attempts "
        "that "
        "failed</span><span><i style=\"background:var(--reads);height:2px;vertical-align:4px\">"
        "</i>reads a second</span><span>seconds are counted from the fault</span></div>\n",
        lost);
}

static void
add_card(const struct drill_result *result, size_t index, struct buf *html)
{
    buf_printf(html, "<section id=\"d%zu\"><div class=\"title\"><h2>", index + 1);
    markup_text(html, result->info->name);
    buf_add(html, "</h2>");
    add_word(result, html);
    buf_add(html, "</div>\n<p class=\"what\">");
    markup_text(html, result->info->what);
    buf_add(html, ". <span class=\"dim\">What must hold: ");
    markup_text(html, result->info->limit);
    buf_add(html, ".</span></p>\n");
    if (!result->behaved || !result->in_time) {
        buf_printf(html, "<p class=\"why %swhy\">", report_word(result));
        markup_text(html, result->verdict);
        buf_add(html, "</p>\n");
    }
    add_figures(result, html);
    report_chart(result, html);
    add_legend(result, html);
    add_events(result, html);
    buf_add(html, "</section>\n");
}

char *
report_html(const struct report *report)
{
    struct buf html = {0};
    buf_add(&html, "<!DOCTYPE html>\n<html lang=\"en\">\n"
                   "<head><meta charset=\"utf-8\"/><meta name=\"viewport\" "
                   "content=\"width=device-width, initial-scale=1\"/><title>Drills of cluster ");
    markup_text(&html, report->cluster);
    buf_printf(&html, "</title><style>\n%s</style></head>\n<body><main>\n", style);
    add_summary(report, &html);
    for (size_t i = 0; i < report->count; i++)
        add_card(&report->results[i], i, &html);
    buf_add(&html, "<p class=\"dim\">airbuild " AIRBUILD_VERSION "</p>\n</main></body></html>\n");
    return buf_take(&html);
}
