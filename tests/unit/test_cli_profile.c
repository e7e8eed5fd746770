// test_cli_profile.c - the profile of a launch as text, JSON and a page: golden files, hostile
// texts, well-formed XML.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/asset.h"
#include "base/json.h"
#include "cli/profile_show.h"
#include "profile_fixture.h"

#include <libxml/parser.h>

#define GOLDEN "tests/golden/profile/"

// ---- text ------------------------------------------------------------------------------------------

static void
test_text(void **state)
{
    PROFILE_AUTO struct profile *profile = profile_usual();
    BUF_AUTO struct buf text = {0}, colored = {0};
    profile_text(profile, false, &text);
    assert_golden(GOLDEN "profile.txt", text.data);
    profile_text(profile, true, &colored);
    assert_contains(colored.data, "\033[1mwork11\033[0m   ");
}

static void
test_text_of_nothing(void **state)
{
    PROFILE_AUTO struct profile *none = profile_empty();
    BUF_AUTO struct buf text = {0};
    profile_text(none, false, &text);
    assert_string_equal(text.data, "no profile: no node booted in this launch\n");
}

static void
test_hostile_text(void **state)
{
    PROFILE_AUTO struct profile *profile = profile_hostile();
    BUF_AUTO struct buf text = {0};
    STRV_AUTO struct strv lines = {0};
    profile_text(profile, false, &text);
    assert_null(strchr(text.data, '\033'));
    assert_null(strchr(text.data, '\xff'));
    strv_split(&lines, text.data, '\n');
    assert_int_equal(lines.count, 14);
    for (size_t i = 0; i < lines.count; i++)
        assert_true(strlen(lines.items[i]) <= 100);
}

static void
test_steps(void **state)
{
    static const struct {
        double seconds;
        unsigned most;
        double step;
    } cases[] = {{41.5, 6, 10}, {60, 6, 10}, {60.1, 6, 20}, {0.001, 6, 0.1}, {5, 8, 1}, {4, 8, 0.5},
        {900, 8, 200}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double seen = profile_step(cases[i].seconds, cases[i].most);
        assert_true(seen > cases[i].step * 0.999 && seen < cases[i].step * 1.001);
    }
}

// ---- JSON ------------------------------------------------------------------------------------------

static void
test_json(void **state)
{
    PROFILE_AUTO struct profile *profile = profile_usual(), *none = profile_empty(),
                                *bad = profile_hostile();
    json_auto_t *value = profile_json(profile), *nothing = profile_json(none);
    json_auto_t *clean = profile_json(bad);
    FREE_AUTO char *text = print_json(value, true), *empty_text = print_json(nothing, false);
    assert_golden(GOLDEN "profile.json", text);
    assert_string_equal(empty_text, "{\"seconds\": null, \"nodes\": []}");
    assert_non_null(clean);
}

// ---- the page --------------------------------------------------------------------------------------

static void
ignore(void *context, const char *format, ...)
{
    (void) context;
    (void) format;
}

// Returns the page's element <main>, which has to be XML, too.
static char *
page_of(const struct profile *profile, const char *cluster)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *html = NULL;
    assert_ok(profile_page(profile, cluster, "2026-11-22T17:41:20Z", true, &html, &err), &err);
    const char *body = strstr(html, "<main"), *end = strstr(html, "</main>\n");
    assert_non_null(body);
    assert_non_null(end);
    assert_null(strstr(html, "@BODY@"));
    assert_null(strstr(html, "<script"));
    char *part = str_ndup(body, (size_t) (end - body) + strlen("</main>\n"));
    xmlSetGenericErrorFunc(NULL, ignore);
    xmlDocPtr document =
        xmlReadMemory(part, (int) strlen(part), "page", NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
    assert_non_null(document);
    xmlFreeDoc(document);
    return part;
}

static void
test_page(void **state)
{
    PROFILE_AUTO struct profile *profile = profile_usual();
    FREE_AUTO char *page = page_of(profile, "air");
    assert_golden(GOLDEN "page.html", page);
}

static void
test_hostile_page(void **state)
{
    PROFILE_AUTO struct profile *profile = profile_hostile();
    FREE_AUTO char *page = page_of(profile, "</title><b>");
    assert_null(strstr(page, "<b>\\"));
    assert_null(strstr(page, "<b>&"));
    assert_null(strchr(page, '\033'));
    assert_contains(page, "Boot of cluster &lt;/title&gt;&lt;b&gt;</h1>");
    assert_contains(page, ">&lt;b&gt;\\x1b[2J&quot;&#39;&amp;\\xff\n.service</th>");
    assert_null(strstr(page, "width=\"-"));
}

static void
test_profile_page_slots(void **state)
{
    PROFILE_AUTO struct profile *profile = profile_usual();
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *html = NULL;
    put_file(*state, PROFILE_PAGE, "@TITLE@");
    setenv("AIRBUILD_ASSETS", *state, 1);
    assert_error(profile_page(profile, "air", "", false, &html, &err), &err, ERR_DAMAGED,
        "the page '" PROFILE_PAGE "' has no '@STEP@'; remove it from the folder");
    unsetenv("AIRBUILD_ASSETS");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_of_nothing),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_hostile_page),
        scratch_test(test_profile_page_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
