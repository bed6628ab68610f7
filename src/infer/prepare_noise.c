/* Rounded columns: a density can grow without bound on a lattice of values, and then its log
 * likelihood says nothing. Uniform noise as wide as the lattice turns the values into the
 * continuous ones that they may have been rounded from (Uria et al. 2013, "RNADE", section 4; Theis
 * et al. 2016).
 *
 * Noise belongs to the data's units. On a real column it is added after standardising, which is the
 * same; on others it is drawn from that part of value +- width / 2 that lies in the support, and
 * mapped, each time anew. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "infer/prepare.h"

/* Ties in a column without lattice are noticed from this fraction of the rows on. */
static const double least_tied = 0.1;
/* The step numbers of the draws that features are prepared with; training counts steps from 0 and
 * judging from 2^31 - 1 down, and neither comes here. */
enum { PREPARING = 0x7fffff00 };

/* ---- widths ---- */

/* Half-way between the neighbouring distinct values is where ties without a lattice may have
 * come from: the typical gap, rows [rows] of one column being sorted here. */
static double typical_gap(double *values, int64_t rows, double range) {
  int64_t distinct = 1;
  for (int64_t step = rows / 2; step > 0; step /= 2) /* shell sort: no allocation, fast enough */
    for (int64_t i = step; i < rows; i++) {
      double value = values[i];
      int64_t j = i;
      for (; j >= step && values[j - step] > value; j -= step) values[j] = values[j - step];
      values[j] = value;
    }
  for (int64_t i = 1; i < rows; i++) distinct += values[i] > values[i - 1];
  return range / (double)distinct;
}

/* The spacing to spread a column by that nobody declared, or 0; what: what was noticed. */
static double notice_width(const sl__preparation *p, int32_t column, double *values,
                           const char **what) {
  const sl__column_facts *facts = &p->facts[column];
  double least = p->options->dequantize > 0 ? 0 : least_tied;
  *what = "is rounded to multiples of";
  if (facts->lattice > 0) return facts->lattice;
  if (!(facts->tied > least)) return 0;
  *what = "has many ties, typical gap";
  for (int64_t row = 0; row < p->rows; row++) values[row] = p->x[row * p->out->columns + column];
  return typical_gap(values, p->rows, facts->maximum - facts->minimum);
}

static void note_width(const sl__preparation *p, int32_t column, const char *what, double width) {
  const sl__column_type *type = &p->out->map->type[column];
  char text[160], number[32], line[320];
  sl__format_real(number, width, SL_F32);
  sl__column_text(p->data, column, text);
  if (type->support == SL__SUPPORT_SIMPLEX)
    snprintf(line, sizeof line, "%s %s %s, but shares get no noise", text, what, number);
  else
    snprintf(line, sizeof line, "%s %s %s: uniform noise that wide is added (dequantisation)", text,
             what, number);
  sl__prepared_note(p->out, line);
}

sl_status sl__choose_noise(sl__preparation *p) {
  sl__prepared *out = p->out;
  const bool notices = !p->as_is && p->options->dequantize != 0;
  double *values = sl__arena_take(&out->arena, notices ? (size_t)p->rows : 0, sizeof *values);
  out->column_noise = sl__arena_take(&out->arena, (size_t)out->columns, sizeof(double));
  if (!values || !out->column_noise) return SL_NO_MEMORY;
  for (int32_t column = 0; column < out->columns; column++) {
    const sl__column_type *type = &out->map->type[column];
    const char *what = type->integer ? "holds integers, width" : "is of width";
    double width = type->width;
    if (!(width > 0) && notices) width = notice_width(p, column, values, &what);
    if (!(width > 0)) continue;
    if (!p->as_is) note_width(p, column, what, width);
    if (type->support != SL__SUPPORT_SIMPLEX) out->column_noise[column] = width;
  }
  return SL_OK;
}

/* ---- features ---- */

double sl__spread_value(const sl__columns *map, int32_t column, double value, double width,
                        double u) {
  double low = value - width / 2, high = value + width / 2;
  if (map->type[column].support != SL__SUPPORT_PERIODIC) {
    low = fmax(low, map->low[map->back[column]]);
    high = fmin(high, map->high[map->back[column]]);
  }
  return low + (high - low) * u;
}

static bool is_spread(const sl__prepared *out, int32_t column) {
  return out->column_noise[column] > 0 && out->map->type[column].support != SL__SUPPORT_REAL;
}

