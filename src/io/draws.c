/* Files of draws become one block: each file is read as rows, rows are told apart by chain, chains
 * cut to the length of the shortest, and the sampler's columns put behind the parameters'. */
#include "io/draws.h"
#include "base/os.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One chain of one file, as a list of rows. */
typedef struct chain {
  const sl__draws *file;
  double number; /* by chain__ */
  int64_t count;
  int64_t *rows; /* [count] */
} chain;

static bool is_samplers(const char *name) {
  const size_t length = strlen(name);
  return length > 2 && strcmp(name + length - 2, "__") == 0;
}

int64_t sl__draws_column(const sl__draws *draws, const char *name) {
  for (int64_t i = 0; i < draws->columns; i++)
    if (strcmp(draws->names[i], name) == 0) return i;
  return -1;
}

int64_t sl__draws_trajectories(const sl__draws *draws) {
  const int64_t each = draws->trajectories > 1 ? draws->trajectories : 1;
  int64_t all;
  return __builtin_mul_overflow(each, draws->thin > 1 ? draws->thin : 1, &all) ? INT64_MAX : all;
}

void sl__draws_close(sl__draws *draws) {
  sl__arena_close(&draws->arena);
  *draws = (sl__draws){0};
}

/* ---- one file, as rows of one chain ---- */

static sl_status name_columns(sl__draws *out, char *const *names) {
  out->names = sl__arena_take(&out->arena, (size_t)out->columns, sizeof *out->names);
  if (!out->names) return SL_NO_MEMORY;
  for (int64_t i = 0; i < out->columns; i++) {
    char name[32];
    snprintf(name, sizeof name, "x%lld", (long long)i + 1);
    const char *from = names ? names[i] : name;
    out->names[i] = sl__arena_text(&out->arena, from, strlen(from));
    if (!out->names[i]) return SL_NO_MEMORY;
  }
  return SL_OK;
}

static sl_status copy_table(sl_context *context, const sl__table *table, sl__draws *out) {
  *out = (sl__draws){
      .chains = 1, .draws = table->rows, .columns = table->columns, .max_treedepth = -1};
  sl__arena_open(&out->arena, context);
  const int64_t count = table->rows * table->columns;
  SL__TRY(name_columns(out, table->names));
  out->values = sl__arena_take(&out->arena, (size_t)count, sizeof *out->values);
  if (!out->values) return SL_NO_MEMORY;
  for (int64_t i = 0; i < count; i++)
    out->values[i] = table->type == SL_F32 ? (double)((const float *)table->data)[i]
                                           : ((const double *)table->data)[i];
  return SL_OK;
}

static sl_status finish_rows(sl__draws *out, bool is_of_stan) {
  const sl_status status = sl__draws_adopt_columns(out, is_of_stan);
  if (status != SL_OK) sl__draws_close(out);
  return status;
}

static sl_status parse_rows(sl_context *context, const char *bytes, size_t length,
                            const char *format, sl__draws *out) {
  const bool magic = length >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0;
  const bool npy = format ? strcmp(format, "npy") == 0 : magic;
  if (!npy && sl__is_stan_csv(bytes, length)) {
    SL__TRY(sl__draws_parse_stan(context, bytes, length, out));
    return finish_rows(out, true);
  }
  sl__table table;
  SL__TRY(npy ? sl__table_parse_npy(context, bytes, length, &table)
              : sl__table_parse_csv(context, bytes, length, &table));
  const sl_status status = copy_table(context, &table, out);
  sl__table_close(&table);
  if (status != SL_OK) sl__draws_close(out);
  return status == SL_OK ? finish_rows(out, false) : status;
}

static sl_status read_rows(sl_context *context, const char *path, const char *format,
                           sl__draws *out) {
  char *bytes = NULL;
  size_t length = 0;
  SL__TRY(sl__os_read_file(context, path, &bytes, &length));
  const sl_status status = parse_rows(context, bytes, length, format, out);
  sl__free(&context->allocator, bytes);
  if (status == SL_OK || status == SL_NO_MEMORY) return status;
  const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
  const int line = context->error.line, column = context->error.column;
  return line > 0 ? sl__fail_prefix(context, "%s:%d:%d", name, line, column)
                  : sl__fail_prefix(context, "%s", name);
}

static double tensor_value(const sl__tensor *tensor, int64_t i) {
  if (tensor->is_int64) return (double)((const int64_t *)tensor->data)[i];
  return tensor->type == SL_F32 ? (double)((const float *)tensor->data)[i]
                                : ((const double *)tensor->data)[i];
}

