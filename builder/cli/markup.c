// markup.c - see markup.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/markup.h"

#include "base/cleanup.h"
#include "cli/message.h"

#include <string.h>

static const char *
reference(char letter)
{
    switch (letter) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void
markup_text(struct buf *buf, const char *text)
{
    FREE_AUTO char *harmless = text_clean(TEXT_LINES, text != NULL ? text : "");
    for (const char *at = harmless; *at != '\0'; at++) {
        const char *instead = reference(*at);
        if (instead != NULL) {
            buf_add(buf, instead);
        } else if (str_starts(at, "\xef\xbf\xbe") || str_starts(at, "\xef\xbf\xbf")) {
            buf_printf(buf, "\\xef\\xbf\\x%02x", (unsigned char) at[2]); // U+FFFE, U+FFFF
            at += 2;
        } else {
            buf_add_bytes(buf, at, 1);
        }
    }
}
