// reference.c - the reference page of cluster.yaml, written from the tables of keys.
// SPDX-License-Identifier: Apache-2.0
#include "spec/spec.h"

#include "base/cleanup.h"
#include "spec/keys.h"

#include <string.h>

enum { WIDTH = 78, INDENT = 4 };

// Adds text, indented and wrapped at blanks.
static void
add_wrapped(struct buf *out, const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column > 0 && column + 1 + word > WIDTH) {
            buf_add(out, "\n");
            column = 0;
        }
        if (column == 0) {
            buf_printf(out, "%*s", INDENT, "");
            column = INDENT;
        } else {
            buf_add(out, " ");
            column++;
        }
        buf_add_bytes(out, text, word);
        column += word;
        text += word + strspn(text + word, " ");
    }
    buf_add(out, "\n");
}

static void
add_key(struct buf *out, const struct yaml_key *key, const char *path)
{
    buf_printf(out, "\n%s\n", path);
    add_wrapped(out, key->meaning);
    if (key->type == YAML_TABLE)
        return;
    FREE_AUTO char *expected = yaml_expected(key);
    FREE_AUTO char *form = str_format("Value: %s.", expected);
    FREE_AUTO char *absent =
        key->required ? str_dup("Required.") : str_format("Default: %s.", key->absent);
    add_wrapped(out, form);
    add_wrapped(out, absent);
}

// Recurses into tables: at most three levels.
static void
add_keys(struct buf *out, const struct yaml_key *keys, const char *above)
{
    for (; keys->name != NULL; keys++) {
        if (keys->name[0] == '\0') { // the keys of another table stand here
            add_keys(out, keys->keys, above);
            continue;
        }
        FREE_AUTO char *path = str_format("%s%s", above, keys->name);
        FREE_AUTO char *below = str_format("%s.", path);
        add_key(out, keys, path);
        if (keys->keys != NULL)
            add_keys(out, keys->keys, below);
    }
}

char *
spec_reference(void)
{
    struct buf out = {0};
    buf_add(&out, "Keys of cluster.yaml. Every key may be left out but a node's role.\n"
                  "A.B is the key B in the mapping A; NAME is a name of your choice.\n");
    add_keys(&out, spec_keys, "");
    return buf_take(&out);
}