static sl_status refuse_tensor(sl_context *context, const char *path, const char *name) {
  return sl__fail(context, SL_FORMAT,
                  "%s: tensor %.60s is not [chains][draws] like the first; draws are stored as a "
                  "tensor of that shape for each column",
                  path, name);
}

static sl_status copy_tensors(sl_context *context, const char *path, const sl__tensor_file *file,
                              sl__draws *out) {
  if (sl__tensors_meta(file, "formula"))
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%s: a fitted flow, not draws; make some with `sluice sample`", path);
  if (file->tensors == 0) return refuse_tensor(context, path, "1");
  const sl__tensor *first = &file->tensor[0];
  for (int64_t c = 0; c < file->tensors; c++) {
    const sl__tensor *tensor = &file->tensor[c];
    if (tensor->dims != 2 || tensor->count == 0 || tensor->shape[0] != first->shape[0] ||
        tensor->shape[1] != first->shape[1])
      return refuse_tensor(context, path, tensor->name);
  }
  out->draws = first->count;
  out->columns = file->tensors + 1; /* chain__ */
  char **names = sl__arena_take(&out->arena, (size_t)out->columns, sizeof *names);
  out->values =
      sl__arena_take(&out->arena, (size_t)out->draws, (size_t)out->columns * sizeof *out->values);
  if (!names || !out->values) return SL_NO_MEMORY;
  for (int64_t c = 0; c < file->tensors; c++) names[c] = (char *)file->tensor[c].name;
  names[file->tensors] = "chain__";
  SL__TRY(name_columns(out, names));
  for (int64_t row = 0; row < out->draws; row++) {
    double *to = out->values + row * out->columns;
    for (int64_t c = 0; c < file->tensors; c++) to[c] = tensor_value(&file->tensor[c], row);
    to[file->tensors] = (double)(row / first->shape[1] + 1);
  }
  return SL_OK;
}

/* A whole number of the metadata, not below 0; else `otherwise`. */
static int64_t fact(const sl__tensor_file *file, const char *key, int64_t otherwise) {
  const char *text = sl__tensors_meta(file, key);
  int64_t number;
  if (!text || !sl__parse_integer(text, text + strlen(text), &number) || number < 0)
    return otherwise;
  return number;
}

/* How the run was made: draws_write.c. */
static void read_facts(const sl__tensor_file *file, sl__draws *out) {
  const char *delta = sl__tensors_meta(file, "delta");
  double share;
  out->max_treedepth = fact(file, "max_depth", -1);
  out->trajectories = fact(file, "trajectories", 0);
  out->thin = fact(file, "thin", 0);
  out->preconditioned = fact(file, "precondition", 0) > 0;
  out->jumped = fact(file, "jumps", 0) > 0;
  out->halves = fact(file, "halvings", 0) > 0;
  if (delta && sl__parse_real(delta, delta + strlen(delta), &share) && share > 0 && share < 1)
    out->adapt_delta = share;
}

static sl_status read_tensors(sl_context *context, const char *path, sl__draws *out) {
  sl__tensor_file file;
  SL__TRY(sl__tensors_read(context, path, &file));
  *out = (sl__draws){.chains = 1, .max_treedepth = -1};
  sl__arena_open(&out->arena, context);
  const sl_status status = copy_tensors(context, path, &file, out);
  read_facts(&file, out);
  sl__tensors_close(&file);
  if (status != SL_OK) sl__draws_close(out);
  return status;
}

static sl_status read_file(sl_context *context, const char *path, const char *format,
                           sl__draws *out) {
  *out = (sl__draws){0};
  return !format && sl__has_ending(path, ".safetensors") ? read_tensors(context, path, out)
                                                         : read_rows(context, path, format, out);
}

/* ---- chains ---- */

typedef struct gathering {
  sl_context *context;
  int64_t files, wanted_chains;
  const char *const *paths;
  sl__draws *file; /* [files] */
  sl__arena scratch;
  int64_t chains, room;
  chain *chain; /* [chains], room for `room` */
} gathering;

