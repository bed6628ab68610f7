/* Data that a density comes to nothing by: named beside the place in the program that refuses them
 * or that they make infinite. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "stan/model_inside.h"

static bool reads(const sl__stan_expression *e, const sl__stan_variable *variable) {
  if (!e) return false;
  if (e->variable == variable) return true;
  for (int i = 0; i < e->argument_count; i++)
    if (reads(e->argument[i], variable)) return true;
  for (int i = 0; i < e->index_count; i++)
    if (reads(e->index[i].low, variable) || reads(e->index[i].high, variable)) return true;
  return false;
}

/* Whether the variable stands in the statement; not, what its functions' or variables' values were
 * made of. */
static bool mentions(const sl__stan_statement *s, const sl__stan_variable *variable) {
  if (!s) return false;
  if (reads(s->value, variable) || reads(s->high, variable) || reads(s->lower, variable) ||
      reads(s->upper, variable) || reads(s->left, variable))
    return true;
  if (s->kind == SL__STAN_DECLARE && reads(s->variable->value, variable)) return true;
  for (int i = 0; i < s->argument_count; i++)
    if (reads(s->argument[i], variable)) return true;
  for (const sl__stan_statement *inner = s->first; inner; inner = inner->next)
    if (mentions(inner, variable)) return true;
  return mentions(s->body, variable) || mentions(s->otherwise, variable);
}

void sl__stan_blame_data(sl__stan_tracer *t, const char *name, const sl__stan_statement *culprit,
                         bool nan_only) {
  for (const sl__stan_statement *s = t->program->block[SL__STAN_DATA]; s && culprit; s = s->next) {
    if (s->kind != SL__STAN_DECLARE || s->variable->type.base == SL__STAN_INT_TYPE) continue;
    if (!mentions(culprit, s->variable)) continue;
    const sl__stan_value *value = &t->global.slot[s->variable->slot].value;
    for (int64_t i = 0; value->form == SL__STAN_NUMBERS && i < value->count; i++) {
      const double x = value->numbers[i];
      if (nan_only ? !isnan(x) : isfinite(x)) continue;
      char number[32], element[128], *said = t->context->error.message;
      const size_t used = strlen(said);
      sl__format_real(number, x, SL_F64);
      snprintf(said + used, sizeof t->context->error.message - used, " (%.200s: '%.60s%s' is %s%s)",
               name, s->variable->name, sl__stan_element_text(value, i, element), number,
               isnan(x) ? "; give a number" : "");
      return;
    }
  }
}

void sl__stan_blame_refused(sl__stan_tracer *t, const char *name, sl_status status) {
  if (status == SL_BAD_ARGUMENT && !t->wrong) sl__stan_blame_data(t, name, t->statement, true);
}
