// doctor_host.c - the processor, KVM, libvirt and the room on this host; see doctor.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/workspace.h"
#include "cluster/cluster.h"
#include "virt/virt.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PROC_MAX (4 << 20)
// Estimates. At its peak a bake asks for 1.75 GiB for a base and 0.25 GiB for each of two layers
// (bake/bake_run.c), 2.25 GiB: below 3 GiB there is no room beside it. 6 GiB add as much again for
// packages that are kept and for four nodes' disks, which grow with what is written to them.
#define DISK_LEAST ((uint64_t) 3 << 30)
#define DISK_GOOD ((uint64_t) 6 << 30)

// The word stands in the "flags" line of /proc/cpuinfo.
static bool
cpu_has(const char *cpuinfo, const char *word)
{
    const char *flags = strstr(cpuinfo, "\nflags");
    if (flags == NULL)
        return false;
    FREE_AUTO char *line = str_ndup(flags + 1, strcspn(flags + 1, "\n"));
    STRV_AUTO struct strv words = {0};
    strv_split(&words, line, ' ');
    return strv_has(&words, word);
}

static void
check_cpu(struct doctor *doctor)
{
    FREE_AUTO char *text = NULL;
    ERROR_AUTO struct error ignored = {0};
    const char *mend =
        "switch it on in the firmware or the host of this host; else nodes are emulated";
    if (file_read("/proc/cpuinfo", PROC_MAX, &text, NULL, &ignored) == 0 && cpu_has(text, "vmx"))
        doctor_pass(doctor, "cpu", "Intel VT-x");
    else if (text != NULL && cpu_has(text, "svm"))
        doctor_pass(doctor, "cpu", "AMD-V");
    else
        doctor_bad(doctor, "cpu", DOCTOR_WARN, mend, "no hardware virtualisation is offered");
}

static void
check_kvm_device(struct doctor *doctor)
{
    CLOSE_AUTO int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (fd >= 0)
        doctor_pass(doctor, "kvm device", "/dev/kvm can be opened");
    else if (errno == EACCES || errno == EPERM)
        doctor_bad(doctor, "kvm device", DOCTOR_WARN,
            "join the group of /dev/kvm: 'usermod -aG kvm USER', then log in again",
            "/dev/kvm may not be opened");
    else
        doctor_bad(doctor, "kvm device", DOCTOR_WARN,
            "load the module kvm_intel or kvm_amd; else nodes are emulated",
            "/dev/kvm cannot be opened: %s", strerror(errno));
}

static int
check_accel(struct doctor *doctor, struct error *err)
{
    ACCEL_VERDICT_AUTO struct accel_verdict verdict = {0};
    ERROR_AUTO struct error found = {0};
    if (workspace_accel(doctor->home, doctor->spec, NULL, NULL, &verdict, &found) != 0) {
        if (found.code == ERR_INTERRUPTED)
            return error_set(err, found.code, "%s", found.message);
        doctor_bad(doctor, "accelerator", DOCTOR_FAIL,
            "write 'accel: auto' in the spec to let the nodes be emulated", "%s", found.message);
    } else if (verdict.kvm) {
        doctor_pass(doctor, "accelerator", "KVM: %s", verdict.why);
    } else if (doctor->spec->accel == SPEC_ACCEL_TCG) {
        doctor_pass(doctor, "accelerator", "emulation (TCG), as the spec says");
    } else {
        doctor_bad(doctor, "accelerator", DOCTOR_WARN,
            "use a host where KVM works, for speed; everything works emulated too",
            "emulation (TCG): %s", verdict.why);
    }
    return 0;
}

int
doctor_check_processor(struct doctor *doctor, struct error *err)
{
    check_cpu(doctor);
    check_kvm_device(doctor);
    FREE_AUTO char *qemu = accel_qemu();
    if (qemu != NULL)
        doctor_pass(doctor, "qemu", "%s", qemu);
    else
        doctor_bad(doctor, "qemu", DOCTOR_FAIL,
            "apt-get install qemu-system-x86, or pacman -S qemu-base",
            "there is no system emulator");
    return check_accel(doctor, err);
}

static bool
in_group(const char *name)
{
    const struct group *group = getgrnam(name);
    if (group == NULL)
        return false;
    if (getegid() == group->gr_gid)
        return true;
    int count = getgroups(0, NULL);
    FREE_AUTO gid_t *groups = mem_zero((size_t) (count > 0 ? count : 1), sizeof(*groups));
    count = getgroups(count > 0 ? count : 0, groups);
    for (int i = 0; i < count; i++)
        if (groups[i] == group->gr_gid)
            return true;
    return false;
}

static void
check_access(struct doctor *doctor)
{
    if (geteuid() == 0)
        doctor_pass(doctor, "access", "root");
    else if (in_group("libvirt"))
        doctor_pass(doctor, "access", "member of group 'libvirt'");
    else
        doctor_bad(doctor, "access", DOCTOR_WARN,
            "'usermod -aG libvirt USER', then log in again; or run airbuild as root",
            "neither root nor a member of group 'libvirt'");
}

