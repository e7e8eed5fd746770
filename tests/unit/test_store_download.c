// test_store_download.c - downloads: every way a server can misbehave has its sentence, and leaves
// nothing behind; what was interrupted goes on; signatures.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "bare_child.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/proc.h"
#include "store/download.h"
#include "store/signature.h"
#include "store_fixture.h"
#include "web_server.h"

#include <signal.h>

static char body_sha256[DIGEST_HEX + 1];

// What a test does with one or two URLs of the server.
struct trial {
    struct store *store;
    const char *paths[3];
    const char *sha256;
    uint64_t max;
    const char *signature, *keyring; // paths of files; the first is below /files/
    bool known;                      // sha256 is nobody's who serves it
    char *path, *hex;
};

static int
try_it(struct trial *trial, struct error *err)
{
    STRV_AUTO struct strv urls = {0}, signatures = {0};
    FREE_AUTO char *path = NULL, *hex = NULL;
    for (size_t i = 0; trial->paths[i] != NULL; i++)
        strv_take(&urls, strstr(trial->paths[i], "://") != NULL ? str_dup(trial->paths[i])
                                                                : web_url(trial->paths[i]));
    if (trial->signature != NULL)
        strv_take(&signatures, web_url(trial->signature));
    struct download download = {.urls = &urls,
        .sha256 = trial->sha256,
        .known = trial->known,
        .signatures = trial->signature == NULL ? NULL : &signatures,
        .keyring = trial->keyring,
        .task = "disk",
        .stall_ms = 1000,
        .pause_ms = 1,
        .max = trial->max};
    atomic_store(&web.asked, 0);
    atomic_store(&web.resumed, 0);
    int answer = store_download(trial->store, &download, &path, &hex, err);
    if (answer == 0) {
        assert_true(file_exists(path));
        assert_true(trial->sha256 == NULL || str_equal(hex, trial->sha256));
    }
    return answer;
}

static size_t
files_in_downloads(struct store *store)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv names = {0};
    FREE_AUTO char *folder = path_join(store_folder(store), "downloads");
    assert_ok(dir_list(folder, &names, &err), &err);
    return names.count;
}

// ---- good servers -------------------------------------------------------------------------------

static void
test_good(void **state)
{
    static const char *const paths[] = {"/disk", "/here", "/busy-once", "/cut-once", "/changed"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *home = str_format("%s/%zu", (char *) *state, i);
        STORE_AUTO struct store *store = open_store(home);
        struct trial trial = {.store = store, .paths = {paths[i]}, .sha256 = body_sha256};
        assert_ok(try_it(&trial, &err), &err);
        assert_int_equal(files_in_downloads(store), 1);
        // It is there: nothing is asked.
        assert_ok(try_it(&trial, &err), &err);
        assert_int_equal(atomic_load(&web.asked), 0);
    }
}

static void
test_resume(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    struct trial trial = {.store = store, .paths = {"/cut-once"}, .sha256 = body_sha256};
    assert_ok(try_it(&trial, &err), &err);
    assert_int_equal(atomic_load(&web.asked), 2);
    assert_int_equal(atomic_load(&web.resumed), 1);
}

// A server that does not come back leaves what can be resumed, and the next run goes on there.
static void
test_resume_later(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    struct trial trial = {.store = store, .paths = {"/cut-kept"}, .sha256 = body_sha256};
    assert_error(try_it(&trial, &err), &err, ERR_NETWORK, "the server ended it after 150000 of");
    STRV_AUTO struct strv names = {0};
    FREE_AUTO char *folder = path_join(store_folder(store), "downloads");
    assert_ok(dir_list(folder, &names, &err), &err);
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
        STORE_AUTO struct store *store = open_store(home);
        struct trial trial = {.store = store, .paths = {first[i], "/disk"}, .sha256 = body_sha256};
        assert_ok(try_it(&trial, &err), &err);
        assert_int_equal(files_in_downloads(store), 1);
    }
}

