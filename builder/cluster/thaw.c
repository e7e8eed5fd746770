// thaw.c - see thaw.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/thaw.h"

#include "base/cleanup.h"
#include "base/compress.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "cluster/cluster.h"
#include "cluster/definition.h"
#include "virt/domain.h"
#include "virt/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PIPE_BYTES (1 << 20)

// What is restored: a definition and a path by node. The items point into the definitions.
struct thaw {
    const struct session *session;
    struct domain_definition *definitions;
    char **paths;
    struct virt_memory *items;
    size_t count;
};

static void
thaw_free(struct thaw *thaw)
{
    for (size_t i = 0; i < thaw->session->spec->node_count; i++) {
        domain_definition_free(&thaw->definitions[i]);
        free(thaw->paths[i]);
    }
    free(thaw->definitions);
    free(thaw->paths);
    free(thaw->items);
}

static struct thaw
thaw_new(const struct session *session)
{
    size_t count = session->spec->node_count;
    struct thaw thaw = {.session = session};
    thaw.definitions = mem_zero(count, sizeof *thaw.definitions);
    thaw.paths = mem_zero(count, sizeof *thaw.paths);
    thaw.items = mem_zero(count, sizeof *thaw.items);
    return thaw;
}

static void
thaw_add(struct thaw *thaw, size_t node, const struct image *image, bool kvm)
{
    const struct spec_node *what = &thaw->session->spec->nodes[node];
    domain_definition_fill(&thaw->definitions[node], thaw->session->spec, thaw->session->id,
        thaw->session->digest, what, image, kvm);
    thaw->paths[node] = cluster_node_path(thaw->session->spec, what->name, THAW_MEMORY);
    thaw->items[thaw->count++] = (struct virt_memory){
        .name = what->name,
        .path = thaw->paths[node],
        .domain = &thaw->definitions[node].domain,
    };
}

static int
thaw_restore(const struct thaw *thaw, struct error *err)
{
    return virt_memory_restore(
        thaw->session->virt, thaw->session->spec->cluster, thaw->items, thaw->count, THAW_MS, err);
}

// ---- what freeze saved ---------------------------------------------------------------------------

// A node whose disk was written after its memory was saved has run since.
bool
thaw_has_memory(const struct session *session, const char *node)
{
    FREE_AUTO char *memory = cluster_node_path(session->spec, node, THAW_MEMORY);
    FREE_AUTO char *disk = cluster_node_path(session->spec, node, "disk.qcow2");
    struct stat saved, written;
    if (stat(memory, &saved) < 0 || stat(disk, &written) < 0)
        return false;
    bool ran_since = written.st_mtim.tv_sec > saved.st_mtim.tv_sec ||
                     (written.st_mtim.tv_sec == saved.st_mtim.tv_sec &&
                         written.st_mtim.tv_nsec > saved.st_mtim.tv_nsec);
    return !ran_since && virt_memory_is_whole(session->virt, memory);
}

int
thaw_saved(const struct session *session, struct image *const *images, bool kvm, const bool *nodes,
    struct error *err)
{
    CLEANUP(thaw_free) struct thaw thaw = thaw_new(session);
    for (size_t i = 0; i < session->spec->node_count; i++)
        if (nodes[i])
            thaw_add(&thaw, i, images[i], kvm);
    if (thaw_restore(&thaw, err) < 0)
        return -1;
    for (size_t i = 0; i < thaw.count; i++)
        if (unlink(thaw.items[i].path) < 0)
            return error_errno(err, errno, "cannot remove '%s'", thaw.items[i].path);
    return 0;
}

static bool
have_same_content(const char *one, const char *other)
{
    char digests[2][DIGEST_HEX + 1];
    ERROR_AUTO struct error ignored = {0}; // they differ
    return digest_file(one, digests[0], &ignored) == 0 &&
           digest_file(other, digests[1], &ignored) == 0 && str_equal(digests[0], digests[1]);
}

