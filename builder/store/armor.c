// armor.c - armored OpenPGP as bytes: gpgv takes keyrings only so. The checksum is not looked at,
// as RFC 9580 (6.1) has it: what is wrong does not verify.
// SPDX-License-Identifier: Apache-2.0
#include "store/signature.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

#define BEGIN "-----BEGIN PGP "
#define END "-----END PGP "

// The line after the blank one that ends the armor's headers; NULL when there is none.
static const char *
body_of(const char *text)
{
    const char *at = strstr(text, BEGIN);
    while (at != NULL) {
        at = strchr(at, '\n');
        if (at == NULL)
            return NULL;
        at++;
        size_t length = strcspn(at, "\n");
        if (strspn(at, " \t\r") >= length)
            return at + length;
    }
    return NULL;
}

static int
decode_digit(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);
    return found == NULL ? -1 : (int) (found - digits);
}

// Lines of digits, up to padding, a checksum ("=") or the end.
static bool
add_body(const char *at, struct buf *out)
{
    unsigned bits = 0, held = 0;
    for (; *at != '\0' && *at != '=' && *at != '-'; at++) {
        int value = decode_digit(*at);
        if (strchr(" \t\r\n", *at) != NULL)
            continue;
        if (value < 0)
            return false;
        bits = (bits << 6 | (unsigned) value) & 0xffff;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        char byte = (char) (bits >> held & 0xff);
        buf_add_bytes(out, &byte, 1);
    }
    return strstr(at, END) != NULL;
}

bool
armor_read(const char *text, char **ret_data, size_t *ret_length)
{
    BUF_AUTO struct buf out = {0};
    const char *body = body_of(text);
    if (body == NULL || !add_body(body, &out) || out.length == 0)
        return false;
    *ret_length = out.length;
    *ret_data = buf_take(&out);
    return true;
}
