// fetch.h - files from http, https and file URLs: resumed, checked, and only then there. Where they
// are kept is the caller's; no image is known here.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_FETCH_FETCH_H
#define AIRBUILD_FETCH_FETCH_H

#include "base/error.h"
#include "base/progress.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct fetch_job {
    // FOLDER/SHA256 are files that were checked, SHA256.sig their signatures; .DIGEST.part is what
    // an interrupted download left, DIGEST of what was wanted and its URL, to be resumed.
    const char *folder;
    const char *locks;             // a folder: LOCKS/download-DIGEST
    const struct strv *urls;       // mirrors of one file, asked in order
    const char *sha256;            // of the file; NULL: the signature vouches for it
    bool known;                    // sha256 is the user's or ours, not a server's
    const struct strv *signatures; // of a detached signature, in order; NULL: none is wanted
    const char *keyring;           // path of public keys; NULL: those that airbuild carries
    bool offline;                  // nothing is asked for: it is there already, or ERR_NETWORK
    const char *task;              // for progress
    struct progress *progress;     // may be NULL
    // 0 means: 2 hours in all; a server is left when it sends less than 1 KiB a second for 30
    // seconds; 1 second before the second round over the mirrors, then twice as long each.
    int64_t deadline_ms, stall_s, pause_ms;
    uint64_t max; // bytes; 0: 8 GiB
};

// The file, downloaded or there already. Resumes what was interrupted, tries the mirrors in order
// and again after a pause while that brings bytes. ERR_NETWORK: no server sends it; ERR_TIMEOUT;
// ERR_DAMAGED: not what sha256 or the signature says, nothing is kept; ERR_MISSING: no gpgv;
// ERR_SPEC: too large; ERR_SPACE; ERR_INTERRUPTED. Callers free.
int fetch_file(const struct fetch_job *job, char **ret_path, char **ret_sha256, struct error *err);

// A small file from the first server that has it, within 30 seconds. NUL-terminated; caller frees.
// ret_length may be NULL.
int fetch_text(
    const struct strv *urls, size_t max, char **ret_data, size_t *ret_length, struct error *err);

// The names that a folder of a server lists, each once: what the links of its page lead to, without
// slashes; of a file: URL what is in that folder. Within 30 seconds.
int fetch_names(const char *url, struct strv *ret, struct error *err);

// *ret: one of the servers has its file. All are asked at once, within wait_ms.
int fetch_any_reachable(const struct strv *urls, int64_t wait_ms, bool *ret, struct error *err);

#endif
