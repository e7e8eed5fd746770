// fetch.h - downloads from http, https and file URLs. A file appears only after it was checked. The
// caller says where files are kept.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_FETCH_FETCH_H
#define AIRBUILD_FETCH_FETCH_H

#include "base/error.h"
#include "base/progress.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct fetch_job {
    // FOLDER/SHA256 are checked files, SHA256.sig their signatures; .DIGEST.part is an interrupted
    // download that can be resumed, DIGEST of its sha256 (or first URL) and its URL.
    const char *folder;
    const char *locks;             // folder of the lock files, download-DIGEST
    const struct strv *urls;       // mirrors of one file, tried in order
    const char *sha256;            // of the file; NULL: the signature is enough
    bool known;                    // sha256 is from the user or from airbuild, not from a server
    const struct strv *signatures; // URLs of a detached signature, in order; NULL: do not check one
    const char *keyring;           // path of public keys; NULL: those that airbuild carries
    bool offline;                  // use an earlier download only; there is none: ERR_NETWORK
    const char *task;              // for progress
    struct progress *progress;     // may be NULL
    // 0: 2 hours for all.
    int64_t deadline_ms;
    // Try the next server after this time below 1 KiB a second; 0: 30 s.
    int64_t stall_s;
    // Pause before the second round over the mirrors, doubled for each further round; 0: 1 s.
    int64_t pause_ms;
    uint64_t max; // bytes; 0: 8 GiB
};

// Downloads the file, or finds an earlier download. Resumes an interrupted one; tries the mirrors
// in order, and again while they send new bytes. ERR_NETWORK: no server sends it; ERR_TIMEOUT;
// ERR_DAMAGED: sha256 or the signature does not match, and nothing is kept; ERR_MISSING: no gpgv;
// ERR_SPEC: too large; ERR_SPACE; ERR_INTERRUPTED. Caller frees both.
int fetch_file(const struct fetch_job *job, char **ret_path, char **ret_sha256, struct error *err);

// Downloads a small file from the first server that has it, within 30 seconds. NUL-terminated;
// caller frees. ret_length may be NULL.
int fetch_text(
    const struct strv *urls, size_t max, char **ret_data, size_t *ret_length, struct error *err);

// Adds the names in a folder of a server, each once: the last parts of the links on its page, or
// the files of a file: URL. Within 30 seconds.
int fetch_names(const char *url, struct strv *ret, struct error *err);

// *ret: whether one of the URLs can be reached. Queries all at once, for at most wait_ms (> 0).
// Fails only with ERR_INTERRUPTED.
int fetch_any_reachable(const struct strv *urls, int64_t wait_ms, bool *ret, struct error *err);

#endif
