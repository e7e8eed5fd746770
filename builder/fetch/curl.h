// curl.h - inside fetch/ only: libcurl handles with common options, and checks of URLs.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_FETCH_CURL_H
#define AIRBUILD_FETCH_CURL_H

#include "base/error.h"

#include <curl/curl.h>
#include <stdbool.h>

// Sets schemes, certificates, no signals, no redirects. Never NULL; free with curl_easy_cleanup.
CURL *fetch_curl_new(void);

bool fetch_url_is_local(const char *url); // file:
char *fetch_url_path(const char *url);    // decoded; NULL: not a valid URL; caller frees
// ERR_NETWORK: a file: URL does not name a regular file; others could block.
int fetch_url_check_local(const char *url, struct error *err);
// Only to the same host (but not from https to http), or from https to https.
bool fetch_url_may_redirect(const char *from, const char *to);

#endif
