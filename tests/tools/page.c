// page.c - print the page of drills as airbuild would write it: of usual results, of the same drill
// twice with one that failed to run and a crowded one, of hostile texts, of nothing; or the page of
// a launch's profile.
//   page usual|again|hostile|empty|profile|profile-hostile
// SPDX-License-Identifier: Apache-2.0
#include "drill_fixture.h"
#include "profile_fixture.h"

#include "base/cleanup.h"
#include "cli/profile_show.h"

#include <stdio.h>

// Returns the status of the program.
static int
print_profile(struct profile *profile)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *html = NULL;
    int result = profile_page(profile, "air", "2026-11-22T17:41:20Z", true, &html, &err);
    if (result == 0)
        fputs(html, stdout);
    else
        fprintf(stderr, "page: %s\n", err.message);
    profile_free(profile);
    return result == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    const char *which = argc == 2 ? argv[1] : "";
    struct drill_result results[4];
    struct drill_info info;
    struct drill_report report = {"air", "2026-11-22T17:41:20Z", results, 3};
    if (str_equal(which, "profile"))
        return print_profile(profile_usual());
    if (str_equal(which, "profile-hostile"))
        return print_profile(profile_hostile());
    if (str_equal(which, "usual")) {
        master_off(&results[0]);
        half_cut(&results[1]);
        quiet(&results[2]);
    } else if (str_equal(which, "again")) {
        master_off(&results[0]);
        unmeasured(&results[1]);
        master_off(&results[2]);
        crowded(&results[3]);
        report.count = 4;
    } else if (str_equal(which, "hostile")) {
        hostile(&results[0], &info);
        report = (struct drill_report){FIXTURE_HOSTILE, FIXTURE_HOSTILE, results, 1};
    } else if (str_equal(which, "empty")) {
        report.count = 0;
    } else {
        fputs("usage: page usual|again|hostile|empty|profile|profile-hostile\n", stderr);
        return 2;
    }
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *html = NULL;
    if (drill_report_page(&report, &html, &err) == 0)
        fputs(html, stdout);
    else
        fprintf(stderr, "page: %s\n", err.message);
    for (size_t i = 0; i < report.count; i++)
        drill_result_free(&results[i]);
    return html != NULL ? 0 : 1;
}