int
doctor_check_libvirt(struct doctor *doctor, struct error *err)
{
    check_access(doctor);
    const char *uri = doctor->spec->uri;
    VIRT_AUTO struct virt *virt = NULL;
    VIRT_HOST_AUTO struct virt_host host = {0};
    ERROR_AUTO struct error found = {0};
    if (virt_open(uri, &virt, &found) == 0 && virt_host_look(virt, &host, &found) == 0) {
        doctor_pass(doctor, "libvirt", "%s answers: libvirt %s%s%s, %s", uri, host.libvirt,
            host.hypervisor != NULL ? ", " : "", host.hypervisor != NULL ? host.hypervisor : "",
            host.arch);
        if (host.qemu_known)
            doctor_check_reach(doctor, host.qemu_user, host.qemu_group);
        return 0;
    }
    if (found.code == ERR_INTERRUPTED)
        return error_set(err, found.code, "%s", found.message);
    doctor_bad(doctor, "libvirt", DOCTOR_FAIL,
        "apt-get install libvirt-daemon-system, or pacman -S libvirt and then "
        "'systemctl enable --now libvirtd.socket', where it is not installed",
        "%s", found.message);
    return 0;
}

// Bytes of a line "NAME:   1234 kB" of /proc/meminfo; 0 when it is not there.
static uint64_t
meminfo(const char *text, const char *name)
{
    FREE_AUTO char *key = str_format("%s:", name);
    const char *line = strstr(text, key);
    unsigned long long kib = 0;
    if (line == NULL)
        return 0;
    line += strlen(key);
    line += strspn(line, " ");
    FREE_AUTO char *digits = str_ndup(line, strspn(line, "0123456789"));
    return str_to_u64(digits, UINT64_MAX / 1024, &kib) ? (uint64_t) kib * 1024 : 0;
}

static void
check_memory(struct doctor *doctor)
{
    uint64_t need = 0;
    for (size_t i = 0; i < doctor->spec->node_count; i++)
        need += (uint64_t) doctor->spec->nodes[i].memory_mib << 20;
    FREE_AUTO char *text = NULL;
    ERROR_AUTO struct error ignored = {0};
    if (file_read("/proc/meminfo", PROC_MAX, &text, NULL, &ignored) != 0)
        return;
    uint64_t there = meminfo(text, "MemAvailable"), total = meminfo(text, "MemTotal");
    FREE_AUTO char *need_text = str_bytes(need);
    FREE_AUTO char *there_text = str_bytes(there);
    FREE_AUTO char *total_text = str_bytes(total);
    const char *mend = "give the nodes less memory in the spec, or free some";
    if (need > total)
        doctor_bad(doctor, "memory", DOCTOR_FAIL, mend, "the nodes need %s and this host has %s",
            need_text, total_text);
    else if (need > there && !cluster_exists(doctor->spec))
        doctor_bad(doctor, "memory", DOCTOR_WARN, mend, "the nodes need %s and %s are free",
            need_text, there_text);
    else
        doctor_pass(doctor, "memory", "the nodes need %s, %s are free", need_text, there_text);
}

// The folder itself, or the nearest one above it that exists; caller frees.
static char *
existing_folder(const char *path)
{
    char *folder = str_dup(path);
    while (!file_exists(folder)) {
        char *slash = strrchr(folder, '/');
        if (slash == NULL || slash == folder) {
            free(folder);
            return str_dup(slash == NULL ? "." : "/");
        }
        *slash = '\0';
    }
    return folder;
}

static void
check_disk(struct doctor *doctor)
{
    FREE_AUTO char *folder = existing_folder(doctor->home);
    uint64_t bytes = 0;
    ERROR_AUTO struct error found = {0};
    const char *mend = "free some, or set AIRBUILD_HOME to a folder with more";
    if (dir_space(folder, &bytes, &found) != 0) {
        doctor_bad(doctor, "disk", DOCTOR_FAIL, mend, "%s", found.message);
        return;
    }
    FREE_AUTO char *text = str_bytes(bytes);
    FREE_AUTO char *least = str_bytes(DISK_LEAST);
    FREE_AUTO char *good = str_bytes(DISK_GOOD);
    if (bytes < DISK_LEAST)
        doctor_bad(doctor, "disk", DOCTOR_FAIL, mend, "%s free in '%s', a bake needs %s", text,
            doctor->home, least);
    else if (bytes < DISK_GOOD)
        doctor_bad(doctor, "disk", DOCTOR_WARN, mend, "%s free in '%s', %s are comfortable", text,
            doctor->home, good);
    else
        doctor_pass(doctor, "disk", "%s free in '%s'", text, doctor->home);
}

// A clock behind the program's own making is wrong: signatures and certificates would look as if
// from the future.
static void
check_clock(struct doctor *doctor)
{
    struct stat self;
    FREE_AUTO char *now = clock_stamp();
    if (stat("/proc/self/exe", &self) == 0 && time(NULL) + 86400 < self.st_mtime)
        doctor_bad(doctor, "clock", DOCTOR_WARN,
            "set the clock, 'timedatectl set-ntp true'; mirrors' signatures depend on it",
            "%s is before this program was made", now);
    else
        doctor_pass(doctor, "clock", "%s", now);
}

int
doctor_check_room(struct doctor *doctor, struct error *err)
{
    check_memory(doctor);
    check_disk(doctor);
    check_clock(doctor);
    return interrupt_check(err);
}
