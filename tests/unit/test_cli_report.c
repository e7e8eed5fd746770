// test_cli_report.c - what drills measured as a page, as JUnit's XML, as JSON and as a table:
// golden files, hostile text, well-formed XML, marks that cover each other nowhere.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "cli/markup.h"
#include "cli/report.h"
#include "cli/report_marks.h"

#include <libxml/parser.h>

#define GOLDEN "tests/golden/report/"

// ---- results as drills leave them ------------------------------------------------------------------

static void
add_event(struct drill_result *result, int64_t at_ms, enum drill_event_kind kind, const char *text)
{
    size_t capacity = result->event_count;
    mem_grow(&result->events, &capacity, result->event_count + 1, sizeof *result->events);
    result->events[result->event_count++] =
        (struct drill_event){.at_ms = at_ms, .kind = kind, .text = str_dup(text)};
}

// 250 writes and 100 reads a second, but for no writes in from..to, where attempts fail.
static void
fill_slots(struct drill_result *result, size_t count, size_t from, size_t to)
{
    result->slot_count = count;
    result->slots = mem_zero(count, sizeof *result->slots);
    for (size_t i = 0; i < count; i++) {
        bool out = i >= from && i < to;
        result->slots[i] = (struct drill_slot){
            .acked = out ? 0 : 24 + (unsigned) (i % 3),
            .failed = out ? 4 : 0,
            .reads = out ? 9 : 10,
        };
    }
}

static void
master_off(struct drill_result *result)
{
    *result = (struct drill_result){.info = drill_find("master-off"),
        .acked = 11203,
        .write_outage_s = 4.31,
        .write_pause_s = 4.35,
        .read_outage_s = 0.4,
        .noise_s = 0.04,
        .promoted_s = 2.84,
        .converged_s = 21.7,
        .behaved = true,
        .in_time = true,
        .verdict = str_dup("PASS"),
        .fault_ms = 5020,
        .write_outage = {5010, 9320},
        .read_outage = {5100, 5500}};
    fill_slots(result, 421, 50, 93);
    add_event(result, 120, DRILL_ROLE, "work11 is master");
    add_event(result, 5040, DRILL_FAULT, "work11: power pulled");
    add_event(result, 7860, DRILL_ROLE, "work12 is master");
    add_event(result, 13100, DRILL_HEAL, "work11: started");
    add_event(result, 34800, DRILL_CONVERGED, "converged");
}

static void
half_cut(struct drill_result *result)
{
    *result = (struct drill_result){.info = drill_find("master-half-cut"),
        .acked = 9000,
        .lost = 1204,
        .write_outage_s = 1.2,
        .write_pause_s = 1.21,
        .noise_s = 0.03,
        .promoted_s = -1,
        .converged_s = -1,
        .two_masters = 7,
        .two_masters_s = 1.4,
        .verdict = str_dup("1204 of 9000 acknowledged writes lost; it did not converge again"),
        .fault_ms = 5000,
        .write_outage = {8000, 9200}};
    fill_slots(result, 300, 80, 92);
    for (size_t i = 51; i < 80; i++)
        result->slots[i].lost = result->slots[i].acked;
    add_event(result, 5000, DRILL_FAULT, "work11: cut off from the other workers");
    add_event(result, 8100, DRILL_NOTE, "2 workers take writes");
}

static void
quiet(struct drill_result *result)
{
    *result = (struct drill_result){.info = drill_find("sentinel-kill"),
        .acked = 15000,
        .write_pause_s = 0.31,
        .noise_s = 0.02,
        .promoted_s = -1,
        .converged_s = 30.5,
        .behaved = true,
        .verdict = str_dup("write gap 0.31 s, limit 0.1 s beyond the noise of 0.02 s"),
        .fault_ms = 5000};
    fill_slots(result, 600, 0, 0);
    add_event(result, 5000, DRILL_FAULT, "work13: power pulled");
    add_event(result, 5300, DRILL_FAULT, "work13: new seed");
    add_event(result, 5600, DRILL_HEAL, "work13: started");
    add_event(result, 36100, DRILL_CONVERGED, "converged");
}

struct fixture {
    struct drill_result results[3];
    struct report report;
};

