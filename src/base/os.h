/* The only room that knows the platform: files, clock, cores, what the processor can do. */
#ifndef SL_BASE_OS_H
#define SL_BASE_OS_H
#include <stdio.h>
#include "base/context.h"
enum { SL__CPU_AVX2_FMA = 1, SL__CPU_AVX512 = 2 /* F, BW, DQ, VL */, SL__CPU_NEON = 4 };
unsigned sl__os_cpu_features(
    void);              /* SLUICE_CPU=portable|avx2|avx512 in the environment lowers it (tests) */
/* size bytes of zeros for free(), or NULL. Large ones ask for large pages, which spare a matrix
 * product many misses of the address cache; of very large ones, what is never touched is free. */
void *sl__os_allocate(size_t size);
int sl__os_cores(void); /* usable by this process (affinity) */
double sl__os_seconds(void); /* monotonic */
/* The whole file, or all of standard input for "-", plus a NUL. The caller frees *data with
 * sl__free. */
sl_status sl__os_read_file(sl_context *context, const char *path, char **data, size_t *length);
/* Writes a temporary name beside path, fsyncs, then renames; "-" is standard output. */
sl_status sl__os_write_file(sl_context *context, const char *path, const void *data, size_t length);
/* Streamed variant: open, write through FILE*, then finish (rename) or abandon (unlink). */
typedef struct sl__out_file {
  FILE *file;
  char *path, *temporary;
} sl__out_file;
sl_status sl__os_open_out(sl_context *context, const char *path, sl__out_file *out);
sl_status sl__os_finish_out(sl_context *context, sl__out_file *out);
void sl__os_abandon_out(sl_context *context, sl__out_file *out);
/* Whether path could be written now, asked before long work; what is there stays as it is. */
sl_status sl__os_check_out(sl_context *context, const char *path);
/* Shared objects: opening one runs its code. find: puts the address of a function into *to, a
 * pointer to a function of its type; false: there is none. */
sl_status sl__os_open_library(sl_context *context, const char *path, void **out);
bool sl__os_find_symbol(void *library, const char *name, void *to);
void sl__os_close_library(void *library);
/* Another program, found on the PATH and never through a shell, with input on its standard input.
 * os_run.c. */
typedef struct sl__os_program {
  const char *const *words; /* its name and arguments, then NULL */
  const char *input;
  size_t input_length;
  char *output; /* all that it wrote to standard output, and a NUL; for sl__free */
  size_t output_length;
  char said[512]; /* the beginning of what it wrote to standard error */
} sl__os_program;
/* SL_UNSUPPORTED: there is no such program. SL_IO: it could not be run, or said that it failed. */
sl_status sl__os_run(sl_context *context, sl__os_program *program);
bool sl__os_is_terminal(FILE *file);
int sl__os_terminal_width(void);
#endif
