// guest.c - the appliance: start and end, errors, files and commands in it. Only guest*.c use
// libguestfs.
// SPDX-License-Identifier: Apache-2.0
#include "bake/guest.h"

#include "bake/appliance_network.h"
#include "bake/guest_watch.h"
#include "bake/make.h"
#include "base/asset.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/dir.h"
#include "base/file.h"

#include <errno.h>
#include <string.h>

enum {
    LAUNCH_MS = 120 * 1000,
    FINISH_MS = 60 * 1000,
    TCG_FACTOR = 5,
};

// ---- errors -------------------------------------------------------------------------------------

int
guest_error(struct guest *guest, struct error *err)
{
    switch (watch_reason(guest->watch)) {
    case WATCH_INTERRUPTED:
        return error_set(err, ERR_INTERRUPTED,
            "interrupted while baking '%s'; run the same command again to continue",
            guest->job->item->name);
    case WATCH_SPACE:
        return error_set(err, ERR_SPACE,
            "the disk became full while baking '%s' (%s); free some space and run it again",
            guest->job->item->name, guest->step);
    case WATCH_LATE:
        return error_set(err, ERR_TIMEOUT,
            "baking '%s' timed out under %s at '%s'; run it again, and 'airbuild doctor' when it "
            "happens twice",
            guest->job->item->name, guest->job->options->kvm ? "KVM" : "TCG", guest->step);
    case WATCH_NONE:
        break;
    }
    const char *text = guestfs_last_error(guest->g);
    FREE_AUTO char *message = str_dup(text == NULL ? "libguestfs gave no reason" : text);
    for (size_t length = strlen(message); length > 0 && strchr("\n ", message[length - 1]);)
        message[--length] = '\0';
    bool full = strstr(message, "No space left on device") != NULL ||
                guestfs_last_errno(guest->g) == ENOSPC;
    return error_set(err, full ? ERR_SPACE : ERR_FAILED, "%s (%s): %s", guest->job->item->name,
        guest->step, message);
}

static void
on_event(guestfs_h *g, void *opaque, uint64_t event, int handle, int flags, const char *text,
    size_t length, const uint64_t *numbers, size_t count)
{
    struct guest *guest = opaque;
    (void) g, (void) handle, (void) flags, (void) text, (void) length;
    if (event == GUESTFS_EVENT_PROGRESS && count >= 4 && numbers[3] > 0)
        progress_part(guest->job->options->progress, guest->job->item->name,
            (double) numbers[2] / (double) numbers[3]);
}

// ---- life ---------------------------------------------------------------------------------------

void
guest_step(struct guest *guest, int64_t timeout_ms, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    free(guest->step);
    guest->step = str_formatv(format, args);
    va_end(args);
    watch_deadline(
        guest->watch, clock_ms() + timeout_ms * (guest->job->options->kvm ? 1 : TCG_FACTOR));
    progress_step(guest->job->options->progress, guest->job->item->name, "%s", guest->step);
}

// The direct backend needs no libvirtd and does not change the owner of root's files. With one
// emulated processor QEMU omits memory barriers; write_cpus in virt/xml.c has the details.
int
guest_start(const struct bake_job *job, const struct guest_disk *disk, bool network,
    struct guest **ret, struct error *err)
{
    GUEST_AUTO struct guest *guest = mem_zero(1, sizeof *guest);
    uint64_t shown = GUESTFS_EVENT_PROGRESS;
    uint64_t silenced = GUESTFS_EVENT_LIBRARY | GUESTFS_EVENT_WARNING | GUESTFS_EVENT_APPLIANCE;
    bool kvm = job->options->kvm;
    guest->job = job;
    guest->proxies = network ? appliance_proxies() : str_dup("");
    guest->g =
        guestfs_create_flags(GUESTFS_CREATE_NO_ENVIRONMENT | GUESTFS_CREATE_NO_CLOSE_ON_EXIT);
    if (guest->g == NULL)
        return error_errno(err, errno, "cannot make a libguestfs handle");
    if (watch_new(job->folder, &guest->watch, err) < 0)
        return -1;
    guest_step(guest, LAUNCH_MS, "starting the appliance");
    guestfs_set_error_handler(guest->g, NULL, NULL);
    if (guestfs_parse_environment(guest->g) < 0 ||
        guestfs_set_event_callback(guest->g, on_event, shown | silenced, 0, guest) < 0 ||
        guestfs_set_backend(guest->g, "direct") < 0 ||
        (!kvm && guestfs_set_backend_setting(guest->g, "force_tcg", "1") < 0) ||
        (!kvm && guestfs_set_smp(guest->g, 2) < 0) || guestfs_set_network(guest->g, network) < 0 ||
        (disk->create_over != NULL &&
            guestfs_disk_create(guest->g, disk->path, "qcow2", -1, GUESTFS_DISK_CREATE_BACKINGFILE,
                disk->create_over, GUESTFS_DISK_CREATE_BACKINGFORMAT, "qcow2", -1) < 0) ||
        guestfs_add_drive_opts(guest->g, disk->path, GUESTFS_ADD_DRIVE_OPTS_FORMAT, disk->format,
            GUESTFS_ADD_DRIVE_OPTS_CACHEMODE, "unsafe", GUESTFS_ADD_DRIVE_OPTS_DISCARD,
            "besteffort", -1) < 0 ||
        guestfs_launch(guest->g) < 0)
        return guest_error(guest, err);
    *ret = TAKE(guest);
    return 0;
}

