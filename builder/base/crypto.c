// crypto.c - see crypto.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/crypto.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <string.h>

struct digest {
    EVP_MD_CTX *context;
};

// libcrypto's digest calls on valid contexts fail only without memory.
static void
check_ssl(int answer)
{
    if (answer != 1)
        mem_exhausted();
}

struct digest *
digest_new(void)
{
    struct digest *digest = mem_zero(1, sizeof *digest);
    digest->context = EVP_MD_CTX_new();
    check_ssl(digest->context != NULL);
    check_ssl(EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL));
    return digest;
}

void
digest_add(struct digest *digest, const void *data, size_t length)
{
    check_ssl(EVP_DigestUpdate(digest->context, data, length));
}

// "5:hello", and "-:" for NULL: different lists of fields give different bytes.
void
digest_add_field(struct digest *digest, const char *text)
{
    FREE_AUTO char *field = text == NULL ? str_dup("-:") : str_format("%zu:%s", strlen(text), text);
    digest_add(digest, field, strlen(field));
}

static void
to_hex(const unsigned char *bytes, size_t count, char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        ret_hex[2 * i] = digits[bytes[i] >> 4];
        ret_hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_hex[2 * count] = '\0';
}

void
digest_hex(struct digest *digest, char ret_hex[DIGEST_HEX + 1])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    check_ssl(EVP_DigestFinal_ex(digest->context, bytes, NULL));
    to_hex(bytes, DIGEST_HEX / 2, ret_hex);
}

void
digest_free(struct digest *digest)
{
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

void
digest_bytes(const void *data, size_t length, char ret_hex[DIGEST_HEX + 1])
{
    DIGEST_AUTO struct digest *digest = digest_new();
    digest_add(digest, data, length);
    digest_hex(digest, ret_hex);
}

int
digest_file(const char *path, char ret_hex[DIGEST_HEX + 1], struct error *err)
{
    const size_t room = 256 * 1024;
    FREE_AUTO char *data = mem_zero(room, 1);
    DIGEST_AUTO struct digest *digest = digest_new();
    CLOSE_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, ERR_NOT_FOUND, "there is no file '%s'", path);
    if (fd < 0)
        return error_errno(err, errno, "cannot open '%s'", path);
    for (;;) {
        if (interrupt_check(err) < 0)
            return -1;
        ssize_t got = read(fd, data, room);
        if (got < 0 && errno != EINTR)
            return error_errno(err, errno, "cannot read '%s'", path);
        if (got == 0)
            break;
        if (got > 0)
            digest_add(digest, data, (size_t) got);
    }
    digest_hex(digest, ret_hex);
    return 0;
}

bool
base64_decode(const char *text, size_t length, struct buf *ret)
{
    int count = 0, last = 0;
    if (length == 0 || length > INT32_MAX)
        return length == 0;
    FREE_AUTO unsigned char *bytes = mem_zero(length / 4 + 1, 3);
    EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
    check_ssl(context != NULL);
    EVP_DecodeInit(context);
    bool valid =
        EVP_DecodeUpdate(context, bytes, &count, (const unsigned char *) text, (int) length) >= 0 &&
        EVP_DecodeFinal(context, bytes + count, &last) == 1;
    EVP_ENCODE_CTX_free(context);
    if (valid)
        buf_add_bytes(ret, bytes, (size_t) (count + last));
    return valid;
}

// Ends the program when there is no random generator, so that no secret is made without one.
static void
random_bytes(unsigned char *bytes, size_t count)
{
    static const char sentence[] = "airbuild: the system's random generator failed\n";
    if (count > INT32_MAX || RAND_bytes(bytes, (int) count) != 1) {
        ssize_t written = write(STDERR_FILENO, sentence, sizeof sentence - 1);
        (void) written;
        _exit(ERR_FAILED);
    }
}

// Skips bytes above the last multiple of 62, so that all characters are equally likely.
char *
random_text(size_t length)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    enum { LETTERS = sizeof letters - 1, FAIR = 256 - 256 % LETTERS };
    char *text = mem_zero(length + 1, 1);
    for (size_t i = 0; i < length;) {
        unsigned char bytes[64];
        random_bytes(bytes, sizeof bytes);
        for (size_t j = 0; j < sizeof bytes && i < length; j++)
            if (bytes[j] < FAIR)
                text[i++] = letters[bytes[j] % LETTERS];
    }
    return text;
}

char *
random_hex(size_t length)
{
    size_t count = length / 2 + 1;
    FREE_AUTO unsigned char *bytes = mem_zero(count, 1);
    random_bytes(bytes, count);
    char *text = mem_zero(2 * count + 1, 1);
    to_hex(bytes, count, text);
    text[length] = '\0';
    return text;
}

// The version and variant bits are RFC 9562, section 5.4.
char *
random_uuid(void)
{
    unsigned char bytes[16];
    char hex[2 * sizeof bytes + 1];
    random_bytes(bytes, sizeof bytes);
    bytes[6] = (unsigned char) ((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char) ((bytes[8] & 0x3f) | 0x80);
    to_hex(bytes, sizeof bytes, hex);
    return str_format("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}