static void
test_local(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *file = path_join(*state, "disk.qcow2");
    FREE_AUTO char *url = str_format("file://%s", file);
    assert_ok(file_write(file, 0644, web.body, WEB_BYTES, &err), &err);
    struct trial trial = {.store = store, .paths = {url}, .sha256 = body_sha256};
    assert_ok(try_it(&trial, &err), &err);
    struct trial folder = {.store = store, .paths = {"file:///etc/."}, .sha256 = KEY_OTHER};
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
        "/cut' cannot be downloaded: the server ended it after 150000 of 300000 bytes; try it "
        "again later, or name another mirror",
        ERR_NETWORK, 0},
    {"/stall",
        "/stall' cannot be downloaded: the server stalls after 150000 bytes; try it again "
        "later, or name another mirror",
        ERR_NETWORK, 0},
    {"/html",
        "/html' cannot be downloaded: the server sends a web page instead; open it in a "
        "browser to see whether this network asks for a sign-in, or check the URL",
        ERR_NETWORK, 0},
    {"/page", "/page' cannot be downloaded: the server sends a web page instead;", ERR_NETWORK, 0},
    {"/away",
        "/away' is not downloaded: the server redirects to 'http://localhost:9/disk', and only "
        "the same host, or https to https, is followed; name that URL if it is the right one",
        ERR_NETWORK, 0},
    {"/to-file",
        "/to-file' is not downloaded: the server redirects to 'file:///etc/passwd', and only "
        "the same host, or https to https, is followed;",
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
        "/wrong-range' cannot be downloaded: the server sends another part of it than it was "
        "asked for; try it again, or name another mirror",
        ERR_NETWORK, 0},
    {"/huge",
        "/huge' is not downloaded: the server says that it has 9 GiB, and 8 GiB are the "
        "most; name another file",
        ERR_SPEC, 0},
    {"/endless",
        "/endless' is not downloaded: it has more than 1 MiB, which is the most; name "
        "another file",
        ERR_SPEC, 1 << 20},
};

static void
test_bad(void **state)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *home = str_format("%s/%zu", (char *) *state, i);
        STORE_AUTO struct store *store = open_store(home);
        FREE_AUTO char *url = web_url("");
        const char *mark = strstr(bad[i].sentence, "%s");
        FREE_AUTO char *sentence =
            mark == NULL ? str_format("'%s%s", url, bad[i].sentence)
                         : str_format("'%s%.*s%s%s", url, (int) (mark - bad[i].sentence),
                               bad[i].sentence, body_sha256, mark + 2);
        struct trial trial = {
            .store = store, .paths = {bad[i].path}, .sha256 = KEY_OTHER, .max = bad[i].max};
        assert_error(try_it(&trial, &err), &err, bad[i].code, sentence);
        assert_int_equal(files_in_downloads(store), 0);
    }
}

static void
test_unreachable(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    struct trial trial = {
        .store = store, .paths = {"http://127.0.0.1:1/disk"}, .sha256 = KEY_OTHER};
    assert_error(try_it(&trial, &err), &err, ERR_NETWORK,
        "'http://127.0.0.1:1/disk' cannot be downloaded: Failed to connect to 127.0.0.1");
    assert_int_equal(files_in_downloads(store), 0);
}

// What is wrong in its digest weighs more than a mirror that is away.
static void
test_damage_is_told(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    struct trial trial = {.store = store, .paths = {"/disk", "/missing"}, .sha256 = KEY_OTHER};
    assert_error(try_it(&trial, &err), &err, ERR_DAMAGED, "/disk' is refused: its SHA-256 is");
}

static void
test_damaged_in_store(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *path = str_format("%s/downloads/%s", store_folder(store), body_sha256);
    struct trial trial = {.store = store, .paths = {"/disk"}, .sha256 = body_sha256};
    assert_ok(try_it(&trial, &err), &err);
    overwrite(path, "something else", true);
    assert_ok(try_it(&trial, &err), &err);
    assert_int_equal(atomic_load(&web.asked), 1);
    assert_int_equal(file_size(path), WEB_BYTES);
}

