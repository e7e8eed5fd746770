// test_bake_network.c - this host's loopback and proxies, translated for the appliance. A real
// shell reads the proxies.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "bake/appliance_network.h"
#include "base/cleanup.h"
#include "base/proc.h"

static const char *const variables[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
    "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"};

static int
forget(void **state)
{
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    return 0;
}

static void
test_loopback(void **state)
{
    static const struct {
        const char *url, *is;
    } cases[] = {
        {"http://localhost:8080/$repo/os/$arch", "http://169.254.2.2:8080/$repo/os/$arch"},
        {"http://LocalHost", "http://169.254.2.2"},
        {"http://localhost./", "http://169.254.2.2/"},
        {"http://127.0.0.1/a@b", "http://169.254.2.2/a@b"},
        {"http://127.1.2.3:81?x=localhost", "http://169.254.2.2:81?x=localhost"},
        {"https://me:it's@[::1]:3128/", "https://me:it's@169.254.2.2:3128/"},
        {"localhost:3128", "169.254.2.2:3128"},
        {"127.0.0.1", "169.254.2.2"},
        {"socks5h://localhost", "socks5h://169.254.2.2"},
        {"http://localhost.example.org/", "http://localhost.example.org/"},
        {"http://127.0.0.1.example.org/", "http://127.0.0.1.example.org/"},
        {"http://127example.org/", "http://127example.org/"},
        {"http://example.org/http://localhost/", "http://example.org/http://localhost/"},
        {"http://localhost@example.org/", "http://localhost@example.org/"},
        {"http://example.org/?at=@localhost", "http://example.org/?at=@localhost"},
        {"http://[::1", "http://[::1"},
        {"http://[::11]/", "http://[::11]/"},
        {"http://", "http://"},
        {"[", "["},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FREE_AUTO char *is = appliance_url(cases[i].url);
        assert_string_equal(is, cases[i].is);
    }
}

static void
assert_proxies(const char *is)
{
    FREE_AUTO char *text = appliance_proxies();
    assert_string_equal(text, is);
}

static void
test_no_proxy_at_all(void **state)
{
    assert_proxies("");
    setenv("http_proxy", "", 1);
    setenv("no_proxy", "example.org", 1);
    setenv("HTTP_PROXY", "http://ignored:1", 1); // what a CGI program's client may have sent
    assert_proxies("");
}

static void
test_proxies(void **state)
{
    setenv("http_proxy", "http://127.0.0.1:3128", 1);
    assert_proxies("export http_proxy='http://169.254.2.2:3128'\nexport no_proxy='169.254.2.2'\n");
    setenv("HTTPS_PROXY", "http://proxy.example.org:8080", 1);
    setenv("all_proxy", "localhost:1080", 1);
    setenv("NO_PROXY", "example.org,.lan", 1);
    assert_proxies("export http_proxy='http://169.254.2.2:3128'\n"
                   "export HTTPS_PROXY='http://proxy.example.org:8080'\n"
                   "export all_proxy='169.254.2.2:1080'\n"
                   "export no_proxy='example.org,.lan,169.254.2.2'\n");
    setenv("no_proxy", "*", 1);
    unsetenv("HTTPS_PROXY");
    unsetenv("all_proxy");
    assert_proxies("export http_proxy='http://169.254.2.2:3128'\nexport no_proxy='*'\n");
}

// The shell passes on every value unchanged, and runs nothing in it.
static void
test_hostile_proxy(void **state)
{
    static const char hostile[] = "http://it's:$(touch seen)`x`\\\"@proxy.example.org:1/\n; exit 9";
    ERROR_AUTO struct error err = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    struct proc_options options = {.timeout_ms = 10000};
    setenv("https_proxy", hostile, 1);
    FREE_AUTO char *proxies = appliance_proxies();
    unsetenv("https_proxy");
    FREE_AUTO char *script = str_format(
        "set -eu\n%sprintf '%%s' \"$https_proxy\"; printf ' %%s' \"$no_proxy\"", proxies);
    const char *const arguments[] = {"sh", "-c", script, NULL};
    assert_ok(proc_check(arguments, &options, &result, &err), &err);
    FREE_AUTO char *expected = str_format("%s 169.254.2.2", hostile);
    assert_string_equal(result.output.data, expected);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loopback),
        cmocka_unit_test_setup_teardown(test_no_proxy_at_all, forget, forget),
        cmocka_unit_test_setup_teardown(test_proxies, forget, forget),
        cmocka_unit_test_setup_teardown(test_hostile_proxy, forget, forget),
    };
    return cmocka_run_group_tests_name("appliance network", tests, NULL, NULL);
}