static int
setup(void **state)
{
    struct fixture *fixture = mem_zero(1, sizeof *fixture);
    master_off(&fixture->results[0]);
    half_cut(&fixture->results[1]);
    quiet(&fixture->results[2]);
    fixture->report = (struct report){"air", "2026-11-22T17:41:20Z", fixture->results, 3};
    *state = fixture;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < 3; i++)
        drill_result_free(&fixture->results[i]);
    free(fixture);
    return 0;
}

// ---- documents -------------------------------------------------------------------------------------

static void
assert_golden(const char *path, const char *text)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *golden = NULL;
    if (getenv("AIRBUILD_REGENERATE") != NULL)
        assert_ok(file_write(path, 0644, text, strlen(text), &err), &err);
    assert_ok(file_read(path, 1 << 20, &golden, NULL, &err), &err);
    assert_string_equal(golden, text);
}

static void
ignore(void *context, const char *format, ...)
{
    (void) context;
    (void) format;
}

static void
assert_well_formed(const char *text)
{
    xmlSetGenericErrorFunc(NULL, ignore);
    xmlDocPtr document = xmlReadMemory(
        text, (int) strlen(text), "report", NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
    assert_non_null(document);
    xmlFreeDoc(document);
}

static void
test_html(void **state)
{
    struct fixture *fixture = *state;
    FREE_AUTO char *html = report_html(&fixture->report);
    assert_golden(GOLDEN "drills.html", html);
    assert_well_formed(html);
    // Nothing is fetched from anywhere.
    assert_null(strstr(html, "://"));
    assert_null(strstr(html, "url("));
    assert_null(strstr(html, "src="));
}

static void
test_junit(void **state)
{
    struct fixture *fixture = *state;
    FREE_AUTO char *xml = report_junit(&fixture->report, false);
    FREE_AUTO char *strict = report_junit(&fixture->report, true);
    assert_golden(GOLDEN "drills.xml", xml);
    assert_well_formed(xml);
    assert_contains(xml, "tests=\"3\" failures=\"1\"");
    assert_contains(strict, "tests=\"3\" failures=\"2\"");
    assert_contains(strict, "<failure message=\"write gap 0.31 s");
}

static void
test_json(void **state)
{
    struct fixture *fixture = *state;
    JV_AUTO struct jv *list = report_json(&fixture->report);
    FREE_AUTO char *text = jv_print(list, true);
    assert_golden(GOLDEN "drills.json", text);
}

static void
test_table(void **state)
{
    struct fixture *fixture = *state;
    BUF_AUTO struct buf text = {0}, again = {0}, colors = {0};
    report_table(&fixture->report, false, &text);
    assert_golden(GOLDEN "drills.txt", text.data);
    const struct drill_result twice[] = {
        fixture->results[0], fixture->results[1], fixture->results[0], fixture->results[0]};
    struct report report = {"air", "", twice, 4};
    report_table(&report, false, &again);
    assert_contains(again.data, "master-off       3 of 3  0     4.31 s (4.31 to 4.31)");
    assert_contains(again.data, "master-half-cut  0 of 1  1204  1.20 s (1.20 to 1.20)  -  ");
    report_table(&fixture->report, true, &colors);
    assert_contains(colors.data, "\033[31mFAIL\033[0m");
}

// A drill that could not be carried out has measured nothing.
static void
test_nothing_measured(void **state)
{
    (void) state;
    const struct drill_result result = {.info = drill_find("pause"),
        .promoted_s = -1,
        .converged_s = -1,
        .verdict = (char *) (uintptr_t) "it could not be carried out: no"};
    struct report report = {"air", "", &result, 1}, none = {"air", "", NULL, 0};
    FREE_AUTO char *html = report_html(&report), *xml = report_junit(&report, false);
    FREE_AUTO char *empty = report_html(&none);
    assert_well_formed(html);
    assert_well_formed(xml);
    assert_well_formed(empty);
    assert_contains(html, "could not be carried out");
    assert_null(strstr(html, "<svg"));
}

static void
test_hostile_text(void **state)
{
    (void) state;
    static const char evil[] =
        "</title><script>alert('x')</script>\" onload=\"y\" &amp; ]]> \x01\x1b[31m \xff "
        "\xef\xbf\xbf -->";
    const struct drill_info info = {evil, evil, evil, false};
    struct drill_result result = {.info = &info,
        .verdict = str_dup(evil),
        .promoted_s = -1,
        .converged_s = -1,
        .write_outage = {1000, 2000}};
    fill_slots(&result, 50, 10, 20);
    for (int kind = DRILL_FAULT; kind <= DRILL_NOTE; kind++)
        add_event(&result, kind * 700, (enum drill_event_kind) kind, evil);
    struct report report = {evil, evil, &result, 1};
    FREE_AUTO char *html = report_html(&report), *xml = report_junit(&report, true);
    assert_well_formed(html);
    assert_well_formed(xml);
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "\" onload"));
    assert_null(strchr(html, '\x01'));
    assert_null(strstr(xml, "<script"));
    assert_contains(html,
        "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot; onload=&quot;y&quot; "
        "&amp;amp; ]]&gt; \\x01\\x1b[31m \\xff \\xef\\xbf\\xbf --&gt;");
    drill_result_free(&result);
}

