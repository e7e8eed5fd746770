// distro.c - finds the distributions that airbuild knows.
// SPDX-License-Identifier: Apache-2.0
#include "bake/distro.h"

#include <string.h>

#define DISTRO(name) #name,
const char *const distro_words[] = {"all", AIRBUILD_DISTROS NULL};
#undef DISTRO
#define DISTRO(name) &distro_##name,
static const struct distro *const distros[] = {AIRBUILD_DISTROS};
const struct distro *const distro_preferred = &distro_arch, *const distro_fallback = &distro_debian;

enum { DISTRO_COUNT = sizeof distros / sizeof *distros };

const struct distro *
distro_numbered(unsigned number)
{
    return distros[number];
}

char *
distro_fill(const char *text, const char *first, const char *first_value, const char *second,
    const char *second_value)
{
    BUF_AUTO struct buf out = {0};
    while (*text != '\0') {
        if (str_starts(text, first)) {
            buf_add(&out, first_value);
            text += strlen(first);
        } else if (str_starts(text, second)) {
            buf_add(&out, second_value);
            text += strlen(second);
        } else {
            buf_add_bytes(&out, text++, 1);
        }
    }
    return buf_take(&out);
}

char *
distro_url(const char *url, const char *root, const char *version)
{
    return distro_fill(url, "{root}", root, "{version}", version);
}

char *
distro_titles(void)
{
    STRV_AUTO struct strv titles = {0};
    for (size_t i = 0; i < DISTRO_COUNT; i++)
        strv_add(&titles, distros[i]->title);
    return strv_join(&titles, " or ");
}

const struct distro *
distro_named(const char *name)
{
    for (size_t i = 0; i < DISTRO_COUNT; i++)
        if (str_equal(distros[i]->name, name))
            return distros[i];
    return NULL;
}

const struct distro *
distro_of_format(const char *package_format)
{
    for (size_t i = 0; i < DISTRO_COUNT; i++)
        if (str_equal(distros[i]->package_format, package_format))
            return distros[i];
    return NULL;
}

const struct distro *
distro_of_packages(const struct spec_base *base)
{
    for (size_t i = 0; i < DISTRO_COUNT; i++)
        if (distros[i]->packages_kind == base->kind &&
            (base->bootstrap == NULL || str_equal(base->bootstrap, distros[i]->name)))
            return distros[i];
    return NULL;
}

const struct distro_images *
distro_images_of(enum spec_base_kind kind)
{
    for (size_t i = 0; i < DISTRO_COUNT; i++)
        if (distros[i]->images != NULL && distros[i]->images->kind == kind)
            return distros[i]->images;
    return NULL;
}

char *
distro_initrd(const struct distro *distro, const char *kernel)
{
    const char *slash = strrchr(kernel, '/'), *name = slash == NULL ? kernel : slash + 1;
    const char *kind = str_starts(name, "vmlinuz-") ? name + strlen("vmlinuz-") : name;
    return str_format("%s%s%s", distro->initrd_prefix, kind, distro->initrd_suffix);
}