static sl_status same_columns(const gathering *g, int64_t i) {
  const sl__draws *first = &g->file[0], *other = &g->file[i];
  if (other->columns != first->columns)
    return sl__fail(g->context, SL_BAD_ARGUMENT,
                    "%s: %lld columns, but %s has %lld; give files of one run", g->paths[i],
                    (long long)other->columns, g->paths[0], (long long)first->columns);
  for (int64_t c = 0; c < first->columns; c++)
    if (strcmp(first->names[c], other->names[c]) != 0)
      return sl__fail(g->context, SL_BAD_ARGUMENT,
                      "%s: column %lld is \"%.60s\", but in %s \"%.60s\"; give files of one run",
                      g->paths[i], (long long)c + 1, other->names[c], g->paths[0], first->names[c]);
  return SL_OK;
}

static sl_status add_chain(gathering *g, const sl__draws *file, double number) {
  if (g->chains == g->room) {
    const int64_t room = 2 * g->room + 8;
    chain *grown = sl__arena_take(&g->scratch, (size_t)room, sizeof *grown);
    if (!grown) return SL_NO_MEMORY;
    if (g->chains > 0) memcpy(grown, g->chain, (size_t)g->chains * sizeof *grown);
    g->chain = grown;
    g->room = room;
  }
  g->chain[g->chains++] = (chain){.file = file, .number = number};
  return SL_OK;
}

/* The chain of a row, found or added. Rows of a chain mostly follow one another, or chains take
 * turns: both find theirs near the last one. */
static sl_status find_owner(gathering *g, int64_t i, int64_t first, double number, int64_t row,
                            int64_t *at) {
  enum { MOST = 1000 };
  const int64_t count = g->chains - first;
  int64_t looked = 0;
  for (; looked < count && g->chain[*at].number != number; looked++)
    *at = *at + 1 < g->chains ? *at + 1 : first;
  if (looked < count) return SL_OK;
  if (count == MOST || !isfinite(number))
    return sl__fail(g->context, SL_FORMAT,
                    "%s: chain__ of row %lld is none of at most %d chain numbers; is the file "
                    "damaged?",
                    g->paths[i], (long long)row + 1, MOST);
  SL__TRY(add_chain(g, &g->file[i], number));
  *at = g->chains - 1;
  return SL_OK;
}

static int by_number(const void *a, const void *b) {
  const double x = ((const chain *)a)->number, y = ((const chain *)b)->number;
  return (x > y) - (x < y);
}

/* Rows of one file by their chain__, chains in the order of their numbers: they are written as they
 * come. */
static sl_status split_by_column(gathering *g, int64_t i, int64_t column) {
  const sl__draws *file = &g->file[i];
  const int64_t first = g->chains;
  int64_t *owner = sl__arena_take(&g->scratch, (size_t)file->draws, sizeof *owner), at = first;
  if (!owner) return SL_NO_MEMORY;
  for (int64_t row = 0; row < file->draws; row++) {
    SL__TRY(find_owner(g, i, first, file->values[row * file->columns + column], row, &at));
    owner[row] = at;
    g->chain[at].count++;
  }
  for (int64_t c = first; c < g->chains; c++) {
    g->chain[c].rows = sl__arena_take(&g->scratch, (size_t)g->chain[c].count, sizeof(int64_t));
    if (!g->chain[c].rows) return SL_NO_MEMORY;
    g->chain[c].count = 0;
  }
  for (int64_t row = 0; row < file->draws; row++) {
    chain *of = &g->chain[owner[row]];
    of->rows[of->count++] = row;
  }
  qsort(g->chain + first, (size_t)(g->chains - first), sizeof *g->chain, by_number);
  return SL_OK;
}

static sl_status split_evenly(gathering *g, int64_t i, int64_t parts) {
  const sl__draws *file = &g->file[i];
  const int64_t length = file->draws / parts;
  if (length < 1 || length * parts != file->draws)
    return sl__fail(g->context, SL_BAD_ARGUMENT,
                    "%s: %lld rows cannot be cut into %lld chains of equal length; give another "
                    "--chains",
                    g->paths[i], (long long)file->draws, (long long)parts);
  for (int64_t part = 0; part < parts; part++) {
    SL__TRY(add_chain(g, file, (double)part));
    chain *made = &g->chain[g->chains - 1];
    made->rows = sl__arena_take(&g->scratch, (size_t)length, sizeof *made->rows);
    if (!made->rows) return SL_NO_MEMORY;
    for (int64_t row = 0; row < length; row++) made->rows[made->count++] = part * length + row;
  }
  return SL_OK;
}