// Ctrl-C in the middle leaves nothing that can be seen, and the next run goes on from there.
static void
test_interrupted(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    STRV_AUTO struct strv names = {0};
    FREE_AUTO char *folder = path_join(store_folder(store), "downloads");
    struct trial trial = {.store = store, .paths = {"/interrupted"}, .sha256 = body_sha256};
    assert_ok(interrupt_install(&err), &err);
    web.partial = folder;
    atomic_store(&web.raise, true);
    int answer = try_it(&trial, &err);
    interrupt_heeded();
    assert_int_equal(answer, -1);
    assert_int_equal(err.code, ERR_INTERRUPTED);
    error_clear(&err);
    assert_ok(dir_list(folder, &names, &err), &err);
    assert_int_equal(names.count, 2);
    assert_true(names.items[0][0] == '.' && names.items[1][0] == '.');
    assert_ok(try_it(&trial, &err), &err);
    assert_int_equal(atomic_load(&web.resumed), 1);
    assert_int_equal(files_in_downloads(store), 1);
}

// ---- signatures ---------------------------------------------------------------------------------

static void
run(const char *home, const char *const *arguments)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *variable = str_format("GNUPGHOME=%s", home);
    const char *const environment[] = {variable, NULL};
    struct proc_options options = {.env = environment, .timeout_ms = 60000};
    assert_ok(proc_check(arguments, &options, NULL, &err), &err);
}

// A key of that name in a home of gpg of its own, FOLDER/NAME.gpg with its public part, and
// FOLDER/NAME.sig over FOLDER/body. days: how long it is valid from 2020 on, NULL: for ever, from
// now on.
static void
make_key(const char *folder, const char *name, const char *days, bool armor)
{
    FREE_AUTO char *home = str_format("/tmp/.airbuild-gpg-%d-%s", (int) getpid(), name);
    FREE_AUTO char *user = str_format("%s <%s@example.org>", name, name);
    FREE_AUTO char *public = str_format("%s/%s.gpg", folder, name);
    FREE_AUTO char *signature = str_format("%s/%s.sig", folder, name);
    FREE_AUTO char *body = path_join(folder, "body");
    FREE_AUTO char *first =
        str_dup(days == NULL ? "--batch" : "--faked-system-time=20200101T000000");
    ERROR_AUTO struct error err = {0};
    assert_ok(dir_make(home, 0700, &err), &err);
    const char *const make[] = {"gpg", "--batch", first, "--quiet", "--passphrase", "",
        "--quick-gen-key", user, "ed25519", "sign", days == NULL ? "never" : days, NULL};
    const char *const export[] = {"gpg", "--batch", armor ? "--armor" : "--quiet", "--output",
        public, "--export", user, NULL};
    const char *const sign[] = {"gpg", "--batch", first, "--quiet", "--local-user", user,
        "--output", signature, "--detach-sign", body, NULL};
    const char *const stop[] = {"gpgconf", "--kill", "all", NULL};
    run(home, make);
    run(home, export);
    run(home, sign);
    run(home, stop);
    assert_ok(dir_remove(home, &err), &err);
}

