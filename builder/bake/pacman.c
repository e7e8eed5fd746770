// pacman.c - pacman.conf for one bake; pacman tells causes only in words, here in those of 5 to 7.
// SPDX-License-Identifier: Apache-2.0
#include "bake/pacman.h"

#include "base/cleanup.h"

#include <string.h>

enum { REASON_MAX = 300 };

char *
pacman_fill(const char *server, const char *repository, const char *machine)
{
    BUF_AUTO struct buf out = {0};
    while (*server != '\0') {
        if (str_starts(server, "$repo")) {
            buf_add(&out, repository);
            server += strlen("$repo");
        } else if (str_starts(server, "$arch")) {
            buf_add(&out, machine);
            server += strlen("$arch");
        } else {
            buf_add_bytes(&out, server++, 1);
        }
    }
    return buf_take(&out);
}

// ---- configuration ------------------------------------------------------------------------------

// Packages are always signed, and those that were kept are checked again; repositories' lists need
// not be (Arch signs none).
char *
pacman_conf(const struct pacman *pacman)
{
    BUF_AUTO struct buf out = {0};
    buf_add(&out, "[options]\nArchitecture = auto\nParallelDownloads = 5\n");
    buf_printf(
        &out, "CacheDir = %s/packages/\nGPGDir = %s/gnupg/\n", pacman->folder, pacman->folder);
    if (pacman->hooks != NULL)
        buf_printf(&out, "HookDir = %s\n", pacman->hooks);
    buf_printf(&out, "HookDir = %s/hooks/\n", pacman->folder);
    if (pacman->keep_kernel)
        buf_add(&out, "IgnorePkg = linux linux-*\n");
    buf_add(&out, "SigLevel = Required DatabaseOptional\n"
                  "LocalFileSigLevel = Required\n");
    for (size_t i = 0; pacman->exclude != NULL && i < pacman->exclude->count; i++)
        buf_printf(&out, "NoExtract = %s\n", pacman->exclude->items[i] + 1); // relative to the root
    for (size_t i = 0; i < pacman->repositories->count; i++) {
        buf_printf(&out, "[%s]\n", pacman->repositories->items[i]);
        for (size_t j = 0; j < pacman->servers->count; j++)
            buf_printf(&out, "Server = %s\n", pacman->servers->items[j]);
    }
    return buf_take(&out);
}

// pacman-key --init makes a master key when there is none: RSA of 4096 bits, minutes in emulation.
// One that lives as long as the bake may be of a kind that is made at once. A key that is not in
// the keyring is asked of no server: nothing would trust it.
const char pacman_functions[] =
    "mask_hooks() {\n"
    "    for hook in /usr/share/libalpm/hooks/*.hook /etc/pacman.d/hooks/*.hook; do\n"
    "        if grep -qsE 'mkinitcpio|dracut|booster|kernel-install|grub' \"$hook\"; then\n"
    "            ln -sf /dev/null \"$1/${hook##*/}\"\n"
    "        fi\n"
    "    done\n"
    "}\n"
    "make_keyring() {\n"
    "    mkdir -p -m 0700 \"$1\"\n"
    "    gpg --homedir \"$1\" --batch --quiet --pinentry-mode loopback --passphrase '' "
    "--quick-generate-key 'airbuild, this bake only' ed25519 cert never\n"
    "    echo disable-dirmngr >\"$1/gpg.conf\"\n"
    "    pacman-key --gpgdir \"$1\" --init\n"
    "    if [ $# = 1 ]; then\n"
    "        pacman-key --gpgdir \"$1\" --populate archlinux\n"
    "        return\n"
    "    fi\n"
    "    pacman-key --gpgdir \"$1\" --add \"$2\"\n"
    "    gpg --batch --quiet --with-colons --show-keys \"$2\" |\n"
    "        awk -F : '$1 == \"pub\" { on = 1 } on && $1 == \"fpr\" { print $10; on = 0 }' |\n"
    "        while read -r key; do pacman-key --gpgdir \"$1\" --lsign-key \"$key\"; done\n"
    "}\n"
    "end_keyring() {\n"
    "    gpgconf --homedir \"$1\" --kill all || true\n"
    "}\n"
    "without_sandbox() {\n"
    "    if pacman -S --help | grep -q -e --disable-sandbox; then\n"
    "        sed -i '1a DisableSandbox' \"$1\"\n"
    "    fi\n"
    "}\n";

