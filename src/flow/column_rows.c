/* Columns to features in plain double, a row at a time: what columns.c says as graphs, for the rows
 * of a fit, which are mapped once, before it starts. Tests hold the two against each other. */
#include <float.h>
#include <math.h>
#include "flow/columns.h"

static const double pi = 3.14159265358979323846;

double sl__column_feature(const sl__columns *columns, int32_t column, double value) {
  const int32_t at = columns->back[column];
  const double low = columns->low[at], high = columns->high[at];
  /* Noise that fills a range to its very end may meet the end itself. */
  const double above = fmax(value - low, DBL_MIN), below = fmax(high - value, DBL_MIN);
  switch (columns->type[column].support) {
    case SL__SUPPORT_POSITIVE: return log(above);
    case SL__SUPPORT_INTERVAL: return log(above) - log(below);
    case SL__SUPPORT_PERIODIC: {
      const double once = value - floor((value - low) / (high - low)) * (high - low);
      const double part = (once - low) / (high - low);
      return 2 * pi * (part - floor(part)) - pi;
    }
    case SL__SUPPORT_REAL:
    case SL__SUPPORT_SIMPLEX: break;
  }
  return value;
}

void sl__columns_features(const sl__columns *columns, const double *x, double *features) {
  for (int i = 0; i < columns->block_count; i++) {
    const sl__column_block *block = &columns->block[i];
    double *own = features + block->first_feature;
    if (block->support != SL__SUPPORT_SIMPLEX) {
      for (int32_t k = 0; k < block->count; k++)
        own[k] = sl__column_feature(columns, block->column[k], x[block->column[k]]);
      continue;
    }
    double rest = x[block->column[block->features]];
    for (int32_t k = block->features - 1; k >= 0; k--) {
      const double share = x[block->column[k]];
      own[k] = log(share) - log(rest) + block->offset[k];
      rest += share;
    }
  }
}

static double softplus(double a) {
  return fmax(a, 0) + log1p(exp(-fabs(a)));
}

static double block_log_det(const sl__column_block *block, const double *y) {
  double sum = 0, left = 0; /* left: log of the shares that are left */
  for (int32_t k = 0; k < block->features; k++) {
    const double range = block->high[k] - block->low[k];
    switch (block->support) {
      case SL__SUPPORT_REAL: break;
      case SL__SUPPORT_POSITIVE: sum += y[k]; break;
      case SL__SUPPORT_INTERVAL: sum += log(range) - softplus(y[k]) - softplus(-y[k]); break;
      case SL__SUPPORT_PERIODIC: sum += log(range / (2 * pi)); break;
      case SL__SUPPORT_SIMPLEX:
        sum += left - softplus(block->offset[k] - y[k]);
        left -= softplus(y[k] - block->offset[k]);
        break;
    }
  }
  return sum + left;
}

double sl__columns_log_det(const sl__columns *columns, const double *features) {
  double sum = 0;
  for (int i = 0; i < columns->block_count; i++)
    sum += block_log_det(&columns->block[i], features + columns->block[i].first_feature);
  return sum;
}
