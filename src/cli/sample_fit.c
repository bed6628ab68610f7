/* Draws of a flow that was fitted to a model: corrected by their weights, written as the model's
 * parameters. */
#include "cli/sample.h"
#include <string.h>

/* ---- by weight ---- */

sl_status sl__sample_proposals(sl__cli *cli, const sl__drawing *d, int64_t *proposals) {
  enum { TIMES = 10, FEWEST = 10000 };
  const int64_t given = sl__cli_option(cli, "proposals")->integer;
  const bool distinct = sl__cli_option(cli, "distinct")->integer != 0;
  if (!d->target)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--resample weighs draws by the density that the flow was fitted to, and its "
                    "file has none; fit by `sluice vi`, or add --model FILE");
  if (d->features || sl__cli_option(cli, "temperature")->real != 1)
    return sl__fail(cli->context, SL_BAD_ARGUMENT,
                    "--resample is of the flow's own draws; leave --upto and --temperature out");
  *proposals = given > 0 ? given : d->rows > FEWEST / TIMES ? TIMES * d->rows : FEWEST;
  if (!distinct || *proposals > d->rows) return SL_OK;
  return sl__fail(cli->context, SL_BAD_ARGUMENT,
                  "%lld distinct rows want more than %lld proposals; raise --proposals",
                  (long long)d->rows, (long long)*proposals);
}

/* Row-major values [rows][columns] in the arena. */
static double *take_rows(sl__cli *cli, int64_t rows, int64_t columns) {
  return sl__arena_take(&cli->arena, (size_t)rows, (size_t)columns * sizeof(double));
}

static double *coordinates_of(sl__cli *cli, const sl__drawing *d) {
  double *q = take_rows(cli, d->rows, d->dim);
  for (int64_t r = 0; q && r < d->rows; r++)
    memcpy(q + r * d->dim, d->values + r * d->columns, (size_t)d->dim * sizeof *q);
  return q;
}

static void say_weights(const sl__cli *cli, const sl__weighing *w) {
  char khat[64], threshold[64], ess[64];
  sl__format_fixed(khat, w->psis.khat, 2);
  sl__format_fixed(threshold, w->psis.threshold, 2);
  sl__format_fixed(ess, w->psis.ess, 0);
  sl__cli_say(cli, "Pareto k-hat of the weights %s (below %s is wanted); %lld proposals worth %s",
              khat, threshold, (long long)w->proposals, ess);
  if (w->lost > 0)
    sl__cli_say(cli, "%lld proposals have no finite weight and were left out", (long long)w->lost);
}

sl_status sl__sample_choose(sl__cli *cli, sl__drawing *d, int64_t wanted) {
  const double *q = coordinates_of(cli, d);
  const int64_t columns = d->dim + d->with_log_prob;
  double *log_q = take_rows(cli, d->rows, 1), *chosen = take_rows(cli, wanted, columns);
  int64_t *index = sl__arena_take(&cli->arena, (size_t)wanted, sizeof *index);
  if (!q || !log_q || !chosen || !index) return SL_NO_MEMORY;
  for (int64_t r = 0; r < d->rows; r++) log_q[r] = d->values[r * d->columns + d->dim];
  SL__TRY(sl__posterior_resample(cli->context, d->target, d->rows, q, log_q,
                                 sl__cli_option(cli, "distinct")->integer != 0, cli->seed, wanted,
                                 index, &d->weighing));
  for (int64_t r = 0; r < wanted; r++)
    memcpy(chosen + r * columns, d->values + index[r] * d->columns,
           (size_t)columns * sizeof *chosen);
  d->values = chosen;
  d->columns = columns;
  d->rows = wanted;
  say_weights(cli, &d->weighing);
  return SL_OK;
}

/* ---- on the model's own scale ---- */

sl_status sl__sample_map(sl__cli *cli, sl__drawing *d) {
  const int64_t width = sl__target_width(d->target, SL__TARGET_GENERATED);
  const int64_t columns = width + d->with_log_prob;
  const double *q = coordinates_of(cli, d);
  double *values = take_rows(cli, d->rows, width), *all = take_rows(cli, d->rows, columns);
  double *shift = take_rows(cli, d->rows, 1);
  d->names = sl__arena_take(&cli->arena, (size_t)columns, sizeof *d->names);
  if (!q || !values || !all || !shift || !d->names) return SL_NO_MEMORY;
  SL__TRY(sl__target_write(cli->context, d->target, SL__TARGET_GENERATED, d->rows, q, cli->seed, 0,
                           values));
  if (d->with_log_prob)
    SL__TRY(sl__posterior_log_jacobian(cli->context, d->target, d->rows, q, shift));
  for (int64_t r = 0; r < d->rows; r++) {
    memcpy(all + r * columns, values + r * width, (size_t)width * sizeof *all);
    if (d->with_log_prob) all[r * columns + width] = d->values[r * d->columns + d->dim] - shift[r];
  }
  d->values = all;
  d->dim = width;
  d->columns = columns;
  if (d->with_log_prob) d->names[width] = "log_prob";
  return sl__cli_part_names(&cli->arena, d->target, SL__TARGET_GENERATED, d->names);
}
