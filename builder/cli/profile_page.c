// profile_page.c - the profile of a launch as a page; see profile_show.h. Positions are percent, so
// that pictures fit any width while letters keep their size, and no script is needed.
// SPDX-License-Identifier: Apache-2.0
#include "base/asset.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "cli/profile_show.h"

#include <stdlib.h>
#include <string.h>

#define MARKS 8
#define UNITS_DRAWN 30 // of a node
#define BAR_MIN 0.15   // percent; what is shorter is drawn so that it can be seen

static const char *const phase_texts[PROFILE_PHASES] = {
    [PROFILE_FIRMWARE] = "firmware and boot loader",
    [PROFILE_KERNEL] = "kernel",
    [PROFILE_INITRD] = "initrd",
    [PROFILE_USERSPACE] = "userspace, until the server's unit begins",
    [PROFILE_SERVER] = "server, until it is ready",
    [PROFILE_CLUSTER] = "until the cluster has converged",
};

static double
percent(const struct profile *profile, double seconds)
{
    return seconds / profile->seconds * 100;
}

// ---- rows ------------------------------------------------------------------------------------------

// Adds the cell with the marks of the axis.
static void
add_axis_cell(const struct profile *profile, struct buf *html)
{
    double step = profile_step(profile->seconds, MARKS);
    buf_add(html, "<th class=\"plot\"><svg role=\"img\" aria-label=\"Time axis in seconds\">");
    for (unsigned i = 0; i * step <= profile->seconds; i++) {
        double at = percent(profile, i * step);
        const char *anchor = i == 0 ? "start" : at > 96 ? "end" : "middle";
        buf_printf(html, "<text x=\"%.2f%%\" y=\"15\" text-anchor=\"%s\">%.*f%s</text>", at, anchor,
            step < 1 ? 1 : 0, i * step, i == 0 ? " s" : "");
    }
    buf_add(html, "</svg></th>");
}

// The caller adds "</rect>".
static void
add_rect(const struct profile *profile, const char *class, double start_s, double took_s, int y,
    int height, struct buf *html)
{
    double x = percent(profile, start_s), width = percent(profile, took_s);
    width = width < BAR_MIN ? BAR_MIN : width;
    width = x + width > 100 ? 100 - x : width;
    buf_printf(html, "<rect class=\"%s\" x=\"%.2f%%\" y=\"%d\" width=\"%.2f%%\" height=\"%d\">",
        class, x, y, width, height);
}

static void
add_phase_cell(const struct profile *profile, const struct profile_node *node, struct buf *html)
{
    double last_s = node->start_s;
    buf_printf(html, "<td class=\"plot\"><svg role=\"img\" aria-label=\"Started at %.1f s\">",
        node->start_s);
    for (size_t i = 0; i < PROFILE_PHASES; i++) {
        double took_s = node->ends_s[i] - last_s;
        if (took_s > 0) {
            add_rect(profile, profile_phases[i], last_s, took_s, 4, 14, html);
            buf_printf(html, "<title>%s: %.1f s, from %.1f s to %.1f s</title></rect>",
                phase_texts[i], took_s, last_s, node->ends_s[i]);
        }
        last_s = node->ends_s[i];
    }
    buf_add(html, "</svg></td>");
}

static void
add_unit(const struct profile *profile, const struct profile_unit *unit, struct buf *html)
{
    FREE_AUTO char *name = text_escape(unit->name);
    FREE_AUTO char *cpu = unit->cpu_s < 0 ? str_dup("–") : str_format("%.1f", unit->cpu_s);
    FREE_AUTO char *title = str_format("%s: began at %.1f s, activated for %.1f s, CPU seconds: %s",
        name, unit->start_s, unit->took_s, cpu);
    buf_printf(html,
        "<tr><th scope=\"row\" class=\"name\">%s</th><td class=\"number\">%.1f</td>"
        "<td class=\"number\">%.1f</td><td class=\"number\">%s</td><td class=\"plot\">"
        "<svg role=\"img\"><title>%s</title>",
        name, unit->start_s, unit->took_s, cpu, title);
    add_rect(profile, "unit", unit->start_s, unit->took_s, 4, 10, html);
    buf_add(html, "</rect>");
    if (unit->cpu_s > 0) {
        add_rect(profile, "cpu", unit->start_s, unit->cpu_s, 15, 3, html);
        buf_add(html, "</rect>");
    }
    buf_add(html, "</svg></td></tr>\n");
}

// ---- sections --------------------------------------------------------------------------------------

