// test_yaml_map.c - mappings into structs by table: every type, its limits, missing keys.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "yaml/map.h"

static struct yaml_source
source_of(const char *text)
{
    return (struct yaml_source){.origin = "test", .text = text, .length = strlen(text)};
}

struct inner {
    unsigned seconds;
};

struct thing {
    char *text;
    bool truth;
    unsigned number, time, mib;
    uint64_t size;
    enum { RED, GREEN, BLUE } colour;
    struct strv list;
    struct inner inner;
    int custom_calls;
};

static void
count_call(struct yaml_source *source, const struct yaml_node *name, const struct yaml_node *value,
    void *member)
{
    assert_non_null(source);
    assert_string_equal(name->text, "custom");
    assert_string_equal(value->text, "yes please");
    (*(int *) member)++;
}

static bool
is_short(const char *text)
{
    return strlen(text) < 4;
}

static const char *const colours[] = {"red", "green", "blue", NULL};
static const struct yaml_key inner_keys[] = {
    {.name = "seconds",
        .type = YAML_DURATION,
        .offset = offsetof(struct inner, seconds),
        .unit = 1000},
    {0},
};
static const struct yaml_key thing_keys[] = {
    {.name = "text", .type = YAML_STRING, .offset = offsetof(struct thing, text)},
    {.name = "truth", .type = YAML_BOOL, .offset = offsetof(struct thing, truth)},
    {.name = "number", .type = YAML_UNSIGNED, .offset = offsetof(struct thing, number)},
    {.name = "time", .type = YAML_DURATION, .offset = offsetof(struct thing, time)},
    {.name = "mib", .type = YAML_SIZE, .offset = offsetof(struct thing, mib), .unit = 1 << 20},
    {.name = "size", .type = YAML_SIZE, .offset = offsetof(struct thing, size), .min = 1024},
    {.name = "colour",
        .type = YAML_WORD,
        .offset = offsetof(struct thing, colour),
        .words = colours},
    {.name = "list",
        .type = YAML_STRINGS,
        .offset = offsetof(struct thing, list),
        .valid = is_short,
        .form = "a short text"},
    {.name = "inner",
        .type = YAML_TABLE,
        .offset = offsetof(struct thing, inner),
        .keys = inner_keys},
    {.name = "custom",
        .type = YAML_CUSTOM,
        .offset = offsetof(struct thing, custom_calls),
        .custom = count_call,
        .form = "a wish"},
    {0},
};

static void
clear_thing(struct thing *thing)
{
    free(thing->text);
    strv_free(&thing->list);
}

static void
map_thing(struct yaml_source *source, struct thing *thing)
{
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(source);
    assert_non_null(root);
    yaml_map(source, root, "the thing", thing_keys, thing);
}

static void
test_every_type(void **state)
{
    CLEANUP(clear_thing) struct thing thing = {.text = str_dup("old")};
    strv_add(&thing.list, "old");
    YAML_SOURCE_AUTO struct yaml_source source =
        source_of("text: new\ntruth: On\nnumber: 4294967295\ntime: 2m\nmib: 3GiB\nsize: 5T\n"
                  "colour: blue\nlist: [a, 'b c']\ninner: {seconds: 1h}\ncustom: yes please\n");
    map_thing(&source, &thing);
    assert_int_equal(source.error_total, 0);
    assert_string_equal(thing.text, "new");
    assert_true(thing.truth);
    assert_int_equal(thing.number, 4294967295U);
    assert_int_equal(thing.time, 120000);
    assert_int_equal(thing.mib, 3072);
    assert_int_equal(thing.size, 5ULL << 40);
    assert_int_equal(thing.colour, BLUE);
    assert_int_equal(thing.list.count, 2);
    assert_string_equal(thing.list.items[1], "b c");
    assert_int_equal(thing.inner.seconds, 3600);
    assert_int_equal(thing.custom_calls, 1);
}

static void
test_absent_and_empty(void **state)
{
    CLEANUP(clear_thing) struct thing thing = {.text = str_dup("old"), .number = 7};
    strv_add(&thing.list, "old");
    YAML_SOURCE_AUTO struct yaml_source source = source_of("list:\ninner: # nothing yet\n");
    thing.inner.seconds = 9;
    map_thing(&source, &thing);
    assert_int_equal(source.error_total, 0);
    assert_string_equal(thing.text, "old");
    assert_int_equal(thing.number, 7);
    assert_int_equal(thing.list.count, 0);
    assert_int_equal(thing.inner.seconds, 9);
}

static void
test_wrong_values_leave_members_alone(void **state)
{
    CLEANUP(clear_thing) struct thing thing = {.text = str_dup("old"), .number = 7, .time = 8};
    YAML_SOURCE_AUTO struct yaml_source source =
        source_of("text: ''\ntruth: 1\nnumber: 4294967296\ntime: 99999999h\nmib: 1K\n"
                  "size: 16777216T\ncolour: blu\nlist: [long text]\ninner: {seconds: 1ms}\n");
    map_thing(&source, &thing);
    assert_int_equal(source.error_total, 9);
    assert_string_equal(thing.text, "old");
    assert_false(thing.truth);
    assert_int_equal(thing.number, 7);
    assert_int_equal(thing.time, 8);
    assert_int_equal(thing.mib, 0);
    assert_int_equal(thing.size, 0);
    assert_int_equal(thing.colour, RED);
    assert_int_equal(thing.list.count, 0);
}

static void
test_bools(void **state)
{
    static const char *const texts[] = {
        "truth: yes", "truth: TRUE", "truth: on", "truth: no", "truth: False", "truth: off"};
    for (size_t i = 0; i < 6; i++) {
        CLEANUP(clear_thing) struct thing thing = {.truth = i >= 3};
        YAML_SOURCE_AUTO struct yaml_source source = source_of(texts[i]);
        map_thing(&source, &thing);
        assert_int_equal(source.error_total, 0);
        assert_int_equal(thing.truth, i < 3);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_absent_and_empty),
        cmocka_unit_test(test_wrong_values_leave_members_alone),
        cmocka_unit_test(test_bools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