// ---- causes -------------------------------------------------------------------------------------

// A download that fails is often followed by words about what was not downloaded, a key that is not
// known by words about a corrupted package, and a list that is none by packages that are not in it.
enum pacman_cause
pacman_cause(const char *text)
{
    static const char *const space[] = {
        "No space left on device", "not enough free disk space", "too full:", NULL};
    static const char *const damaged[] = {"\" is invalid",
        "invalid or corrupted package (checksum)", "invalid or corrupted package)", NULL};
    static const char *const list[] = {
        ".db: Unrecognized archive format", "invalid or corrupted database", NULL};
    static const char *const key[] = {"unknown trust", "marginal trust", "never trust",
        "PGP signature", "required key missing", "could not be looked up remotely",
        "could not be imported", "is disabled", "key is unknown", "missing required signature",
        NULL};
    static const char *const network[] = {"failed retrieving file", "failed to retrieve some files",
        "failed to synchronize", "failed to update", "Could not resolve host", "Failed to connect",
        "Operation too slow", NULL};
    static const char *const package[] = {
        "target not found", "could not satisfy dependencies", "unable to satisfy dependency", NULL};
    if (str_has_any(text, space))
        return PACMAN_SPACE;
    if (str_has_any(text, list))
        return PACMAN_LIST;
    if (str_has_any(text, damaged))
        return PACMAN_DAMAGED;
    if (str_has_any(text, key))
        return PACMAN_KEY;
    if (str_has_any(text, network))
        return PACMAN_NETWORK;
    return str_has_any(text, package) ? PACMAN_PACKAGE : PACMAN_OTHER;
}

#define HOOK_FAILED "error: command failed to execute correctly" // ends nothing

// pacman says "error: ", its scripts "==> ERROR: "; others' last words are about what ended them.
char *
pacman_reason(const char *text)
{
    static const char *const signs[] = {"error: ", "ERROR: "};
    STRV_AUTO struct strv lines = {0};
    const char *last = "it gave no reason";
    strv_split(&lines, text == NULL ? "" : text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        if (lines.items[i][0] == '\0' || strstr(lines.items[i], HOOK_FAILED) != NULL)
            continue;
        last = lines.items[i];
        for (size_t j = 0; j < sizeof signs / sizeof *signs; j++) {
            const char *error = strstr(lines.items[i], signs[j]);
            if (error != NULL)
                return str_ndup(error + 7, strnlen(error + 7, REASON_MAX));
        }
    }
    return str_ndup(last, strnlen(last, REASON_MAX));
}

int
pacman_error(const char *text, const char *server, const char *system, struct error *err)
{
    FREE_AUTO char *reason = pacman_reason(text);
    switch (pacman_cause(text)) {
    case PACMAN_SPACE:
        return error_set(err, ERR_SPACE,
            "the disk became full while packages were installed; free some space and run it "
            "again: %s",
            reason);
    case PACMAN_KEY:
        return error_set(err, ERR_DAMAGED,
            "a package of '%s' is not signed by a key that %s keyring trusts; an old keyring does "
            "not know new packagers, so let the snapshot be of the image's own date, or take a "
            "newer image: %s",
            server, system, reason);
    case PACMAN_DAMAGED:
        return error_set(err, ERR_DAMAGED,
            "a package of '%s' is not what its packager signed; it was damaged at the mirror or on "
            "the way, so run it again, or take another mirror: %s",
            server, reason);
    case PACMAN_LIST:
        return error_set(err, ERR_NETWORK,
            "what '%s' sends is no list of packages; open it in a browser to see whether this "
            "network asks for a sign-in, or take another mirror: %s",
            server, reason);
    case PACMAN_NETWORK:
        return error_set(err, ERR_NETWORK,
            "the packages cannot be downloaded from '%s' and none are kept; check the network and "
            "the mirror, then run 'airbuild images' again: %s",
            server, reason);
    case PACMAN_PACKAGE:
        return error_set(err, ERR_SPEC,
            "'%s' does not have a package that is asked for; check its name, or take another "
            "snapshot: %s",
            server, reason);
    case PACMAN_OTHER:
        break;
    }
    return error_set(err, ERR_FAILED, "pacman failed: %s", reason);
}
