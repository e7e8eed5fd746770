// cmdline.c - the arguments of an image's kernel, taken from what its own GRUB says.
// SPDX-License-Identifier: Apache-2.0
#include "bake/cmdline.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

#define ROOTFLAGS "rootflags="

// The kernel heeds the last rootflags= alone; grub-mkconfig(8) may write one of its own before it.
static void
add_rootflags(struct buf *out, const char *line)
{
    STRV_AUTO struct strv words = {0};
    STRV_AUTO struct strv flags = {0};
    strv_split(&words, line == NULL ? "" : line, ' ');
    for (size_t i = 0; i < words.count; i++)
        if (str_starts(words.items[i], ROOTFLAGS))
            strv_add(&flags, words.items[i] + strlen(ROOTFLAGS));
    FREE_AUTO char *joined = strv_join(&flags, ",");
    joined[strcspn(joined, "\r\n")] = '\0';
    if (joined[0] != '\0')
        buf_printf(out, " " ROOTFLAGS "%s", joined);
}

char *
cmdline_of(const char *root, const char *line)
{
    BUF_AUTO struct buf out = {0};
    buf_add(&out, root);
    add_rootflags(&out, line);
    buf_add(&out, " rw quiet console=ttyS0,115200 net.ifnames=0");
    return buf_take(&out);
}

char *
cmdline_initrd(const char *family, const char *kernel)
{
    const char *slash = strrchr(kernel, '/'), *name = slash == NULL ? kernel : slash + 1;
    const char *kind = str_starts(name, "vmlinuz-") ? name + strlen("vmlinuz-") : name;
    return str_equal(family, "arch") ? str_format("/boot/initramfs-%s.img", kind)
                                     : str_format("/boot/initrd.img-%s", kind);
}
