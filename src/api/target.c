/* The public calls on targets: check arguments, one internal call each. */
#include <string.h>
#include "api/handle.h"
#include "api/target.h"
#include "base/os.h"
#include "infer/posterior/posterior.h"

/* A handle around the target, which it takes over. */
static sl_status wrap(sl_context *context, sl__target *target, sl_target **out) {
  sl_target *made = sl__allocate(context, 1, sizeof *made);
  if (!made) {
    sl__target_free(target);
    return SL_NO_MEMORY;
  }
  *made = (sl_target){context->allocator, target};
  *out = made;
  return SL_OK;
}

sl_status sl_target_load_stan(sl_context *context, const char *path, const char *data_path,
                              uint64_t seed, sl_target **out) {
  char *program = NULL, *data = NULL;
  size_t length = 0, data_length = 0;
  sl__target *target;
  *out = NULL;
  sl_status status = sl__os_read_file(context, path, &program, &length);
  if (status == SL_OK && data_path)
    status = sl__os_read_file(context, data_path, &data, &data_length);
  if (status == SL_OK)
    status = sl__target_stan(context, path, program, length, data_path, data, data_length, seed,
                             &target);
  sl__free(&context->allocator, program);
  sl__free(&context->allocator, data);
  return status == SL_OK ? wrap(context, target, out) : status;
}

sl_status sl_target_from_stan(sl_context *context, const char *program, const char *data,
                              uint64_t seed, sl_target **out) {
  sl__target *target;
  *out = NULL;
  SL__TRY(sl__target_stan(context, "program", program, strlen(program), "data", data,
                          data ? strlen(data) : 0, seed, &target));
  return wrap(context, target, out);
}

sl_status sl_target_standard(sl_context *context, const char *name, sl_target **out) {
  sl__target *target;
  *out = NULL;
  SL__TRY(sl__target_standard(context, name, &target));
  return wrap(context, target, out);
}

sl_status sl_target_from_expression(sl_context *context, const char *expression, const char *names,
                                    sl_target **out) {
  sl__target *target;
  *out = NULL;
  SL__TRY(sl__target_expression(context, expression, names, &target));
  return wrap(context, target, out);
}

sl_status sl_target_from_function(sl_context *context, int32_t dim, const char *const *names,
                                  sl_target_function function, void *user, bool serial,
                                  sl_target **out) {
  sl__target *target;
  *out = NULL;
  SL__TRY(sl__target_callback(context, dim, names, function, user, serial, &target));
  return wrap(context, target, out);
}

sl_status sl_target_load_library(sl_context *context, const char *path, const char *data,
                                 uint64_t seed, sl_target **out) {
  sl__target *target;
  *out = NULL;
  SL__TRY(sl__target_library(context, path, data, seed, &target));
  return wrap(context, target, out);
}

sl_status sl_target_of_flow(sl_context *context, const sl_flow *flow, sl_target **out) {
  sl__target *target;
  *out = NULL;
  if (!flow->model->target)
    return sl__fail(context, SL_UNSUPPORTED,
                    "the flow was not fitted to a target that its file could hold; make the target "
                    "anew");
  SL__TRY(sl__target_recall(context, flow->model->target, &target));
  const sl_status status = sl__posterior_check(context, target, flow->model);
  if (status == SL_OK) return wrap(context, target, out);
  sl__target_free(target);
  return status;
}

void sl_target_free(sl_target *target) {
  if (!target) return;
  const sl__allocator allocator = target->allocator;
  sl__target_free(target->target);
  sl__free(&allocator, target);
}

/* ---- sizes and names ---- */

int32_t sl_target_dim(const sl_target *target) {
  return target->target->dim;
}

const char *sl_target_name(const sl_target *target, int32_t i) {
  return i >= 0 && i < target->target->dim ? target->target->names[i] : NULL;
}

int32_t sl_target_count(const sl_target *target, sl_target_part part) {
  if (part < SL_TARGET_PARAMETERS || part > SL_TARGET_GENERATED) return 0;
  return sl__target_count(target->target, (sl__target_part)part);
}

const char *sl_target_part_name(const sl_target *target, sl_target_part part, int32_t i) {
  if (i < 0 || i >= sl_target_count(target, part)) return NULL;
  return sl__target_name(target->target, (sl__target_part)part, i);
}

double sl_target_log_evidence(const sl_target *target) {
  return target->target->log_evidence;
}
