// signature.c - checks detached OpenPGP signatures by gpgv. The status lines (GnuPG's doc/DETAILS)
// decide, as gpgv exits with 0 for an expired key, too.
// SPDX-License-Identifier: Apache-2.0
#include "fetch/signature.h"

#include "base/asset.h"
#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/str.h"

#include <string.h>

#define OWN_KEYRING "images/arch-boxes.asc"
#define STATUS "[GNUPG:] "
#define EXPIRED "EXPKEYSIG"

enum { KEYRING_MAX = 1024 * 1024, GPGV_MS = 5 * 60 * 1000 };

int
fetch_signature_tool(struct error *err)
{
    FREE_AUTO char *program = path_program("gpgv");
    if (program != NULL)
        return 0;
    return error_set(err, ERR_MISSING,
        "signatures are checked by 'gpgv', which is not installed; run 'apt install gpgv' (on Arch "
        "'pacman -S gnupg')");
}

// ---- keyring ------------------------------------------------------------------------------------

// Returns the blank line after the armor's headers, or NULL.
static const char *
armor_body(const char *text)
{
    const char *at = strstr(text, "-----BEGIN PGP ");
    while (at != NULL && (at = strchr(at, '\n')) != NULL) {
        size_t length = strcspn(++at, "\n");
        if (strspn(at, " \t\r") >= length)
            return at + length;
    }
    return NULL;
}

// Ignores the checksum, as RFC 9580 (6.1) says: a damaged key does not verify anything.
bool
fetch_dearmor(const char *text, char **ret_data, size_t *ret_length)
{
    BUF_AUTO struct buf out = {0};
    const char *body = armor_body(text);
    const char *end = body == NULL ? NULL : strstr(body, "\n-----END PGP ");
    const char *checksum = body == NULL ? NULL : strstr(body, "\n=");
    if (end == NULL)
        return false;
    if (checksum != NULL && checksum < end)
        end = checksum;
    if (!base64_decode(body, (size_t) (end - body), &out) || out.length == 0)
        return false;
    *ret_length = out.length;
    *ret_data = buf_take(&out);
    return true;
}

// ---- status lines --------------------------------------------------------------------------------

// Adds the fields behind a status keyword, of its first line; nothing when there is no such line.
static bool
status_fields(const char *text, const char *keyword, struct strv *ret)
{
    FREE_AUTO char *start = str_format(STATUS "%s ", keyword);
    const char *at = strstr(text, start);
    if (at == NULL)
        return false;
    at += strlen(start);
    FREE_AUTO char *line = str_ndup(at, strcspn(at, "\n"));
    strv_split(ret, line, ' ');
    return true;
}

// Whether the key that has expired was valid when it signed. Times are seconds since 1970; those
// with a "T" (an older format) are not accepted. The third field of VALIDSIG is the time of the
// signature. The last KEYEXPIRED line before SIG_ID is of the signing key, others may be of other
// subkeys. The owner of an expired key can forge the first time, so this counts only for files
// whose digest is known.
static bool
was_valid_then(const char *text)
{
    static const char line[] = STATUS "KEYEXPIRED ";
    const char *end = strstr(text, STATUS "SIG_ID "), *last = NULL;
    unsigned long long signed_at = 0, expired_at = 0;
    STRV_AUTO struct strv fields = {0};
    for (const char *at = strstr(text, line); at != NULL && end != NULL && at < end;
         at = strstr(last, line))
        last = at + strlen(line);
    if (last == NULL || !status_fields(text, "VALIDSIG", &fields) || fields.count < 3)
        return false;
    FREE_AUTO char *expiry = str_ndup(last, strcspn(last, " \n"));
    return str_to_u64(fields.items[2], INT64_MAX, &signed_at) &&
           str_to_u64(expiry, INT64_MAX, &expired_at) && signed_at < expired_at;
}

// Returns the first problem that gpgv reports, or NULL. *ret_key: the key in question; caller
// frees.
static const char *
find_problem(const char *text, bool known, char **ret_key)
{
    static const struct {
        const char *keyword, *sentence;
    } problems[] = {
        {"BADSIG", "the signature is of another file, or the file was changed"},
        {EXPIRED, "the key that signed it has expired"},
        {"EXPSIG", "the signature has expired"},
        {"REVKEYSIG", "the key that signed it was revoked"},
        {"ERRSIG", "it was signed by a key that is not in the keyring"},
        {"NODATA", "the signature file holds no OpenPGP signature"},
    };
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        STRV_AUTO struct strv fields = {0};
        if (!status_fields(text, problems[i].keyword, &fields))
            continue;
        if (known && str_equal(problems[i].keyword, EXPIRED) && was_valid_then(text))
            continue;
        *ret_key = str_dup(fields.items[0]);
        return problems[i].sentence;
    }
    return NULL;
}

static int
check_in(const char *folder, const struct fetch_job *job, const char *url, const char *file,
    struct error *err)
{
    FREE_AUTO char *keyring = path_join(folder, "keyring.gpg");
    FREE_AUTO char *detached = path_join(folder, "detached.sig");
    FREE_AUTO char *keys = NULL, *data = NULL, *key = NULL;
    STRV_AUTO struct strv fields = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    struct proc_options options = {.timeout_ms = GPGV_MS};
    const char *const arguments[] = {"gpgv", "--homedir", folder, "--status-fd", "1", "--keyring",
        keyring, "--", detached, file, NULL};
    size_t length = 0;
    int answer = job->keyring == NULL ? asset_read(OWN_KEYRING, &keys, &length, err)
                                      : file_read(job->keyring, KEYRING_MAX, &keys, &length, err);
    if (answer < 0)
        return error_context(err, "the keyring cannot be read");
    if (!fetch_dearmor(keys, &data, &length))
        data = TAKE(keys);
    if (file_write(keyring, 0600, data, length, err) < 0 ||
        proc_run(arguments, &options, &result, err) < 0)
        return -1;
    const char *text = result.output.data == NULL ? "" : result.output.data;
    const char *problem = find_problem(text, job->known && job->sha256 != NULL, &key);
    bool good = status_fields(text, "GOODSIG", &fields) || status_fields(text, EXPIRED, &fields);
    if (problem == NULL && good && status_fields(text, "VALIDSIG", &fields) && result.status == 0)
        return 0;
    bool named = key != NULL && strlen(key) >= 16;
    return error_set(err, ERR_DAMAGED,
        "'%s' is refused: %s%s%s%s; check where it comes from, or name the right 'keyring'", url,
        problem == NULL ? "gpgv reports no valid signature" : problem, named ? " (" : "",
        named ? key : "", named ? ")" : "");
}

int
fetch_signature_check(const struct fetch_job *job, const char *signature, size_t length,
    const char *url, const char *file, struct error *err)
{
    FREE_AUTO char *folder = NULL;
    ERROR_AUTO struct error ignored = {0};
    if (dir_temp(job->folder, "verify", &folder, err) < 0)
        return -1;
    FREE_AUTO char *detached = path_join(folder, "detached.sig");
    int answer = file_write(detached, 0600, signature, length, err);
    if (answer == 0)
        answer = check_in(folder, job, url, file, err);
    (void) dir_remove(folder, &ignored);
    return answer;
}
