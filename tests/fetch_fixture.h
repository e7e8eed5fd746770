// fetch_fixture.h - for tests of downloads from the server of web_server.h.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_FETCH_FIXTURE_H
#define AIRBUILD_TESTS_FETCH_FIXTURE_H

#include "unit.h"

#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"
#include "fetch/fetch.h"
#include "store_fixture.h"
#include "web_server.h"

static char body_sha256[DIGEST_HEX + 1];

// Makes HOME/downloads; caller frees its path.
static inline char *
make_downloads(const char *home)
{
    ERROR_AUTO struct error err = {0};
    char *folder = path_join(home, "downloads");
    assert_ok(dir_make(folder, 0755, &err), &err);
    return folder;
}

// A download from one or two URLs of the server.
struct trial {
    const char *folder; // of make_downloads
    const char *paths[3];
    const char *sha256;
    uint64_t max;
    int64_t deadline_ms;
    const char *signature, *keyring; // paths of files; the first is below /files/
    bool known;                      // sha256 is not from the server
    char *path, *hex;
};

static inline int
try_it(struct trial *trial, struct error *err)
{
    STRV_AUTO struct strv urls = {0}, signatures = {0};
    FREE_AUTO char *path = NULL, *hex = NULL;
    for (size_t i = 0; trial->paths[i] != NULL; i++)
        strv_take(&urls, strstr(trial->paths[i], "://") != NULL ? str_dup(trial->paths[i])
                                                                : web_url(trial->paths[i]));
    if (trial->signature != NULL)
        strv_take(&signatures, web_url(trial->signature));
    FREE_AUTO char *locks = path_folder(trial->folder);
    struct fetch_job job = {.folder = trial->folder,
        .locks = locks,
        .urls = &urls,
        .sha256 = trial->sha256,
        .known = trial->known,
        .signatures = trial->signature == NULL ? NULL : &signatures,
        .keyring = trial->keyring,
        .task = "disk",
        .stall_s = 1,
        .pause_ms = 1,
        .deadline_ms = trial->deadline_ms,
        .max = trial->max};
    atomic_store(&web.asked, 0);
    atomic_store(&web.resumed, 0);
    int answer = fetch_file(&job, &path, &hex, err);
    if (answer == 0) {
        assert_true(file_exists(path));
        assert_true(trial->sha256 == NULL || str_equal(hex, trial->sha256));
    }
    return answer;
}

static inline size_t
count_files(const char *folder)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv names = {0};
    assert_ok(dir_list(folder, &names, &err), &err);
    return names.count;
}

// Starts the server, and unsets the proxies of this host. False: it did not start.
static inline bool
download_start(void)
{
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    if (web_start(NULL) != 0)
        return false;
    digest_bytes(web.body, WEB_BYTES, body_sha256);
    return true;
}

#endif