static void
test_markup(void **state)
{
    (void) state;
    BUF_AUTO struct buf text = {0};
    markup_text(&text, NULL);
    markup_text(&text, "plain – ünïcode <&>\"'");
    assert_string_equal(text.data, "plain – ünïcode &lt;&amp;&gt;&quot;&#39;");
}

// ---- marks -----------------------------------------------------------------------------------------

// No two texts on a row cover each other, and no line of one goes through a text below it.
static void
assert_readable(const struct report_marks *marks)
{
    for (size_t i = 0; i < marks->count; i++)
        for (size_t j = 0; j < marks->count; j++) {
            const struct report_mark *a = &marks->items[i], *b = &marks->items[j];
            double line = a->left ? a->to : a->from;
            if (i == j || a->row < 0 || b->row < 0)
                continue;
            if (a->row == b->row)
                assert_true(a->to <= b->from || b->to <= a->from);
            if (a->row < b->row && !b->left)
                assert_false(line > b->from && line < b->to);
        }
}

static void
test_marks(void **state)
{
    (void) state;
    struct drill_result result = {0};
    static const char *const nodes[] = {"head10", "work11", "work12", "work13"};
    for (size_t i = 0; i < 4; i++) {
        FREE_AUTO char *text = str_format("%s: power pulled", nodes[i]);
        add_event(&result, 5000 + (int64_t) i * 60, DRILL_FAULT, text);
    }
    for (size_t i = 0; i < 4; i++) {
        FREE_AUTO char *text = str_format("%s: started", nodes[i]);
        add_event(&result, 7500 + (int64_t) i * 700, DRILL_HEAL, text);
    }
    add_event(&result, 9700, DRILL_ROLE, "work12 is master");
    add_event(&result, 59000, DRILL_CONVERGED, "converged");
    REPORT_MARKS_AUTO struct report_marks marks = {0};
    report_marks_place(&marks, &result, 44, 948, 0.015);
    assert_int_equal(marks.count, 1 + 4 + 1 + 1);
    assert_string_equal(marks.items[0].text, "head10, work11, work12, work13: power pulled");
    assert_string_equal(marks.items[1].text, "head10: started");
    assert_true(marks.items[6].left); // there is no room to its right
    assert_true(marks.rows >= 2);
    assert_readable(&marks);
    drill_result_free(&result);
}

// More than there is room for: marks without words, and no row more.
static void
test_many_marks(void **state)
{
    (void) state;
    struct drill_result result = {0};
    for (int i = 0; i < 40; i++)
        add_event(
            &result, i * 200, DRILL_ROLE, i % 2 == 0 ? "work12 is master" : "work11 is master");
    REPORT_MARKS_AUTO struct report_marks marks = {0};
    report_marks_place(&marks, &result, 44, 948, 0.01);
    size_t words = 0;
    for (size_t i = 0; i < marks.count; i++)
        words += marks.items[i].row >= 0;
    assert_int_equal(marks.count, 40);
    assert_between(words, 5, 39);
    assert_between(marks.rows, 2, 8);
    assert_readable(&marks);
    drill_result_free(&result);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_html, setup, teardown),
        cmocka_unit_test_setup_teardown(test_junit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json, setup, teardown),
        cmocka_unit_test_setup_teardown(test_table, setup, teardown),
        cmocka_unit_test(test_nothing_measured),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_markup),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_many_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
