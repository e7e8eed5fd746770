// test_drill_report.c - results of drills as a page, JUnit XML, JSON and a table: golden files,
// hostile text, well-formed XML. tests/cli/test-drill-page.sh checks how the page looks.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/asset.h"
#include "base/cleanup.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/drill_table.h"
#include "drill_fixture.h"

#include <libxml/parser.h>

#define GOLDEN "tests/golden/report/"

struct fixture {
    struct drill_result results[3];
    struct drill_report report;
};

static int
setup(void **state)
{
    struct fixture *fixture = mem_zero(1, sizeof *fixture);
    master_off(&fixture->results[0]);
    half_cut(&fixture->results[1]);
    quiet(&fixture->results[2]);
    fixture->report = (struct drill_report){"air", "2026-11-22T17:41:20Z", fixture->results, 3};
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

// Returns the text between two others; caller frees.
static char *
between(const char *text, const char *from, const char *to)
{
    const char *begin = strstr(text, from);
    assert_non_null(begin);
    begin += strlen(from);
    const char *end = strstr(begin, to);
    assert_non_null(end);
    return str_ndup(begin, (size_t) (end - begin));
}

static char *
page_of(const struct drill_report *report)
{
    ERROR_AUTO struct error err = {0};
    char *html = NULL;
    assert_ok(drill_report_page(report, &html, &err), &err);
    return html;
}

static char *
data_of(const char *html)
{
    return between(html, "<script type=\"application/json\" id=\"data\">", "</script>");
}

// The page is its asset with a table and data inserted.
static void
test_page(void **state)
{
    struct fixture *fixture = *state;
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *html = page_of(&fixture->report), *asset = NULL;
    assert_ok(asset_read(DRILL_PAGE, &asset, NULL, &err), &err);
    FREE_AUTO char *table = between(html, "<main id=\"main\">\n", "\n<noscript>");
    FREE_AUTO char *data = data_of(html);
    assert_golden(GOLDEN "page-table.html", table);
    assert_golden(GOLDEN "page-data.json", data);
    const char *first = strstr(asset, "@PLAIN@"), *second = strstr(asset, "@DATA@");
    FREE_AUTO char *whole = str_format("%.*s%s%.*s%s%s", (int) (first - asset), asset, table,
        (int) (second - first) - 7, first + 7, data, second + 6);
    assert_string_equal(html, whole);
}

static void
test_page_without_slots(void **state)
{
    ERROR_AUTO struct error err = {0};
    struct drill_report report = {"air", "", NULL, 0};
    char folder[] = "/tmp/airbuild-test-XXXXXX", *html = NULL;
    assert_non_null(mkdtemp(folder));
    FREE_AUTO char *path = path_join(folder, DRILL_PAGE);
    FREE_AUTO char *parent = path_join(folder, "builder/drill");
    assert_ok(dir_make(parent, 0755, &err), &err);
    assert_ok(file_write(path, 0644, "@PLAIN@", 7, &err), &err);
    setenv("AIRBUILD_ASSETS", folder, 1);
    assert_error(drill_report_page(&report, &html, &err), &err, ERR_DAMAGED, "has no '@DATA@'");
    assert_null(html);
    unsetenv("AIRBUILD_ASSETS");
    assert_ok(dir_remove(folder, &err), &err);
}

static void
test_junit(void **state)
{
    struct fixture *fixture = *state;
    FREE_AUTO char *xml = drill_report_junit(&fixture->report, false);
    FREE_AUTO char *strict = drill_report_junit(&fixture->report, true);
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
    json_auto_t *list = drill_report_json(&fixture->report);
    FREE_AUTO char *text = print_json(list, true);
    assert_golden(GOLDEN "drills.json", text);
}

static void
test_table(void **state)
{
    struct fixture *fixture = *state;
    BUF_AUTO struct buf text = {0}, again = {0}, colors = {0};
    drill_table(&fixture->report, false, &text);
    assert_golden(GOLDEN "drills.txt", text.data);
    const struct drill_result twice[] = {
        fixture->results[0], fixture->results[1], fixture->results[0], fixture->results[0]};
    struct drill_report report = {"air", "", twice, 4};
    drill_table(&report, false, &again);
    assert_contains(again.data, "master-off       3 of 3  0     4.31 s (4.31 to 4.31)");
    assert_contains(again.data, "master-half-cut  0 of 1  1204  1.20 s (1.20 to 1.20)  -  ");
    drill_table(&fixture->report, true, &colors);
    assert_contains(colors.data, "\033[31mFAIL\033[0m");
}

// A drill that failed to run has measured nothing.
static void
test_nothing_measured(void **state)
{
    const struct drill_result result = {.info = drill_find("pause"),
        .promoted_s = -1,
        .converged_s = -1,
        .verdict = (char *) (uintptr_t) "the drill failed to run: no"};
    struct drill_report report = {"air", "", &result, 1}, none = {"air", "", NULL, 0};
    FREE_AUTO char *html = page_of(&report), *xml = drill_report_junit(&report, false);
    FREE_AUTO char *empty = page_of(&none), *data = data_of(html);
    assert_well_formed(xml);
    assert_contains(html, "failed to run");
    assert_contains(data, "\"slots\": {\"acked\": [],");
    assert_contains(empty, "\"drills\": []");
}

// Returns how often part occurs in text.
static size_t
count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        count++;
    return count;
}

static void
test_hostile_text(void **state)
{
    ERROR_AUTO struct error err = {0};
    struct drill_info info;
    struct drill_result result;
    hostile(&result, &info);
    struct drill_report report = {FIXTURE_HOSTILE, FIXTURE_HOSTILE, &result, 1};
    FREE_AUTO char *html = page_of(&report), *xml = drill_report_junit(&report, true);
    FREE_AUTO char *data = data_of(html), *asset = NULL;
    assert_well_formed(xml);
    assert_ok(asset_read(DRILL_PAGE, &asset, NULL, &err), &err);
    assert_int_equal(count_of(html, "<script"), count_of(asset, "<script"));
    assert_int_equal(count_of(html, "</script"), count_of(asset, "</script"));
    assert_int_equal(count_of(html, "<!--"), count_of(asset, "<!--"));
    assert_null(strchr(html, '\x01'));
    assert_null(strchr(data, '<'));
    assert_null(strstr(xml, "<script"));
    json_auto_t *parsed = NULL;
    assert_ok(parse_json(data, strlen(data), &parsed, &err), &err);
    assert_contains(
        json_string_value(json_object_get(parsed, "cluster")), "</script><script>alert('x')");
    static const char escaped[] =
        "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&lt;!-- &quot; onload=&quot;y&quot; "
        "&amp;amp; ]]&gt; \\x01\\x1b[31m \\xff \\xef\\xbf\\xbf\\xe2\\x80\\xae --&gt;";
    assert_contains(html, escaped);
    assert_contains(xml, escaped);
    drill_result_free(&result);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_page, setup, teardown),
        cmocka_unit_test(test_page_without_slots),
        cmocka_unit_test_setup_teardown(test_junit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json, setup, teardown),
        cmocka_unit_test_setup_teardown(test_table, setup, teardown),
        cmocka_unit_test(test_nothing_measured),
        cmocka_unit_test(test_hostile_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