// The same with a key that is made to end after it signed: FOLDER/late.gpg and FOLDER/late.sig.
static void
make_late_key(const char *folder)
{
    static const char then[] = "--faked-system-time=20200101T000000";
    static const char later[] = "--faked-system-time=20200601T000000";
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *home = str_format("/tmp/.airbuild-gpg-%d-late", (int) getpid());
    FREE_AUTO char *public = path_join(folder, "late.gpg");
    FREE_AUTO char *signature = path_join(folder, "late.sig"), *body = path_join(folder, "body");
    const char *const make[] = {"gpg", "--batch", then, "--quiet", "--passphrase", "",
        "--quick-gen-key", "late@example.org", "ed25519", "sign", "never", NULL};
    const char *const sign[] = {
        "gpg", "--batch", later, "--quiet", "--output", signature, "--detach-sign", body, NULL};
    const char *const show[] = {
        "gpg", "--homedir", home, "--batch", "--with-colons", "--list-keys", NULL};
    const char *const stop[] = {"gpgconf", "--kill", "all", NULL};
    struct proc_options options = {.timeout_ms = 60000};
    PROC_RESULT_AUTO struct proc_result shown = {0};
    assert_ok(dir_make(home, 0700, &err), &err);
    run(home, make);
    run(home, sign);
    assert_ok(proc_run(show, &options, &shown, &err), &err);
    const char *line = strstr(shown.output.data, "\nfpr:::::::::");
    assert_non_null(line);
    FREE_AUTO char *fingerprint = str_ndup(line + strlen("\nfpr:::::::::"), 40);
    const char *const end[] = {"gpg", "--batch", then, "--quiet", "--passphrase", "",
        "--quick-set-expire", fingerprint, "30d", NULL};
    const char *const export[] = {"gpg", "--batch", "--output", public, "--export", NULL};
    run(home, end);
    run(home, export);
    run(home, stop);
    assert_ok(dir_remove(home, &err), &err);
}

// A key that expired since it signed counts where the digest was known before, and only there; one
// that signed after its end never does.
static void
test_expired_key(void **state)
{
    const char *folder = *state;
    FREE_AUTO char *body = path_join(folder, "body");
    FREE_AUTO char *old = path_join(folder, "old.gpg"), *late = path_join(folder, "late.gpg");
    ERROR_AUTO struct error wrong = {0};
    web.folder = folder;
    assert_ok(file_write(body, 0644, web.body, WEB_BYTES, &wrong), &wrong);
    make_key(folder, "old", "30d", false);
    make_late_key(folder);
    const struct {
        const char *signature, *keyring, *sha256;
        bool known, good;
    } cases[] = {
        {"/files/old.sig", old, body_sha256, true, true},
        {"/files/old.sig", old, body_sha256, false, false},
        {"/files/old.sig", old, NULL, true, false},
        {"/files/late.sig", late, body_sha256, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *home = str_format("%s/%zu", folder, i);
        STORE_AUTO struct store *store = open_store(home);
        struct trial trial = {.store = store,
            .paths = {"/files/body"},
            .signature = cases[i].signature,
            .keyring = cases[i].keyring,
            .sha256 = cases[i].sha256,
            .known = cases[i].known};
        if (cases[i].good) {
            assert_ok(try_it(&trial, &err), &err);
            assert_ok(try_it(&trial, &err), &err); // and that which is kept
            continue;
        }
        assert_error(try_it(&trial, &err), &err, ERR_DAMAGED, "the key that signed it has expired");
    }
}

// Two that want other files of one URL do not share what was begun.
static void
test_parts_of_two(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    struct trial one = {.store = store, .paths = {"/cut-kept"}, .sha256 = body_sha256};
    struct trial other = {.store = store, .paths = {"/cut-kept"}, .sha256 = KEY_OTHER};
    assert_error(try_it(&one, &err), &err, ERR_NETWORK, "the server ended it");
    assert_int_equal(files_in_downloads(store), 2);
    assert_error(try_it(&other, &err), &err, ERR_NETWORK, "the server ended it");
    assert_int_equal(files_in_downloads(store), 4);
}

// What a server's page of a folder links to, however it writes that.
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
    assert_ok(store_fetch_names(url, &names, &err), &err);
    FREE_AUTO char *list = strv_join(&names, " ");
    assert_string_equal(list, "v1 v2");
    assert_error(store_fetch_names(nowhere, &names, &none), &none, ERR_NETWORK, "/nowhere'");
}

