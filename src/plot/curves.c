/* Learning curves: the return of an episode by episode, for each policy the mean over its seeds and
 * what lies between the lowest and the highest, smoothed over ten episodes. Of a table with columns
 * policy (words), seed, episode, return. */
#include <math.h>
#include <string.h>
#include "plot/figure.h"

/* So many differ in colour or dashes. */
enum { WINDOW = 10, MOST_EPISODES = 100000, MOST_POLICIES = 12 };

typedef struct layout {
  int64_t policy, seed, episode, value; /* columns */
  int64_t episodes;
} layout;

static double number_at(const sl__table *table, int64_t row, int64_t column) {
  return sl__number_at(table->type, table->data, row * table->columns + column);
}

static sl_status find_columns(const sl__plot *plot, layout *l) {
  static const char *const names[] = {"policy", "seed", "episode", "return"};
  int64_t *const places[] = {&l->policy, &l->seed, &l->episode, &l->value};
  const sl__table *table = plot->table;
  for (int k = 0; k < 4; k++) {
    *places[k] = -1;
    for (int64_t c = 0; table->names && c < table->columns; c++)
      if (strcmp(table->names[c], names[k]) == 0) *places[k] = c;
    if (*places[k] < 0)
      return sl__fail(plot->context, SL_BAD_ARGUMENT,
                      "no column \"%s\"; learning curves have policy, seed, episode, return",
                      names[k]);
  }
  l->episodes = 0;
  for (int64_t r = 0; r < table->rows; r++) {
    const double episode = number_at(table, r, l->episode);
    if (episode > (double)l->episodes && episode <= MOST_EPISODES) l->episodes = (int64_t)episode;
  }
  if (l->episodes > 0) return SL_OK;
  return sl__fail(plot->context, SL_BAD_ARGUMENT,
                  "the episodes are not counted from 1; number them");
}

/* by_episode [episodes]: returns of one policy and seed; NaN where there is none. */
static void take_run(const sl__table *table, const layout *l, int32_t policy, double seed,
                     double *by_episode) {
  for (int64_t e = 0; e < l->episodes; e++) by_episode[e] = (double)NAN;
  for (int64_t r = 0; r < table->rows; r++) {
    const double episode = number_at(table, r, l->episode);
    if (number_at(table, r, l->policy) != policy || number_at(table, r, l->seed) != seed ||
        !(episode >= 1 && episode <= (double)l->episodes))
      continue;
    by_episode[(int64_t)episode - 1] = number_at(table, r, l->value);
  }
}

static double smoothed(const double *by_episode, int64_t at) {
  double sum = 0;
  int64_t count = 0;
  for (int64_t e = at - WINDOW + 1 < 0 ? 0 : at - WINDOW + 1; e <= at; e++)
    if (!isnan(by_episode[e])) {
      sum += by_episode[e];
      count++;
    }
  return count > 0 ? sum / (double)count : (double)NAN;
}

/* Adds a run to rows [episodes][5] of episode, lowest, highest, sum and count. */
static void add_run(const layout *l, const double *by_episode, double *rows) {
  for (int64_t e = 0; e < l->episodes; e++, rows += 5) {
    const double value = smoothed(by_episode, e);
    if (isnan(value)) continue;
    rows[1] = rows[4] == 0 ? value : fmin(rows[1], value);
    rows[2] = rows[4] == 0 ? value : fmax(rows[2], value);
    rows[3] += value;
    rows[4]++;
  }
}

static bool seen_before(const sl__table *table, const layout *l, int64_t row) {
  for (int64_t r = 0; r < row; r++)
    if (number_at(table, r, l->policy) == number_at(table, row, l->policy) &&
        number_at(table, r, l->seed) == number_at(table, row, l->seed))
      return true;
  return false;
}

static void plot_policy(const sl__plot *plot, sl__figure *figure, const layout *l, int32_t policy,
                        double *by_episode, double *rows) {
  const sl__table *table = plot->table;
  for (int64_t e = 0; e < l->episodes; e++) {
    rows[5 * e] = (double)e + 1;
    for (int k = 1; k < 5; k++) rows[5 * e + k] = 0;
  }
  double last = (double)NAN;
  for (int64_t r = 0; r < table->rows; r++) {
    const double seed = number_at(table, r, l->seed);
    if (number_at(table, r, l->policy) != policy || seed == last) continue;
    last = seed;
    if (seen_before(table, l, r)) continue;
    take_run(table, l, policy, seed, by_episode);
    add_run(l, by_episode, rows);
  }
  const int block = sl__figure_block(figure, l->episodes, 5, rows);
  if (!sl__figure_is_text(figure))
    sl__figure_plot(figure,
                    "$b%d using 1:2:3 with filledcurves fs transparent solid 0.25 noborder lc rgb "
                    "'%s'",
                    block, sl__series_colour(policy));
  sl__figure_plot(figure, "$b%d using 1:($5>0?$4/$5:NaN) with lines", block);
  sl__figure_line(figure, policy, 2);
  sl__figure_named(figure, table->words[l->policy].word[policy]);
}

/* The axis of the returns: gnuplot's own, but for an end that was asked for. */
static void set_returns(const sl__plot *plot, sl__figure *figure) {
  const sl__plot_end *ends = plot->ends[1];
  sl__figure_add(figure, "set ytics autofreq\nset yrange [");
  for (int k = 0; k < 2; k++) {
    if (ends[k].set)
      sl__figure_real(figure, ends[k].value);
    else
      sl__figure_add(figure, "*");
    sl__figure_add(figure, k == 0 ? ":" : "]\n");
  }
}

static sl_status draw(const sl__plot *plot, sl__figure *figure) {
  const sl__table *table = plot->table;
  layout l;
  SL__TRY(find_columns(plot, &l));
  if (!table->words || table->words[l.policy].count == 0)
    return sl__fail(plot->context, SL_BAD_ARGUMENT,
                    "the column policy holds no words; write the policies' names there");
  const int32_t policies = table->words[l.policy].count;
  if (policies > MOST_POLICIES)
    return sl__fail(plot->context, SL_BAD_ARGUMENT,
                    "%d policies are not told apart in one figure; give a table of at most %d",
                    (int)policies, MOST_POLICIES);
  sl__range episodes;
  SL__TRY(sl__figure_window(plot, 0, (sl__range){1, fmax((double)l.episodes, 2)}, &episodes));
  sl__arena arena;
  sl__arena_open(&arena, plot->context);
  double *by_episode = sl__arena_take(&arena, (size_t)l.episodes, sizeof *by_episode);
  double *rows = sl__arena_take(&arena, (size_t)l.episodes, 5 * sizeof *rows);
  const sl_status status = by_episode && rows ? SL_OK : SL_NO_MEMORY;
  if (status == SL_OK) {
    sl__figure_panel(figure, sl__figure_whole(figure));
    sl__figure_axis(figure, "x", episodes, 8);
    set_returns(plot, figure);
    sl__figure_label(figure, "xlabel", "episode");
    sl__figure_label(figure, "ylabel", "return, mean over ten episodes");
    sl__figure_key_aside(figure);
    for (int32_t p = 0; p < policies; p++) plot_policy(plot, figure, &l, p, by_episode, rows);
  }
  sl__arena_close(&arena);
  return status;
}

const sl__plot_kind sl__plot_kind_curves = {
    .name = "curves",
    .wants = SL__PLOT_WANTS_TABLE | SL__PLOT_ONE_PANEL,
    .width = 800,
    .height = 520,
    .draw = draw,
};
