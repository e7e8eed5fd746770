// priority.c - a domain's share of the host's processors.
// SPDX-License-Identifier: Apache-2.0
#include "virt/domain_handle.h"

#include "base/dir.h"
#include "base/file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#define YIELDING_PART 3 // of the usual share: a domain that yields still boots on a busy host
#define YIELDING_NICE 5 // has about that part of the usual weight (sched(7), autogroup)
#define CMDLINE_MAX (1 << 20)

// Shares of a domain that has none of its own, as the kernel has them: cpu.weight of cgroup v2,
// cpu.shares of v1.
static int
set_shares(virDomainPtr domain, unsigned yields)
{
    struct statfs info;
    bool unified = statfs("/sys/fs/cgroup", &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
    virTypedParameter shares = {
        .field = VIR_DOMAIN_SCHEDULER_CPU_SHARES, .type = VIR_TYPED_PARAM_ULLONG};
    shares.value.ul = (unified ? 100U : 1024U) / (yields ? YIELDING_PART : 1U);
    return virDomainSetSchedulerParametersFlags(domain, &shares, 1, VIR_DOMAIN_AFFECT_LIVE);
}

// Finds the emulator by its argument -uuid, as libvirt does not report its process.
static void
set_autogroup(const char *uuid, bool yields)
{
    STRV_AUTO struct strv names = {0};
    FREE_AUTO char *nice = str_format("%d", yields ? YIELDING_NICE : 0);
    ERROR_AUTO struct error ignored = {0};
    unsigned long long pid;
    dir_list("/proc", &names, &ignored);
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *path = str_format("/proc/%s/cmdline", names.items[i]);
        FREE_AUTO char *data = NULL;
        size_t length = 0;
        if (!str_to_u64(names.items[i], INT32_MAX, &pid) ||
            file_read(path, CMDLINE_MAX, &data, &length, &ignored) < 0 ||
            memmem(data, length, "-uuid", sizeof "-uuid") == NULL ||
            memmem(data, length, uuid, strlen(uuid) + 1) == NULL)
            continue;
        FREE_AUTO char *group = str_format("/proc/%s/autogroup", names.items[i]);
        CLOSE_AUTO int fd = open(group, O_WRONLY | O_CLOEXEC);
        if (fd >= 0)
            (void) file_write_all(fd, nice, strlen(nice));
    }
}

void
virt_domain_yield(struct virt *virt, const char *cluster, const char *name, bool yields)
{
    CALL_AUTO struct call *found = NULL;
    ERROR_AUTO struct error ignored = {0};
    char uuid[VIR_UUID_STRING_BUFLEN];
    if (domain_find(virt, cluster, name, &found, &ignored) < 0 ||
        domain_call(found->domain, "setting the share of", CALL_MS, set_shares, yields, &ignored) ==
            0)
        return;
    if (virDomainGetUUIDString(found->domain, uuid) == 0) // libvirt uses no cgroups here
        set_autogroup(uuid, yields);
}
