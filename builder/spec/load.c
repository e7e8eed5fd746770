// load.c - from a file or a text to a checked spec.
// SPDX-License-Identifier: Apache-2.0
#include "base/asset.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "spec/parts.h"

#define DEFAULT_FILE "cluster.yaml"
#define BUILTIN_ASSET "images/cluster.yaml"
#define BUILTIN_ORIGIN "built-in"

int
spec_parse(
    const char *origin, const char *text, size_t length, struct spec **ret, struct error *err)
{
    YAML_SOURCE_AUTO struct yaml_source source = {.origin = origin, .text = text, .length = length};
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    SPEC_AUTO struct spec *spec = mem_zero(1, sizeof *spec);
    if (root != NULL) {
        struct spec_draft draft = {.source = &source, .root = root, .spec = spec};
        spec->origin = str_dup(origin);
        spec_set_defaults(spec);
        yaml_map(&source, root, "the spec", spec_keys, spec);
        spec_derive(&draft);
        spec_check(&draft);
        spec_collect_said(&draft);
    }
    if (yaml_verdict(&source, err) != 0)
        return -1;
    *ret = TAKE(spec);
    return 0;
}

static int
load_builtin(struct spec **ret, struct error *err)
{
    FREE_AUTO char *text = NULL;
    size_t length;
    if (asset_read(BUILTIN_ASSET, &text, &length, err) != 0)
        return -1;
    if (spec_parse(BUILTIN_ORIGIN, text, length, ret, err) != 0)
        return -1;
    strv_free(&(*ret)->said); // its values are defaults, which the next version may change
    return 0;
}

// What cannot be a spec, a folder or a file too large, is the spec's mistake.
static int
load_file(const char *path, struct spec **ret, struct error *err)
{
    FREE_AUTO char *text = NULL;
    size_t length;
    if (file_read(path, YAML_TEXT_MAX, &text, &length, err) != 0) {
        if (err->code == ERR_NOT_FOUND)
            return error_set(
                err, ERR_NOT_FOUND, "there is no file '%s'; check the spec's path", path);
        if (err->code == ERR_FAILED)
            err->code = ERR_SPEC;
        return error_context(err, "cannot read the spec");
    }
    return spec_parse(path, text, length, ret, err);
}

int
spec_load(const char *path, struct spec **ret, struct error *err)
{
    if (path != NULL)
        return load_file(path, ret, err);
    if (file_exists(DEFAULT_FILE))
        return load_file(DEFAULT_FILE, ret, err);
    return load_builtin(ret, err);
}

const char *
spec_builtin_text(void)
{
    static char *text; // kept until the program ends
    ERROR_AUTO struct error err = {0};
    if (text == NULL && asset_read(BUILTIN_ASSET, &text, NULL, &err) != 0)
        text = str_dup("");
    return text;
}
