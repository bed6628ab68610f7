/* A fitted model's draws where a command takes draws, on the scale of what it was fitted to. */
#include <string.h>
#include "cli/fit_target.h"

/* Where draws of a fitted flow go, as independent as draws get: one chain. */
static sl_status make_room(sl__cli *cli, int64_t rows, int32_t columns, sl__cli_draws *out) {
  out->draws = (sl__draws){
      .chains = 1, .draws = rows, .parameters = columns, .columns = columns, .max_treedepth = -1};
  sl__arena *arena = &out->draws.arena;
  sl__arena_open(arena, cli->context);
  out->draws.names = sl__arena_take(arena, (size_t)columns, sizeof *out->draws.names);
  out->draws.values = sl__arena_take(arena, (size_t)rows, (size_t)columns * sizeof(double));
  out->rows = sl__arena_take(&cli->arena, (size_t)columns, sizeof *out->rows);
  return out->draws.names && out->draws.values && out->rows ? SL_OK : SL_NO_MEMORY;
}

/* Copies, which live as long as the draws. */
static sl_status name_draws(sl__cli *cli, const sl_flow *flow, const sl__target *target,
                            bool mapped, sl__cli_draws *out) {
  const int64_t columns = out->draws.columns;
  const char **names = sl__arena_take(&cli->arena, (size_t)columns, sizeof *names);
  if (!names) return SL_NO_MEMORY;
  if (mapped) SL__TRY(sl__cli_part_names(&cli->arena, target, SL__TARGET_TRANSFORMED, names));
  for (int32_t i = 0; i < columns; i++) {
    if (!mapped) names[i] = sl__cli_coordinate_name(&cli->arena, flow, target, i);
    out->draws.names[i] =
        names[i] ? sl__arena_text(&out->draws.arena, names[i], strlen(names[i])) : NULL;
    if (!out->draws.names[i]) return SL_NO_MEMORY;
  }
  return SL_OK;
}

/* On the model's own scale, without generated quantities, whose random numbers are of no interest;
 * or the flow's own columns. */
static sl_status draw_from_flow(sl__cli *cli, const sl_flow *flow, const sl__target *target,
                                uint64_t seed, int64_t rows, sl__cli_draws *out) {
  const sl__target_part last = SL__TARGET_TRANSFORMED;
  const int32_t dim = sl_flow_dim(flow);
  const bool mapped = sl__cli_is_mapped(cli, target);
  SL__TRY(make_room(cli, rows, mapped ? sl__target_width(target, last) : dim, out));
  SL__TRY(name_draws(cli, flow, target, mapped, out));
  double *q = out->draws.values;
  if (mapped) q = sl__arena_take(&cli->arena, (size_t)rows, (size_t)dim * sizeof *q);
  if (!q) return SL_NO_MEMORY;
  const sl_array_out x = sl_out_f64(q, rows, dim);
  SL__TRY(sl_flow_sample(cli->context, flow, seed, NULL, &x, NULL));
  if (mapped)
    SL__TRY(sl__target_write(cli->context, target, last, rows, q, seed, 0, out->draws.values));
  const sl__series first = sl__cli_series(out, 0);
  return sl__summarise(cli->context, &first, out->draws.parameters, 1, out->rows);
}

sl_status sl__cli_draws_of_model(sl__cli *cli, const char *path, uint64_t seed, int64_t rows,
                                 sl__cli_draws *out) {
  sl_flow *flow;
  sl__target *target = NULL;
  SL__TRY(sl_flow_load(cli->context, path, &flow));
  sl_status status = sl__cli_maybe_fit_target(cli, flow, path, &target);
  if (status == SL_OK && sl_flow_context_dim(flow) > 0)
    status = sl__fail(cli->context, SL_UNSUPPORTED,
                      "%s: the model is conditional; draw rows with `sluice sample`, and compare "
                      "these",
                      path);
  if (status == SL_OK) status = sl__cli_hire(cli);
  out->name = path;
  if (status == SL_OK) status = draw_from_flow(cli, flow, target, seed, rows, out);
  sl__target_free(target);
  sl_flow_free(flow);
  return status;
}
