// test_fetch_download.c - downloads: each misbehaviour of a server has a message of its own, and
// leaves no files; interrupted downloads are resumed.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "fetch_fixture.h"

#include <signal.h>

// ---- good servers -------------------------------------------------------------------------------

static void
test_good(void **state)
{
    static const char *const paths[] = {"/disk", "/here", "/busy-once", "/cut-once", "/changed"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *home = str_format("%s/%zu", (char *) *state, i);
        FREE_AUTO char *downloads = make_downloads(home);
        struct trial trial = {.folder = downloads, .paths = {paths[i]}, .sha256 = body_sha256};
        assert_ok(try_it(&trial, &err), &err);
        assert_int_equal(count_files(downloads), 1);
        // The second run finds it and sends no request.
        assert_ok(try_it(&trial, &err), &err);
        assert_int_equal(atomic_load(&web.asked), 0);
    }
}

// Resumes by a strong ETag, else by the date, and through a redirect that has a body.
static void
test_resume(void **state)
{
    static const struct {
        const char *path;
        int asked;
    } rows[] = {{"/cut-once", 2}, {"/cut-early-hints", 2}, {"/cut-dated", 2}, {"/cut-moved", 4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *home = str_format("%s/%zu", (char *) *state, i);
        FREE_AUTO char *downloads = make_downloads(home);
        struct trial trial = {.folder = downloads, .paths = {rows[i].path}, .sha256 = body_sha256};
        assert_ok(try_it(&trial, &err), &err);
        assert_int_equal(atomic_load(&web.asked), rows[i].asked);
        assert_int_equal(atomic_load(&web.resumed), 1);
    }
}

// When the server stays away, the partial file is kept, and the next run resumes it.
static void
test_resume_later(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *downloads = make_downloads(*state);
    struct trial trial = {.folder = downloads, .paths = {"/cut-kept"}, .sha256 = body_sha256};
    assert_error(try_it(&trial, &err), &err, ERR_NETWORK, "the server closed the connection after");
    STRV_AUTO struct strv names = {0};
    assert_ok(dir_list(downloads, &names, &err), &err);
    assert_int_equal(names.count, 2);
    assert_true(str_starts(names.items[0], ".") && str_ends(names.items[1], ".part"));
}

static void
test_mirrors(void **state)
{
    static const char *const first[] = {"/nowhere", "/html", "/away", "/cut", "/cut-kept",
        "/other-digest", "http://127.0.0.1:1/disk", "file:///nowhere/disk"};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *home = str_format("%s/%zu", (char *) *state, i);
        FREE_AUTO char *downloads = make_downloads(home);
        struct trial trial = {
            .folder = downloads, .paths = {first[i], "/disk"}, .sha256 = body_sha256};
        assert_ok(try_it(&trial, &err), &err);
        assert_int_equal(count_files(downloads), 1);
    }
}

static void
test_local(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *downloads = make_downloads(*state);
    FREE_AUTO char *file = path_join(*state, "disk.qcow2");
    FREE_AUTO char *url = str_format("file://%s", file);
    assert_ok(file_write(file, 0644, web.body, WEB_BYTES, &err), &err);
    struct trial trial = {.folder = downloads, .paths = {url}, .sha256 = body_sha256};
    assert_ok(try_it(&trial, &err), &err);
    struct trial folder = {.folder = downloads, .paths = {"file:///etc/."}, .sha256 = KEY_OTHER};
    assert_error(try_it(&folder, &err), &err, ERR_NETWORK,
        "'file:///etc/.' cannot be downloaded: there is no such file; check the URL");
}

// ---- bad servers --------------------------------------------------------------------------------

