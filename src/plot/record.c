/* The course of the loss, from the record that a model's file holds. The file may be a stranger's:
 * what is not as it should be is taken for absent. */
#include <math.h>
#include <string.h>
#include "plot/figure.h"

static double *read_array(sl__arena *arena, const sl__json_value *from, int64_t count) {
  if (!from || from->kind != SL__JSON_ARRAY || from->count != count) return NULL;
  double *numbers = sl__arena_take(arena, (size_t)count, sizeof *numbers);
  int64_t i = 0;
  for (const sl__json_value *v = from->child; numbers && v; v = v->next)
    numbers[i++] = v->kind == SL__JSON_NUMBER ? v->number : (double)NAN;
  return numbers;
}

sl_status sl__read_losses(sl_context *context, sl__arena *arena, const sl_flow *flow,
                          sl__loss_record *out) {
  const char *text = flow->model->training;
  sl__json_value *record = NULL;
  *out = (sl__loss_record){.best_step = (double)NAN};
  if (!text) return SL_OK;
  SL__TRY(sl__json_parse(context, arena, text, strlen(text), &record));
  const sl__json_value *history = sl__json_member(record, "history");
  const sl__json_value *step = history ? sl__json_member(history, "step") : NULL;
  if (!step || step->kind != SL__JSON_ARRAY) return SL_OK;
  out->step = read_array(arena, step, step->count);
  out->loss = read_array(arena, sl__json_member(history, "loss"), step->count);
  out->valid = read_array(arena, sl__json_member(history, "valid"), step->count);
  if (out->step && out->loss) out->count = step->count;
  const sl__json_value *best = sl__json_member(record, "best_step");
  if (best && best->kind == SL__JSON_NUMBER) out->best_step = best->number;
  out->standardized = sl__json_member(record, "train") != NULL;
  return SL_OK;
}
