/* A block of draws to a file: CSV as sluice's own runs write it, NPY, safetensors. */
#include "io/draws.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/text.h"

enum { MOST_FACTS = 7 };

bool sl__draws_find_format(const char *path, sl__draws_format *out) {
  const char *slash = strrchr(path, '/'), *ending = strrchr(slash ? slash : path, '.');
  *out = SL__DRAWS_CSV;
  if (!ending || strcasecmp(ending, ".csv") == 0) return true;
  *out = strcasecmp(ending, ".npy") == 0 ? SL__DRAWS_NPY : SL__DRAWS_TENSORS;
  return *out == SL__DRAWS_NPY || strcasecmp(ending, ".safetensors") == 0;
}

/* How the run was made, as a CSV says in its comments: what is known of it. */
static int tell_facts(const sl__draws *draws, const char **keys, char words[][32]) {
  const struct {
    const char *key;
    int64_t number, least; /* least: that says something */
  } facts[] = {
      {"max_depth", draws->max_treedepth, 0},
      {"trajectories", draws->trajectories, 1},
      {"thin", draws->thin, 1},
      {"precondition", draws->preconditioned, 1},
      {"jumps", draws->jumped, 1},
      {"halvings", draws->halves, 1},
  };
  int count = 0;
  for (size_t k = 0; k < sizeof facts / sizeof *facts; k++) {
    if (facts[k].number < facts[k].least) continue;
    keys[count] = facts[k].key;
    snprintf(words[count++], sizeof *words, "%lld", (long long)facts[k].number);
  }
  if (!(draws->adapt_delta > 0)) return count;
  keys[count] = "delta";
  sl__format_real(words[count++], draws->adapt_delta, SL_F64);
  return count;
}

/* A tensor [chains][draws] for each column, which numpy and ArviZ take as a dictionary. */
static sl_status write_tensors(sl_context *context, const char *path, const sl__draws *draws,
                               sl__arena *scratch) {
  const int64_t count = draws->chains * draws->draws;
  sl__tensor *tensor = sl__arena_take(scratch, (size_t)draws->columns, sizeof *tensor);
  double *values = sl__arena_take(scratch, (size_t)count, (size_t)draws->columns * sizeof *values);
  if (!tensor || !values) return SL_NO_MEMORY;
  for (int64_t c = 0; c < draws->columns; c++) {
    tensor[c] = (sl__tensor){.name = draws->names[c],
                             .type = SL_F64,
                             .dims = 2,
                             .count = count,
                             .shape = {draws->chains, draws->draws},
                             .data = values + c * count};
    for (int64_t i = 0; i < count; i++)
      values[c * count + i] = draws->values[i * draws->columns + c];
  }
  const char *keys[MOST_FACTS], *values_of[MOST_FACTS];
  char words[MOST_FACTS][32];
  const int facts = tell_facts(draws, keys, words);
  for (int k = 0; k < facts; k++) values_of[k] = words[k];
  return sl__tensors_write(context, path, draws->columns, tensor, facts, keys, values_of);
}

/* Rows of all chains in turn; CSV has a first column chain__ when there are several. NPY has no
 * names to tell such a column and the sampler's by, so it holds the parameters' alone. */
static sl_status write_table(sl_context *context, const char *path, bool npy,
                             const sl__draws *draws, sl__arena *scratch) {
  const int64_t added = draws->chains > 1 && !npy;
  const int64_t kept = npy ? draws->parameters : draws->columns, columns = kept + added;
  const int64_t rows = draws->chains * draws->draws;
  const char **names = sl__arena_take(scratch, (size_t)columns, sizeof *names);
  double *values = sl__arena_take(scratch, (size_t)rows, (size_t)columns * sizeof *values);
  if (!names || !values) return SL_NO_MEMORY;
  if (added) names[0] = "chain__";
  const bool of_sampler = added || draws->parameters < draws->columns;
  for (int64_t c = 0; c < kept; c++) {
    const char *name = draws->names[c];
    names[added + c] = of_sampler ? sl__stan_csv_name(scratch, name) : name;
    if (!names[added + c]) return SL_NO_MEMORY;
  }
  for (int64_t row = 0; row < rows; row++) {
    double *to = values + row * columns;
    if (added) to[0] = (double)(row / draws->draws + 1);
    memcpy(to + added, draws->values + row * draws->columns, (size_t)kept * sizeof *to);
  }
  return sl__table_write(context, path, npy ? "npy" : "csv", rows, columns, SL_F64, values, names);
}

sl_status sl__draws_write(sl_context *context, const char *path, const sl__draws *draws) {
  sl__arena scratch;
  sl__arena_open(&scratch, context);
  sl__draws_format format;
  if (!sl__draws_find_format(path, &format)) format = SL__DRAWS_CSV;
  const sl_status status =
      format == SL__DRAWS_TENSORS
          ? write_tensors(context, path, draws, &scratch)
          : write_table(context, path, format == SL__DRAWS_NPY, draws, &scratch);
  sl__arena_close(&scratch);
  return status;
}
