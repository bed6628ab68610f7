/* Round trips through a flow as it was fitted: how far rows come back from where they were, there
 * and back in one precision. For the table of fits (catalogue.c). */
#ifndef SL_BENCH_FITTED_TRIPS_H
#define SL_BENCH_FITTED_TRIPS_H
#include <math.h>
#include <string.h>
#include "api/handle.h"

enum { TRIP_ROWS = 1000, TRIP_DIM = 2, TRIP_NUMBERS = TRIP_ROWS * TRIP_DIM };

/* The largest |back - x| / (1 + |x|), and how many rows had a number that is not finite. */
typedef struct fitted_trip {
  double worst;
  int lost;
} fitted_trip;

/* x [TRIP_ROWS][TRIP_DIM], through the flow and back. */
static inline sl_status fitted_trip_from(sl_context *context, const sl_flow *flow,
                                         sl_direction there, double *x, fitted_trip *out) {
  static double y[TRIP_NUMBERS], back[TRIP_NUMBERS];
  const sl_direction home = there == SL_TO_DATA ? SL_TO_BASE : SL_TO_DATA;
  for (int i = 0; i < TRIP_NUMBERS; i++) x[i] = (double)(float)x[i]; /* a number of either type */
  const sl_array_in from = sl_in_f64(x, TRIP_ROWS, TRIP_DIM);
  const sl_array_in middle = sl_in_f64(y, TRIP_ROWS, TRIP_DIM);
  const sl_array_out to = sl_out_f64(y, TRIP_ROWS, TRIP_DIM);
  const sl_array_out end = sl_out_f64(back, TRIP_ROWS, TRIP_DIM);
  SL__TRY(sl_flow_map(context, flow, there, -1, &from, NULL, &to, NULL));
  SL__TRY(sl_flow_map(context, flow, home, -1, &middle, NULL, &end, NULL));
  for (int row = 0; row < TRIP_ROWS; row++) {
    double error = 0, sum = 0;
    for (int i = row * TRIP_DIM; i < (row + 1) * TRIP_DIM; i++) {
      sum += y[i] + back[i];
      error = fmax(error, fabs(back[i] - x[i]) / (1 + fabs(x[i])));
    }
    if (isfinite(sum))
      out->worst = fmax(out->worst, error);
    else
      out->lost++;
  }
  return SL_OK;
}

/* From rows of data and back, and from as many draws of the base density and back. */
static inline sl_status fitted_trip_both(sl_context *context, const sl_flow *flow,
                                         const double *data, fitted_trip *out) {
  static double x[TRIP_NUMBERS], z[TRIP_NUMBERS];
  const sl_array_out noise = sl_out_f64(z, TRIP_ROWS, TRIP_DIM);
  memcpy(x, data, sizeof x);
  *out = (fitted_trip){0};
  SL__TRY(fitted_trip_from(context, flow, SL_TO_BASE, x, out));
  SL__TRY(sl_flow_noise(context, flow, 2, &noise));
  return fitted_trip_from(context, flow, SL_TO_DATA, z, out);
}

/* The same flow in float64; seed: the one it was made with. */
static inline sl_status fitted_trip_widen(sl_context *context, const sl_flow *flow, uint64_t seed,
                                          sl_flow **out) {
  const int64_t count = sl_flow_parameter_count(flow);
  SL__TRY(sl_flow_new(context, sl_flow_formula(flow), sl_flow_base(flow), sl_flow_dim(flow), 0,
                      SL_F64, seed, out));
  double *vector = sl__allocate(context, (size_t)count + 1, sizeof *vector);
  if (!vector) return SL_NO_MEMORY;
  const sl_array_out to = sl_out_f64(vector, 1, count);
  const sl_array_in from = sl_in_f64(vector, 1, count);
  sl_status status = sl_flow_parameters(context, flow, &to);
  if (status == SL_OK) status = sl_flow_set_parameters(context, *out, &from);
  sl__free(&context->allocator, vector);
  return status;
}
#endif
