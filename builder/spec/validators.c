// validators.c - see validators.h. Names go into XML, YAML, paths and shell variables, so
// characters that any of them interprets are refused.
// SPDX-License-Identifier: Apache-2.0
#include "spec/validators.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "spec/spec.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"
#define HEX DIGIT "abcdefABCDEF"

enum {
    SHORT_NAME_MAX = 10, // so that NAME0 is a valid name of an interface
    NODE_NAME_MAX = 31,
    INTERFACE_MAX = 15, // IFNAMSIZ without the NUL
    ACCOUNT_MAX = 32,   // useradd(8)
    MASTER_NAME_MAX = 64,
    ADDRESS_MAX = 512,
    PATH_LENGTH_MAX = 4095,
    KEY_MAX = 8192,
};

static bool
consists_of(const char *text, const char *first, const char *others, size_t max)
{
    size_t length = strlen(text);
    return length > 0 && length <= max && strchr(first, text[0]) != NULL &&
           strspn(text + 1, others) == length - 1;
}

static bool
is_label(const char *text, size_t max)
{
    return consists_of(text, LOWER, LOWER DIGIT "-", max) && !str_ends(text, "-");
}

bool
valid_short_name(const char *text)
{
    return is_label(text, SHORT_NAME_MAX);
}

bool
valid_node_name(const char *text)
{
    return is_label(text, NODE_NAME_MAX) && strcmp(text, "localhost") != 0;
}

bool
valid_interface(const char *text)
{
    return consists_of(text, LOWER UPPER DIGIT, LOWER UPPER DIGIT "._-", INTERFACE_MAX);
}

bool
valid_suite(const char *text)
{
    return is_label(text, NODE_NAME_MAX);
}

bool
valid_master_name(const char *text)
{
    return consists_of(text, LOWER UPPER DIGIT, LOWER UPPER DIGIT "._-", MASTER_NAME_MAX);
}

// Debian: passwd.master and group.master of base-passwd, basic.conf of systemd, packages of the
// images. Arch: filesystem, its basic.conf and arch.conf. In the order of strcmp.
static const char *const system_accounts[] = {"adm", "alpm", "audio", "backup", "bin", "cdrom",
    "chrony", "clock", "crontab", "daemon", "dbus", "dhcpcd", "dialout", "dip", "disk", "fax",
    "floppy", "ftp", "games", "haproxy", "http", "input", "irc", "kmem", "kvm", "list", "lock",
    "log", "lp", "mail", "man", "mem", "messagebus", "netdev", "network", "news", "nobody",
    "nogroup", "ntp", "operator", "optical", "plugdev", "polkitd", "power", "proc", "proxy", "rdma",
    "redis", "render", "rfkill", "root", "sasl", "scanner", "sgx", "shadow", "smmsp", "src", "ssh",
    "sshd", "ssl-cert", "staff", "storage", "sudo", "sync", "sys", "tape", "tss", "tty", "users",
    "utmp", "uucp", "uuidd", "valkey", "video", "voice", "wheel", "www-data"};

// Accounts of Debian's packages begin with '_' (Debian Policy 9.2.1), systemd's with 'systemd-'.
bool
account_is_taken(const char *name)
{
    if (name[0] == '_' || str_starts(name, "systemd-"))
        return true;
    for (size_t i = 0; i < sizeof system_accounts / sizeof *system_accounts; i++)
        if (strcmp(name, system_accounts[i]) == 0)
            return true;
    return false;
}

bool
valid_account(const char *text)
{
    return consists_of(text, LOWER, LOWER DIGIT "_-", ACCOUNT_MAX) && !account_is_taken(text);
}

// ---- network ------------------------------------------------------------------------------------

bool
address_read(const char *text, uint32_t *ret)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1)
        return false;
    *ret = ntohl(address.s_addr);
    return true;
}