int
guest_finish(struct guest *guest, struct error *err)
{
    guest_step(guest, FINISH_MS, "writing the disk");
    if (guestfs_umount_all(guest->g) < 0 || guestfs_shutdown(guest->g) < 0)
        return guest_error(guest, err);
    return 0;
}

void
guest_free(struct guest *guest)
{
    if (guest == NULL)
        return;
    if (guest->g != NULL)
        guestfs_close(guest->g);
    watch_free(guest->watch);
    free(guest->step);
    free(guest->proxies);
    free(guest);
}

// ---- files and commands -------------------------------------------------------------------------

int
guest_unpack(struct guest *guest, const char *tar, struct error *err)
{
    if (guestfs_tar_in_opts(guest->g, tar, "/", GUESTFS_TAR_IN_OPTS_XATTRS, 1, -1) < 0)
        return guest_error(guest, err);
    return 0;
}

int
guest_run(struct guest *guest, const char *text, char **ret_output, struct error *err)
{
    FREE_AUTO char *command = str_format("set -eu\n%s%s", guest->proxies, text);
    char *output = guestfs_sh(guest->g, command);
    if (output == NULL)
        return guest_error(guest, err);
    if (ret_output != NULL)
        *ret_output = output;
    else
        free(output);
    return 0;
}

int
guest_script(struct guest *guest, const char *name, const char *verb, const struct strv *words,
    char **ret_output, struct error *err)
{
    BUF_AUTO struct buf text = {0};
    FREE_AUTO char *asset = str_format("images/scripts/%s.sh", name), *script = NULL;
    if (asset_read(asset, &script, NULL, err) < 0)
        return -1;
    buf_printf(&text, "set -- %s", verb);
    for (size_t i = 0; words != NULL && i < words->count; i++) {
        buf_add(&text, " ");
        buf_add_word(&text, words->items[i]);
    }
    buf_printf(&text, "\n%s", script);
    return guest_run(guest, text.data, ret_output, err);
}

int
guest_write(struct guest *guest, const char *path, unsigned mode, const void *data, size_t length,
    struct error *err)
{
    FREE_AUTO char *folder = path_folder(path);
    if (guestfs_mkdir_p(guest->g, folder) < 0 || guestfs_rm_f(guest->g, path) < 0 ||
        guestfs_write(guest->g, path, data, length) < 0 ||
        guestfs_chmod(guest->g, (int) mode, path) < 0)
        return guest_error(guest, err);
    return 0;
}

int
guest_exists(struct guest *guest, const char *path, bool *ret, struct error *err)
{
    int answer = guestfs_exists(guest->g, path);
    if (answer < 0)
        return guest_error(guest, err);
    *ret = answer != 0;
    return 0;
}

void
guest_names_free(char ***names)
{
    for (size_t i = 0; *names != NULL && (*names)[i] != NULL; i++)
        free((*names)[i]);
    free(*names);
}

int
guest_newest(struct guest *guest, const char *glob, char **ret_path, struct error *err)
{
    NAMES_AUTO char **names = guestfs_glob_expand(guest->g, glob);
    const char *newest = NULL;
    if (names == NULL)
        return guest_error(guest, err);
    for (size_t i = 0; names[i] != NULL; i++)
        if (newest == NULL || strverscmp(names[i], newest) > 0)
            newest = names[i];
    *ret_path = str_dup(newest);
    return 0;
}

int
guest_download(struct guest *guest, const char *path, const char *to, struct error *err)
{
    if (guestfs_download(guest->g, path, to) < 0)
        return guest_error(guest, err);
    return 0;
}

int
guest_upload(struct guest *guest, const char *from, const char *to, struct error *err)
{
    FREE_AUTO char *folder = path_folder(to);
    if (guestfs_mkdir_p(guest->g, folder) < 0 || guestfs_upload(guest->g, from, to) < 0)
        return guest_error(guest, err);
    return 0;
}

int
guest_copy_out(struct guest *guest, const char *from, const char *to, struct error *err)
{
    NAMES_AUTO char **names = guestfs_ls(guest->g, from);
    if (names == NULL)
        return guest_error(guest, err);
    for (size_t i = 0; names[i] != NULL; i++) {
        FREE_AUTO char *source = path_join(from, names[i]);
        FREE_AUTO char *target = path_join(to, names[i]);
        if (guest_download(guest, source, target, err) < 0)
            return -1;
    }
    return 0;
}

int
guest_copy_in(struct guest *guest, const char *from, const char *to, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    if (dir_list(from, &names, err) < 0)
        return -1;
    if (guestfs_mkdir_p(guest->g, to) < 0)
        return guest_error(guest, err);
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *source = path_join(from, names.items[i]);
        FREE_AUTO char *target = path_join(to, names.items[i]);
        if (guestfs_upload(guest->g, source, target) < 0)
            return guest_error(guest, err);
    }
    return 0;
}
