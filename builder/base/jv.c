// jv.c - JSON values over jansson: a struct jv is a json_t by another name.
// SPDX-License-Identifier: Apache-2.0
#include "base/jv.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "base/text.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static json_t *
as_json(const struct jv *value)
{
    return (json_t *) value;
}

// jansson's constructors fail only for want of memory, on arguments that are valid.
static struct jv *
from_json(json_t *value)
{
    if (value == NULL)
        mem_exhausted();
    return (struct jv *) value;
}

struct jv *
jv_object(void)
{
    return from_json(json_object());
}

struct jv *
jv_array(void)
{
    return from_json(json_array());
}

struct jv *
jv_string(const char *text)
{
    if (text == NULL)
        return jv_null();
    FREE_AUTO char *clean = text_clean(TEXT_UTF8, text);
    return from_json(json_string(clean));
}

struct jv *
jv_int(long long number)
{
    return from_json(json_integer(number));
}

struct jv *
jv_real(double number)
{
    if (!isfinite(number))
        return jv_null();
    if (fabs(number) < 1e9)
        number = round(number * 1e6) / 1e6;
    return from_json(json_real(number));
}

struct jv *
jv_bool(bool truth)
{
    return from_json(json_boolean(truth));
}

struct jv *
jv_null(void)
{
    return from_json(json_null());
}

void
jv_set(struct jv *object, const char *key, struct jv *value)
{
    FREE_AUTO char *clean = text_clean(TEXT_UTF8, key);
    if (json_object_set_new(as_json(object), clean, as_json(value)) < 0)
        mem_exhausted();
}

void
jv_set_string(struct jv *object, const char *key, const char *text)
{
    jv_set(object, key, jv_string(text));
}

void
jv_set_int(struct jv *object, const char *key, long long number)
{
    jv_set(object, key, jv_int(number));
}

void
jv_set_bool(struct jv *object, const char *key, bool truth)
{
    jv_set(object, key, jv_bool(truth));
}

void
jv_push(struct jv *array, struct jv *value)
{
    if (json_array_append_new(as_json(array), as_json(value)) < 0)
        mem_exhausted();
}

const struct jv *
jv_get(const struct jv *object, const char *key)
{
    return (const struct jv *) json_object_get(as_json(object), key);
}

const char *
jv_get_string(const struct jv *object, const char *key)
{
    return jv_text(jv_get(object, key));
}

long long
jv_get_int(const struct jv *object, const char *key, long long otherwise)
{
    json_t *value = as_json(jv_get(object, key));
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool
jv_get_bool(const struct jv *object, const char *key, bool otherwise)
{
    json_t *value = as_json(jv_get(object, key));
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

const char *
jv_text(const struct jv *value)
{
    return json_string_value(as_json(value));
}

size_t
jv_count(const struct jv *value)
{
    json_t *json = as_json(value);
    return json_is_array(json) ? json_array_size(json) : json_object_size(json);
}

const struct jv *
jv_at(const struct jv *array, size_t index)
{
    return (const struct jv *) json_array_get(as_json(array), index);
}

const char *
jv_key_at(const struct jv *object, size_t index)
{
    void *entry = json_object_iter(as_json(object));
    for (; entry != NULL && index > 0; index--)
        entry = json_object_iter_next(as_json(object), entry);
    return entry == NULL ? NULL : json_object_iter_key(entry);
}

int
jv_parse(const char *text, size_t length, struct jv **ret, struct error *err)
{
    json_error_t problem;
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (value == NULL)
        return error_set(err, ERR_DAMAGED, "line %d, column %d of the JSON text: %s", problem.line,
            problem.column, problem.text);
    *ret = from_json(value);
    return 0;
}

char *
jv_print(const struct jv *value, bool pretty)
{
    // 15 digits print every number of jv_real (rounded there) without the noise of binary
    // fractions.
    size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) | (pretty ? JSON_INDENT(2) : 0);
    FREE_AUTO char *text = json_dumps(as_json(value), flags);
    if (text == NULL)
        mem_exhausted();
    return pretty ? str_format("%s\n", text) : TAKE(text);
}

int
jv_read(const char *path, size_t max, struct jv **ret, struct error *err)
{
    FREE_AUTO char *text = NULL;
    size_t length;
    if (file_read(path, max, &text, &length, err) < 0)
        return -1;
    return jv_parse(text, length, ret, err);
}

int
jv_write(const char *path, mode_t mode, const struct jv *value, struct error *err)
{
    FREE_AUTO char *text = jv_print(value, true);
    return file_write(path, mode, text, strlen(text), err);
}

void
jv_free(struct jv *value)
{
    json_decref(as_json(value));
}