static const struct {
    const char *path, *sentence;
    enum error_code code;
    uint64_t max;
} bad[] = {
    {"/disk",
        "/disk' is refused: its SHA-256 is %s and should be " KEY_OTHER
        "; check the URL and the digest, or name another mirror",
        ERR_DAMAGED, 0},
    {"/cut",
        "/cut' cannot be downloaded: the server closed the connection after 150000 of 300000 "
        "bytes; try again later, or name another mirror",
        ERR_NETWORK, 0},
    {"/stall",
        "/stall' cannot be downloaded: the server stalls after 500 bytes; try again "
        "later, or name another mirror",
        ERR_NETWORK, 0},
    {"/silent", "/silent' cannot be downloaded: the server stalls after 0 bytes;", ERR_NETWORK, 0},
    {"/html",
        "/html' cannot be downloaded: the server sends a web page instead; open it in a "
        "browser to see whether this network asks for a sign-in, or check the URL",
        ERR_NETWORK, 0},
    {"/page", "/page' cannot be downloaded: the server sends a web page instead;", ERR_NETWORK, 0},
    {"/away",
        "/away' is not downloaded: the server redirects to 'http://localhost:9/disk', and only "
        "redirects to the same host, or from https to https, are followed; name that URL if it is "
        "the right one",
        ERR_NETWORK, 0},
    {"/to-file",
        "/to-file' is not downloaded: the server redirects to 'file:///etc/passwd', and only "
        "redirects to the same host, or from https to https, are followed;",
        ERR_NETWORK, 0},
    {"/loop", "/loop' is not downloaded: the server redirects more than 5 times; check the URL",
        ERR_NETWORK, 0},
    {"/missing",
        "/missing' cannot be downloaded: the server answers with status 404; check the URL, or "
        "name another mirror",
        ERR_NETWORK, 0},
    {"/busy",
        "/busy' cannot be downloaded: the server answers with status 503; check the URL, or "
        "name another mirror",
        ERR_NETWORK, 0},
    {"/wrong-range",
        "/wrong-range' cannot be downloaded: the server sends another range than requested; try "
        "again, or name another mirror",
        ERR_NETWORK, 0},
    {"/huge", "/huge' is not downloaded: it is larger than the limit of 8 GiB; name another file",
        ERR_SPEC, 0},
    {"/endless",
        "/endless' is not downloaded: it is larger than the limit of 1 MiB; name "
        "another file",
        ERR_SPEC, 1 << 20},
};

static void
test_bad(void **state)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *home = str_format("%s/%zu", (char *) *state, i);
        FREE_AUTO char *downloads = make_downloads(home);
        FREE_AUTO char *url = web_url("");
        const char *mark = strstr(bad[i].sentence, "%s");
        FREE_AUTO char *sentence =
            mark == NULL ? str_format("'%s%s", url, bad[i].sentence)
                         : str_format("'%s%.*s%s%s", url, (int) (mark - bad[i].sentence),
                               bad[i].sentence, body_sha256, mark + 2);
        struct trial trial = {
            .folder = downloads, .paths = {bad[i].path}, .sha256 = KEY_OTHER, .max = bad[i].max};
        assert_error(try_it(&trial, &err), &err, bad[i].code, sentence);
        assert_int_equal(count_files(downloads), 0);
    }
}

static void
test_deadline(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *downloads = make_downloads(*state);
    struct trial trial = {
        .folder = downloads, .paths = {"/stall"}, .sha256 = KEY_OTHER, .deadline_ms = 100};
    assert_error(try_it(&trial, &err), &err, ERR_TIMEOUT,
        "/stall' was not downloaded in time; try again to resume it");
    assert_int_equal(count_files(downloads), 0);
}

static void
test_unreachable(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *downloads = make_downloads(*state);
    struct trial trial = {
        .folder = downloads, .paths = {"http://127.0.0.1:1/disk"}, .sha256 = KEY_OTHER};
    assert_error(try_it(&trial, &err), &err, ERR_NETWORK,
        "'http://127.0.0.1:1/disk' cannot be downloaded: Failed to connect to 127.0.0.1");
    assert_int_equal(count_files(downloads), 0);
}

// A wrong digest is reported rather than a mirror that is away.
static void
test_damage_is_reported(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *downloads = make_downloads(*state);
    struct trial trial = {.folder = downloads, .paths = {"/disk", "/missing"}, .sha256 = KEY_OTHER};
    assert_error(try_it(&trial, &err), &err, ERR_DAMAGED, "/disk' is refused: its SHA-256 is");
}

