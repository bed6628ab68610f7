/* The summary of draws: what is shown of every parameter, what the sampler counted, the verdict. */
#include "cli/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 30, NAME_WIDTH = 40 };

/* How many draws have at least this in a column; -1 without the column. */
static int64_t count_at_least(const sl__draws *draws, const char *name, double least) {
  const int64_t column = sl__draws_column(draws, name);
  if (column < 0) return -1;
  int64_t count = 0;
  for (int64_t i = 0; i < draws->chains * draws->draws; i++)
    count += draws->values[i * draws->columns + column] >= least;
  return count;
}

static bool is_constant(const sl__draws *draws, int64_t chain, int64_t column) {
  const double *first = draws->values + chain * draws->draws * draws->columns + column;
  for (int64_t i = 1; i < draws->draws; i++)
    if (first[i * draws->columns] != first[0]) return false;
  return true;
}

/* Generated quantities may vary in a chain that does not move; the log density does not then. */
static bool stands_still(const sl__draws *draws, int64_t chain) {
  const int64_t density = sl__draws_column(draws, "lp__");
  if (draws->draws < 4 || density < 0 || !is_constant(draws, chain, density)) return false;
  for (int64_t p = 0; p < draws->parameters; p++)
    if (is_constant(draws, chain, p)) return true;
  return false;
}

sl_status sl__cli_judge(sl__cli *cli, const sl__cli_draws *d, sl__cli_summary *s) {
  const sl__draws *draws = &d->draws;
  *s = (sl__cli_summary){.of = d};
  bool *still = sl__arena_take(&cli->arena, (size_t)draws->chains, sizeof *still);
  if (!still) return SL_NO_MEMORY;
  for (int64_t c = 0; c < draws->chains; c++) still[c] = stands_still(draws, c);
  const int64_t energy = sl__draws_column(draws, "energy__");
  if (energy >= 0) {
    s->ebfmi = sl__arena_take(&cli->arena, (size_t)draws->chains, sizeof *s->ebfmi);
    if (!s->ebfmi) return SL_NO_MEMORY;
    for (int64_t c = 0; c < draws->chains; c++)
      s->ebfmi[c] = still[c] ? (double)NAN
                             : sl__ebfmi(draws->draws, sl__draws_trajectories(draws),
                                         draws->values + c * draws->draws * draws->columns + energy,
                                         draws->columns);
  }
  s->facts = (sl__run_facts){
      .chains = draws->chains,
      .draws = draws->draws,
      .parameters = draws->parameters,
      .rows = d->rows,
      .names = (const char *const *)draws->names,
      .divergences = count_at_least(draws, "divergent__", 1),
      .treedepth_hits = -1,
      .max_treedepth = draws->max_treedepth,
      .ebfmi = s->ebfmi,
      .undefined = d->undefined,
      .refused = d->refused,
      .refusal = d->refusal,
      .preconditioned = draws->preconditioned,
      .halves = draws->halves,
      .jumped = draws->jumped,
      .still = still,
      .adapt_delta = draws->adapt_delta,
      .trajectories = draws->trajectories,
  };
  if (draws->max_treedepth >= 0)
    s->facts.treedepth_hits = count_at_least(draws, "treedepth__", (double)draws->max_treedepth);
  s->trusted = sl__run_verdict(&s->facts, s->verdict, sizeof s->verdict);
  return SL_OK;
}

/* ---- the table ---- */

typedef struct place {
  const sl__summary_row *row;
  int64_t parameter;
} place;

/* Not finite, then by R-hat, then what never moves. */
static double badness(const sl__summary_row *row) {
  if (row->non_finite > 0) return INFINITY;
  return isnan(row->rhat) ? -INFINITY : row->rhat;
}

static int worst_first(const void *a, const void *b) {
  const place *x = a, *y = b;
  const double p = badness(x->row), q = badness(y->row);
  if (p != q) return p > q ? -1 : 1;
  return x->parameter < y->parameter ? -1 : x->parameter > y->parameter;
}

