/* Columns as blocks of one support, and their maps as graphs.
 *
 *   positive   y = log x
 *   interval   y = log (x - a) - log (b - x)
 *   simplex    stick-breaking, y_k = log x_k - log (x_(k+1) + ... + x_K) + log (K - k): the logit
 *              of what share k takes of what is left, centred so that equal shares are y = 0 (Stan
 *              reference manual, "Constraint transforms", unit simplex). Written with the sums of
 *              the shares that follow, it loses no digits where a share is near 0 or 1; and since
 *              the Jacobian is triangular, log |d y / d x_1 .. x_(K-1)| = - sum over all K of log x
 *   periodic   y = the angle, 2 pi / (b - a) long per unit, wrapped to -pi .. pi
 *
 * Values outside the support are replaced before the map, not after it, so that no NaN is made on
 * the way, and get log-determinant -infinity. */
#include "flow/columns.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "flow/bijector/order.h"

static const double pi = 3.14159265358979323846;

/* ---- blocks ---- */

/* Memory that the blocks share, each a stretch of it: [count] each, by precision where two. */
typedef struct filling {
  int32_t at, feature; /* columns and features placed so far */
  int32_t *order;
  double *lowest[2], *highest[2], *integer, *offset;
} filling;

static double lowest_inside(double low, sl_dtype type) {
  if (type == SL_F64) return low == 0 ? DBL_MIN : nextafter(low, INFINITY);
  return low == 0 ? (double)FLT_MIN : (double)nextafterf((float)low, INFINITY);
}

static double highest_inside(double high, sl_dtype type) {
  return -lowest_inside(-high, type);
}

/* The open range of values; spread integers fill theirs from half a step below to half above. */
static void range_of(const sl__column_type *type, double *low, double *high) {
  static const double half = 0.5;
  *low = -INFINITY;
  *high = INFINITY;
  if (type->support == SL__SUPPORT_REAL) return;
  *low = type->low;
  if (type->support == SL__SUPPORT_SIMPLEX) *high = 1;
  if (type->support == SL__SUPPORT_INTERVAL || type->support == SL__SUPPORT_PERIODIC)
    *high = type->high;
  if (!type->integer) return;
  *low -= half;
  *high += type->support == SL__SUPPORT_PERIODIC ? -half : half;
}

static void place_column(sl__columns *columns, filling *fill, sl__column_block *block,
                         int32_t column) {
  const sl__column_type *type = &columns->type[column];
  const int32_t at = fill->at++;
  fill->order[at] = column;
  columns->back[column] = at;
  range_of(type, &columns->low[at], &columns->high[at]);
  for (int k = SL_F32; k <= SL_F64; k++) {
    fill->lowest[k][at] = lowest_inside(columns->low[at], (sl_dtype)k);
    fill->highest[k][at] = highest_inside(columns->high[at], (sl_dtype)k);
  }
  fill->integer[at] = type->integer;
  block->some_integers |= type->integer;
  block->count++;
}

static bool belongs(const sl__column_type *type, sl__support support, int32_t group) {
  return type->support == support && type->group == group;
}

/* The columns of this support (and group) as a block, if there are any. */
static sl_status add_block(sl_context *context, sl__columns *columns, filling *fill,
                           sl__support support, int32_t group) {
  int32_t members = 0;
  for (int32_t i = 0; i < columns->count; i++)
    members += belongs(&columns->type[i], support, group);
  if (members == 0) return SL_OK;
  if (columns->block_count == SL__MOST_COLUMN_BLOCKS)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "the columns are of more than %d kinds, of which each simplex is one; use "
                    "fewer simplexes",
                    SL__MOST_COLUMN_BLOCKS);
  sl__column_block *block = &columns->block[columns->block_count];
  const int32_t first = fill->at;
  *block = (sl__column_block){.support = support,
                              .first_feature = fill->feature,
                              .column = fill->order + first,
                              .low = columns->low + first,
                              .high = columns->high + first,
                              .lowest = {fill->lowest[0] + first, fill->lowest[1] + first},
                              .highest = {fill->highest[0] + first, fill->highest[1] + first},
                              .integer = fill->integer + first,
                              .offset = fill->offset + first};
  for (int32_t i = 0; i < columns->count; i++)
    if (belongs(&columns->type[i], support, group)) place_column(columns, fill, block, i);
  const bool simplex = support == SL__SUPPORT_SIMPLEX;
  block->features = block->count - simplex;
  if (block->features == 0)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "a simplex of one column is always 1; give it more columns");
  for (int32_t k = 0; k < block->features; k++) {
    columns->source[fill->feature + k] = block->column[k];
    fill->offset[first + k] = log((double)(block->count - 1 - k));
  }
  for (int32_t k = 0; k < block->count; k++)
    columns->feature[block->column[k]] = fill->feature + (simplex ? 0 : k);
  fill->feature += block->features;
  columns->integers |= block->some_integers;
  columns->mapped |= support != SL__SUPPORT_REAL || block->some_integers;
  columns->block_count++;
  return SL_OK;
}

