// doctor_host.c - processor, KVM, memory, disk and clock of this host; see doctor.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "cli/doctor.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/workspace.h"
#include "cluster/cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PROC_MAX (4 << 20)
// Estimates. A bake needs 2.25 GiB at its peak: 1.75 GiB for a base and 0.25 GiB for each of two
// layers (bake/bake_run.c). The rest is for downloads; 6 GiB leave space for kept packages and for
// the disks of four nodes, which grow as they are written to.
#define DISK_LEAST ((uint64_t) 3 << 30)
#define DISK_GOOD ((uint64_t) 6 << 30)

// Whether the "flags" line of /proc/cpuinfo has the word.
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
    const char *fix =
        "enable it in the firmware, or in the hypervisor that runs this host; without it nodes "
        "are emulated";
    if (file_read("/proc/cpuinfo", PROC_MAX, &text, NULL, &ignored) == 0 && cpu_has(text, "vmx"))
        doctor_pass(doctor, "cpu", "Intel VT-x");
    else if (text != NULL && cpu_has(text, "svm"))
        doctor_pass(doctor, "cpu", "AMD-V");
    else
        doctor_add(
            doctor, "cpu", DOCTOR_WARN, fix, "the processor offers no hardware virtualisation");
}

void
doctor_check_processor(struct doctor *doctor)
{
    ACCEL_VERDICT_AUTO struct accel_verdict verdict = {0};
    ERROR_AUTO struct error found = {0};
    check_cpu(doctor);
    CLOSE_AUTO int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (fd >= 0)
        doctor_pass(doctor, "kvm device", "/dev/kvm can be opened");
    else if (errno == EACCES || errno == EPERM)
        doctor_add(doctor, "kvm device", DOCTOR_WARN,
            "join the group of /dev/kvm: 'usermod -aG kvm USER', then log in again",
            "no permission to open /dev/kvm");
    else
        doctor_add(doctor, "kvm device", DOCTOR_WARN,
            "load the module kvm_intel or kvm_amd; without it nodes are emulated",
            "/dev/kvm cannot be opened: %s", strerror(errno));
    FREE_AUTO char *qemu = accel_qemu();
    if (qemu != NULL)
        doctor_pass(doctor, "qemu", "%s", qemu);
    else
        doctor_add(doctor, "qemu", DOCTOR_FAIL,
            "apt-get install qemu-system-x86, or pacman -S qemu-base",
            "no system emulator is installed");
    if (workspace_accel(doctor->home, doctor->spec, NULL, NULL, &verdict, &found) != 0)
        doctor_add(doctor, "accelerator", DOCTOR_FAIL,
            "set 'accel: auto' in the spec, which falls back to emulation", "%s", found.message);
    else if (verdict.kvm)
        doctor_pass(doctor, "accelerator", "KVM: %s", verdict.why);
    else if (doctor->spec->accel == SPEC_ACCEL_TCG)
        doctor_pass(doctor, "accelerator", "emulation (TCG), as specified");
    else
        doctor_add(doctor, "accelerator", DOCTOR_WARN,
            "use a host where KVM works, for speed; emulated nodes have every feature, too",
            "emulation (TCG): %s", verdict.why);
}

// Bytes of a line "NAME:   1234 kB" of /proc/meminfo; 0 when there is none. name ends with ':'.
static uint64_t
meminfo(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    return line != NULL ? (uint64_t) strtoull(line + strlen(name), NULL, 10) * 1024 : 0;
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
    uint64_t there = meminfo(text, "MemAvailable:"), total = meminfo(text, "MemTotal:");
    FREE_AUTO char *need_text = str_bytes(need);
    FREE_AUTO char *there_text = str_bytes(there);
    FREE_AUTO char *total_text = str_bytes(total);
    const char *fix = "give the nodes less memory in the spec, or free memory";
    if (need > total)
        doctor_add(doctor, "memory", DOCTOR_FAIL, fix, "the nodes need %s; this host has %s",
            need_text, total_text);
    else if (need > there && !cluster_exists(doctor->spec))
        doctor_add(doctor, "memory", DOCTOR_WARN, fix, "the nodes need %s; only %s are free",
            need_text, there_text);
    else
        doctor_pass(doctor, "memory", "the nodes need %s; %s are free", need_text, there_text);
}

static void
check_disk(struct doctor *doctor)
{
    FREE_AUTO char *path = str_dup(doctor->home);
    const char *folder = path; // the home, or the nearest folder above it that exists
    while (!file_exists(folder))
        folder = dirname(path);
    uint64_t bytes = 0;
    ERROR_AUTO struct error found = {0};
    const char *fix = "free space, or set AIRBUILD_HOME to a folder on a larger disk";
    if (dir_space(folder, &bytes, &found) != 0) {
        doctor_add(doctor, "disk", DOCTOR_FAIL, fix, "%s", found.message);
        return;
    }
    FREE_AUTO char *text = str_bytes(bytes);
    FREE_AUTO char *least = str_bytes(DISK_LEAST);
    FREE_AUTO char *good = str_bytes(DISK_GOOD);
    if (bytes < DISK_LEAST)
        doctor_add(doctor, "disk", DOCTOR_FAIL, fix, "%s free in '%s'; a bake needs %s", text,
            doctor->home, least);
    else if (bytes < DISK_GOOD)
        doctor_add(doctor, "disk", DOCTOR_WARN, fix, "%s free in '%s'; %s are recommended", text,
            doctor->home, good);
    else
        doctor_pass(doctor, "disk", "%s free in '%s'", text, doctor->home);
}

void
doctor_check_resources(struct doctor *doctor)
{
    struct stat self;
    FREE_AUTO char *now = clock_stamp();
    check_memory(doctor);
    check_disk(doctor);
    // A clock that is before the program's own build is wrong: to it, signatures and certificates
    // are from the future.
    if (stat("/proc/self/exe", &self) == 0 && time(NULL) + 86400 < self.st_mtime)
        doctor_add(doctor, "clock", DOCTOR_WARN,
            "set the clock: 'timedatectl set-ntp true'; checks of signatures and certificates "
            "depend on it",
            "%s is before this program was built", now);
    else
        doctor_pass(doctor, "clock", "%s", now);
}
