/* The density after each layer of a flow of two columns, from the base noise to the rows. */
#include <math.h>
#include "plot/figure.h"

enum { MOST_PANELS = 12, ROWS = 20000, NODES = 96 };

/* z [ROWS][2] after so many layers; the whole of them with the standardisation. */
static sl_status after_layers(const sl__plot *plot, int32_t layers, const double *z, double *out) {
  const sl_array_in from = sl_in_f64(z, ROWS, 2);
  const sl_array_out to = sl_out_f64(out, ROWS, 2);
  sl_array_in condition = plot->condition;
  condition.rows = ROWS;
  condition.row_stride = 0;
  return sl_flow_map(plot->context, plot->flow, SL_TO_DATA,
                     layers == sl_flow_layers(plot->flow) ? -1 : layers, &from,
                     sl_flow_context_dim(plot->flow) > 0 ? &condition : NULL, &to, NULL);
}

static void title_panel(const sl__plot *plot, sl__figure *figure, int32_t layers) {
  sl__text title;
  sl__text_open(&title, plot->context);
  if (layers == 0)
    sl__text_add(&title, "base: %.40s", sl_flow_base(plot->flow));
  else
    sl__text_add(&title, "%d: %s", (int)layers,
                 plot->flow->model->flow->chain.layers[layers - 1].kind->name);
  if (!title.failed) sl__figure_label(figure, "title", title.data);
  sl__text_close(&title);
}

/* Columns have their names only after the last layer. */
static void label_panel(const sl__plot *plot, sl__figure *figure, int32_t layers) {
  const bool last = layers == sl_flow_layers(plot->flow);
  const char *font = sl__figure_font(figure, SL__FONT_SMALL);
  sl__figure_add(figure, "set xlabel offset 0,%s font '%s'\nset ylabel offset 1.8,0 font '%s'\n",
                 figure->format == SL__PLOT_SVG ? "1.1" : "0.6", font, font);
  sl__figure_label(figure, "xlabel", last ? sl_flow_column_name(plot->flow, 0) : "feature 1");
  sl__figure_label(figure, "ylabel", last ? sl_flow_column_name(plot->flow, 1) : "feature 2");
}

static sl_status draw_panel(const sl__plot *plot, sl__figure *figure, sl__arena *arena, sl__box box,
                            int32_t layers, const double *points) {
  const sl__plot_set set = {.rows = ROWS, .columns = 2, .values = points};
  sl__plot own = *plot;
  sl__range ranges[2];
  sl__plane plane;
  own.set_count = 1;
  own.sets = &set;
  SL__TRY(sl__set_ranges(&own, 2, ranges));
  SL__TRY(sl__sample_plane(&own, arena, &set, 0, 1, ranges, NODES, &plane));
  sl__figure_panel(figure, box);
  sl__figure_add(figure, "set tics font '%s'\nset title offset 0,-0.6\n",
                 sl__figure_font(figure, SL__FONT_SMALL));
  sl__figure_axis(figure, "x", ranges[0], 5);
  sl__figure_axis(figure, "y", ranges[1], 5);
  title_panel(plot, figure, layers);
  label_panel(plot, figure, layers);
  return sl__figure_bands(plot->context, figure, &plane);
}

/* Which layers are shown, where there are too many: the first, the last, and evenly between. */
static int32_t layer_of(int32_t panel, int32_t panels, int32_t layers) {
  return panels > 1 ? panel * layers / (panels - 1) : 0;
}

static sl_status draw_all(const sl__plot *plot, sl__figure *figure, sl__arena *arena) {
  const int32_t layers = sl_flow_layers(plot->flow);
  const int32_t panels = layers + 1 < MOST_PANELS ? layers + 1 : MOST_PANELS;
  const int32_t across = panels > 9 ? 4 : panels > 4 ? 3 : 2, down = (panels + across - 1) / across;
  const double width = (figure->width - 20.0) / across, height = (figure->height - 36.0) / down;
  double *z = sl__arena_take(arena, ROWS, 2 * sizeof *z);
  double *points = sl__arena_take(arena, ROWS, 2 * sizeof *points);
  if (!z || !points) return SL_NO_MEMORY;
  const sl_array_out noise = sl_out_f64(z, ROWS, 2);
  SL__TRY(sl_flow_noise(plot->context, plot->flow, plot->seed, &noise));
  for (int32_t p = 0; p < panels; p++) {
    const int32_t layer = layer_of(p, panels, layers);
    const double left = 10 + (p % across) * width, bottom = (down - 1 - p / across) * height;
    SL__TRY(after_layers(plot, layer, z, points));
    SL__TRY(draw_panel(plot, figure, arena,
                       (sl__box){left + 46, bottom + 42, left + width - 8, bottom + height - 26},
                       layer, points));
  }
  return SL_OK;
}

static sl_status draw(const sl__plot *plot, sl__figure *figure) {
  sl__arena arena;
  sl__arena_open(&arena, plot->context);
  const sl_status status = draw_all(plot, figure, &arena);
  sl__arena_close(&arena);
  return status;
}

const sl__plot_kind sl__plot_kind_layers = {
    .name = "layers",
    .wants = SL__PLOT_WANTS_FLOW | SL__PLOT_WANTS_PLANE,
    .width = 800,
    .height = 760,
    .draw = draw,
};
