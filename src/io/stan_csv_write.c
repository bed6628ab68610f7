/* Writing Stan CSV as a run goes: comments on top, names, rows, the comments of adaptation and
 * time. A file is made when it gets its first row, so that a run without any leaves an older one
 * as it is. Lines are gathered and handed to the system whole, past the buffer of the stream: a run
 * that is killed leaves files that end in a whole row, and so does a full disk, as what was written
 * of a line is cut off again. The order of the sampler's columns is CmdStan's. */
#include "base/os.h"
#include "io/draws.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HELD_BACK = 1 << 16 };

static const char sampler_columns[] =
    "lp__,accept_stat__,stepsize__,treedepth__,n_leapfrog__,divergent__,energy__";

typedef struct chain_file {
  FILE *file;
  char *path;
  sl__text text; /* lines not yet written */
  off_t length;  /* of the file: whole lines */
  bool has_rows;
  int failure; /* errno of a write that failed: then there is no other */
} chain_file;

struct sl__stan_csv {
  sl_context *context;
  int32_t files; /* one, or as many as there are chains */
  bool shared;   /* one file for several chains, with a column chain__ */
  int64_t columns;
  chain_file *file; /* [files] */
  sl__arena arena;
};

char *sl__stan_csv_name(sl__arena *arena, const char *name) {
  char *out = sl__arena_text(arena, name, strlen(name)), *to = out;
  bool inside = false;
  for (const char *from = name; out && *from; from++) {
    if (*from == '[') inside = true;
    if (*from == ']') continue;
    *to++ = *from == '[' || (inside && *from == ',') ? '.' : *from;
  }
  if (out) *to = '\0';
  return out;
}

static chain_file *file_of(const sl__stan_csv *out, int32_t chain) {
  return &out->file[out->files == 1 ? 0 : chain];
}

static sl_status tell_failure(sl_context *context, const chain_file *file) {
  return sl__fail(context, SL_IO, "%s: %s; what was written before stays", file->path,
                  strerror(file->failure));
}

static sl_status create(sl_context *context, chain_file *file) {
  file->file = strcmp(file->path, "-") == 0 ? stdout : fopen(file->path, "wb");
  if (!file->file)
    return sl__fail(context, SL_IO, "%s: %s; choose another name", file->path, strerror(errno));
  setvbuf(file->file, NULL, _IONBF, 0);
  return SL_OK;
}

/* Of a write that ended in the middle of a line; what is no regular file stays as it is. */
static void cut_to_line(chain_file *file, size_t written) {
  while (written > 0 && file->text.data[written - 1] != '\n') written--;
  if (file->file != stdout && ftruncate(fileno(file->file), file->length + (off_t)written) != 0)
    return; /* the reader passes over half a line */
}

/* Nothing before the first row. */
static sl_status flush_file(sl_context *context, chain_file *file) {
  if (file->text.failed) return SL_NO_MEMORY;
  if (!file->has_rows || file->text.length == 0) return SL_OK;
  if (file->failure != 0) return tell_failure(context, file);
  if (!file->file) SL__TRY(create(context, file));
  const size_t length = file->text.length;
  errno = 0;
  const size_t written = fwrite(file->text.data, 1, length, file->file);
  if (written != length) {
    file->failure = errno != 0 ? errno : EIO;
    cut_to_line(file, written);
    return tell_failure(context, file);
  }
  file->length += (off_t)length;
  file->text.length = 0;
  return SL_OK;
}

static sl_status flush_when_long(const sl__stan_csv *out, chain_file *file) {
  if (file->text.failed) return SL_NO_MEMORY;
  return file->text.length < HELD_BACK ? SL_OK : flush_file(out->context, file);
}

/* ---- opening ---- */

char *sl__draws_path(sl__arena *arena, const char *path, int32_t number) {
  const char *mark = strstr(path, "%d");
  if (!mark) return sl__arena_text(arena, path, strlen(path));
  sl__text text;
  sl__text_open(&text, arena->context);
  sl__text_add_bytes(&text, path, (size_t)(mark - path));
  sl__text_add(&text, "%d%s", number, mark + 2);
  char *out = text.failed ? NULL : sl__arena_text(arena, text.data, text.length);
  sl__text_close(&text);
  return out;
}

static sl_status write_top(sl__stan_csv *out, const sl__stan_csv_header *header, chain_file *file,
                           int32_t chain) {
  sl__text *text = &file->text;
  for (int64_t i = 0; i < header->comments; i++) sl__text_add(text, "# %s\n", header->comment[i]);
  if (out->files > 1) sl__text_add(text, "# id = %d\n", chain + 1);
  sl__text_add(text, "%s%s", sampler_columns, out->shared ? ",chain__" : "");
  for (int64_t i = 0; i < header->columns; i++) {
    const char *name = sl__stan_csv_name(&out->arena, header->names[i]);
    if (!name) return SL_NO_MEMORY;
    sl__text_add(text, ",%s", name);
  }
  sl__text_add(text, "\n");
  return text->failed ? SL_NO_MEMORY : SL_OK;
}

static sl_status open_files(sl__stan_csv *out, const sl__stan_csv_header *header) {
  for (int32_t i = 0; i < out->files; i++) {
    chain_file *file = &out->file[i];
    sl__text_open(&file->text, out->context);
    file->path = sl__draws_path(&out->arena, header->path, i + 1);
    if (!file->path) return SL_NO_MEMORY;
    SL__TRY(sl__os_check_out(out->context, file->path));
    SL__TRY(write_top(out, header, file, i));
  }
  return SL_OK;
}

