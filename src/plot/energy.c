/* The sampler's energies: how they are distributed, and how far a draw moves them. Where the moves are
 * much narrower, chains explore the tails slowly; E-BFMI is the ratio of the variances (Betancourt
 * 2016, arXiv:1604.00695). */
#include <math.h>
#include <stdio.h>
#include "infer/diagnose/diagnose.h"
#include "plot/chains.h"

/* centred [rows]: energies less their mean; moves [rows - chains]. Gives the least E-BFMI; NaN: none
 * is known. */
static double compute(const sl__plot_set *set, double *centred, double *moves) {
  const int64_t draws = set->rows / set->chains;
  double sum = 0, least = (double)NAN;
  int64_t count = 0;
  for (int64_t r = 0; r < set->rows; r++) sum += set->energy[r];
  for (int64_t r = 0; r < set->rows; r++) {
    centred[r] = set->energy[r] - sum / (double)set->rows;
    if (r % draws > 0) moves[count++] = set->energy[r] - set->energy[r - 1];
  }
  for (int64_t chain = 0; chain < set->chains; chain++)
    least = fmin(least, sl__ebfmi(draws, set->trajectories, set->energy + chain * draws, 1));
  return least;
}

static sl_status draw_energies(const sl__plot *plot, sl__figure *figure, sl__arena *arena) {
  const sl__plot_set *set = &plot->sets[0];
  double *centred = sl__arena_take(arena, (size_t)set->rows, sizeof *centred);
  double *moves = sl__arena_take(arena, (size_t)set->rows, sizeof *moves);
  double density[SL__LINE_NODES], most = 0;
  char name[128], number[64];
  if (!centred || !moves) return SL_NO_MEMORY;
  sl__format_fixed(number, compute(set, centred, moves), 2);
  snprintf(name, sizeof name, "moves of a draw; least E-BFMI of a chain %s", number);
  const sl__numbers both[] = {{set->rows, centred, 1}, {set->rows - set->chains, moves, 1}};
  sl__range range, other;
  SL__TRY(sl__central_range(plot->context, &both[0], &range));
  SL__TRY(sl__central_range(plot->context, &both[1], &other));
  SL__TRY(sl__figure_window(plot, 0, sl__join_ranges(range, other), &range));
  sl__figure_panel(figure, sl__figure_whole(figure));
  sl__figure_axis(figure, "x", range, 8);
  sl__figure_label(figure, "xlabel", "energy, less its mean");
  sl__figure_label(figure, "ylabel", "density");
  sl__figure_key_aside(figure);
  for (int i = 0; i < 2; i++) {
    SL__TRY(sl__smooth_line(plot->context, &both[i], range, SL__LINE_NODES, density));
    for (int k = 0; k < SL__LINE_NODES; k++) most = fmax(most, density[k]);
    sl__figure_plot(figure, "$b%d with lines",
                    sl__figure_curve(figure, range, SL__LINE_NODES, density));
    sl__figure_line(figure, i, 2);
    sl__figure_named(figure, i == 0 ? "energies" : name);
  }
  sl__range heights = {0, most > 0 ? 1.08 * most : 1};
  SL__TRY(sl__figure_window(plot, 1, heights, &heights));
  sl__figure_axis(figure, "y", heights, 6);
  return SL_OK;
}

static sl_status draw(const sl__plot *plot, sl__figure *figure) {
  if (!plot->sets[0].energy)
    return sl__fail(plot->context, SL_BAD_ARGUMENT,
                    "%s has no column energy__; give the file that `sluice nuts -o` wrote",
                    plot->sets[0].title);
  sl__arena arena;
  sl__arena_open(&arena, plot->context);
  const sl_status status = draw_energies(plot, figure, &arena);
  sl__arena_close(&arena);
  return status;
}

const sl__plot_kind sl__plot_kind_energy = {
    .name = "energy",
    .wants = SL__PLOT_WANTS_CHAINS | SL__PLOT_ONE_PANEL,
    .width = 800,
    .height = 480,
    .draw = draw,
};
