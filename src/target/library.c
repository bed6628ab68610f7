/* Shared objects with BridgeStan's C interface (Roualdes et al. 2023, BridgeStan: efficient
 * in-memory access to the methods of a Stan model): compiled Stan programs, or anything else that
 * has these functions. Loading one runs its code.
 *
 * Version 2 constructs by bs_model_construct; its functions take a place for an error message as
 * their last argument, and generated quantities a generator. Version 1 constructs by bs_construct
 * and has neither. Everything else is the same. */
#include <math.h>
#include <pthread.h>
#include <string.h>
#include "base/os.h"
#include "base/random.h"
#include "target/source.h"

/* The functions of either version; a pointer of `one` is called when version is 1. */
typedef struct functions {
  union {
    void *(*one)(const char *data, unsigned seed, unsigned chain);
    void *(*two)(const char *data, unsigned seed, char **message);
  } construct;
  union {
    int (*one)(void *, bool propto, bool jacobian, const double *q, double *value);
    int (*two)(void *, bool propto, bool jacobian, const double *q, double *value, char **);
  } density;
  union {
    int (*one)(void *, bool propto, bool jacobian, const double *q, double *value, double *slope);
    int (*two)(void *, bool propto, bool jacobian, const double *q, double *value, double *slope,
               char **);
  } gradient;
  union {
    int (*one)(void *, bool transformed, bool generated, const double *q, double *out);
    int (*two)(void *, bool transformed, bool generated, const double *q, double *out, void *rng,
               char **);
  } constrain;
  union {
    int (*one)(void *, const double *parameters, double *q);
    int (*two)(void *, const double *parameters, double *q, char **);
  } unconstrain;
  const char *(*names)(const void *, bool transformed, bool generated);
  const char *(*free_names)(const void *);
  int (*count)(const void *, bool transformed, bool generated);
  int (*dim)(const void *);
  const char *(*information)(const void *);
  void (*destruct)(void *);
  void (*free_message)(char *);
  void *(*new_generator)(unsigned seed, char **message);
  void (*free_generator)(void *);
} functions;

typedef struct library library;

/* How a density is asked for: the user pointer of a graph's call. */
typedef struct request {
  library *library;
  bool drop_constants, jacobian;
} request;

struct library {
  void *handle, *model;
  int version;
  functions call;
  int32_t dim, count[SL__TARGET_PARTS];
  const char **name[SL__TARGET_PARTS];
  request request[4];   /* by flags */
  pthread_mutex_t lock; /* held during calls, where the code bears only one at a time */
};

static const library *library_of(const sl__target *target) {
  return target->state;
}

/* ---- the density ---- */

static int call_density(const library *l, const request *r, const double *q, double *value,
                        double *slope) {
  const functions *f = &l->call;
  const bool propto = r->drop_constants, jacobian = r->jacobian;
  if (l->version == 1)
    return slope ? f->gradient.one(l->model, propto, jacobian, q, value, slope)
                 : f->density.one(l->model, propto, jacobian, q, value);
  char *message = NULL;
  const int code = slope ? f->gradient.two(l->model, propto, jacobian, q, value, slope, &message)
                         : f->density.two(l->model, propto, jacobian, q, value, &message);
  if (message) f->free_message(message);
  return code;
}

/* What the code refuses for a row means that its density is zero there. */
static sl_status evaluate(void *user, int64_t rows, const double *x, double *value,
                          double *gradient) {
  const request *r = user;
  const library *l = r->library;
  for (int64_t row = 0; row < rows; row++) {
    double *slope = gradient ? gradient + row * l->dim : NULL;
    if (call_density(l, r, x + row * l->dim, &value[row], slope) == 0) continue;
    value[row] = -(double)INFINITY;
    if (slope) memset(slope, 0, (size_t)l->dim * sizeof *slope);
  }
  return SL_OK;
}

static sl_status evaluate_serial(void *user, int64_t rows, const double *x, double *value,
                                 double *gradient) {
  const request *r = user;
  pthread_mutex_lock(&r->library->lock);
  evaluate(user, rows, x, value, gradient);
  pthread_mutex_unlock(&r->library->lock);
  return SL_OK;
}

static sl_node log_density(const sl__target *target, sl__graph *g, sl_node x, uint32_t flags) {
  library *l = target->state;
  const uint32_t asked = flags & (SL__DENSITY_NO_JACOBIAN | SL__DENSITY_DROP_CONSTANTS);
  return op_outside(g, x, target->serial ? evaluate_serial : evaluate, &l->request[asked],
                    !(flags & SL__DENSITY_VALUE_ONLY));
}

/* ---- a draw's numbers ---- */