static sl_status check_header(sl_context *context, const sl__stan_csv_header *header) {
  const char *mark = strchr(header->path, '%');
  if (mark && (mark[1] != 'd' || strchr(mark + 1, '%')))
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%s: '%%' in a name stands for the chain as one %%d; leave it out otherwise",
                    header->path);
  if (header->chains < 1 || header->columns < 1)
    return sl__fail(context, SL_BAD_ARGUMENT, "%s: no chains or no columns to write; give some",
                    header->path);
  return SL_OK;
}

sl_status sl__stan_csv_open(sl_context *context, const sl__stan_csv_header *header,
                            sl__stan_csv **out) {
  *out = NULL;
  SL__TRY(check_header(context, header));
  sl__arena arena;
  sl__arena_open(&arena, context);
  sl__stan_csv *made = sl__arena_take(&arena, 1, sizeof *made);
  const bool apart = strchr(header->path, '%') != NULL;
  const int32_t files = apart ? header->chains : 1;
  chain_file *file = sl__arena_take(&arena, (size_t)files, sizeof *file);
  if (!made || !file) {
    sl__arena_close(&arena);
    return SL_NO_MEMORY;
  }
  *made = (sl__stan_csv){.context = context,
                         .files = files,
                         .shared = !apart && header->chains > 1,
                         .columns = header->columns,
                         .file = file,
                         .arena = arena};
  const sl_status status = open_files(made, header);
  if (status != SL_OK)
    sl__stan_csv_close(made);
  else
    *out = made;
  return status;
}

/* ---- lines ---- */

sl_status sl__stan_csv_row(sl__stan_csv *out, int32_t chain, const sl__draw_facts *facts,
                           const double *values) {
  chain_file *file = file_of(out, chain);
  sl__text *text = &file->text;
  file->has_rows = true;
  const double reals[] = {facts->log_density, facts->acceptance, facts->step_size};
  for (int i = 0; i < 3; i++) {
    sl__text_add_real(text, reals[i], SL_F64);
    sl__text_add_bytes(text, ",", 1);
  }
  sl__text_add(text, "%lld,%lld,%d,", (long long)facts->treedepth, (long long)facts->leapfrog_steps,
               facts->divergent);
  sl__text_add_real(text, facts->energy, SL_F64);
  if (out->shared) sl__text_add(text, ",%d", chain + 1);
  for (int64_t i = 0; i < out->columns; i++) {
    sl__text_add_bytes(text, ",", 1);
    sl__text_add_real(text, values[i], SL_F64);
  }
  sl__text_add_bytes(text, "\n", 1);
  return flush_when_long(out, file);
}

sl_status sl__stan_csv_comment(sl__stan_csv *out, int32_t chain, const char *line) {
  chain_file *file = file_of(out, chain);
  sl__text_add(&file->text, "# %s\n", line);
  return flush_when_long(out, file);
}

/* CmdStan's readers, which count the lines between the first and the first draw, pass over the rest
 * of the first. */
sl_status sl__stan_csv_adaptation(sl__stan_csv *out, int32_t chain,
                                  const sl__adaptation_facts *facts) {
  chain_file *file = file_of(out, chain);
  sl__text *text = &file->text;
  sl__text_add(text, "# Adaptation terminated");
  if (facts->trajectories > 0) {
    sl__text_add(text, "; trajectories %d, acceptance ", (int)facts->trajectories);
    sl__text_add_real(text, facts->acceptance, SL_F64);
  }
  if (out->shared) sl__text_add(text, "\n# Chain %d", chain + 1);
  sl__text_add(text, "\n# Step size = ");
  sl__text_add_real(text, facts->step_size, SL_F64);
  sl__text_add(text, "\n# %s\n", facts->metric);
  for (int64_t row = 0; row < facts->rows; row++)
    for (int64_t i = 0; i < facts->columns; i++) {
      sl__text_add(text, "%s", i == 0 ? "# " : ", ");
      sl__text_add_real(text, facts->inverse_metric[row * facts->columns + i], SL_F64);
      if (i + 1 == facts->columns) sl__text_add(text, "\n");
    }
  return flush_when_long(out, file);
}

sl_status sl__stan_csv_times(sl__stan_csv *out, int32_t chain, double warmup_seconds,
                             double sampling_seconds) {
  chain_file *file = file_of(out, chain);
  char warmup[64], sampling[64], total[64];
  sl__format_fixed(warmup, warmup_seconds, 3);
  sl__format_fixed(sampling, sampling_seconds, 3);
  sl__format_fixed(total, warmup_seconds + sampling_seconds, 3);
  if (out->shared) sl__text_add(&file->text, "# Chain %d\n", chain + 1);
  sl__text_add(&file->text,
               "#\n#  Elapsed Time: %s seconds (Warm-up)\n#                %s seconds (Sampling)\n"
               "#                %s seconds (Total)\n#\n",
               warmup, sampling, total);
  return flush_when_long(out, file);
}

/* ---- the end ---- */

sl_status sl__stan_csv_flush(sl__stan_csv *out) {
  sl_status status = SL_OK;
  for (int32_t i = 0; i < out->files; i++) {
    const sl_status one = flush_file(out->context, &out->file[i]);
    if (status == SL_OK) status = one;
  }
  return status;
}

sl_status sl__stan_csv_close(sl__stan_csv *out) {
  if (!out) return SL_OK;
  sl_status status = SL_OK;
  for (int32_t i = 0; i < out->files; i++) {
    chain_file *file = &out->file[i];
    if (!file->path) continue;
    sl_status one = flush_file(out->context, file);
    if (file->file && file->file != stdout && fclose(file->file) != 0 && one == SL_OK) {
      file->failure = errno;
      one = tell_failure(out->context, file);
    }
    if (status == SL_OK) status = one;
    sl__text_close(&file->text);
  }
  sl__arena arena = out->arena;
  sl__arena_close(&arena);
  return status;
}
