// web.h - inside store/ only: libcurl's handles as airbuild wants them, and what URLs may lead to.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_STORE_WEB_H
#define AIRBUILD_STORE_WEB_H

#include "base/error.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

CURL *web_new(void); // never NULL
// What all requests have: schemes, certificates, no signals, no redirects of libcurl's own.
void web_set_common(CURL *easy, const char *url);
bool web_is_local(const char *url); // file:
char *web_path(const char *url);    // decoded; NULL when it is no URL; caller frees
// A file: URL must name a regular file: others would block. Of other URLs nothing is checked.
int web_check_local(const char *url, struct error *err);
// The same host (never from https to http), or from https to https.
bool web_may_redirect(const char *from, const char *to);
bool web_is_page(const char *bytes, size_t length); // begins like HTML
bool web_is_lasting(CURLcode code); // the same server will not do better another time

#endif
