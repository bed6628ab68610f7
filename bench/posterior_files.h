/* The files of a posterior with reference draws, as the benchmarks of inference read them: a folder
 * with info.json, the data and reference.json, and beside it a folder of Stan programs. */
#ifndef SL_BENCH_POSTERIOR_FILES_H
#define SL_BENCH_POSTERIOR_FILES_H
#include <stdio.h>
#include <string.h>
#include "base/os.h"
#include "base/text.h"
#include "target/target.h"

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

/* ---- what the reference speaks of ---- */

/* "theta[1,2]" in the reference is "theta.1.2" here. */
static bool is_same_name(const char *own, const char *reference) {
  for (; *reference && *reference != ']'; own++, reference++)
    if (*own != (strchr("[,", *reference) ? '.' : *reference)) return false;
  return *own == '\0';
}

static int32_t find_column(const sl__target *target, const char *name) {
  int32_t column = 0;
  for (int part = 0; part < SL__TARGET_PARTS; part++)
    for (int32_t i = 0; i < sl__target_count(target, (sl__target_part)part); i++, column++)
      if (is_same_name(sl__target_name(target, (sl__target_part)part, i), name)) return column;
  return -1;
}

/* The last part of a draw that the reference says something of: generated quantities may take a
 * hundred times as long as the draws. */
static sl__target_part last_part(const sl__target *target, const sl__json_value *name) {
  int32_t most = -1;
  for (; name; name = name->next) {
    const int32_t column = find_column(target, name->text);
    if (column > most) most = column;
  }
  for (int part = 0; part < SL__TARGET_GENERATED; part++)
    if (most < sl__target_width(target, (sl__target_part)part)) return (sl__target_part)part;
  return SL__TARGET_GENERATED;
}
#endif