static sl_status take_memory(sl__arena *arena, sl__columns *columns, filling *fill) {
  const size_t count = (size_t)columns->count;
  double **numbers[] = {&columns->low,     &columns->high,    &fill->lowest[0], &fill->lowest[1],
                        &fill->highest[0], &fill->highest[1], &fill->integer,   &fill->offset};
  int32_t **places[] = {&columns->back, &columns->source, &columns->feature, &fill->order};
  columns->type = sl__arena_take(arena, count, sizeof *columns->type);
  if (!columns->type) return SL_NO_MEMORY;
  for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
    if (!(*numbers[k] = sl__arena_take(arena, count, sizeof(double)))) return SL_NO_MEMORY;
  for (size_t k = 0; k < sizeof places / sizeof places[0]; k++)
    if (!(*places[k] = sl__arena_take(arena, count, sizeof(int32_t)))) return SL_NO_MEMORY;
  return SL_OK;
}

sl_status sl__columns_new(sl_context *context, sl__arena *arena, int32_t count,
                          const sl__column_type *types, sl__columns *out) {
  filling fill = {0};
  int32_t groups = 0;
  *out = (sl__columns){.count = count};
  SL__TRY(take_memory(arena, out, &fill));
  for (int32_t i = 0; types && i < count; i++) {
    out->type[i] = types[i];
    if (types[i].group > groups + 1 ||
        (types[i].support == SL__SUPPORT_SIMPLEX) != (types[i].group > 0))
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "column %d is of simplex %d, but they are counted from 1 in order of their "
                      "first columns",
                      i + 1, types[i].group);
    if (types[i].group > groups) groups++;
  }
  SL__TRY(add_block(context, out, &fill, SL__SUPPORT_REAL, 0));
  SL__TRY(add_block(context, out, &fill, SL__SUPPORT_POSITIVE, 0));
  SL__TRY(add_block(context, out, &fill, SL__SUPPORT_INTERVAL, 0));
  for (int32_t group = 1; group <= groups; group++)
    SL__TRY(add_block(context, out, &fill, SL__SUPPORT_SIMPLEX, group));
  const int32_t before = fill.feature;
  SL__TRY(add_block(context, out, &fill, SL__SUPPORT_PERIODIC, 0));
  out->features = fill.feature;
  out->periodic = fill.feature - before;
  return SL_OK;
}

/* ---- to features ---- */

static sl_node constants(sl__graph *g, sl_dtype type, int32_t count, const double *values) {
  return op_constant(g, type, sl__shape1(count), values);
}

/* 1 where some element of x is outside the open range; of a NaN 0. */
static sl_node find_outside(const sl__column_block *block, sl__graph *g, sl_node x) {
  const sl_dtype type = sl__node_type(g, x);
  sl_node outside = op_maximum(g, op_less_equal(g, x, constants(g, type, block->count, block->low)),
                               op_less_equal(g, constants(g, type, block->count, block->high), x));
  if (block->support == SL__SUPPORT_PERIODIC) /* any finite number */
    outside = op_less_equal(g, op_number(g, type, INFINITY), op_absolute(g, x));
  return outside;
}

/* The block's map of values inside. */
static sl__mapped map_positive(const sl__column_block *block, sl__graph *g, sl_node x) {
  const sl_dtype type = sl__node_type(g, x);
  sl_node value = op_log(g, op_subtract(g, x, constants(g, type, block->count, block->low)));
  return (sl__mapped){value, op_negate(g, op_sum_all(g, value))};
}

static sl__mapped map_interval(const sl__column_block *block, sl__graph *g, sl_node x) {
  const sl_dtype type = sl__node_type(g, x);
  sl_node low = constants(g, type, block->count, block->low);
  sl_node high = constants(g, type, block->count, block->high);
  sl_node above = op_log(g, op_subtract(g, x, low)), below = op_log(g, op_subtract(g, high, x));
  sl_node range = op_log(g, op_subtract(g, high, low));
  return (sl__mapped){op_subtract(g, above, below),
                      op_sum_all(g, op_subtract(g, range, op_add(g, above, below)))};
}

static sl__mapped map_periodic(const sl__column_block *block, sl__graph *g, sl_node x) {
  const sl_dtype type = sl__node_type(g, x);
  sl_node low = constants(g, type, block->count, block->low);
  sl_node range = op_subtract(g, constants(g, type, block->count, block->high), low);
  /* Whole turns first: they come off without rounding, so that 370 is where 10 is. */
  sl_node turns = op_floor(g, op_divide(g, op_subtract(g, x, low), range));
  sl_node once = op_subtract(g, x, op_multiply(g, turns, range));
  sl_node part = op_divide(g, op_subtract(g, once, low), range);
  part = op_subtract(g, part, op_floor(g, part));
  return (sl__mapped){op_shift(g, op_scale(g, part, 2 * pi), -pi),
                      op_sum_all(g, op_negate(g, op_log(g, op_scale(g, range, 0.5 / pi))))};
}