static sl_status find_chains(gathering *g) {
  for (int64_t i = 0; i < g->files; i++) {
    if (i > 0) SL__TRY(same_columns(g, i));
    const int64_t column = sl__draws_column(&g->file[i], "chain__");
    if (column >= 0)
      SL__TRY(split_by_column(g, i, column));
    else
      SL__TRY(split_evenly(g, i, g->files == 1 && g->wanted_chains > 0 ? g->wanted_chains : 1));
  }
  return SL_OK;
}

/* ---- one block ---- */

/* Columns in their new order: parameters, then the sampler's without chain__. */
static sl_status order_columns(const gathering *g, sl__draws *out, int64_t *from) {
  const sl__draws *first = &g->file[0];
  char **names = sl__arena_take(&out->arena, (size_t)first->columns, sizeof *names);
  if (!names) return SL_NO_MEMORY;
  for (int pass = 0; pass < 2; pass++) {
    for (int64_t c = 0; c < first->columns; c++) {
      if (is_samplers(first->names[c]) != (pass == 1)) continue;
      if (strcmp(first->names[c], "chain__") == 0) continue;
      names[out->columns] = first->names[c];
      from[out->columns++] = c;
    }
    if (pass == 0) out->parameters = out->columns;
  }
  return name_columns(out, names);
}

/* What is to be known of the runs. Of files that differ, what judges draws most strictly counts:
 * the acceptance that may still be raised; trajectories and thinning, together, of the file whose
 * draws lie farthest apart, by which no E-BFMI comes out too high. */
static void merge_facts(const gathering *g, sl__draws *out) {
  for (int64_t i = 0; i < g->files; i++) {
    const sl__draws *file = &g->file[i];
    out->warmup += file->warmup;
    out->cut |= file->cut;
    out->interrupted |= file->interrupted;
    out->preconditioned |= file->preconditioned;
    out->jumped |= file->jumped;
    out->halves |= file->halves;
    if (i == 0 || sl__draws_trajectories(file) > sl__draws_trajectories(out)) {
      out->trajectories = file->trajectories;
      out->thin = file->thin;
    }
    const double delta = file->adapt_delta;
    if (delta > 0 && (out->adapt_delta == 0 || delta < out->adapt_delta)) out->adapt_delta = delta;
    if (file->max_treedepth > out->max_treedepth) out->max_treedepth = file->max_treedepth;
  }
}

static sl_status merge(gathering *g, sl__draws *out) {
  int64_t *from = sl__arena_take(&g->scratch, (size_t)g->file[0].columns, sizeof *from);
  if (!from) return SL_NO_MEMORY;
  SL__TRY(order_columns(g, out, from));
  out->chains = g->chains;
  out->draws = g->chain[0].count;
  for (int64_t c = 1; c < g->chains; c++)
    if (g->chain[c].count < out->draws) out->draws = g->chain[c].count;
  for (int64_t c = 0; c < g->chains; c++) out->left_out += g->chain[c].count - out->draws;
  out->values = sl__arena_take(&out->arena, (size_t)(out->chains * out->draws),
                               (size_t)out->columns * sizeof *out->values);
  if (!out->values) return SL_NO_MEMORY;
  double *to = out->values;
  for (int64_t c = 0; c < g->chains; c++) {
    const sl__draws *file = g->chain[c].file;
    for (int64_t d = 0; d < out->draws; d++)
      for (int64_t k = 0; k < out->columns; k++)
        *to++ = file->values[g->chain[c].rows[d] * file->columns + from[k]];
  }
  merge_facts(g, out);
  return SL_OK;
}

sl_status sl__draws_read(sl_context *context, int64_t files, const char *const *paths,
                         const char *format, int64_t chains, sl__draws *out) {
  *out = (sl__draws){.max_treedepth = -1};
  sl__arena_open(&out->arena, context);
  gathering g = {.context = context, .files = files, .wanted_chains = chains, .paths = paths};
  sl__arena_open(&g.scratch, context);
  g.file = sl__arena_take(&g.scratch, (size_t)files, sizeof *g.file);
  sl_status status = g.file ? SL_OK : SL_NO_MEMORY;
  int64_t read = 0;
  for (; read < files && status == SL_OK; read++)
    status = read_file(context, paths[read], format, &g.file[read]);
  if (status == SL_OK) status = find_chains(&g);
  if (status == SL_OK) status = merge(&g, out);
  for (int64_t i = 0; i < read; i++) sl__draws_close(&g.file[i]);
  sl__arena_close(&g.scratch);
  if (status != SL_OK) sl__draws_close(out);
  return status;
}
