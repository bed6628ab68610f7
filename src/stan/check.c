/* The checker: block by block, in order, so that each sees the variables of those before it, and
 * the model's own variables end with it. */
#include "stan/check.h"

static sl_status check_block(sl__stan_checker *c, sl__stan_block block) {
  sl__stan_flow flow;
  sl__stan_name *mark = c->declared;
  c->block = block;
  SL__TRY(sl__stan_check_statements(c, c->program->block[block], &flow));
  if (block == SL__STAN_MODEL) sl__stan_leave(c, mark);
  return SL_OK;
}

static sl_status check_program(sl__stan_checker *c) {
  SL__TRY(sl__stan_check_functions(c));
  c->slots = &c->program->slot_count;
  *c->slots = 0;
  for (int block = SL__STAN_DATA; block < SL__STAN_BLOCKS; block++)
    SL__TRY(check_block(c, (sl__stan_block)block));
  return SL_OK;
}

sl_status sl__stan_check(sl_context *context, sl__stan_program *program) {
  sl__stan_checker checker = {.context = context, .program = program};
  sl__arena_open(&checker.scratch, context);
  program->unsupported = NULL;
  sl_status status = check_program(&checker);
  sl__arena_close(&checker.scratch);
  return status;
}