static sl_status map_rows(const sl__preparation *p, const sl_array_in *x, uint32_t which,
                          sl_array_in *features) {
  sl__prepared *out = p->out;
  *features = *x;
  if (!x->data || !out->map->mapped) return SL_OK;
  const size_t row_size = (size_t)out->dim * sizeof(double);
  double *row = sl__arena_take(&out->arena, (size_t)out->columns, sizeof *row);
  double *mapped = sl__arena_take(&out->arena, (size_t)x->rows, row_size);
  if (!row || !mapped) return SL_NO_MEMORY;
  const sl__random_key key = {p->options->seed, SL__STREAM_DEQUANTISE, PREPARING - which};
  for (int64_t r = 0; r < x->rows; r++) {
    for (int32_t i = 0; i < out->columns; i++) {
      row[i] = sl__element(x, r, i);
      if (is_spread(out, i))
        row[i] = sl__spread_value(out->map, i, row[i], out->column_noise[i],
                                  sl__random_uniform(key, (uint64_t)r, (uint32_t)i));
    }
    sl__columns_features(out->map, row, mapped + r * out->dim);
  }
  *features = sl_in_f64(mapped, x->rows, out->dim);
  return SL_OK;
}

sl_status sl__make_features(sl__preparation *p) {
  SL__TRY(map_rows(p, &p->data->x, 0, &p->features));
  SL__TRY(map_rows(p, &p->data->valid_x, 1, &p->valid_features));
  return map_rows(p, &p->data->test_x, 2, &p->test_features);
}

/* ---- during the fit ---- */

/* The spread columns of the rows that order names (or of all). */
static sl_status keep_values(sl__preparation *p, const sl_array_in *x, const int64_t *order,
                             int64_t rows, double **out) {
  const sl__spread *spread = &p->out->spread;
  if (!x->data || rows == 0) return SL_OK;
  *out = sl__arena_take(&p->out->arena, (size_t)rows, (size_t)spread->count * sizeof **out);
  if (!*out) return SL_NO_MEMORY;
  for (int64_t r = 0; r < rows; r++)
    for (int32_t k = 0; k < spread->count; k++)
      (*out)[r * spread->count + k] =
          sl__element(x, order ? order[r] : r, spread->columns[k].column);
  return SL_OK;
}

static sl_status keep_sets(sl__preparation *p) {
  sl__prepared *out = p->out;
  const sl_fit_data *data = p->data;
  const int64_t *train = p->order + (p->rows - out->train_rows);
  const bool own_test = !data->test_x.data, own_valid = !data->valid_x.data;
  SL__TRY(keep_values(p, &data->x, train, out->train_rows, &out->spread.train));
  SL__TRY(keep_values(p, own_valid ? &data->x : &data->valid_x,
                      own_valid ? p->order + (own_test ? out->test_rows : 0) : NULL,
                      out->valid_rows, &out->spread.valid));
  return keep_values(p, own_test ? &data->x : &data->test_x, own_test ? p->order : NULL,
                     out->test_rows, &out->spread.test);
}

sl_status sl__finish_noise(sl__preparation *p) {
  sl__prepared *out = p->out;
  sl__spread *spread = &out->spread;
  double *widths = sl__arena_take(&out->arena, (size_t)out->dim, sizeof *widths);
  *spread =
      (sl__spread){.map = out->map, .type = out->type, .seed = p->options->seed, .dim = out->dim};
  spread->columns = sl__arena_take(&out->arena, (size_t)out->columns, sizeof *spread->columns);
  if (!widths || !spread->columns) return SL_NO_MEMORY;
  for (int32_t i = 0; i < out->columns; i++) {
    if (out->column_noise[i] == 0) continue;
    const int32_t feature = out->map->feature[i];
    out->noise_width = widths;
    if (!is_spread(out, i))
      widths[feature] = out->column_noise[i] / out->sd[feature];
    else
      spread->columns[spread->count++] = (sl__spread_column){i, feature, out->column_noise[i],
                                                             out->mean[feature], out->sd[feature]};
  }
  return spread->count > 0 ? keep_sets(p) : SL_OK;
}

void sl__spread_rows(const sl__spread *spread, sl__random_key key, const double *place,
                     const double *values, const int64_t *index, int64_t first, int64_t rows,
                     sl_dtype type, void *x) {
  for (int64_t r = 0; r < rows; r++) {
    const double *row = values + (index ? index[r] : first + r) * spread->count;
    for (int32_t k = 0; k < spread->count; k++) {
      const sl__spread_column *own = &spread->columns[k];
      double u = sl__random_uniform(key, (uint64_t)(first + r), (uint32_t)own->feature);
      if (place) u += place[own->feature];
      u -= floor(u);
      const double value = sl__spread_value(spread->map, own->column, row[k], own->width, u);
      const double feature =
          (sl__column_feature(spread->map, own->column, value) - own->mean) / own->sd;
      if (type == SL_F32)
        ((float *)x)[r * spread->dim + own->feature] = (float)feature;
      else
        ((double *)x)[r * spread->dim + own->feature] = feature;
    }
  }
}
