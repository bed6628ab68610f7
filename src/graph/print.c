/* A readable listing of a program: one line per step, by stage and level. */
#include "base/text.h"
#include "graph/operations.h"
#include "kernels/kernels.h"

static void print_value(const sl__program *program, uint32_t index, struct sl__text *text) {
  const sl__value *v = &program->values[index];
  sl__text_add(text, "%%%u:%s[", index, v->type == SL_F32 ? "f32" : "f64");
  for (int d = 0; d < v->shape.dims; d++) sl__text_add(text, d ? ",%d" : "%d", v->shape.size[d]);
  sl__text_add(text, v->batched ? "][rows]" : "]");
}

/* What a fused step makes, and of what. */
static void print_strips(const sl__program *program, const sl__strips *s, struct sl__text *text) {
  static const char *const kinds[] = {NULL, "repeat", "spread", "gather", "sum", "scatter"};
  const char *between = "";
  for (int32_t i = 0; i < s->count; i++) {
    if (s->op[i].value == SL__NO_VALUE) continue;
    sl__text_add(text, "%s", between);
    print_value(program, s->op[i].value, text);
    between = ", ";
  }
  sl__text_add(text, " = strips of");
  for (int32_t i = 0; i < s->count; i++) {
    const sl__strip_op *op = &s->op[i];
    sl__text_add(text, " %s",
                 op->kind == SL__STRIP_ELEMENTWISE
                     ? sl__elementwise_name((sl__elementwise)op->elementwise)
                     : kinds[op->kind]);
  }
}

static void print_step(const sl__program *program, const sl__step *step, const char *indent,
                       struct sl__text *text) {
  const char *name = step->operation == SL__OP_ELEMENTWISE
                         ? sl__elementwise_name((sl__elementwise)step->elementwise)
                         : sl__operations[step->operation].name;
  sl__text_add(text, "%5d  %s", step->level, indent);
  if (step->strips) {
    print_strips(program, step->strips, text);
  } else {
    print_value(program, step->value, text);
    sl__text_add(text, " = %s", name);
  }
  for (int k = 0; k < step->operands; k++) {
    sl__text_add(text, " ");
    print_value(program, step->operand[k], text);
  }
  if (step->loop) {
    sl__text_add(text, ", setting ");
    print_value(program, step->loop->variable, text);
    sl__text_add(text, " and repeating");
  }
  if (*program->labels[step->label]) sl__text_add(text, "   # %s", program->labels[step->label]);
  sl__text_add(text, "\n");
}

void sl__program_print(const sl__program *program, struct sl__text *text) {
  static const char *const names[3] = {"shared", "per block of rows", "after the sums over rows"};
  for (int stage = 0; stage < 3; stage++) {
    const sl__stage *s = &program->stage[stage];
    if (s->steps)
      sl__text_add(text, "stage %d, %s: %d steps in %d levels\n", stage, names[stage], s->steps,
                   s->levels);
    for (int32_t i = 0; i < s->steps; i++) {
      const sl__loop *loop = s->step[i].loop;
      print_step(program, &s->step[i], "", text);
      for (int32_t k = 0; loop && k < loop->steps; k++)
        print_step(program, &loop->step[k], "  ", text);
    }
  }
  sl__text_add(text, "blocks of at most %d rows; %lld bytes a row, %lld shared, %lld in sums\n",
               program->block_rows, (long long)program->block_units * 4,
               (long long)program->shared_bytes, (long long)program->accumulator_bytes);
}
