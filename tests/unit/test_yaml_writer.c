// test_yaml_writer.c - written YAML: its layout, hostile strings, other encodings.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "yaml/writer.h"
#include "yaml/yaml.h"

static void
test_written_text(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *text = NULL;
    json_auto_t *value =
        json_pack("{s:s, s:s, s:i, s:b, s:s, s:n, s:[], s:[s, s], s:s, s:[{s:s, s:s}], s:{s:s}}",
            "hostname", "work11", "mac", "52:54:00:1f:ff:0b", "count", -3, "lock", true, "empty",
            "", "null", "none", "two", "one", "no", "script", "#!/bin/sh\nexit 0\n", "files",
            "path", "/etc/airbuild/facts", "content", "a\nb", "last", "9 lives", "say: \"hi\"");
    assert_ok(yaml_write("#cloud-config\n", value, &text, &err), &err);
    assert_string_equal(text,
        "#cloud-config\nhostname: work11\nmac: \"52:54:00:1f:ff:0b\"\ncount: -3\nlock: true\n"
        "empty: \"\"\n\"null\": null\nnone: []\ntwo:\n- one\n- \"no\"\n"
        "script: |\n  #!/bin/sh\n  exit 0\nfiles:\n- path: /etc/airbuild/facts\n"
        "  content: |-\n    a\n    b\nlast:\n  \"9 lives\": \"say: \\\"hi\\\"\"\n");
}

static const char *const hostile_texts[] = {"", " ", "  lead", "trail ", "\n", "\n\n", "a\n",
    "a\n\n", "a\n\nb", "a \nb", " a\nb", "\ta\nb", "a\tb", "\ta", "a\n\tb\n", "a\n  b\n", "-",
    "- a", "-a", "--- a", "---", "...", "?", "? a", ":", ": a", "a:", "a: b", "a :b", "a:b", "#",
    "# a", "a #b", "a# b", "&a", "*a", "!a", "!!str a", "%a", "@a", "`a`", "|", ">", "|\n a", "[",
    "]", "{", "}", "[a]", "{a: b}", ",", "a, b", "'", "\"", "''", "\"\"", "'a'", "\"a\"", "a'b\"c",
    "\\", "\\n", "a\\", "\x01\x1b[2J\x7f", "\r", "a\rb", "a\r\nb\r\n", "\xc2\x85",
    "a\xc2\x85"
    "b\nc",
    "\xe2\x80\xa8", "a\xe2\x80\xa9\nb", "\xef\xbb\xbf",
    "\xef\xbb\xbf"
    "a\nb",
    "\xef\xbf\xbf", "\xc2\xa0", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80\nb", "\xc3\xa9", "y", "n",
    "Yes", "NO", "on", "OFF", "true", "False", "null", "~", "NULL", "0", "1", "-1", "+1", "010",
    "0x1f", "0o7", "1_000", "1e3", "1.5", ".5", ".inf", "-.INF", ".nan", "1:30", "190:20:30",
    "2026-11-22", "2026-11-22T10:00:00Z", "=", "<<", "172.31.255.11", "172.31.255.0/24",
    "52:54:00:1f:ff:0b", "a\nb: c\n- d", "a\n---\nb", "a\n...\nb\n", "a\n#b\n", "</domain><evil/>",
    "$(reboot)", "`reboot`", "; rm -rf /", "../../etc", "{{ jinja }}", "{% x %}"};

static void
test_hostile_strings_come_back(void **state)
{
    size_t count = sizeof hostile_texts / sizeof hostile_texts[0];
    ERROR_AUTO struct error err = {0};
    json_auto_t *value = json_object();
    FREE_AUTO char *text = NULL;
    for (size_t i = 0; i < count; i++) // as a key, a value and an item
        json_object_set_new(value, hostile_texts[i],
            json_pack("{s:s, s:[s]}", "value", hostile_texts[i], "list", hostile_texts[i]));
    assert_ok(yaml_write(NULL, value, &text, &err), &err);
    YAML_SOURCE_AUTO struct yaml_source source = {
        .origin = "written", .text = text, .length = strlen(text)};
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    assert_ok(yaml_result(&source, &err), &err);
    assert_int_equal(root->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(root->keys[i]->text, hostile_texts[i]);
        assert_string_equal(yaml_get(root->items[i], "value")->text, hostile_texts[i]);
        assert_string_equal(yaml_get(root->items[i], "list")->items[0]->text, hostile_texts[i]);
    }
}

// A YAML 1.1 reader, such as cloud-init's, must not read them as numbers, dates or booleans.
static void
test_only_harmless_strings_are_plain(void **state)
{
    static const char *const plain[] = {"work11", "/etc/hosts", "ssh-ed25519 AAAA+/= a@b", "a:b"};
    static const char *const quoted[] = {"", "y", "off", "Null", "1", "1:30", "2026-11-22", "~",
        "a:", "a: b", "a #b", "a ", ".inf", "=", "<<", "-a", "a\xc3\xa9"};
    for (size_t i = 0; i < 4 + 17; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *text = NULL;
        json_auto_t *value = json_pack("[s]", i < 4 ? plain[i] : quoted[i - 4]);
        assert_ok(yaml_write(NULL, value, &text, &err), &err);
        assert_int_equal(text[2] == '"', i >= 4);
    }
}

static void
test_other_encodings_are_refused(void **state)
{
    for (size_t i = 0; i < 3; i++) { // a text, an item, a key
        ERROR_AUTO struct error err = {0};
        char *text = NULL;
        json_auto_t *value = i == 0   ? json_string_nocheck("\xff")
                             : i == 1 ? json_pack("[o]", json_string_nocheck("\xff"))
                                      : json_object();
        if (i == 2)
            json_object_set_new_nocheck(value, "\xff", json_null());
        assert_error(yaml_write(NULL, value, &text, &err), &err, ERR_FAILED,
            "cannot write YAML: a text is not UTF-8");
        assert_null(text);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_text),
        cmocka_unit_test(test_hostile_strings_come_back),
        cmocka_unit_test(test_only_harmless_strings_are_plain),
        cmocka_unit_test(test_other_encodings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