static void
test_signatures(void **state)
{
    ERROR_AUTO struct error err = {0};
    const char *folder = *state;
    FREE_AUTO char *home = path_join(folder, "home"), *body = path_join(folder, "body");
    FREE_AUTO char *own = path_join(folder, "own.gpg"), *old = path_join(folder, "old.gpg");
    FREE_AUTO char *junk = path_join(folder, "junk.sig"), *other = path_join(folder, "changed");
    STORE_AUTO struct store *store = open_store(home);
    web.folder = folder;
    assert_ok(file_write(body, 0644, web.body, WEB_BYTES, &err), &err);
    make_key(folder, "own", NULL, true);
    make_key(folder, "old", "30d", false);
    put_text(junk, "no signature at all");
    put_text(other, "QFI something else");
    const struct {
        const char *file, *signature, *keyring, *sentence;
        enum error_code code;
    } cases[] = {
        {"/files/changed", "/files/own.sig", own,
            "is refused: the signature is of another file, or the file was changed (", ERR_DAMAGED},
        {"/files/body", "/files/own.sig", old,
            "is refused: it was signed by a key that is not in the keyring (", ERR_DAMAGED},
        {"/files/body", "/files/own.sig", NULL,
            "is refused: it was signed by a key that is not in the keyring (", ERR_DAMAGED},
        {"/files/body", "/files/old.sig", old, "is refused: the key that signed it has expired (",
            ERR_DAMAGED},
        {"/files/body", "/files/junk.sig", own,
            "is refused: what is to be its signature is none; check where it comes from, or name "
            "the right 'keyring'",
            ERR_DAMAGED},
        {"/files/body", "/files/none.sig", own, "the signature cannot be had: 'http://127.0.0.1",
            ERR_NETWORK},
        {"/files/body", "/files/own.sig", "/nowhere.gpg",
            "the keyring cannot be read: ", ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial trial = {.store = store,
            .paths = {cases[i].file},
            .signature = cases[i].signature,
            .keyring = cases[i].keyring};
        assert_error(try_it(&trial, &err), &err, cases[i].code, cases[i].sentence);
        assert_int_equal(files_in_downloads(store), 0);
    }
    struct trial good = {
        .store = store, .paths = {"/files/body"}, .signature = "/files/own.sig", .keyring = own};
    assert_ok(try_it(&good, &err), &err);
    assert_int_equal(files_in_downloads(store), 2);
    // With its digest known, neither the file nor the signature is asked for again.
    good.sha256 = body_sha256;
    assert_ok(try_it(&good, &err), &err);
    assert_int_equal(atomic_load(&web.asked), 0);
}

static int
look_for_gpgv(void *argument)
{
    static const char expected[] =
        "signatures are checked by 'gpgv', which is not installed; run 'apt install gpgv' (on Arch "
        "'pacman -S gnupg')";
    ERROR_AUTO struct error err = {0};
    (void) argument;
    if (signature_check_tool(&err) == 0 || err.code != ERR_MISSING)
        return 1;
    return str_equal(err.message, expected) ? 0 : 2;
}

static void
test_no_gpgv(void **state)
{
    ERROR_AUTO struct error err = {0};
    assert_ok(signature_check_tool(&err), &err);
    assert_int_equal(bare_child(*state, look_for_gpgv, NULL), 0);
}

static void
test_any_answers(void **state)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv urls = {0};
    bool answers = true;
    (void) state;
    strv_add(&urls, "http://127.0.0.1:1/disk");
    strv_take(&urls, web_url("/nothing"));
    assert_ok(store_any_answers(&urls, 10000, &answers, &err), &err);
    assert_false(answers);
    strv_take(&urls, web_url("/disk"));
    assert_ok(store_any_answers(&urls, 10000, &answers, &err), &err);
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
        scratch_test(test_unreachable),
        scratch_test(test_damage_is_told),
        scratch_test(test_damaged_in_store),
        scratch_test(test_interrupted),
        scratch_test(test_signatures),
        scratch_test(test_expired_key),
        scratch_test(test_parts_of_two),
        scratch_test(test_names_of_a_folder),
        scratch_test(test_no_gpgv),
        cmocka_unit_test(test_any_answers),
    };
    // No proxy of this host is between a test and its own server.
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    if (web_start(NULL) != 0)
        return 1;
    digest_bytes(web.body, WEB_BYTES, body_sha256);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
