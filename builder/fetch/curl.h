// curl.h - inside fetch/ only: libcurl's handles as airbuild wants them, and what URLs may lead to.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_FETCH_CURL_H
#define AIRBUILD_FETCH_CURL_H

#include "base/error.h"

#include <curl/curl.h>
#include <stdbool.h>

// With what all requests have: schemes, certificates, no signals, no redirects of libcurl's own.
CURL *fetch_curl_new(void); // never NULL

bool fetch_url_is_local(const char *url); // file:
char *fetch_url_path(const char *url);    // decoded; NULL when it is no URL; caller frees
// A file: URL must name a regular file: others would block. Of other URLs nothing is checked.
int fetch_url_check_local(const char *url, struct error *err);
// The same host (never from https to http), or from https to https.
bool fetch_url_may_redirect(const char *from, const char *to);

#endif