char *
address_write(uint32_t address)
{
    return str_format(
        "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

// 52:54:00 is QEMU's.
char *
address_mac(uint32_t address)
{
    return str_format(
        "52:54:00:%02x:%02x:%02x", address >> 16 & 255, address >> 8 & 255, address & 255);
}

bool
valid_address(const char *text)
{
    uint32_t address;
    return address_read(text, &address);
}

bool
subnet_read(const char *text, struct subnet *ret)
{
    unsigned long long prefix;
    uint32_t network;
    const char *slash = strchr(text, '/');
    if (slash == NULL)
        return false;
    FREE_AUTO char *address = str_ndup(text, (size_t) (slash - text));
    if (!address_read(address, &network) || strlen(slash + 1) > 2 || slash[1] == '0' ||
        !str_to_u64(slash + 1, 29, &prefix) || prefix < 8)
        return false;
    uint32_t hosts = UINT32_MAX >> prefix, first = network >> 24;
    // Not "this network", loopback, multicast or reserved (RFC 6890).
    if ((network & hosts) != 0 || first == 0 || first == 127 || first >= 224)
        return false;
    *ret = (struct subnet){network, network | hosts, (unsigned) prefix};
    return true;
}

bool
valid_subnet(const char *text)
{
    struct subnet subnet;
    return subnet_read(text, &subnet);
}

// Neither multicast nor FE:..., which libvirt reserves for its own devices (virnetdevtap.c).
bool
valid_mac(const char *text)
{
    static const char *const shape = "HH:HH:HH:HH:HH:HH";
    if (strlen(text) != strlen(shape))
        return false;
    for (size_t i = 0; shape[i] != '\0'; i++)
        if (shape[i] == ':' ? text[i] != ':' : strchr(HEX, text[i]) == NULL)
            return false;
    bool multicast = strchr("13579bdfBDF", text[1]) != NULL;
    return !multicast && strncasecmp(text, "fe:", 3) != 0 && strcmp(text, "00:00:00:00:00:00") != 0;
}

static bool
is_address_text(const char *text)
{
    return consists_of(text, LOWER, LOWER UPPER DIGIT "-._~:/?#@&+,=%[]", ADDRESS_MAX);
}

// Accepts libvirt's drivers for QEMU and "test", its in-memory hypervisor.
bool
valid_uri(const char *text)
{
    static const char *const drivers[] = {"qemu:", "qemu+", "test:", "test+"};
    const char *scheme_end = strstr(text, "://");
    if (scheme_end == NULL || scheme_end[3] == '\0' || !is_address_text(text))
        return false;
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        if (str_starts(text, drivers[i]))
            return true;
    return false;
}

// Whether libvirt is reached by a local socket or without one
// (https://libvirt.org/uri.html#remote-uris).
bool
uri_is_local(const char *text)
{
    const char *end = strstr(text, "://");
    const char *plus = memchr(text, '+', (size_t) (end - text));
    return end[3] == '/' && (plus == NULL || strncmp(plus, "+unix:", 6) == 0);
}

bool
valid_mirror(const char *text)
{
    static const char *const schemes[] = {"http://", "https://", "file:///"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (str_starts(text, schemes[i]) && text[strlen(schemes[i])] != '\0')
            return is_address_text(text);
    return false;
}

// An account in the URL is refused: every message with the URL would show it.
bool
valid_download(const char *text)
{
    if (!valid_mirror(text) || strchr(text, '#') != NULL || str_ends(text, "/"))
        return false;
    const char *host = strstr(text, "://") + 3, *path = strchr(host, '/');
    return path != NULL && path[1] != '\0' && memchr(host, '@', (size_t) (path - host)) == NULL;
}

bool
valid_sha256(const char *text)
{
    return strlen(text) == 64 && strspn(text, HEX) == 64;
}

// ---- days and versions --------------------------------------------------------------------------

// Whether text begins with a day of the calendar since 2000, of the format of strptime and the
// length of its longest numbers. strptime allows blanks, February 30, which timegm turns into
// another day, and stops early at month 92.
static bool
is_day(const char *text, const char *format, size_t length)
{
    struct tm day = {0};
    if (strspn(text, DIGIT "-") < length || strptime(text, format, &day) != text + length)
        return false;
    struct tm real = day;
    timegm(&real);
    return day.tm_year >= 100 && real.tm_mday == day.tm_mday;
}

bool
valid_snapshot(const char *text)
{
    return is_day(text, "%Y-%m-%d", 10) && text[10] == '\0';
}

bool
valid_arch_image(const char *text)
{
    if (str_equal(text, "latest"))
        return true;
    size_t length = strlen(text);
    return is_day(text, "%Y%m%d", 8) && text[8] == '.' && length > 9 && length <= 20 &&
           strspn(text + 9, DIGIT) == length - 9;
}

bool
valid_bootstrap(const char *text)
{
    // As in bake/distro.h. Debian's bases are made by `debian`.
#define DISTRO(name) #name,
    static const char *const names[] = {AIRBUILD_DISTROS};
#undef DISTRO
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equal(text, names[i]))
            return !str_equal(text, "debian");
    return false;
}

// ---- files and keys -----------------------------------------------------------------------------

static bool
is_visible(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char) *text < ' ' || *text == 0x7f)
            return false;
    return true;
}

// '~' is not expanded, so it would name another file than expected.
bool
valid_path(const char *text)
{
    return text[0] != '\0' && text[0] != '~' && strlen(text) <= PATH_LENGTH_MAX &&
           is_visible(text) && !str_ends(text, "/");
}

// A public key is its type, the base64 of a blob that begins with the length of the type and the
// type (RFC 4253, 6.6), and perhaps a comment: sshd(8), AUTHORIZED_KEYS FILE FORMAT.
static const struct {
    const char *type, *blob; // the beginning of the blob
} key_types[] = {
    {"ssh-ed25519 ", "AAAAC3NzaC1lZDI1NTE5"},
    {"ssh-rsa ", "AAAAB3NzaC1yc2"},
    {"ecdsa-sha2-nistp256 ", "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY"},
    {"ecdsa-sha2-nistp384 ", "AAAAE2VjZHNhLXNoYTItbmlzdHAzODQ"},
    {"ecdsa-sha2-nistp521 ", "AAAAE2VjZHNhLXNoYTItbmlzdHA1MjE"},
    {"sk-ssh-ed25519@openssh.com ", "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t"},
    {"sk-ecdsa-sha2-nistp256@openssh.com ", "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20"},
};

bool
valid_public_key(const char *text)
{
    if (strlen(text) > KEY_MAX || !is_visible(text))
        return false;
    for (size_t i = 0; i < sizeof key_types / sizeof key_types[0]; i++) {
        if (!str_starts(text, key_types[i].type))
            continue;
        const char *blob = text + strlen(key_types[i].type);
        size_t length = strcspn(blob, " "), digits = strspn(blob, LOWER UPPER DIGIT "+/");
        size_t padding = strspn(blob + digits, "=");
        // The shortest blob, of ed25519, is 51 bytes long: 68 characters.
        return str_starts(blob, key_types[i].blob) && length >= 68 && length % 4 == 0 &&
               padding <= 2 && digits + padding == length;
    }
    return false;
}
