// test_fetch_signature.c - which signatures of downloads are accepted.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "fetch_fixture.h"

#include "bare_child.h"
#include "base/proc.h"
#include "fetch/signature.h"

static void
run(const char *home, const char *const *arguments)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *variable = str_format("GNUPGHOME=%s", home);
    const char *const environment[] = {variable, NULL};
    struct proc_options options = {.env = environment, .timeout_ms = 60000};
    assert_ok(proc_check(arguments, &options, NULL, &err), &err);
}

// Makes a key of that name in its own GnuPG home, FOLDER/NAME.gpg with its public part, and
// FOLDER/NAME.sig of FOLDER/body. days: it is valid so long from 2020 on; NULL: from now on, for
// ever.
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

// The same with a key that expires after it signed: FOLDER/late.gpg and FOLDER/late.sig.
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

// A key that expired after it signed is accepted only if the digest is known; one that signed after
// it expired is never accepted.
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
        FREE_AUTO char *downloads = make_downloads(home);
        struct trial trial = {.folder = downloads,
            .paths = {"/files/body"},
            .signature = cases[i].signature,
            .keyring = cases[i].keyring,
            .sha256 = cases[i].sha256,
            .known = cases[i].known};
        if (cases[i].good) {
            assert_ok(try_it(&trial, &err), &err);
            assert_ok(try_it(&trial, &err), &err); // with the saved signature, too
            continue;
        }
        assert_error(try_it(&trial, &err), &err, ERR_DAMAGED, "the key that signed it has expired");
    }
}

static void
test_signatures(void **state)
{
    ERROR_AUTO struct error err = {0};
    const char *folder = *state;
    FREE_AUTO char *home = path_join(folder, "home"), *body = path_join(folder, "body");
    FREE_AUTO char *own = path_join(folder, "own.gpg"), *old = path_join(folder, "old.gpg");
    FREE_AUTO char *junk = path_join(folder, "junk.sig"), *other = path_join(folder, "changed");
    FREE_AUTO char *downloads = make_downloads(home);
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
            "is refused: the signature file holds no OpenPGP signature; check where it comes from, "
            "or name "
            "the right 'keyring'",
            ERR_DAMAGED},
        {"/files/body", "/files/none.sig", own, "cannot download the signature: 'http://127.0.0.1",
            ERR_NETWORK},
        {"/files/body", "/files/own.sig", "/nowhere.gpg",
            "the keyring cannot be read: ", ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial trial = {.folder = downloads,
            .paths = {cases[i].file},
            .signature = cases[i].signature,
            .keyring = cases[i].keyring};
        assert_error(try_it(&trial, &err), &err, cases[i].code, cases[i].sentence);
        assert_int_equal(count_files(downloads), 0);
    }
    struct trial good = {.folder = downloads,
        .paths = {"/files/body"},
        .signature = "/files/own.sig",
        .keyring = own};
    assert_ok(try_it(&good, &err), &err);
    assert_int_equal(count_files(downloads), 2);
    // With a known digest, neither the file nor the signature is downloaded again.
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
    if (fetch_signature_tool(&err) == 0 || err.code != ERR_MISSING)
        return 1;
    return str_equal(err.message, expected) ? 0 : 2;
}

static void
test_no_gpgv(void **state)
{
    ERROR_AUTO struct error err = {0};
    assert_ok(fetch_signature_tool(&err), &err);
    assert_int_equal(bare_child(*state, look_for_gpgv, NULL), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_signatures),
        scratch_test(test_expired_key),
        scratch_test(test_no_gpgv),
    };
    return download_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
