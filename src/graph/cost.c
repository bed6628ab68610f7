/* What a program costs, by the planner's estimates. */
#include "graph/program.h"

int64_t sl__program_row_bytes(const sl__program *program) {
  return program->block_units * 4;
}

double sl__program_row_cost(const sl__program *program) {
  double nanoseconds = 0;
  const sl__stage *stage = &program->stage[1];
  for (int32_t i = 0; i < stage->steps; i++) nanoseconds += (double)stage->step[i].cost;
  return nanoseconds / 128;
}
