// test_yaml_writer.c - written YAML: its layout, hostile strings, misuse.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "yaml/writer.h"
#include "yaml/yaml.h"

static void
test_written_text(void **state)
{
    ERROR_AUTO struct error err = {0};
    YAML_WRITER_AUTO struct yaml_writer *writer = yaml_writer_new("#cloud-config\n");
    FREE_AUTO char *text = NULL;
    yaml_write_map(writer);
    yaml_put_string(writer, "hostname", "work11");
    yaml_put_string(writer, "mac", "52:54:00:1f:ff:0b");
    yaml_write_key(writer, "count");
    yaml_write_int(writer, -3);
    yaml_write_key(writer, "lock");
    yaml_write_bool(writer, true);
    yaml_put_string(writer, "empty", "");
    yaml_put_string(writer, "null", NULL);
    yaml_write_key(writer, "none");
    yaml_write_list(writer);
    yaml_write_end(writer);
    yaml_write_key(writer, "two");
    yaml_write_list(writer);
    yaml_write_string(writer, "one");
    yaml_write_string(writer, "no");
    yaml_write_end(writer);
    yaml_put_string(writer, "script", "#!/bin/sh\nexit 0\n");
    yaml_write_key(writer, "files");
    yaml_write_list(writer);
    yaml_write_map(writer);
    yaml_put_string(writer, "path", "/etc/airbuild/facts");
    yaml_put_string(writer, "content", "a\nb");
    yaml_write_end(writer);
    yaml_write_end(writer);
    yaml_write_key(writer, "last");
    yaml_write_map(writer);
    yaml_put_string(writer, "9 lives", "say: \"hi\"");
    yaml_write_end(writer);
    yaml_write_end(writer);
    assert_ok(yaml_writer_finish(writer, &text, &err), &err);
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
    YAML_WRITER_AUTO struct yaml_writer *writer = yaml_writer_new(NULL);
    FREE_AUTO char *text = NULL;
    yaml_write_map(writer);
    for (size_t i = 0; i < count; i++) {
        yaml_write_key(writer, hostile_texts[i]); // as a key, a value and an item
        yaml_write_map(writer);
        yaml_put_string(writer, "value", hostile_texts[i]);
        yaml_write_key(writer, "list");
        yaml_write_list(writer);
        yaml_write_string(writer, hostile_texts[i]);
        yaml_write_end(writer);
        yaml_write_end(writer);
    }
    yaml_write_end(writer);
    assert_ok(yaml_writer_finish(writer, &text, &err), &err);
    YAML_SOURCE_AUTO struct yaml_source source = {
        .origin = "written", .text = text, .length = strlen(text)};
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    assert_ok(yaml_result(&source, &err), &err);
    assert_int_equal(root->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(root->keys[i]->text, hostile_texts[i]);
        const struct yaml_node *value = yaml_get(root->items[i], "value");
        assert_string_equal(value->text, hostile_texts[i]);
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
        YAML_WRITER_AUTO struct yaml_writer *writer = yaml_writer_new(NULL);
        FREE_AUTO char *text = NULL;
        yaml_write_list(writer);
        yaml_write_string(writer, i < 4 ? plain[i] : quoted[i - 4]);
        yaml_write_end(writer);
        assert_ok(yaml_writer_finish(writer, &text, &err), &err);
        assert_int_equal(text[2] == '"', i >= 4);
    }
}

static void
misuse_unended(struct yaml_writer *writer)
{
    yaml_write_map(writer);
}

static void
misuse_end(struct yaml_writer *writer)
{
    yaml_write_end(writer);
}

static void
misuse_missing_value(struct yaml_writer *writer)
{
    yaml_write_map(writer);
    yaml_write_key(writer, "a");
    yaml_write_end(writer);
}

static void
misuse_two_roots(struct yaml_writer *writer)
{
    yaml_write_string(writer, "a");
    yaml_write_string(writer, "b");
}

static void
misuse_encoding(struct yaml_writer *writer)
{
    yaml_write_list(writer);
    yaml_write_string(writer, "\xff");
    yaml_write_end(writer);
}

static void
misuse_depth(struct yaml_writer *writer)
{
    for (int i = 0; i < 100; i++)
        yaml_write_list(writer);
    for (int i = 0; i < 100; i++)
        yaml_write_end(writer);
}

static void
misuse_nothing(struct yaml_writer *writer)
{
    (void) writer;
}

static void
test_misuse_is_told_at_the_end(void **state)
{
    static void (*const misuses[])(struct yaml_writer *) = {misuse_unended, misuse_end,
        misuse_missing_value, misuse_two_roots, misuse_encoding, misuse_depth, misuse_nothing};
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++) {
        ERROR_AUTO struct error err = {0};
        YAML_WRITER_AUTO struct yaml_writer *writer = yaml_writer_new(NULL);
        char *text = NULL;
        misuses[i](writer);
        assert_error(
            yaml_writer_finish(writer, &text, &err), &err, ERR_FAILED, "cannot write YAML: ");
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
        cmocka_unit_test(test_misuse_is_told_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
