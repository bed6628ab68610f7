/* What the public handles are made of, and the checks that all public calls share. */
#ifndef SL_API_HANDLE_H
#define SL_API_HANDLE_H
#include "flow/model.h"

struct sl_flow {
  sl__allocator allocator; /* so that freeing needs no context */
  sl__model *model;
};

/* Takes the model over; on failure it is freed. */
sl_status sl__handle_new(sl_context *context, sl__model *model, sl_flow **out);

/* array.c. what: the parameter's name for messages. */
/* Refuses NULL data and other than rows x columns; rows < 0: any number. */
sl_status sl__check_in(sl_context *context, const char *what, const sl_array_in *array,
                       int64_t rows, int64_t columns);
sl_status sl__check_out(sl_context *context, const char *what, const sl_array_out *array,
                        int64_t rows, int64_t columns);
/* The same for an output that may be absent. */
sl_status sl__check_maybe(sl_context *context, const char *what, const sl_array_out *array,
                          int64_t rows, int64_t columns);
/* The condition that the flow wants, or none. */
sl_status sl__check_condition(sl_context *context, const sl__flow *flow,
                              const sl_array_in *condition, int64_t rows);
static inline double sl__number_at(sl_dtype type, const void *data, int64_t i) {
  return type == SL_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}
static inline void sl__put_number(sl_dtype type, void *data, int64_t i, double value) {
  if (type == SL_F32)
    ((float *)data)[i] = (float)value;
  else
    ((double *)data)[i] = value;
}
/* Copies the first row, element by element, converting numbers; both have as many columns. */
void sl__copy_row(const sl_array_in *from, const sl_array_out *to);
/* What was written, to be read. */
sl_array_in sl__as_input(const sl_array_out *array);
sl__feed sl__feed_of(const sl_array_in *array);
sl__sink sl__sink_of(const sl_array_out *array); /* NULL or data NULL: not wanted */
#endif
