/* The inside of preparing: one object, and the parts that prepare.c puts together. src/infer
 * only, but for sl__spread_value. */
#ifndef SL_INFER_PREPARE_H
#define SL_INFER_PREPARE_H
#include "infer/recipe.h"

typedef struct sl__preparation {
  sl_context *context;
  const sl_fit_data *data;
  const sl_fit_options *options;
  sl__prepared *out;
  bool as_is;              /* neither standardise nor notice roundings, hold nothing out unasked */
  int64_t rows;            /* of data->x */
  double *x;               /* [rows][columns] */
  sl__column_facts *facts; /* [columns] */
  int64_t *order;          /* [rows]: test rows first, then held-out ones, then training rows */
  sl_array_in features, valid_features, test_features; /* [rows][dim], not standardised */
} sl__preparation;

double sl__element(const sl_array_in *array, int64_t row, int64_t column);
void sl__prepared_note(sl__prepared *out, const char *line);
/* 'column 3 "name"' into buffer. */
const char *sl__column_text(const sl_fit_data *data, int32_t column, char buffer[160]);

/* prepare_check.c: shapes, NaN and infinities, weights; then values against the columns' types. */
sl_status sl__check_data(sl_context *context, const sl_fit_data *data);
sl_status sl__check_support(const sl__preparation *p);
/* Enough rows, and no constant column. */
sl_status sl__check_columns(const sl__preparation *p);

/* prepare_noise.c */
/* Which columns get noise, of what width in the data's units. */
sl_status sl__choose_noise(sl__preparation *p);
/* Data to features; of columns that are spread, with one draw of their noise. */
sl_status sl__make_features(sl__preparation *p);
/* A value of the cell of this width around `value`, in the support, at u (0 to 1) of it. */
double sl__spread_value(const sl__columns *map, int32_t column, double value, double width,
                        double u);
/* The widths in standardised units, and what spreads the other columns. */
sl_status sl__finish_noise(sl__preparation *p);
#endif
