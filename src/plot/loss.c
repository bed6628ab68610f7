/* The loss along a fit: of the training rows and of the held-out ones, and where the best was. */
#include <math.h>
#include "plot/figure.h"

/* All but what the first steps had too much; the end is what matters. */
static sl_status loss_range(sl_context *context, const sl__loss_record *record, sl__range *out) {
  static const double probabilities[] = {0, 0.95};
  double ends[2];
  const sl__numbers loss = {record->count, record->loss, 1};
  SL__TRY(sl__quantiles(context, &loss, 2, probabilities, ends));
  *out = (sl__range){ends[0], ends[1]};
  if (record->valid) {
    const sl__numbers valid = {record->count, record->valid, 1};
    SL__TRY(sl__quantiles(context, &valid, 2, probabilities, ends));
    if (!isnan(ends[0])) *out = sl__join_ranges(*out, (sl__range){ends[0], ends[1]});
  }
  const double air = fmax(0.06 * (out->high - out->low), 1e-6 * fabs(out->high) + 1e-12);
  out->low -= air;
  out->high += 2 * air;
  return SL_OK;
}

static void plot_losses(sl__figure *figure, const sl__loss_record *record, const double *losses,
                        int i, const char *name) {
  sl__figure_add(figure, "$b%d << EOD\n", ++figure->blocks);
  for (int64_t p = 0; p < record->count; p++) {
    sl__figure_real(figure, record->step[p]);
    sl__figure_add(figure, " ");
    sl__figure_real(figure, losses[p]);
    sl__figure_add(figure, "\n");
  }
  sl__figure_add(figure, "EOD\n");
  sl__figure_plot(figure, "$b%d with lines", figure->blocks);
  sl__figure_line(figure, i, i == 0 ? 1.4 : 2);
  sl__figure_named(figure, name);
}

static void mark_best(sl__figure *figure, double step, sl__range range) {
  const double line[] = {step, range.low, step, range.high};
  const int block = sl__figure_block(figure, 2, 2, line);
  sl__figure_plot(figure, "$b%d with lines lc rgb '#555555' lw 1 dt 2", block);
  sl__figure_named(figure, "the step that was kept");
}

static sl_status draw_record(const sl__plot *plot, sl__figure *figure,
                             const sl__loss_record *record) {
  sl__range range;
  if (record->count < 2)
    return sl__fail(plot->context, SL_BAD_ARGUMENT,
                    "%s holds no course of the loss; fit it anew with this version, for some steps",
                    plot->subject ? plot->subject : "the model");
  SL__TRY(loss_range(plot->context, record, &range));
  SL__TRY(sl__figure_window(plot, 1, range, &range));
  sl__range steps = {0, record->step[record->count - 1]};
  SL__TRY(sl__figure_window(plot, 0, steps, &steps));
  sl__figure_panel(figure, sl__figure_whole(figure));
  sl__figure_axis(figure, "x", steps, 8);
  sl__figure_axis(figure, "y", range, 8);
  sl__figure_label(figure, "xlabel", "step");
  sl__figure_label(figure, "ylabel",
                   record->standardized ? "negative mean log density (nats, standardised columns)"
                                        : "loss (nats)");
  sl__figure_key_aside(figure);
  plot_losses(figure, record, record->loss, 0, record->valid ? "training rows" : "loss");
  if (record->valid) plot_losses(figure, record, record->valid, 1, "held-out rows");
  if (record->valid && record->best_step > 0) mark_best(figure, record->best_step, range);
  return SL_OK;
}

static sl_status draw(const sl__plot *plot, sl__figure *figure) {
  sl__loss_record record;
  sl__arena arena;
  sl__arena_open(&arena, plot->context);
  sl_status status = sl__read_losses(plot->context, &arena, plot->flow, &record);
  if (status == SL_OK) status = draw_record(plot, figure, &record);
  sl__arena_close(&arena);
  return status;
}

const sl__plot_kind sl__plot_kind_loss = {
    .name = "loss",
    .wants = SL__PLOT_WANTS_FLOW | SL__PLOT_ONE_PANEL,
    .width = 800,
    .height = 480,
    .draw = draw,
};