static int32_t count(const sl__target *target, sl__target_part part) {
  return library_of(target)->count[part];
}

static const char *name(const sl__target *target, sl__target_part part, int32_t i) {
  return library_of(target)->name[part][i];
}

static int call_constrain(const library *l, sl__target_part last, unsigned seed, const double *q,
                          double *out) {
  const functions *f = &l->call;
  const bool transformed = last >= SL__TARGET_TRANSFORMED, generated = last >= SL__TARGET_GENERATED;
  if (l->version == 1) return f->constrain.one(l->model, transformed, generated, q, out);
  char *message = NULL;
  void *generator = generated ? f->new_generator(seed, &message) : NULL;
  int code = generated && !generator ? -1 : 0;
  if (code == 0)
    code = f->constrain.two(l->model, transformed, generated, q, out, generator, &message);
  if (generator) f->free_generator(generator);
  if (message) f->free_message(message);
  return code;
}

/* Each row has a generator of its own: version 1 keeps one inside, which no seed reaches. */
static sl_status write(sl_context *context, const sl__target *target, sl__target_part last,
                       int64_t rows, const double *q, uint64_t seed, int64_t first_row,
                       double *out) {
  (void)context;
  library *l = target->state;
  const int32_t width = sl__target_width(target, last);
  pthread_mutex_lock(&l->lock);
  for (int64_t r = 0; r < rows; r++) {
    const sl__random_key key = {.seed = seed, .stream = SL__STREAM_GRAPH};
    const unsigned row_seed =
        (unsigned)sl__random_below(key, (uint64_t)(first_row + r), 0, (uint64_t)1 << 32);
    double *to = out + r * width;
    if (call_constrain(l, last, row_seed, q + r * target->dim, to) == 0) continue;
    for (int32_t i = 0; i < width; i++) to[i] = (double)NAN;
  }
  pthread_mutex_unlock(&l->lock);
  return SL_OK;
}

static sl_status unconstrain(sl_context *context, const sl__target *target,
                             const double *parameters, double *q) {
  library *l = target->state;
  char *message = NULL;
  pthread_mutex_lock(&l->lock);
  const int code = l->version == 1 ? l->call.unconstrain.one(l->model, parameters, q)
                                   : l->call.unconstrain.two(l->model, parameters, q, &message);
  pthread_mutex_unlock(&l->lock);
  sl_status status = SL_OK;
  if (code != 0)
    status = sl__fail(context, SL_BAD_ARGUMENT, "%.200s: %.400s; give parameters that it allows",
                      target->title, message ? message : "these parameters are refused");
  if (message) l->call.free_message(message);
  return status;
}

static void close_library(sl__target *target) {
  library *l = target->state;
  if (l->model) l->call.destruct(l->model);
  if (l->handle) sl__os_close_library(l->handle);
  pthread_mutex_destroy(&l->lock);
}

static const sl__target_source source = {.kind = "library",
                                         .log_density = log_density,
                                         .count = count,
                                         .name = name,
                                         .write = write,
                                         .unconstrain = unconstrain,
                                         .close = close_library};

/* ---- opening ---- */

/* Functions of both versions, then of each; the address of a union is that of its members. */
static sl_status find_functions(sl_context *context, library *l, const char *path) {
  functions *f = &l->call;
  const struct {
    const char *name[2]; /* of version 1, 2; NULL: has none */
    void *to;
  } table[] = {{{"bs_construct", "bs_model_construct"}, &f->construct},
               {{"bs_destruct", "bs_model_destruct"}, &f->destruct},
               {{"bs_log_density", "bs_log_density"}, &f->density},
               {{"bs_log_density_gradient", "bs_log_density_gradient"}, &f->gradient},
               {{"bs_param_constrain", "bs_param_constrain"}, &f->constrain},
               {{"bs_param_unconstrain", "bs_param_unconstrain"}, &f->unconstrain},
               {{"bs_param_names", "bs_param_names"}, &f->names},
               {{"bs_param_unc_names", "bs_param_unc_names"}, &f->free_names},
               {{"bs_param_num", "bs_param_num"}, &f->count},
               {{"bs_param_unc_num", "bs_param_unc_num"}, &f->dim},
               {{"bs_model_info", "bs_model_info"}, &f->information},
               {{NULL, "bs_free_error_msg"}, &f->free_message},
               {{NULL, "bs_rng_construct"}, &f->new_generator},
               {{NULL, "bs_rng_destruct"}, &f->free_generator}};
  void *probe = NULL;
  l->version = sl__os_find_symbol(l->handle, "bs_model_construct", &probe) ? 2 : 1;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    const char *wanted = table[i].name[l->version - 1];
    if (!wanted || sl__os_find_symbol(l->handle, wanted, table[i].to)) continue;
    return sl__fail(context, SL_FORMAT,
                    "%.200s: there is no function %s in it; give a model built by BridgeStan", path,
                    wanted);
  }
  return SL_OK;
}

