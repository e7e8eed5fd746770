// images_show.c - `airbuild images show NAME`: details of an image, and the clusters that use it.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/json.h"
#include "cli/images.h"
#include "cli/table.h"

#include <string.h>

enum { PREFIX_LEAST = 4 }; // minimum digits of a key that select an image

// Members of the manifest about the origin of an image, with their titles.
static const struct {
    const char *member, *title;
} origins[] = {
    {"system", "system"},
    {"image", "image"},
    {"instead_of", "instead of"},
    {"url", "from"},
    {"file", "from"},
    {"mirror", "mirror"},
    {"suite", "suite"},
    {"download", "sha256"},
    {"backing", "backed by"},
};

static json_t *
image_json(const struct image *image, const struct strv *folders)
{
    json_t *value = images_json(image);
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        json_object_set_new(value, origins[i].member,
            text_to_json(json_string_value(json_object_get(image->manifest, origins[i].member))));
    json_object_set_new(value, "packages",
        json_integer((long long) json_array_size(json_object_get(image->manifest, "packages"))));
    json_object_set_new(value, "clusters", cli_list_json(folders));
    return value;
}

static void
add_image_row(struct table *table, const char *title, const char *text)
{
    table_row(table);
    table_cell(table, COLOR_DIM, title);
    table_cell(table, COLOR_NONE, text);
}

static void
print_image_text(const struct cli *cli, const struct image *image, const json_t *value)
{
    TABLE_AUTO struct table table = {0};
    BUF_AUTO struct buf text = {0};
    const json_t *clusters = json_object_get(value, "clusters");
    FREE_AUTO char *size = str_bytes(image->disk_bytes);
    add_image_row(&table, "name", image->name);
    add_image_row(&table, "key", image->key);
    add_image_row(&table, "family", image->family);
    add_image_row(&table, "size", size);
    add_image_row(&table, "created", image->created);
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        if (json_string_value(json_object_get(value, origins[i].member)) != NULL)
            add_image_row(&table, origins[i].title,
                json_string_value(json_object_get(value, origins[i].member)));
    add_image_row(&table, "disk", image->disk);
    for (size_t i = 0; i < json_array_size(clusters); i++)
        add_image_row(&table, "used by", json_string_value(json_array_get(clusters, i)));
    table_print(&table, 0, cli->color, &text);
    cli_print(text.data);
}

int
images_show(struct cli *cli, struct error *err)
{
    const char *word = cli->operands.items[1];
    STORE_AUTO struct store *store = NULL;
    IMAGE_LIST_AUTO struct image_list list = {0};
    STRV_AUTO struct strv damaged = {0};
    json_auto_t *images = json_array();
    if (images_open_store(NULL, &store, err) != 0 || store_list(store, &list, &damaged, err) != 0)
        return -1;
    for (size_t i = 0; i < list.count; i++) {
        const struct image *image = list.items[i];
        STRV_AUTO struct strv folders = {0};
        bool by_key = strlen(word) >= PREFIX_LEAST && str_starts(image->key, word);
        if (!by_key && !str_equal(image->name, word))
            continue;
        if (store_users(store, image->key, &folders, err) != 0)
            return -1;
        json_t *value = image_json(image, &folders);
        json_array_append_new(images, value);
        if (!cli->given.json)
            print_image_text(cli, image, value);
    }
    if (json_array_size(images) == 0)
        return error_set(err, ERR_NOT_FOUND,
            "the store '%s' has no image '%s'; 'airbuild images list' shows those it has",
            store->folder, word);
    if (cli->given.json) {
        json_auto_t *value = json_pack("{s:O}", "images", images);
        cli_print_json(value);
    }
    return 0;
}
