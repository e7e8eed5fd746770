// json.c - see json.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

// jansson reports exhausted memory as NULL or -1, which callers do not check: the program ends
// first.
static void *
allocate_json(size_t size)
{
    return mem_zero(1, size);
}

__attribute__((constructor)) static void
set_json_allocator(void)
{
    json_set_alloc_funcs(allocate_json, free);
}

json_t *
text_to_json(const char *text)
{
    if (text == NULL)
        return json_null();
    FREE_AUTO char *clean = text_clean(TEXT_UTF8, text);
    return json_string(clean);
}

json_t *
real_to_json(double number)
{
    if (!isfinite(number))
        return json_null();
    if (fabs(number) < 1e9)
        number = round(number * 1e6) / 1e6;
    return json_real(number);
}

int
parse_json(const char *text, size_t length, json_t **ret, struct error *err)
{
    json_error_t problem;
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (value == NULL)
        return error_set(err, ERR_DAMAGED, "line %d, column %d of the JSON text: %s", problem.line,
            problem.column, problem.text);
    *ret = value;
    return 0;
}

char *
print_json(const json_t *value, bool pretty)
{
    // 15 digits print every number of real_to_json without the noise of binary fractions.
    size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) | (pretty ? JSON_INDENT(2) : 0);
    FREE_AUTO char *text = json_dumps(value, flags);
    return pretty ? str_format("%s\n", text) : TAKE(text);
}

int
read_json_file(const char *path, size_t max, json_t **ret, struct error *err)
{
    FREE_AUTO char *text = NULL;
    size_t length;
    if (file_read(path, max, &text, &length, err) < 0)
        return -1;
    return parse_json(text, length, ret, err);
}

int
write_json_file(const char *path, mode_t mode, const json_t *value, struct error *err)
{
    FREE_AUTO char *text = print_json(value, true);
    return file_write(path, mode, text, strlen(text), err);
}