static void add_row(sl__text *text, int width, const char *name, const sl__summary_row *row) {
  const double values[] = {row->mean, row->mcse_mean, row->sd, row->q5, row->q50, row->q95};
  const int digits[] = {4, 2, 3, 3, 3, 3};
  sl__text_add(text, "%-*.*s", width, width, name);
  for (size_t i = 0; i < sizeof values / sizeof *values; i++)
    sl__cli_significant(text, values[i], digits[i], i == 1 ? 9 : 10);
  sl__cli_fixed(text, row->ess_bulk, 0, 10);
  sl__cli_fixed(text, row->ess_tail, 0, 10);
  sl__cli_fixed(text, row->rhat, 3, 7);
  sl__text_add(text, "\n");
}

static sl_status add_table(sl__cli *cli, const sl__cli_summary *s, bool all, sl__text *text) {
  const sl__draws *draws = &s->of->draws;
  if (draws->parameters <= SHOWN) all = true;
  place *order = sl__arena_take(&cli->arena, (size_t)draws->parameters, sizeof *order);
  if (!order) return SL_NO_MEMORY;
  for (int64_t i = 0; i < draws->parameters; i++) order[i] = (place){&s->of->rows[i], i};
  if (!all) qsort(order, (size_t)draws->parameters, sizeof *order, worst_first);
  const int64_t shown = all ? draws->parameters : SHOWN;
  int width = 9;
  for (int64_t i = 0; i < shown; i++) {
    const size_t length = strlen(draws->names[order[i].parameter]);
    if ((int)length > width) width = length < NAME_WIDTH ? (int)length : NAME_WIDTH;
  }
  sl__text_add(text,
               "%-*s      mean     mcse        sd        5%%       50%%       95%%  ess_bulk"
               "  ess_tail  r-hat\n",
               width, "parameter");
  for (int64_t i = 0; i < shown; i++)
    add_row(text, width, draws->names[order[i].parameter], order[i].row);
  if (!all)
    sl__text_add(text, "(the %d of %lld parameters with the largest R-hat; --all shows all)\n",
                 SHOWN, (long long)draws->parameters);
  return SL_OK;
}

sl_status sl__cli_add_summary(sl__cli *cli, const sl__cli_summary *s, bool all, sl__text *text) {
  sl__text_add(text, "%lld chain%s of %lld draws\n\n", (long long)s->facts.chains,
               s->facts.chains == 1 ? "" : "s", (long long)s->facts.draws);
  SL__TRY(add_table(cli, s, all, text));
  sl__text_add(text, "\n");
  if (s->facts.divergences >= 0)
    sl__text_add(text, "divergences        %lld\n", (long long)s->facts.divergences);
  if (s->facts.treedepth_hits >= 0)
    sl__text_add(text, "tree depth hits    %lld\n", (long long)s->facts.treedepth_hits);
  if (s->ebfmi) {
    sl__text_add(text, "E-BFMI            ");
    for (int64_t c = 0; c < s->facts.chains && c < SHOWN; c++)
      if (isnan(s->ebfmi[c]))
        sl__text_add(text, "%5s", "-");
      else
        sl__cli_fixed(text, s->ebfmi[c], 2, 5);
    sl__text_add(text, "%s\n", s->facts.chains > SHOWN ? " ..." : "");
  }
  sl__text_add(text, "%s\n", s->verdict);
  return SL_OK;
}

static void json_count(sl__json *json, const char *key, int64_t count) {
  if (count < 0)
    sl__json_text(json, key, NULL);
  else
    sl__json_integer(json, key, count);
}

void sl__cli_json_judged(sl__json *json, const sl__cli_summary *s) {
  sl__json_integer(json, "chains", s->facts.chains);
  sl__json_integer(json, "draws", s->facts.draws);
  json_count(json, "divergences", s->facts.divergences);
  json_count(json, "treedepth_hits", s->facts.treedepth_hits);
  sl__json_open_array(json, "ebfmi");
  for (int64_t c = 0; s->ebfmi && c < s->facts.chains; c++) sl__json_real(json, NULL, s->ebfmi[c]);
  sl__json_close_array(json);
  sl__cli_json_summary(json, s->of);
  sl__json_boolean(json, "trusted", s->trusted);
  sl__json_text(json, "verdict", s->verdict);
}
