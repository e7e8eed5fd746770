// reference.c - the reference page of cluster.yaml, written from the tables of keys.
// SPDX-License-Identifier: Apache-2.0
#include "spec/spec.h"

#include "base/cleanup.h"
#include "spec/keys.h"

#include <string.h>

enum { WIDTH = 78 };

// Adds lines below the last one: text, indented and wrapped at blanks.
static void
add_wrapped(struct buf *out, const char *text)
{
    static const char indent[] = "\n    ";
    size_t column = WIDTH;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        bool fits = column + 1 + word <= WIDTH;
        buf_printf(out, "%s%.*s", fits ? " " : indent, (int) word, text);
        column = (fits ? column + 1 : strlen(indent) - 1) + word;
        text += word + strspn(text + word, " ");
    }
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
        buf_printf(out, "\n%s%s", above, keys->name);
        add_wrapped(out, keys->meaning);
        if (keys->type != YAML_TABLE) {
            FREE_AUTO char *expected = yaml_expected(keys);
            FREE_AUTO char *form = str_format("Value: %s.", expected);
            FREE_AUTO char *absent =
                keys->required ? str_dup("Required.") : str_format("Default: %s.", keys->absent);
            add_wrapped(out, form);
            add_wrapped(out, absent);
        }
        buf_add(out, "\n");
        FREE_AUTO char *below = str_format("%s%s.", above, keys->name);
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
