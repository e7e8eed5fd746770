// reachable.c - sends HEAD requests to several servers at once, until one has the file.
// SPDX-License-Identifier: Apache-2.0
#include "base/interrupt.h"
#include "fetch/fetch.h"

#include "base/cleanup.h"
#include "fetch/curl.h"

enum { SERVERS_MAX = 16, POLL_MS = 200 };

struct reach_survey {
    CURLM *multi;
    CURL *easy[SERVERS_MAX];
    size_t count;
};

static size_t
ignore(char *bytes, size_t size, size_t count, void *context)
{
    (void) bytes, (void) context;
    return size * count;
}

static void
survey_end(struct reach_survey *survey)
{
    for (size_t i = 0; i < survey->count; i++) {
        curl_multi_remove_handle(survey->multi, survey->easy[i]);
        curl_easy_cleanup(survey->easy[i]);
    }
    curl_multi_cleanup(survey->multi);
}

int
fetch_any_reachable(const struct strv *urls, int64_t wait_ms, bool *ret, struct error *err)
{
    CLEANUP(survey_end) struct reach_survey survey = {0};
    int running = 1, left = 0;
    survey.multi = curl_multi_init();
    if (survey.multi == NULL)
        mem_exhausted();
    for (; survey.count < urls->count && survey.count < SERVERS_MAX; survey.count++) {
        CURL *easy = survey.easy[survey.count] = fetch_curl_new();
        curl_easy_setopt(easy, CURLOPT_URL, urls->items[survey.count]);
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) wait_ms);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
        curl_multi_add_handle(survey.multi, easy);
    }
    *ret = false;
    while (!*ret && running > 0) {
        if (interrupt_check(err) < 0)
            return -1;
        if (curl_multi_perform(survey.multi, &running) != CURLM_OK)
            break;
        for (CURLMsg *message; (message = curl_multi_info_read(survey.multi, &left)) != NULL;) {
            long status = 0;
            if (message->msg != CURLMSG_DONE || message->data.result != CURLE_OK)
                continue;
            curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
            *ret = *ret || status < 400; // 0 for file: URLs; a redirect counts, too
        }
        if (!*ret && running > 0)
            curl_multi_poll(survey.multi, NULL, 0, POLL_MS, NULL);
    }
    return 0;
}
