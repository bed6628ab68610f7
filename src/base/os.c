/* Everything that asks the operating system: the processor, files, the clock, the terminal.
 *
 * An output file is written under a temporary name beside its target, flushed to the disk, then
 * renamed: a reader, or a restart after a crash, sees the old file or the new one and never half of
 * one. What is not a regular file (a pipe, /dev/null) cannot be replaced and is written in
 * place. */
#include "base/os.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#endif

/* ---- the processor ---- */

static unsigned detect_features(void) {
  unsigned features = 0;
#if defined(__x86_64__)
  /* These ask the operating system too whether it saves the wide registers. */
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) features |= SL__CPU_AVX2_FMA;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    features |= SL__CPU_AVX512;
  }
#elif defined(__aarch64__)
  features |= SL__CPU_NEON;
#endif
  return features;
}

unsigned sl__os_cpu_features(void) {
  unsigned features = detect_features();
  const char *lowered = getenv("SLUICE_CPU");
  if (!lowered) return features;
  if (strcmp(lowered, "portable") == 0) return 0;
  if (strcmp(lowered, "avx2") == 0) return features & ~(unsigned)SL__CPU_AVX512;
  return features;
}

#if defined(__linux__) && defined(MADV_HUGEPAGE)
enum {
  LARGE_PAGE = 1 << 21,
  FRESH = 1 << 25
}; /* from FRESH on libc asks the system, whose pages
                                                   are zero: calloc does not touch them */

static void *allocate_large(size_t size) {
  if (size >= FRESH) {
    char *pointer = calloc(size, 1);
    if (!pointer) return NULL;
    char *first = pointer + (LARGE_PAGE - (uintptr_t)pointer % LARGE_PAGE) % LARGE_PAGE;
    madvise(first, size - (size_t)(first - pointer), MADV_HUGEPAGE); /* only a wish */
    return pointer;
  }
  void *pointer = aligned_alloc(LARGE_PAGE, (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE);
  if (!pointer) return NULL;
  madvise(pointer, size, MADV_HUGEPAGE);
  return memset(pointer, 0, size);
}
#endif

void *sl__os_allocate(size_t size) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (size >= LARGE_PAGE) return allocate_large(size);
#endif
  void *pointer = malloc(size);
  return pointer ? memset(pointer, 0, size) : NULL;
}

int sl__os_cores(void) {
#if defined(__linux__)
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) == 0) {
    int count = CPU_COUNT(&usable);
    if (count > 0) return count;
  }
#endif
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 && online < INT_MAX ? (int)online : 1;
}

double sl__os_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- reading ---- */

static bool is_standard(const char *path) {
  return strcmp(path, "-") == 0;
}

/* Reads to the end, whatever the size said: a pipe has none, and a file may grow meanwhile. */
static sl_status read_all(sl_context *context, FILE *file, size_t expected, char **data,
                          size_t *length) {
  size_t capacity = expected + 1, used = 0;
  char *bytes = sl__allocate(context, capacity, 1);
  if (!bytes) return SL_NO_MEMORY;
  for (;;) {
    used += fread(bytes + used, 1, capacity - used, file);
    if (used < capacity) break;
    char *larger = capacity <= SIZE_MAX / 4
                       ? sl__resize(context, bytes, capacity, 2 * capacity + 4096, 1)
                       : NULL;
    if (!larger) {
      sl__free(&context->allocator, bytes);
      return SL_NO_MEMORY;
    }
    bytes = larger;
    capacity = 2 * capacity + 4096;
  }
  if (ferror(file)) {
    sl_status status =
        sl__fail(context, SL_IO, "cannot be read: %s; check the file", strerror(errno));
    sl__free(&context->allocator, bytes);
    return status;
  }
  bytes[used] = '\0';
  *data = bytes;
  *length = used;
  return SL_OK;
}