// Adds the legend; with a node, how long each of its phases took.
static void
add_legend(const struct profile_node *node, struct buf *html)
{
    double last_s = node != NULL ? node->start_s : 0;
    buf_add(html, "<ul class=\"phases\">");
    for (size_t i = 0; i < PROFILE_PHASES; i++) {
        double took_s = node != NULL ? node->ends_s[i] - last_s : 0;
        last_s += took_s;
        if (node == NULL)
            buf_printf(html, "<li><i class=\"%s\"></i>%s</li>", profile_phases[i], phase_texts[i]);
        else if (took_s > 0)
            buf_printf(html, "<li><i class=\"%s\"></i>%s <b>%.1f s</b></li>", profile_phases[i],
                profile_phases[i], took_s);
    }
    if (node != NULL)
        buf_add(html, "<li><i class=\"unit\"></i>activation of a unit</li>"
                      "<li><i class=\"cpu\"></i>its CPU seconds</li>");
    buf_add(html, "</ul>\n");
}

static void
add_overview(const struct profile *profile, struct buf *html)
{
    buf_add(html, "<section><h2>Nodes</h2>\n");
    add_legend(NULL, html);
    buf_add(html, "<table><thead><tr><th class=\"name wide\">Node</th>");
    add_axis_cell(profile, html);
    buf_add(html, "</tr></thead>\n<tbody class=\"rows\">\n");
    for (size_t i = 0; i < profile->count; i++) {
        const struct profile_node *node = &profile->nodes[i];
        FREE_AUTO char *name = text_escape(node->name), *why = text_escape(node->missing);
        buf_printf(html, "<tr><th scope=\"row\" class=\"name wide\">");
        if (node->missing != NULL) {
            buf_printf(html, "%s</th><td class=\"wide\">no profile: %s</td></tr>\n", name, why);
            continue;
        }
        buf_printf(html, "<a href=\"#%s\">%s</a></th>", name, name);
        add_phase_cell(profile, node, html);
        buf_add(html, "</tr>\n");
    }
    buf_add(html, "</tbody></table></section>\n");
}

static int
compare_starts(const void *a, const void *b)
{
    const struct profile_unit *const *one = a, *const *other = b;
    double difference = (*one)->start_s - (*other)->start_s;
    return difference > 0 ? 1 : difference < 0 ? -1 : strcmp((*one)->name, (*other)->name);
}

// The heaviest units, in the order in which they began.
static void
add_node_section(const struct profile *profile, const struct profile_node *node, struct buf *html)
{
    size_t count = node->unit_count < UNITS_DRAWN ? node->unit_count : UNITS_DRAWN;
    FREE_AUTO const struct profile_unit **units = mem_zero(count, sizeof *units);
    FREE_AUTO char *name = text_escape(node->name);
    for (size_t i = 0; i < count; i++)
        units[i] = &node->units[i];
    qsort(units, count, sizeof *units, compare_starts);
    buf_printf(html, "<section id=\"%s\"><h2>%s <span class=\"dim\">%s</span></h2>\n", name, name,
        spec_roles[node->role]);
    add_legend(node, html);
    buf_add(html, "<table><thead><tr><th class=\"name\">Unit</th><th class=\"number\">Start</th>"
                  "<th class=\"number\">Took</th><th class=\"number\">CPU</th>");
    add_axis_cell(profile, html);
    buf_add(html,
        "</tr></thead>\n<tbody class=\"rows\">\n<tr><th scope=\"row\" class=\"name wide\" "
        "colspan=\"4\">whole boot</th>");
    add_phase_cell(profile, node, html);
    buf_add(html, "</tr>\n");
    for (size_t i = 0; i < count; i++)
        add_unit(profile, units[i], html);
    buf_add(html, "</tbody></table></section>\n");
}

// ---- the page --------------------------------------------------------------------------------------

int
profile_page(const struct profile *profile, const char *cluster, const char *stamp, bool tcg,
    char **ret, struct error *err)
{
    BUF_AUTO struct buf body = {0};
    FREE_AUTO char *name = text_escape(cluster), *time = text_escape(stamp);
    FREE_AUTO char *title = str_format("Boot of cluster %s", name);
    FREE_AUTO char *step =
        str_format("%.4f", percent(profile, profile_step(profile->seconds, MARKS)));
    buf_printf(&body,
        "<header><h1>%s</h1><p class=\"dim\">%s, airbuild " AIRBUILD_VERSION ", %s. Converged "
        "after %.1f s. All times are seconds since the first node was started.</p></header>\n",
        title, time, tcg ? "without KVM" : "with KVM", profile->seconds);
    add_overview(profile, &body);
    for (size_t i = 0; i < profile->count; i++)
        if (profile->nodes[i].missing == NULL)
            add_node_section(profile, &profile->nodes[i], &body);
    const struct asset_slot slots[] = {{"@TITLE@", title}, {"@STEP@", step}, {"@BODY@", body.data}};
    return asset_fill(PROFILE_PAGE, slots, sizeof slots / sizeof *slots, ret, err);
}
