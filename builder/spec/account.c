// account.c - names of accounts that a node cannot be given: its image has an account or a group of
// that name already, so the new one, or the group that is made with it, could not be added.
// SPDX-License-Identifier: Apache-2.0
#include "spec/forms.h"

#include "base/str.h"

#include <string.h>

// In the order of strcmp. Debian's: base-passwd's passwd.master and group.master, basic.conf of
// systemd, the packages of the images. Arch's: filesystem, its own basic.conf and arch.conf.
static const char *const taken[] = {"adm", "alpm", "audio", "backup", "bin", "cdrom", "chrony",
    "clock", "crontab", "daemon", "dbus", "dhcpcd", "dialout", "dip", "disk", "fax", "floppy",
    "ftp", "games", "haproxy", "http", "input", "irc", "kmem", "kvm", "list", "lock", "log", "lp",
    "mail", "man", "mem", "messagebus", "netdev", "network", "news", "nobody", "nogroup", "ntp",
    "operator", "optical", "plugdev", "polkitd", "power", "proc", "proxy", "rdma", "redis",
    "render", "rfkill", "root", "sasl", "scanner", "sgx", "shadow", "smmsp", "src", "ssh", "sshd",
    "ssl-cert", "staff", "storage", "sudo", "sync", "sys", "tape", "tss", "tty", "users", "utmp",
    "uucp", "uuidd", "valkey", "video", "voice", "wheel", "www-data"};

// '_' begins what packages of Debian make (Debian Policy 9.2.1), systemd- what systemd does.
bool
account_is_taken(const char *name)
{
    if (name[0] == '_' || str_starts(name, "systemd-"))
        return true;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (strcmp(name, taken[i]) == 0)
            return true;
    return false;
}
