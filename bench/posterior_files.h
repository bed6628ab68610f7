/* The files of a posterior with reference draws, as the benchmarks of inference read them: a folder
 * with info.json, the data and reference.json, and beside it a folder of Stan programs. */
#ifndef SL_BENCH_POSTERIOR_FILES_H
#define SL_BENCH_POSTERIOR_FILES_H
#include <stdio.h>
#include "base/os.h"
#include "base/text.h"

typedef struct files {
  sl_context *context;
  sl__arena arena;
  char folder[1100];
  const char *program, *data;
  size_t program_length, data_length;
  const sl__json_value *reference;
} files;

static sl_status read_text(files *f, const char *path, const char **text, size_t *length) {
  char *data;
  SL__TRY(sl__os_read_file(f->context, path, &data, length));
  *text = sl__arena_text(&f->arena, data, *length);
  sl__free(&f->context->allocator, data);
  return *text ? SL_OK : SL_NO_MEMORY;
}

static sl_status read_json(files *f, const char *name, const sl__json_value **out) {
  char path[1200];
  const char *text;
  size_t length;
  sl__json_value *value;
  snprintf(path, sizeof path, "%.1000s/%.100s", f->folder, name);
  SL__TRY(read_text(f, path, &text, &length));
  SL__TRY(sl__json_parse(f->context, &f->arena, text, length, &value));
  *out = value;
  return SL_OK;
}

static sl_status read_files(files *f, const char *programs) {
  const sl__json_value *info;
  char path[1200];
  SL__TRY(read_json(f, "reference.json", &f->reference));
  SL__TRY(read_json(f, "info.json", &info));
  snprintf(path, sizeof path, "%.800s/%.200s.stan", programs, sl__json_member(info, "model")->text);
  SL__TRY(read_text(f, path, &f->program, &f->program_length));
  snprintf(path, sizeof path, "%.800s/%.200s", f->folder, sl__json_member(info, "data_file")->text);
  return read_text(f, path, &f->data, &f->data_length);
}
#endif