sl_status sl__os_read_file(sl_context *context, const char *path, char **data, size_t *length) {
  *data = NULL;
  *length = 0;
  if (is_standard(path)) {
    sl_status status = read_all(context, stdin, 0, data, length);
    return status == SL_IO ? sl__fail_prefix(context, "standard input") : status;
  }
  FILE *file = fopen(path, "rb");
  if (!file)
    return sl__fail(context, SL_IO, "%s: cannot be opened: %s; check its name and permissions",
                    path, strerror(errno));
  struct stat about;
  size_t expected = 0;
  if (fstat(fileno(file), &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0 &&
      (uintmax_t)about.st_size < SIZE_MAX / 4) {
    expected = (size_t)about.st_size;
  }
  sl_status status = read_all(context, file, expected, data, length);
  fclose(file);
  return status == SL_IO ? sl__fail_prefix(context, "%s", path) : status;
}

/* ---- writing ---- */

static char *copy_text(sl_context *context, const char *text) {
  char *copy = sl__allocate(context, strlen(text) + 1, 1);
  if (copy) memcpy(copy, text, strlen(text));
  return copy;
}

static void forget(sl_context *context, sl__out_file *out) {
  sl__free(&context->allocator, out->path);
  sl__free(&context->allocator, out->temporary);
  *out = (sl__out_file){0};
}

/* A new file beside the target, with the target's permissions or, for a new one, the usual ones. */
static int open_temporary(sl__out_file *out, const struct stat *existing) {
  size_t base = strlen(out->path), size = base + 40;
  for (int attempt = 0; attempt < 100; attempt++) {
    snprintf(out->temporary, size, "%s.%ld-%d.tmp", out->path, (long)getpid(), attempt);
    int descriptor = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 && existing) (void)!fchmod(descriptor, existing->st_mode & 07777);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

sl_status sl__os_open_out(sl_context *context, const char *path, sl__out_file *out) {
  *out = (sl__out_file){0};
  if (is_standard(path)) {
    out->file = stdout;
    return SL_OK;
  }
  /* A symbolic link stays one: what it points to is replaced. */
  char *resolved = realpath(path, NULL);
  out->path = copy_text(context, resolved ? resolved : path);
  free(resolved);
  if (!out->path) return SL_NO_MEMORY;
  struct stat about;
  bool exists = stat(out->path, &about) == 0;
  if (exists && !S_ISREG(about.st_mode)) {
    out->file = fopen(out->path, "wb");
  } else {
    out->temporary = sl__allocate(context, strlen(out->path) + 40, 1);
    if (!out->temporary) {
      forget(context, out);
      return SL_NO_MEMORY;
    }
    int descriptor = open_temporary(out, exists ? &about : NULL);
    if (descriptor >= 0) out->file = fdopen(descriptor, "wb");
  }
  if (out->file) return SL_OK;
  sl_status status =
      sl__fail(context, SL_IO, "%s: cannot be written: %s; check the folder and the space left",
               path, strerror(errno));
  forget(context, out);
  return status;
}

/* The new name itself must reach the disk. Some file systems refuse to sync a folder; nothing is
 * lost then that could be saved. */
static void sync_folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  char folder[PATH_MAX] = ".";
  if (slash && (size_t)(slash - path) < sizeof folder - 1) {
    snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
  }
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  (void)fsync(descriptor);
  close(descriptor);
}

sl_status sl__os_finish_out(sl_context *context, sl__out_file *out) {
  if (out->file == stdout) {
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    *out = (sl__out_file){0};
    return failed
               ? sl__fail(context, SL_IO, "standard output: cannot be written: %s", strerror(errno))
               : SL_OK;
  }
  bool good = !ferror(out->file) && fflush(out->file) == 0;
  if (good && out->temporary) good = fsync(fileno(out->file)) == 0;
  int reason = errno;
  if (fclose(out->file) != 0 && good) good = false, reason = errno;
  out->file = NULL;
  if (good && out->temporary && rename(out->temporary, out->path) != 0)
    good = false, reason = errno;
  sl_status status = SL_OK;
  if (good) {
    if (out->temporary) sync_folder_of(out->path);
  } else {
    if (out->temporary) unlink(out->temporary);
    status =
        sl__fail(context, SL_IO, "%s: cannot be written: %s; check the folder and the space left",
                 out->path, strerror(reason));
  }
  forget(context, out);
  return status;
}

void sl__os_abandon_out(sl_context *context, sl__out_file *out) {
  if (out->file && out->file != stdout) fclose(out->file);
  if (out->temporary) unlink(out->temporary);
  forget(context, out);
}

sl_status sl__os_check_out(sl_context *context, const char *path) {
  /* Opening a pipe or a device would be noticed at its other end. */
  struct stat about;
  bool exists = stat(path, &about) == 0;
  if (is_standard(path) || (exists && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)))
    return SL_OK;
  sl__out_file out;
  SL__TRY(sl__os_open_out(context, path, &out));
  sl__os_abandon_out(context, &out);
  return SL_OK;
}

sl_status sl__os_write_file(sl_context *context, const char *path, const void *data,
                            size_t length) {
  sl__out_file out;
  SL__TRY(sl__os_open_out(context, path, &out));
  if (length > 0)
    fwrite(data, 1, length, out.file); /* a failure stays with the stream and is found by finish */
  return sl__os_finish_out(context, &out);
}

/* ---- shared objects ---- */

sl_status sl__os_open_library(sl_context *context, const char *path, void **out) {
  char here[4096];
  /* a bare name would be looked for in the system's folders */
  snprintf(here, sizeof here, "%s%s", strchr(path, '/') ? "" : "./", path);
  *out = dlopen(here, RTLD_NOW | RTLD_LOCAL);
  if (*out) return SL_OK;
  return sl__fail(context, SL_IO, "%.200s: it cannot be loaded: %.500s", path, dlerror());
}

bool sl__os_find_symbol(void *library, const char *name, void *to) {
  void *address = dlsym(library, name);
  if (!address) return false;
  memcpy(to, &address, sizeof address); /* C has no conversion; POSIX promises the same bits */
  return true;
}

void sl__os_close_library(void *library) {
  dlclose(library);
}

/* ---- the terminal ---- */

bool sl__os_is_terminal(FILE *file) {
  return isatty(fileno(file)) == 1;
}

int sl__os_terminal_width(void) {
  struct winsize size;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}
