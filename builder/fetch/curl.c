// curl.c - libcurl handles with common options, and checks of URLs.
// SPDX-License-Identifier: Apache-2.0
#include "fetch/curl.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

static void
start_library(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        mem_exhausted();
}

CURL *
fetch_curl_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_library);
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        mem_exhausted();
    // As curl(1) does, for networks with a certificate authority of their own.
    const char *authorities = getenv("CURL_CA_BUNDLE");
    if (authorities == NULL)
        authorities = getenv("SSL_CERT_FILE");
    if (authorities != NULL && authorities[0] != '\0')
        curl_easy_setopt(easy, CURLOPT_CAINFO, authorities);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https,file");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "airbuild/" AIRBUILD_VERSION);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // does not wait for a slow name server
    return easy;
}

bool
fetch_url_is_local(const char *url)
{
    return str_starts(url, "file:");
}

// ---- URLs ---------------------------------------------------------------------------------------

DEFINE_FREEP(CURLU, curl_url_cleanup)

static char *
part_of(const char *text, CURLUPart part, unsigned flags)
{
    CLEANUP(curl_url_cleanupp) CURLU *url = curl_url();
    char *value = NULL, *copy = NULL;
    if (url == NULL)
        mem_exhausted();
    if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
        curl_url_get(url, part, &value, flags) == CURLUE_OK)
        copy = str_dup(value);
    curl_free(value);
    return copy;
}

char *
fetch_url_path(const char *url)
{
    return part_of(url, CURLUPART_PATH, CURLU_URLDECODE);
}

int
fetch_url_check_local(const char *url, struct error *err)
{
    struct stat info;
    if (!fetch_url_is_local(url))
        return 0;
    FREE_AUTO char *path = fetch_url_path(url);
    if (path != NULL && stat(path, &info) == 0 && S_ISREG(info.st_mode))
        return 0;
    return error_set(
        err, ERR_NETWORK, "'%s' cannot be downloaded: there is no such file; check the URL", url);
}

bool
fetch_url_may_redirect(const char *from, const char *to)
{
    FREE_AUTO char *from_scheme = part_of(from, CURLUPART_SCHEME, 0);
    FREE_AUTO char *to_scheme = part_of(to, CURLUPART_SCHEME, 0);
    FREE_AUTO char *from_host = part_of(from, CURLUPART_HOST, 0);
    FREE_AUTO char *to_host = part_of(to, CURLUPART_HOST, 0);
    if (from_scheme == NULL || to_scheme == NULL || from_host == NULL || to_host == NULL)
        return false;
    if (str_equal(to_scheme, "https"))
        return str_equal(from_scheme, "https") || strcasecmp(from_host, to_host) == 0;
    return str_equal(from_scheme, "http") && str_equal(to_scheme, "http") &&
           strcasecmp(from_host, to_host) == 0;
}