static void
test_damaged_on_disk(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *downloads = make_downloads(*state);
    FREE_AUTO char *path = path_join(downloads, body_sha256);
    struct trial trial = {.folder = downloads, .paths = {"/disk"}, .sha256 = body_sha256};
    assert_ok(try_it(&trial, &err), &err);
    overwrite(path, "something else", true);
    assert_ok(try_it(&trial, &err), &err);
    assert_int_equal(atomic_load(&web.asked), 1);
    assert_int_equal(file_size(path), WEB_BYTES);
}

// Ctrl-C leaves no visible file, and the next run resumes the download.
static void
test_interrupted(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *downloads = make_downloads(*state);
    STRV_AUTO struct strv names = {0};
    struct trial trial = {.folder = downloads, .paths = {"/interrupted"}, .sha256 = body_sha256};
    assert_ok(interrupt_install(&err), &err);
    web.partial = downloads;
    atomic_store(&web.raise, true);
    int answer = try_it(&trial, &err);
    interrupt_acknowledge();
    assert_int_equal(answer, -1);
    assert_int_equal(err.code, ERR_INTERRUPTED);
    error_clear(&err);
    assert_ok(dir_list(downloads, &names, &err), &err);
    assert_int_equal(names.count, 2);
    assert_true(names.items[0][0] == '.' && names.items[1][0] == '.');
    assert_ok(try_it(&trial, &err), &err);
    assert_int_equal(atomic_load(&web.resumed), 1);
    assert_int_equal(count_files(downloads), 1);
}

// Downloads of one URL with different digests do not share a partial file.
static void
test_parts_of_two(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *downloads = make_downloads(*state);
    struct trial one = {.folder = downloads, .paths = {"/cut-kept"}, .sha256 = body_sha256};
    struct trial other = {.folder = downloads, .paths = {"/cut-kept"}, .sha256 = KEY_OTHER};
    assert_error(try_it(&one, &err), &err, ERR_NETWORK, "the server closed the connection");
    assert_int_equal(count_files(downloads), 2);
    assert_error(try_it(&other, &err), &err, ERR_NETWORK, "the server closed the connection");
    assert_int_equal(count_files(downloads), 4);
}

// All forms of links on the page of a folder.
static void
test_names_of_a_folder(void **state)
{
    ERROR_AUTO struct error err = {0}, none = {0};
    STRV_AUTO struct strv names = {0};
    FREE_AUTO char *page = path_join(*state, "page"), *url = web_url("/files/page");
    FREE_AUTO char *nowhere = web_url("/nowhere");
    web.folder = *state;
    put_text(page, "<html><a href=\"../\">up</a> <a HREF='v1/'>v1</a> <a href=\"?C=N\">by name</a>"
                   "<a href=\"https://a.org/images/v2/?x\">v2</a> <a href=v3> <a href=\"v1/\">"
                   "<a href=\"latest");
    assert_ok(fetch_names(url, &names, &err), &err);
    FREE_AUTO char *list = strv_join(&names, " ");
    assert_string_equal(list, "v1 v2");
    assert_error(fetch_names(nowhere, &names, &none), &none, ERR_NETWORK, "/nowhere'");
}

static void
test_any_reachable(void **state)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv urls = {0};
    bool answers = true;
    strv_add(&urls, "http://127.0.0.1:1/disk");
    strv_take(&urls, web_url("/nothing"));
    assert_ok(fetch_any_reachable(&urls, 10000, &answers, &err), &err);
    assert_false(answers);
    strv_take(&urls, web_url("/disk"));
    assert_ok(fetch_any_reachable(&urls, 10000, &answers, &err), &err);
    assert_true(answers);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_good),
        scratch_test(test_resume),
        scratch_test(test_resume_later),
        scratch_test(test_mirrors),
        scratch_test(test_local),
        scratch_test(test_bad),
        scratch_test(test_deadline),
        scratch_test(test_unreachable),
        scratch_test(test_damage_is_reported),
        scratch_test(test_damaged_on_disk),
        scratch_test(test_interrupted),
        scratch_test(test_parts_of_two),
        scratch_test(test_names_of_a_folder),
        cmocka_unit_test(test_any_reachable),
    };
    return download_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
