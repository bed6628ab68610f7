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
sl__feed sl__feed_of(const sl_array_in *array);
sl__sink sl__sink_of(const sl_array_out *array); /* NULL or data NULL: not wanted */
#endif
