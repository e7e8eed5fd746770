// compress.c - see compress.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/compress.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <zstd.h>

// 3 makes memory 6 % smaller and takes 1.4 times as long.
#define LEVEL 1
#define WRITE_MS 200 // how often a write that waits looks at *stop
#define LOOK_MS 2    // how often for a reader

static inline void
free_compressor(ZSTD_CCtx **owner)
{
    ZSTD_freeCCtx(*owner);
}

static inline void
free_decompressor(ZSTD_DCtx **owner)
{
    ZSTD_freeDCtx(*owner);
}

// stop NULL: in the main thread, which signals interrupt.
static int
check_stop(const atomic_bool *stop, struct error *err)
{
    if (stop == NULL)
        return interrupt_check(err);
    return atomic_load(stop) ? error_set(err, ERR_INTERRUPTED, "interrupted") : 0;
}

static int
compress_all(ZSTD_CCtx *context, int from, int to, struct error *err)
{
    size_t in_size = ZSTD_CStreamInSize(), out_size = ZSTD_CStreamOutSize();
    FREE_AUTO char *in = mem_zero(1, in_size), *out = mem_zero(1, out_size);
    off_t at = 0;
    for (bool last = false; !last;) {
        if (interrupt_check(err) < 0)
            return -1;
        ssize_t got = pread(from, in, in_size, at);
        if (got < 0)
            return error_errno(err, errno, "cannot read the memory");
        at += got;
        last = got == 0;
        ZSTD_inBuffer input = {in, (size_t) got, 0};
        size_t left;
        do {
            ZSTD_outBuffer output = {out, out_size, 0};
            left =
                ZSTD_compressStream2(context, &output, &input, last ? ZSTD_e_end : ZSTD_e_continue);
            if (ZSTD_isError(left))
                return error_set(err, ERR_FAILED, "cannot compress: %s", ZSTD_getErrorName(left));
            if (file_write_all(to, out, output.pos) < 0)
                return error_errno(err, errno, "cannot write the compressed file");
        } while (last ? left > 0 : input.pos < input.size);
    }
    return 0;
}

int
compress_to(int from, const char *path, struct error *err)
{
    CLEANUP(free_compressor) ZSTD_CCtx *context = ZSTD_createCCtx();
    CLOSE_AUTO int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return error_errno(err, errno, "cannot create '%s'", path);
    if (context == NULL)
        mem_exhausted();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    int result = compress_all(context, from, to, err);
    if (result == 0 && fsync(to) < 0)
        result = error_errno(err, errno, "cannot write '%s'", path);
    if (result < 0)
        unlink(path);
    return result;
}

// A pipe without a reader reports POLLERR: waits until there is one.
static int
wait_for_reader(int to, const atomic_bool *stop, struct error *err)
{
    struct pollfd end = {to, POLLOUT, 0};
    while (poll(&end, 1, WRITE_MS) >= 0 && (end.revents & POLLERR) != 0) {
        if (check_stop(stop, err) < 0 || clock_sleep(LOOK_MS, err) < 0)
            return -1;
    }
    return 0;
}

// A reader that has gone had all it needed, or reports why itself.
static int
write_pipe(int to, const char *data, size_t length, const atomic_bool *stop, struct error *err)
{
    while (length > 0) {
        ssize_t put = write(to, data, length);
        if (put < 0 && errno == EPIPE)
            return 0;
        if (put < 0 && errno != EAGAIN && errno != EINTR)
            return error_errno(err, errno, "cannot write the decompressed file");
        if (put > 0) {
            data += put;
            length -= (size_t) put;
            continue;
        }
        struct pollfd end = {to, POLLOUT, 0};
        poll(&end, 1, WRITE_MS);
        if (check_stop(stop, err) < 0)
            return -1;
    }
    return 0;
}

// to: as for decompress_from; -1: nowhere.
static int
decompress_all(const char *path, int to, const atomic_bool *stop, struct error *err)
{
    CLEANUP(free_decompressor) ZSTD_DCtx *context = ZSTD_createDCtx();
    CLOSE_AUTO int from = open(path, O_RDONLY | O_CLOEXEC);
    size_t in_size = ZSTD_DStreamInSize(), out_size = ZSTD_DStreamOutSize();
    FREE_AUTO char *in = mem_zero(1, in_size), *out = mem_zero(1, out_size);
    size_t left = 1; // 0 at the end of a frame, when its checksum was right
    if (from < 0)
        return error_errno(err, errno, "cannot open '%s'", path);
    if (context == NULL)
        mem_exhausted();
    if (to >= 0 && wait_for_reader(to, stop, err) < 0)
        return -1;
    for (;;) {
        ssize_t got = read(from, in, in_size);
        if (got < 0)
            return error_errno(err, errno, "cannot read '%s'", path);
        if (got == 0)
            break;
        ZSTD_inBuffer input = {in, (size_t) got, 0};
        for (bool full = true; input.pos < input.size || full;) {
            ZSTD_outBuffer output = {out, out_size, 0};
            left = ZSTD_decompressStream(context, &output, &input);
            if (ZSTD_isError(left))
                return error_set(
                    err, ERR_DAMAGED, "'%s' is damaged: %s", path, ZSTD_getErrorName(left));
            if ((to < 0 ? check_stop(stop, err) : write_pipe(to, out, output.pos, stop, err)) < 0)
                return -1;
            full = output.pos == output.size;
        }
    }
    return left == 0 ? 0 : error_set(err, ERR_DAMAGED, "'%s' is cut short", path);
}

int
decompress_from(const char *path, int to, const atomic_bool *stop, struct error *err)
{
    return decompress_all(path, to, stop, err);
}

int
decompress_check(const char *path, struct error *err)
{
    return decompress_all(path, -1, NULL, err);
}
