/* Functions of the caller's as targets. */
#include <pthread.h>
#include "target/source.h"

typedef struct callback {
  sl__target_function function;
  void *user;
  pthread_mutex_t lock; /* held during a call, if the function is serial */
} callback;

static sl_status call_serial(void *state, int64_t rows, const double *x, double *value,
                             double *gradient) {
  callback *c = state;
  pthread_mutex_lock(&c->lock);
  const sl_status status = c->function(c->user, rows, x, value, gradient);
  pthread_mutex_unlock(&c->lock);
  return status;
}

static sl_node log_density(const sl__target *target, sl__graph *g, sl_node x, uint32_t flags) {
  callback *c = target->state;
  const bool with_gradient = !(flags & SL__DENSITY_VALUE_ONLY);
  return target->serial ? op_outside(g, x, call_serial, c, with_gradient)
                        : op_outside(g, x, c->function, c->user, with_gradient);
}

static void close_lock(sl__target *target) {
  pthread_mutex_destroy(&((callback *)target->state)->lock);
}

static const sl__target_source source = {
    .kind = "function", .log_density = log_density, .close = close_lock};

sl_status sl__target_callback(sl_context *context, int32_t dim, const char *const *names,
                              sl__target_function function, void *user, bool serial,
                              sl__target **out) {
  *out = NULL;
  if (dim < 1)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "a function of %d coordinates is no target; give it at least one", (int)dim);
  SL__TRY(sl__target_make(context, &source, "function", dim, sizeof(callback), out));
  sl__target *target = *out;
  callback *c = target->state;
  c->function = function;
  c->user = user;
  pthread_mutex_init(&c->lock, NULL);
  target->serial = serial;
  const sl_status status = sl__target_set_names(target, names);
  if (status != SL_OK) {
    sl__target_free(target);
    *out = NULL;
  }
  return status;
}
