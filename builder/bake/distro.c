// distro.c - the distributions that airbuild knows. A new one is a file, a script, a recipe of its
// base, and a line in each of the two lists.
// SPDX-License-Identifier: Apache-2.0
#include "bake/distro.h"

#include "bake/arch.h"
#include "bake/debian.h"

#include <string.h>

const char *const distro_words[] = {"all", "debian", "arch", NULL};
static const struct distro *const distros[] = {&distro_debian, &distro_arch};

enum { DISTROS = sizeof distros / sizeof *distros };

const struct distro *
distro_numbered(unsigned number)
{
    return distros[number];
}

const struct distro *
distro_named(const char *name)
{
    for (size_t i = 0; i < DISTROS; i++)
        if (str_equal(distros[i]->name, name))
            return distros[i];
    return NULL;
}

const struct distro *
distro_of_format(const char *package_format)
{
    for (size_t i = 0; i < DISTROS; i++)
        if (str_equal(distros[i]->package_format, package_format))
            return distros[i];
    return NULL;
}

const struct distro *
distro_of_packages(const struct spec_base *base)
{
    for (size_t i = 0; i < DISTROS; i++)
        if (distros[i]->packages_kind == base->kind &&
            (base->bootstrap == NULL || str_equal(base->bootstrap, distros[i]->name)))
            return distros[i];
    return NULL;
}

const struct distro_images *
distro_images_of(enum spec_base_kind kind)
{
    for (size_t i = 0; i < DISTROS; i++)
        if (distros[i]->images != NULL && distros[i]->images->kind == kind)
            return distros[i]->images;
    return NULL;
}

bool
distro_is_dated(const struct spec_base *base)
{
    const struct distro *distro = distro_of_packages(base);
    return distro == NULL || distro->is_dated;
}

char *
distro_initrd(const struct distro *distro, const char *kernel)
{
    const char *slash = strrchr(kernel, '/'), *name = slash == NULL ? kernel : slash + 1;
    const char *kind = str_starts(name, "vmlinuz-") ? name + strlen("vmlinuz-") : name;
    return str_format("%s%s%s", distro->initrd_prefix, kind, distro->initrd_suffix);
}
