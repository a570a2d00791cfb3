/* Faults in storage, for tests: preloaded into a process, it lets the N-th call that changes files go wrong.
 *
 *   BLINDTIER_FAULT=kill:N   a write is done by half, then the process ends as if the power went
 *   BLINDTIER_FAULT=fail:N   a write is done by half and from then on the disk is full; a sync or a rename fails
 *   BLINDTIER_FAULT=torn:N   the same, but a rename is done and then reported as failed
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum mode { NONE, KILL, FAIL, TORN };
static enum mode mode;
static long chosen;
static atomic_long calls;
static atomic_int full;

__attribute__((constructor)) static void read_fault(void) {
    const char *text = getenv("BLINDTIER_FAULT");
    if (!text) return;
    if (!strncmp(text, "kill:", 5)) mode = KILL;
    if (!strncmp(text, "fail:", 5)) mode = FAIL;
    if (!strncmp(text, "torn:", 5)) mode = TORN;
    chosen = atol(text + 5);
}

static int now(void) { return mode != NONE && atomic_fetch_add(&calls, 1) + 1 == chosen; }

static void end(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int regular(int file) {
    struct stat found;
    return fstat(file, &found) == 0 && S_ISREG(found.st_mode);
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

#define WRITE(name, parameters, half, whole)                      \
    ssize_t name parameters;                                      \
    ssize_t name parameters {                                     \
        REAL(ssize_t, name, WRITE_TYPES);                         \
        if (mode != NONE && regular(file)) {                      \
            if (atomic_load(&full)) { errno = ENOSPC; return -1; } \
            if (now()) {                                          \
                ssize_t done = real half;                         \
                if (mode == KILL) end();                          \
                atomic_store(&full, 1);                           \
                if (done > 0) return done;                        \
                errno = ENOSPC;                                   \
                return -1;                                        \
            }                                                     \
        }                                                         \
        return real whole;                                        \
    }

#define WRITE_TYPES int, const void *, size_t
WRITE(write, (int file, const void *bytes, size_t count), (file, bytes, count / 2), (file, bytes, count))
#undef WRITE_TYPES
#define WRITE_TYPES int, const void *, size_t, off64_t
WRITE(pwrite64, (int file, const void *bytes, size_t count, off64_t at), (file, bytes, count / 2, at), (file, bytes, count, at))
#undef WRITE_TYPES

#define SYNC(name)                                                \
    int name(int file) {                                          \
        REAL(int, name, int);                                     \
        if (now()) {                                              \
            if (mode == KILL) end();                              \
            errno = EIO;                                          \
            return -1;                                            \
        }                                                         \
        return real(file);                                        \
    }
SYNC(fsync)
SYNC(fdatasync)

#define RENAME(name)                                              \
    int name(const char *from, const char *to) {                  \
        REAL(int, name, const char *, const char *);              \
        if (now()) {                                              \
            if (mode == KILL) end();                              \
            if (mode == TORN) real(from, to);                     \
            errno = EIO;                                          \
            return -1;                                            \
        }                                                         \
        return real(from, to);                                    \
    }
RENAME(rename)
RENAME(link)

int unlink(const char *name) {
    REAL(int, unlink, const char *);
    if (mode == KILL && now()) end();
    return real(name);
}
