// scalar.c - the texts of scalars as numbers, and limits as texts.
// A size or duration always has its unit: '512' alone could mean anything.
// SPDX-License-Identifier: Apache-2.0
#include "yaml/scalar.h"

#include "base/cleanup.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    unsigned long long factor;
};

// The first name of a factor is the one that is written.
static const struct unit sizes[] = {{"T", 1ULL << 40}, {"G", 1ULL << 30}, {"M", 1ULL << 20},
    {"K", 1ULL << 10}, {"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20},
    {"KiB", 1ULL << 10}, {NULL, 0}};
static const struct unit times[] = {
    {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};

bool
scalar_bool(const char *text, bool *ret)
{
    static const char *const truths[] = {"on", "yes", "true"};
    static const char *const lies[] = {"off", "no", "false"};
    for (size_t i = 0; i < sizeof truths / sizeof truths[0]; i++) {
        bool is_true = strcasecmp(text, truths[i]) == 0;
        if (!is_true && strcasecmp(text, lies[i]) != 0)
            continue;
        *ret = is_true;
        return true;
    }
    return false;
}

// YAML 1.1 takes 010 for octal and 1.2 does not, so it is no number here.
bool
scalar_number(const char *text, unsigned long long *ret)
{
    if (text[0] == '0' && text[1] != '\0')
        return false;
    return str_to_u64(text, ULLONG_MAX, ret);
}

static bool
with_unit(const char *text, const struct unit *units, unsigned long long *ret)
{
    size_t digits = strspn(text, "0123456789");
    FREE_AUTO char *number = str_ndup(text, digits);
    unsigned long long count;
    if (!scalar_number(number, &count))
        return false;
    for (; units->name != NULL; units++) {
        if (strcmp(text + digits, units->name) != 0)
            continue;
        return !__builtin_mul_overflow(count, units->factor, ret);
    }
    return false;
}

bool
scalar_size(const char *text, unsigned long long *ret)
{
    unsigned long long bytes;
    if (!with_unit(text, sizes, &bytes))
        return false;
    *ret = bytes;
    return true;
}

bool
scalar_duration(const char *text, unsigned long long *ret)
{
    unsigned long long time;
    if (!with_unit(text, times, &time))
        return false;
    *ret = time;
    return true;
}

static void
add_with_unit(struct buf *out, unsigned long long number, const struct unit *units)
{
    while (units[1].name != NULL && (number == 0 || number % units->factor != 0))
        units++;
    buf_printf(out, "%llu%s", number / units->factor, units->name);
}

void
scalar_add_size(struct buf *out, unsigned long long bytes)
{
    add_with_unit(out, bytes, sizes);
}

void
scalar_add_duration(struct buf *out, unsigned long long time)
{
    add_with_unit(out, time, times);
}