static sl__mapped map_simplex(const sl__column_block *block, sl__graph *g, sl_node x) {
  const int32_t count = block->count, features = block->features;
  sl_node total = op_sum_all(g, x), logs = op_log(g, x);
  sl_node rest = op_slice(g, op_cumulative_sum(g, x, 0, true), 0, 1, features, 1);
  sl_node value = op_subtract(g, op_slice(g, logs, 0, 0, features, 1), op_log(g, rest));
  sl_node offset = constants(g, sl__node_type(g, x), features, block->offset);
  return (sl__mapped){op_add(g, value, offset),
                      op_subtract(g, op_scale(g, op_log(g, total), count), op_sum_all(g, logs))};
}

typedef sl__mapped (*block_map)(const sl__column_block *block, sl__graph *g, sl_node value);
static const block_map maps[SL__SUPPORTS] = {
    [SL__SUPPORT_POSITIVE] = map_positive,
    [SL__SUPPORT_INTERVAL] = map_interval,
    [SL__SUPPORT_PERIODIC] = map_periodic,
    [SL__SUPPORT_SIMPLEX] = map_simplex,
};

/* One block of x: replaces what is outside, maps, and says so in the log-determinant. */
static sl__mapped map_block(const sl__column_block *block, sl__graph *g, sl_node x) {
  const sl_dtype type = sl__node_type(g, x);
  const bool simplex = block->support == SL__SUPPORT_SIMPLEX;
  if (block->support == SL__SUPPORT_REAL) return (sl__mapped){x, op_number(g, type, 0)};
  sl_node outside = find_outside(block, g, x), any = op_max(g, outside, 0);
  if (simplex) {
    sl_node error = op_absolute(g, op_shift(g, op_sum_all(g, x), -1));
    any = op_maximum(g, any, op_less(g, op_number(g, type, SL__SHARE_ERROR), error));
  }
  sl_node inside; /* some value there */
  if (block->support == SL__SUPPORT_INTERVAL)
    inside = op_scale(g,
                      op_add(g, constants(g, type, block->count, block->low),
                             constants(g, type, block->count, block->high)),
                      0.5);
  else if (block->support == SL__SUPPORT_POSITIVE)
    inside = op_shift(g, constants(g, type, block->count, block->low), 1);
  else
    inside = op_number(g, type, simplex ? 1.0 / block->count : 0);
  x = op_select(g, simplex ? any : outside, inside, x);
  sl__mapped out = maps[block->support](block, g, x);
  out.log_det = op_select(g, any, op_number(g, type, -INFINITY), out.log_det);
  return out;
}

/* ---- to data ---- */

static sl_node clamp_inside(const sl__column_block *block, sl__graph *g, sl_node x) {
  const sl_dtype type = sl__node_type(g, x);
  x = op_maximum(g, x, constants(g, type, block->count, block->lowest[type]));
  return op_minimum(g, x, constants(g, type, block->count, block->highest[type]));
}

static sl__mapped unmap_positive(const sl__column_block *block, sl__graph *g, sl_node y) {
  sl_node low = constants(g, sl__node_type(g, y), block->count, block->low);
  return (sl__mapped){clamp_inside(block, g, op_add(g, low, op_exp(g, y))), op_sum_all(g, y)};
}

/* From the end that is nearer, whose distance keeps its digits. */
static sl__mapped unmap_interval(const sl__column_block *block, sl__graph *g, sl_node y) {
  const sl_dtype type = sl__node_type(g, y);
  sl_node low = constants(g, type, block->count, block->low);
  sl_node high = constants(g, type, block->count, block->high);
  sl_node range = op_subtract(g, high, low);
  sl_node size = op_absolute(g, y);
  sl_node distance = op_multiply(g, range, op_sigmoid(g, op_negate(g, size)));
  sl_node x = op_select(g, op_less(g, y, op_number(g, type, 0)), op_add(g, low, distance),
                        op_subtract(g, high, distance));
  sl_node both = op_add(g, op_softplus(g, y), op_softplus(g, op_negate(g, y)));
  return (sl__mapped){clamp_inside(block, g, x),
                      op_sum_all(g, op_subtract(g, op_log(g, range), both))};
}