static sl_status construct(sl_context *context, library *l, const char *path, const char *data,
                           uint64_t seed) {
  char *message = NULL;
  /* all 64 bits of ours count in its 32; a seed that fits stays as it is */
  const sl__random_key key = {.seed = seed, .stream = SL__STREAM_GRAPH};
  const unsigned own = seed <= UINT32_MAX
                           ? (unsigned)seed
                           : (unsigned)sl__random_below(key, 0, 1, (uint64_t)UINT32_MAX + 1);
  l->model = l->version == 1 ? l->call.construct.one(data ? data : "", own, 1)
                             : l->call.construct.two(data ? data : "", own, &message);
  sl_status status = SL_OK;
  if (!l->model)
    status = sl__fail(context, SL_BAD_ARGUMENT, "%.200s: %.500s; give the data that it wants", path,
                      message ? message : "the model cannot be constructed");
  if (message) l->call.free_message(message);
  return status;
}

/* "a,b.1,b.2" -> names [count]. */
static sl_status split_names(sl_context *context, sl__target *target, const char *list,
                             int32_t wanted, const char ***out) {
  const char **names = sl__arena_take(&target->arena, (size_t)wanted, sizeof *names);
  if (!names) return SL_NO_MEMORY;
  int32_t found = 0;
  for (const char *at = list ? list : ""; *at; found++) {
    const size_t length = strcspn(at, ",");
    if (found == wanted)
      return sl__fail(context, SL_FORMAT,
                      "%.200s: it names more numbers than the %d that it counts; it is not sound",
                      target->title, (int)wanted);
    names[found] = sl__arena_text(&target->arena, at, length);
    if (!names[found]) return SL_NO_MEMORY;
    at += length + (at[length] == ',');
  }
  *out = names;
  if (found == wanted) return SL_OK;
  return sl__fail(context, SL_FORMAT, "%.200s: it names %d numbers and counts %d; it is not sound",
                  target->title, (int)found, (int)wanted);
}

static sl_status read_names(sl_context *context, sl__target *target) {
  library *l = target->state;
  const char **names;
  int32_t before = 0;
  l->dim = target->dim = l->call.dim(l->model);
  if (l->dim < 0)
    return sl__fail(context, SL_FORMAT, "%.200s: it has %d coordinates; it is not sound",
                    target->title, (int)l->dim);
  SL__TRY(split_names(context, target, l->call.free_names(l->model), l->dim, &names));
  target->names = names;
  for (int part = 0; part < SL__TARGET_PARTS; part++) {
    const bool transformed = part >= SL__TARGET_TRANSFORMED,
               generated = part >= SL__TARGET_GENERATED;
    const int32_t upto = l->call.count(l->model, transformed, generated);
    if (upto < before)
      return sl__fail(context, SL_FORMAT, "%.200s: its counts of numbers are not sound",
                      target->title);
    SL__TRY(split_names(context, target, l->call.names(l->model, transformed, generated), upto,
                        &names));
    l->name[part] = names + before;
    l->count[part] = upto - before;
    before = upto;
  }
  return SL_OK;
}

static sl_status open_library(sl_context *context, sl__target *target, const char *path,
                              const char *data, uint64_t seed) {
  library *l = target->state;
  SL__TRY(sl__os_open_library(context, path, &l->handle));
  SL__TRY(find_functions(context, l, path));
  SL__TRY(construct(context, l, path, data, seed));
  SL__TRY(read_names(context, target));
  const char *information = l->call.information(l->model);
  target->serial = !information || !strstr(information, "STAN_THREADS=true");
  for (uint32_t flags = 0; flags < 4; flags++)
    l->request[flags] =
        (request){l, (flags & SL__DENSITY_DROP_CONSTANTS) != 0, !(flags & SL__DENSITY_NO_JACOBIAN)};
  return SL_OK;
}

sl_status sl__target_library(sl_context *context, const char *path, const char *data, uint64_t seed,
                             sl__target **out) {
  SL__TRY(sl__target_make(context, &source, path, 0, sizeof(library), out));
  pthread_mutex_init(&((library *)(*out)->state)->lock, NULL);
  const char *const texts[] = {"name", path, NULL};
  sl_status status = open_library(context, *out, path, data, seed);
  if (status == SL_OK) status = sl__target_remember(context, *out, "library", texts);
  if (status != SL_OK) {
    sl__target_free(*out);
    *out = NULL;
  }
  return status;
}