bool
thaw_was_cut(const struct session *session, const struct survey *survey)
{
    if (session->record == NULL || session->record->thaws == NULL)
        return false;
    FREE_AUTO char *home = cluster_home();
    FREE_AUTO char *set = str_format("%s/store/frozen/%s", home, session->record->thaws);
    for (size_t i = 0; i < survey->count; i++) {
        const char *node = session->spec->nodes[i].name;
        FREE_AUTO char *disk = cluster_node_path(session->spec, node, FROZEN_DISK);
        FREE_AUTO char *frozen = frozen_path(set, node, FROZEN_DISK);
        if (survey->domains[i].ours && survey->domains[i].state != VIRT_ABSENT &&
            (survey->domains[i].state == VIRT_RUNNING || !have_same_content(disk, frozen)))
            return false;
    }
    return true;
}

// ---- a frozen set --------------------------------------------------------------------------------

// One thread decompresses the memory of one node into a FIFO that libvirt reads.
struct pump {
    char *from;
    int to;
    atomic_bool *stop;
    pthread_t thread;
    bool started;
    int result;
    struct error err;
};

static void *
run_pump(void *context)
{
    struct pump *pump = context;
    pump->result = decompress_from(pump->from, pump->to, pump->stop, &pump->err);
    cleanup_close(&pump->to); // the end of the file for libvirt
    pump->to = -1;
    return NULL;
}

// A FIFO that is open for writing does not make libvirt's open wait. Only while it is open for
// reading, too, can it be opened for writing without waiting.
static int
start_pump(struct pump *pump, const char *fifo, struct error *err)
{
    unlink(fifo);
    if (mkfifo(fifo, 0600) < 0)
        return error_errno(err, errno, "cannot make '%s'", fifo);
    CLOSE_AUTO int reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    pump->to = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (pump->to < 0)
        return error_errno(err, errno, "cannot open '%s'", fifo);
    // A larger pipe means fewer switches between us and QEMU; it stays small beyond the user's
    // limit.
    fcntl(pump->to, F_SETPIPE_SZ, PIPE_BYTES);
    close(TAKE_FD(reader)); // from now on a reader is libvirt
    int number = thread_start(&pump->thread, run_pump, pump);
    if (number != 0)
        return error_errno(err, number, "cannot start a thread");
    pump->started = true;
    return 0;
}

// The error of a pump is the cause of libvirt's.
static int
end_pumps(struct pump *pumps, size_t count, int result, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct pump *pump = &pumps[i];
        if (pump->started)
            pthread_join(pump->thread, NULL);
        else
            cleanup_close(&pump->to);
        if (pump->result < 0 && pump->err.code != ERR_INTERRUPTED)
            result = error_move(err, &pump->err);
        error_clear(&pump->err);
        free(pump->from);
    }
    return result;
}

int
thaw_set(const struct session *session, struct image *const *images, bool kvm,
    const struct frozen_set *set, struct error *err)
{
    const struct spec *spec = session->spec;
    CLEANUP(thaw_free) struct thaw thaw = thaw_new(session);
    FREE_AUTO struct pump *pumps = mem_zero(spec->node_count, sizeof *pumps);
    atomic_bool stop = false;
    int result = 0;
    for (size_t i = 0; i < spec->node_count; i++) {
        thaw_add(&thaw, i, images[i], kvm);
        pumps[i].from = frozen_path(set->folder, spec->nodes[i].name, FROZEN_MEMORY);
        pumps[i].to = -1;
        pumps[i].stop = &stop;
        if (result == 0)
            result = start_pump(&pumps[i], thaw.paths[i], err);
    }
    if (result == 0)
        result = thaw_restore(&thaw, err);
    if (result < 0)
        atomic_store(&stop, true);
    result = end_pumps(pumps, spec->node_count, result, err);
    for (size_t i = 0; i < spec->node_count; i++)
        unlink(thaw.paths[i]);
    return result;
}