static sl__mapped unmap_periodic(const sl__column_block *block, sl__graph *g, sl_node y) {
  const sl_dtype type = sl__node_type(g, y);
  sl_node low = constants(g, type, block->count, block->low);
  sl_node high = constants(g, type, block->count, block->high);
  sl_node range = op_subtract(g, high, low);
  sl_node part = op_scale(g, op_shift(g, y, pi), 0.5 / pi);
  part = op_subtract(g, part, op_floor(g, part));
  sl_node x = op_add(g, low, op_multiply(g, range, part));
  return (sl__mapped){op_select(g, op_less_equal(g, high, x), low, x),
                      op_sum_all(g, op_log(g, op_scale(g, range, 0.5 / pi)))};
}

static sl__mapped unmap_simplex(const sl__column_block *block, sl__graph *g, sl_node y) {
  const sl_dtype type = sl__node_type(g, y);
  const int32_t features = block->features;
  sl_node logit = op_subtract(g, y, constants(g, type, features, block->offset));
  /* -log of what is left before share k, and after the last of them */
  sl_node left = op_cumulative_sum(g, op_softplus(g, logit), 0, false);
  sl_node before = op_reshape(g, op_number(g, type, 0), sl__shape1(1));
  if (features > 1) {
    sl_node parts[2] = {before, op_slice(g, left, 0, 0, features - 1, 1)};
    before = op_concatenate(g, 2, parts, 0);
  }
  sl_node taken = op_add(g, before, op_softplus(g, op_negate(g, logit)));
  sl_node minus_logs[2] = {taken, op_slice(g, left, 0, features - 1, 1, 1)};
  sl_node logs = op_negate(g, op_concatenate(g, 2, minus_logs, 0));
  sl_node x = op_exp(g, logs);
  x = op_divide(g, x, op_sum_all(g, x)); /* of rounding errors */
  return (sl__mapped){clamp_inside(block, g, x), op_sum_all(g, logs)};
}

static sl_node round_integers(const sl__column_block *block, sl__graph *g, sl_node x) {
  const sl_dtype type = sl__node_type(g, x);
  const int32_t count = block->count;
  sl_node rounded = op_floor(g, op_shift(g, x, 0.5));
  /* A value one ulp inside the range may have been rounded out of it. */
  sl_node least = op_shift(g, constants(g, type, count, block->low), 0.5);
  sl_node most = op_shift(g, constants(g, type, count, block->high), -0.5);
  rounded = op_minimum(g, op_maximum(g, rounded, least), most);
  return op_select(g, constants(g, type, count, block->integer), rounded, x);
}

static const block_map unmaps[SL__SUPPORTS] = {
    [SL__SUPPORT_POSITIVE] = unmap_positive,
    [SL__SUPPORT_INTERVAL] = unmap_interval,
    [SL__SUPPORT_PERIODIC] = unmap_periodic,
    [SL__SUPPORT_SIMPLEX] = unmap_simplex,
};

static sl__mapped unmap_block(const sl__column_block *block, sl__graph *g, sl_node y) {
  sl__mapped out = {y, op_number(g, sl__node_type(g, y), 0)};
  if (block->support != SL__SUPPORT_REAL) out = unmaps[block->support](block, g, y);
  if (block->some_integers) out.value = round_integers(block, g, out.value);
  return out;
}

/* ---- all blocks ---- */

sl__mapped sl__columns_to_features(const sl__columns *columns, sl__graph *g, sl_node x) {
  sl_node parts[SL__MOST_COLUMN_BLOCKS], log_det = op_number(g, sl__node_type(g, x), 0);
  if (!columns->mapped) return (sl__mapped){x, log_det};
  sl__graph_label(g, "columns");
  for (int i = 0; i < columns->block_count; i++) {
    const sl__column_block *block = &columns->block[i];
    sl__mapped mapped = map_block(block, g, sl__features(g, x, block->count, block->column));
    parts[i] = mapped.value;
    log_det = op_add(g, log_det, mapped.log_det);
  }
  return (sl__mapped){op_concatenate(g, columns->block_count, parts, 0), log_det};
}

sl__mapped sl__columns_to_data(const sl__columns *columns, sl__graph *g, sl_node features) {
  sl_node parts[SL__MOST_COLUMN_BLOCKS], log_det = op_number(g, sl__node_type(g, features), 0);
  if (!columns->mapped) return (sl__mapped){features, log_det};
  sl__graph_label(g, "columns");
  for (int i = 0; i < columns->block_count; i++) {
    const sl__column_block *block = &columns->block[i];
    sl_node own = op_slice(g, features, 0, block->first_feature, block->features, 1);
    sl__mapped mapped = unmap_block(block, g, own);
    parts[i] = mapped.value;
    log_det = op_add(g, log_det, mapped.log_det);
  }
  sl_node joined = op_concatenate(g, columns->block_count, parts, 0);
  return (sl__mapped){sl__features(g, joined, columns->count, columns->back), log_det};
}
