/* The four panels in which Real NVP is usually shown (Dinh et al. 2017, arXiv:1605.08803, figure 1):
 * rows mapped to the base, draws of the base, the rows, and draws of the base mapped to rows. A good
 * flow makes each pair of neighbours alike. */
#include <math.h>
#include "plot/figure.h"

typedef struct clouds {
  int64_t rows;
  const double *data;               /* [rows][2] */
  double *encoded, *noise, *sample; /* [rows][2] */
} clouds;

static sl_status compute(const sl__plot *plot, sl__arena *arena, clouds *c) {
  sl_context *context = plot->context;
  c->rows = plot->data->rows < SL__PLOT_DOTS ? plot->data->rows : SL__PLOT_DOTS;
  const size_t size = 2 * sizeof(double);
  double *data = sl__arena_take(arena, (size_t)c->rows, size);
  c->encoded = sl__arena_take(arena, (size_t)c->rows, size);
  c->noise = sl__arena_take(arena, (size_t)c->rows, size);
  c->sample = sl__arena_take(arena, (size_t)c->rows, size);
  if (!data || !c->encoded || !c->noise || !c->sample) return SL_NO_MEMORY;
  for (int64_t r = 0; r < c->rows; r++)
    for (int i = 0; i < 2; i++)
      data[2 * r + i] = plot->data->values[2 * (r * plot->data->rows / c->rows) + i];
  c->data = data;
  const sl_array_in x = sl_in_f64(data, c->rows, 2);
  const sl_array_out z = sl_out_f64(c->encoded, c->rows, 2);
  const sl_array_out noise = sl_out_f64(c->noise, c->rows, 2);
  const sl_array_out sample = sl_out_f64(c->sample, c->rows, 2);
  sl_array_in condition = plot->condition;
  condition.rows = c->rows;
  condition.row_stride = 0;
  const sl_array_in *given = sl_flow_context_dim(plot->flow) > 0 ? &condition : NULL;
  SL__TRY(sl_flow_map(context, plot->flow, SL_TO_BASE, -1, &x, given, &z, NULL));
  SL__TRY(sl_flow_noise(context, plot->flow, plot->seed, &noise));
  return sl_flow_sample(context, plot->flow, plot->seed, given, &sample, NULL);
}

/* A range for both columns of two clouds that are to be compared. */
static sl_status range_of(const sl__plot *plot, int64_t rows, const double *a, const double *b,
                          int column, sl__range *out) {
  const sl__numbers first = {rows, a + column, 2}, second = {rows, b + column, 2};
  sl__range other;
  SL__TRY(sl__central_range(plot->context, &first, out));
  SL__TRY(sl__central_range(plot->context, &second, &other));
  *out = sl__join_ranges(*out, other);
  return SL_OK;
}

static sl_status draw_cloud(const sl__plot *plot, sl__figure *figure, const clouds *c, int place) {
  static const char *const titles[] = {"z = f(x): the rows, mapped to the base",
                                       "z ~ p(z): the base", "x ~ p(x): the rows",
                                       "x = g(z): the base, mapped to rows"};
  const double *const points[] = {c->encoded, c->noise, c->data, c->sample};
  const double *partner = points[place ^ 1];
  const bool base = place < 2;
  const double left = 70 + (place % 2) * (figure->width - 20) / 2.0;
  const double bottom = 70 + (place < 2) * (figure->height - 40) / 2.0;
  const double width = (figure->width - 20) / 2.0 - 84, height = (figure->height - 40) / 2.0 - 108;
  sl__range x, y;
  SL__TRY(range_of(plot, c->rows, points[place], partner, 0, &x));
  SL__TRY(range_of(plot, c->rows, points[place], partner, 1, &y));
  sl__figure_panel(figure, (sl__box){left, bottom, left + width, bottom + height});
  sl__figure_axis(figure, "x", x, 5);
  sl__figure_axis(figure, "y", y, 5);
  sl__figure_label(figure, "xlabel", base ? "z 1" : sl_flow_column_name(plot->flow, 0));
  sl__figure_label(figure, "ylabel", base ? "z 2" : sl_flow_column_name(plot->flow, 1));
  sl__figure_label(figure, "title", titles[place]);
  const int block = sl__figure_block(figure, c->rows, 2, points[place]);
  sl__figure_plot(figure, "$b%d with points pt 7 ps 0.25 lc rgb '%s'", block,
                  sl__series_colour(place % 2 == base ? 1 : 0));
  return SL_OK;
}

static sl_status draw(const sl__plot *plot, sl__figure *figure) {
  clouds c;
  sl__arena arena;
  sl__arena_open(&arena, plot->context);
  sl_status status = compute(plot, &arena, &c);
  for (int place = 0; place < 4 && status == SL_OK; place++)
    status = draw_cloud(plot, figure, &c, place);
  sl__arena_close(&arena);
  return status;
}

const sl__plot_kind sl__plot_kind_panels = {
    .name = "panels",
    .wants = SL__PLOT_WANTS_FLOW | SL__PLOT_WANTS_PLANE | SL__PLOT_WANTS_DATA,
    .width = 800,
    .height = 800,
    .draw = draw,
};
