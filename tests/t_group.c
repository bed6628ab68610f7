/* Grouping: programs as a tracer writes them, scalar by scalar, against themselves grouped: values
 * and gradients must agree to rounding, and the grouped ones must be short. Programs are made by
 * dice: loops with recurrences, conditions, data, small vectors, sums. A seed names a program:
 * SL_RANDOM_GROUPS=first,count looks at others. */
#include <time.h>

#include "check.h"
#include "dice.h"
#include "graph/node.h"
#include "graph/program.h"
#include "short_memory.h"

enum { FEATURES = 40, MAX_ROWS = 40, MOST_OUTPUTS = 16, PROGRAMS = 200 };

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- running ---- */

typedef struct numbers {
  double *value; /* of all outputs, one after another */
  int64_t count;
  int32_t steps;
} numbers;

/* Inputs: x [FEATURES] batched, then parameters p [FEATURES]; their numbers are made here. */
static bool run(sl_context *context, sl__graph *g, int outputs, const sl_node *output, int64_t rows,
                numbers *out) {
  *out = (numbers){0};
  sl__program *program;
  sl__workspace *workspace;
  double x[MAX_ROWS * FEATURES], p[FEATURES];
  for (int64_t i = 0; i < rows * FEATURES; i++) x[i] = sin(0.7 * (double)i + 0.3);
  for (int i = 0; i < FEATURES; i++) p[i] = cos(1.3 * i) + 0.1;
  if (!CHECK_OK(context, sl__program_new(context, g, outputs, output, &program))) return false;
  if (!CHECK_OK(context, sl__workspace_new(context, program, rows, &workspace))) return false;
  for (int stage = 0; stage < 3; stage++) out->steps += program->stage[stage].steps;
  sl__sink sinks[MOST_OUTPUTS];
  int64_t begin[MOST_OUTPUTS];
  for (int k = 0; k < outputs; k++) {
    begin[k] = out->count;
    out->count +=
        sl__shape_count(sl__node_shape(g, output[k])) * (sl__node_batched(g, output[k]) ? rows : 1);
  }
  out->value = calloc((size_t)out->count + 1, sizeof *out->value);
  for (int k = 0; k < outputs; k++)
    sinks[k] = (sl__sink){.data = out->value + begin[k], .type = SL_F64};
  float narrow[FEATURES];
  for (int i = 0; i < FEATURES; i++) narrow[i] = (float)p[i];
  const bool is_narrow = sl__node_type(g, output[0]) == SL_F32;
  const sl__feed feed = {.data = x, .type = SL_F64};
  const sl__run r = {.rows = rows,
                     .parameters = is_narrow ? (void *)narrow : (void *)p,
                     .feeds = &feed,
                     .sinks = sinks};
  const bool good = CHECK_OK(context, sl__program_run(context, program, workspace, &r));
  sl__workspace_free(workspace);
  sl__program_free(program);
  return good;
}

static bool close_to(const numbers *a, const numbers *b, double tolerance, const char *what) {
  double most = 1;
  for (int64_t i = 0; i < a->count; i++) {
    if (fabs(a->value[i]) > most) most = fabs(a->value[i]);
  }
  for (int64_t i = 0; i < a->count; i++) {
    if (a->count == b->count && fabs(a->value[i] - b->value[i]) <= tolerance * most) continue;
    if (a->count == b->count && isnan(a->value[i]) && isnan(b->value[i])) continue;
    printf("%s: number %lld of %lld is %.17g, grouped %.17g\n", what, (long long)i,
           (long long)a->count, a->value[i], b->value[i]);
    return false;
  }
  return a->count == b->count;
}

/* How many nodes the outputs need; every operand must have been made before its user. */
static uint32_t count_live(const sl__graph *g, int count, const sl_node *outputs) {
  bool *live = calloc(g->count, 1);
  uint32_t found = 0;
  for (int k = 0; k < count; k++) live[outputs[k]] = true;
  for (sl_node i = g->count - 1; i >= 1; i--) {
    const sl__node *n = &g->nodes[i];
    found += live[i];
    for (int64_t k = 0; live[i] && k < sl__operand_count(n); k++) {
      const sl_node operand = sl__operand_at(n, k);
      CHECK(operand > 0 && operand < i);
      CHECK(n->root <= i && n->root > 0);
      live[operand] = true;
    }
  }
  free(live);
  return found;
}

/* ---- programs by dice ---- */

enum { MOST_SLOTS = 12, MOST_LOOPS = 5, MOST_TURNS = 100, DATA = 200 };

typedef struct maker {
  sl__graph *g;
  sl_dtype type;
  uint64_t state;
  sl_node x, p, data, target;
  sl_node array[MOST_LOOPS][MOST_TURNS]; /* the results of loops */
  int turns[MOST_LOOPS], loops;
  sl_node scalar[64];
  int scalars;
} maker;

static uint32_t dice(maker *m, uint32_t sides) {
  return throw_dice(&m->state, sides);
}

/* One line of a loop's body: an operation and where its operands come from. */
typedef struct line {
  int operation;
  struct {
    int from, which, factor, offset;
  } operand[2];
} line;

static sl_node operand_of(maker *m, const line *l, int k, int turn, const sl_node *slot,
                          const sl_node *last) {
  const int which = l->operand[k].which;
  const int at = turn * l->operand[k].factor + l->operand[k].offset;
  switch (l->operand[k].from) {
    case 0: return op_element(m->g, m->x, 0, at % FEATURES);
    case 1: return op_element(m->g, m->p, 0, at % FEATURES);
    case 2: return op_element(m->g, m->data, 0, at % DATA);
    case 3: return m->scalar[which % m->scalars];
    case 4: return last[which % MOST_SLOTS];
    case 5:
      if (m->loops == 0) return m->scalar[0];
      return m->array[which % m->loops][at % m->turns[which % m->loops]];
    default: return slot[which % MOST_SLOTS];
  }
}

static sl_node of_few(maker *m, sl_node a, int turn, int how) {
  sl__graph *g = m->g;
  const sl_node from = how % 2 ? m->x : m->p;
  const sl_node v = op_slice(g, from, 0, (turn * 3 + how) % (FEATURES - 8), 4, 1 + how % 2);
  const sl_node w = op_add(g, op_multiply(g, v, a), op_slice(g, m->data, 0, turn % 7, 4, 1));
  switch (how % 6) {
    case 0: return op_log_sum_exp(g, w, 0);
    case 1: return op_sum(g, op_square(g, w), 0);
    case 2: return op_max(g, w, 0);
    case 3: return op_element(g, op_softmax(g, w, 0), 0, turn % 4);
    case 4: {
      const sl_node parts[3] = {op_slice(g, w, 0, 0, 2, 1), op_reshape(g, a, sl__shape1(1)),
                                op_slice(g, v, 0, 1, 3, 1)};
      return op_log_sum_exp(g, op_concatenate(g, 3, parts, 0), 0);
    }
    default: {
      const sl_node square = op_reshape(g, w, sl__shape2(2, 2));
      return op_sum(g, op_sin(g, op_sum(g, op_multiply(g, square, op_transpose(g, square)), 1)), 0);
    }
  }
}

static sl_node run_line(maker *m, const line *l, int turn, const sl_node *slot,
                        const sl_node *last) {
  sl__graph *g = m->g;
  const sl_node a = operand_of(m, l, 0, turn, slot, last);
  const sl_node b = operand_of(m, l, 1, turn, slot, last);
  switch (l->operation) {
    case 0: return op_add(g, a, b);
    case 1: return op_subtract(g, a, b);
    case 2: return op_multiply(g, op_tanh(g, a), op_sin(g, b));
    case 3: return op_divide(g, a, op_shift(g, op_square(g, b), 1));
    case 4: return op_tanh(g, a);
    case 5: return op_scale(g, a, 0.3 + 0.01 * (turn % 5));
    case 6: return op_shift(g, op_softplus(g, a), turn * 0.1);
    case 7: return op_select(g, op_less(g, a, b), op_sin(g, a), b);
    case 8: return op_negate(g, op_add(g, a, op_subtract(g, b, op_negate(g, a))));
    case 9: return op_multiply(g, op_stop_gradient(g, op_sin(g, a)), op_tanh(g, b));
    case 10: return op_add(g, a, op_add(g, b, op_add(g, op_sin(g, a), op_tanh(g, b))));
    case 11: return op_exp(g, op_tanh(g, op_add(g, a, b)));
    case 12: return op_maximum(g, op_sin(g, a), b);
    default: return of_few(m, a, turn, l->operation);
  }
}

/* The values of a loop as one vector, and scalars of it. */
static void use_vector(maker *m, const sl_node *array, int turns) {
  sl__graph *g = m->g;
  sl_node parts[MOST_TURNS];
  for (int i = 0; i < turns; i++) parts[i] = op_reshape(g, array[i], sl__shape1(1));
  const sl_node v = op_concatenate(g, turns, parts, 0);
  const sl_node made = dice(m, 2) ? op_sum(g, v, 0) : op_log_sum_exp(g, op_tanh(g, v), 0);
  m->scalar[m->scalars++] = op_tanh(g, made);
  if (dice(m, 2)) m->target = op_add(g, m->target, op_sum_all(g, op_sin(g, v)));
}

static void run_loop(maker *m) {
  static const int turn_counts[8] = {1, 2, 3, 5, 8, 17, 40, 100};
  sl__graph *g = m->g;
  const int turns = turn_counts[dice(m, 8)], lines = 1 + (int)dice(m, MOST_SLOTS - 1);
  line body[MOST_SLOTS];
  for (int l = 0; l < lines; l++) {
    body[l].operation = (int)dice(m, 19);
    for (int k = 0; k < 2; k++) {
      body[l].operand[k].from = (int)dice(m, 9);
      body[l].operand[k].which = (int)dice(m, 64);
      body[l].operand[k].factor = (int)dice(m, 4);
      body[l].operand[k].offset = (int)dice(m, 30);
    }
  }
  const uint32_t condition = dice(m, 4), use = dice(m, 5);
  sl_node slot[MOST_SLOTS], last[MOST_SLOTS], array[MOST_TURNS], sum = m->scalar[0];
  for (int s = 0; s < MOST_SLOTS; s++) slot[s] = last[s] = m->scalar[dice(m, (uint32_t)m->scalars)];
  for (int turn = 0; turn < turns; turn++) {
    for (int l = 0; l < lines; l++) {
      if (l == 1 && condition == 0 && turn % 3 == 0) continue;
      slot[l] = run_line(m, &body[l], turn, slot, last);
    }
    for (int l = 0; l < lines; l++) slot[l] = last[l] = op_tanh(g, slot[l]);
    array[turn] = slot[lines - 1];
    if (use == 0) m->target = op_add(g, m->target, array[turn]);
    if (use == 1) m->target = op_subtract(g, m->target, op_scale(g, op_square(g, slot[0]), 0.5));
    if (use == 2) sum = op_add(g, op_multiply(g, array[turn], slot[0]), sum);
  }
  if (use == 2) m->scalar[m->scalars++] = op_tanh(g, sum);
  if (use >= 3) use_vector(m, array, turns);
  memcpy(m->array[m->loops], array, (size_t)turns * sizeof *array);
  m->turns[m->loops++] = turns;
}

/* x, p, data and a few scalars; then loops. Outputs: the target first, then inner nodes. */
static int write_program(maker *m, sl_node outputs[MOST_OUTPUTS]) {
  sl__graph *g = m->g;
  double data[DATA];
  for (int i = 0; i < DATA; i++) data[i] = sin(0.37 * i * i);
  m->x = op_input(g, m->type, sl__shape1(FEATURES));
  m->p = op_parameter(g, m->type, sl__shape1(FEATURES), 0);
  m->data = op_constant(g, m->type, sl__shape1(DATA), data);
  m->target = op_element(g, m->x, 0, 5);
  m->scalar[m->scalars++] = op_element(g, m->p, 0, 0);
  m->scalar[m->scalars++] = op_element(g, m->x, 0, 1);
  m->scalar[m->scalars++] = op_sin(g, op_element(g, m->p, 0, 2));
  m->scalar[m->scalars++] = op_exp(g, op_tanh(g, op_element(g, m->x, 0, 3)));
  m->scalar[m->scalars++] = op_number(g, m->type, 0.25);
  const int loops = 1 + (int)dice(m, MOST_LOOPS);
  while (m->loops < loops) run_loop(m);
  for (int i = 0; i < m->scalars; i++) m->target = op_add(g, m->target, m->scalar[i]);
  int count = 0;
  outputs[count++] = m->target;
  outputs[count++] = m->array[0][m->turns[0] / 2]; /* inside a group */
  outputs[count++] = m->array[loops - 1][0];
  outputs[count++] = m->scalar[m->scalars - 1];
  return count;
}

static int add_gradients(sl__graph *g, const maker *m, int count, sl_node *outputs) {
  sl_node loss = outputs[0], d[2];
  if (sl__node_batched(g, loss)) loss = op_sum_rows(g, loss);
  sl__gradient(g, loss, 2, (sl_node[]){m->x, m->p}, d);
  outputs[count++] = d[0];
  outputs[count++] = d[1];
  return count;
}

/* The same dice twice, and grouped once. */
static bool agrees(sl_context *context, uint64_t seed, sl_dtype type) {
  numbers result[2] = {{0}, {0}};
  bool good = true;
  for (int grouped = 0; grouped < 2 && good; grouped++) {
    maker m = {.type = type, .state = seed};
    sl_node outputs[MOST_OUTPUTS];
    if (!CHECK(sl__graph_new(context, &m.g) == SL_OK)) return false;
    int count = write_program(&m, outputs);
    if (grouped) {
      good &= CHECK_OK(context, sl__graph_group(m.g, 0, count, outputs));
      count_live(m.g, count, outputs);
    }
    if (good) count = add_gradients(m.g, &m, count, outputs);
    good = good && run(context, m.g, count, outputs, 1 + (int64_t)(seed % 19), &result[grouped]);
    sl__graph_free(m.g);
  }
  char what[64];
  snprintf(what, sizeof what, "program %llu", (unsigned long long)seed);
  good = good && CHECK(close_to(&result[0], &result[1], type == SL_F32 ? 1e-3 : 1e-10, what));
  free(result[0].value);
  free(result[1].value);
  return good;
}

TEST(random_programs) {
  sl_context *context;
  REQUIRE(sl_context_new(NULL, &context) == SL_OK);
  unsigned long long first = 1, count = PROGRAMS;
  const char *asked = getenv("SL_RANDOM_GROUPS");
  if (asked) sscanf(asked, "%llu,%llu", &first, &count);
  for (uint64_t seed = first; seed < first + count; seed++) {
    if (!agrees(context, seed, SL_F64))
      printf("program %llu disagrees\n", (unsigned long long)seed);
    if (seed % 4 == 0) agrees(context, seed, SL_F32);
  }
  sl_context_free(context);
}

/* ---- particular programs ---- */

static sl_context *context_of(int threads) {
  sl_context *context = NULL;
  const sl_context_options options = {.size = sizeof options, .threads = threads};
  CHECK(sl_context_new(&options, &context) == SL_OK);
  return context;
}

/* y ~ normal(alpha[group] + beta * x, sigma), one observation after another; alpha is x[4..9]. */
static sl_node regression(sl__graph *g, sl_node x, int observations, double *expected) {
  const sl_node beta = op_element(g, x, 0, 0), sigma = op_exp(g, op_element(g, x, 0, 1));
  sl_node target = op_scale(g, op_square(g, beta), -0.5);
  double q[FEATURES];
  for (int i = 0; i < FEATURES; i++) q[i] = sin(0.7 * i + 0.3);
  *expected = -0.5 * q[0] * q[0];
  for (int i = 0; i < observations; i++) {
    const double data_x = cos(i), data_y = sin(2.0 * i);
    const sl_node alpha = op_element(g, x, 0, 4 + i * 7 % 6);
    const sl_node mu = op_add(g, alpha, op_multiply(g, beta, op_number(g, SL_F64, data_x)));
    const sl_node z = op_divide(g, op_subtract(g, op_number(g, SL_F64, data_y), mu), sigma);
    target =
        op_add(g, target, op_subtract(g, op_scale(g, op_square(g, z), -0.5), op_log(g, sigma)));
    const double residual = (data_y - q[4 + i * 7 % 6] - q[0] * data_x) / exp(q[1]);
    *expected += -0.5 * residual * residual - q[1];
  }
  return target;
}

TEST(a_loop_over_data_becomes_a_few_steps) {
  sl_context *context = context_of(1);
  for (int observations = 1; observations <= 2000; observations *= 5) {
    sl__graph *g;
    REQUIRE(sl__graph_new(context, &g) == SL_OK);
    const sl_node x = op_input(g, SL_F64, sl__shape1(FEATURES));
    double expected;
    sl_node outputs[2] = {regression(g, x, observations, &expected)};
    REQUIRE_OK(context, sl__graph_group(g, 0, 1, outputs));
    CHECK(count_live(g, 1, outputs) < 100);
    REQUIRE_OK(context, sl__gradient(g, outputs[0], 1, &x, &outputs[1]));
    numbers result;
    REQUIRE(run(context, g, 2, outputs, 1, &result));
    CHECK_CLOSE(result.value[0], expected, 1e-11);
    CHECK(result.steps < (observations < 20 ? 250 : 80));
    free(result.value);
    sl__graph_free(g);
  }
  sl_context_free(context);
}

TEST(sums_of_many_terms) {
  enum { TERMS = 100000 };
  sl_context *context = context_of(1);
  sl__graph *g;
  REQUIRE(sl__graph_new(context, &g) == SL_OK);
  const sl_node x = op_input(g, SL_F64, sl__shape1(FEATURES));
  double q[FEATURES], sum = 0, lost = 0, magnitude = 0;
  for (int i = 0; i < FEATURES; i++) q[i] = sin(0.7 * i + 0.3);
  sl_node target = op_element(g, x, 0, 0);
  sum = q[0];
  for (int i = 0; i < TERMS; i++) {
    const double weight = (i % 2 ? 1.0 : -1.0) * exp(6.0 * sin(i)) / (1 + i % 13);
    target = op_add(g, op_multiply(g, op_number(g, SL_F64, weight), op_element(g, x, 0, i % 39)),
                    target);
    const double term = weight * q[i % 39] - lost, next = sum + term;
    lost = (next - sum) - term; /* Kahan's */
    sum = next;
    magnitude += fabs(weight * q[i % 39]);
  }
  sl_node outputs[2] = {target};
  REQUIRE_OK(context, sl__graph_group(g, 0, 1, outputs));
  REQUIRE_OK(context, sl__gradient(g, outputs[0], 1, &x, &outputs[1]));
  numbers result;
  REQUIRE(run(context, g, 2, outputs, 1, &result));
  CHECK(fabs(result.value[0] - sum) < 1e-13 * magnitude);
  CHECK(result.steps < 12);
  free(result.value);
  sl__graph_free(g);
  sl_context_free(context);
}

/* x[t] = tanh(phi x[t-1] + e[t]): a chain stays one; what hangs on its links is joined. */
TEST(recurrences_stay_and_what_hangs_on_them_is_joined) {
  enum { TURNS = 300 };
  sl_context *context = context_of(1);
  numbers result[2];
  for (int grouped = 0; grouped < 2; grouped++) {
    sl__graph *g;
    REQUIRE(sl__graph_new(context, &g) == SL_OK);
    const sl_node x = op_input(g, SL_F64, sl__shape1(FEATURES)), phi = op_element(g, x, 0, 0);
    sl_node state = op_element(g, x, 0, 1), target = op_square(g, phi);
    for (int t = 0; t < TURNS; t++) {
      const sl_node noise = op_sin(g, op_element(g, x, 0, t % FEATURES));
      state = op_tanh(g, op_add(g, op_multiply(g, phi, state), noise));
      const sl_node error = op_shift(g, op_exp(g, state), -cos(t));
      target = op_subtract(g, target, op_scale(g, op_square(g, error), 0.5));
    }
    sl_node outputs[2] = {target};
    if (grouped) REQUIRE_OK(context, sl__graph_group(g, 0, 1, outputs));
    REQUIRE_OK(context, sl__gradient(g, outputs[0], 1, &x, &outputs[1]));
    REQUIRE(run(context, g, 2, outputs, 3, &result[grouped]));
    sl__graph_free(g);
  }
  CHECK(close_to(&result[0], &result[1], 1e-11, "recurrence"));
  CHECK(result[1].steps < 12 * TURNS);
  CHECK(result[1].steps * 3 < result[0].steps * 2);
  free(result[0].value);
  free(result[1].value);
  sl_context_free(context);
}

static sl_node cubic(void *user, sl__graph *g, sl_node x) {
  const sl_node *a = user;
  return op_add(g, op_multiply(g, x, op_square(g, x)), op_multiply(g, x, op_exp(g, *a)));
}

/* Roots, sums over rows, stages that must not be mixed, outputs named twice or that are views. */
TEST(what_cannot_be_joined) {
  sl_context *context = context_of(2);
  numbers result[2];
  for (int grouped = 0; grouped < 2; grouped++) {
    sl__graph *g;
    REQUIRE(sl__graph_new(context, &g) == SL_OK);
    const sl_node x = op_input(g, SL_F64, sl__shape1(FEATURES));
    const sl_node p = op_parameter(g, SL_F64, sl__shape1(FEATURES), 0);
    const sl_node low = op_number(g, SL_F64, -50), high = op_number(g, SL_F64, 50);
    sl_node target = op_number(g, SL_F64, 0), late = op_element(g, p, 0, 0);
    for (int i = 0; i < 20; i++) {
      sl_node a = op_sin(g, op_element(g, p, 0, i));
      const sl_node y = op_sin(g, op_element(g, x, 0, i));
      target = op_add(g, target, op_root(g, y, low, high, cubic, &a));
      late = op_add(g, late, op_scale(g, op_sum_rows(g, op_sin(g, op_add(g, a, y))), 0.5 + i));
    }
    const sl_node batch = op_add(g, target, op_sin(g, op_element(g, p, 0, 3)));
    sl_node outputs[8] = {late,
                          batch,
                          batch,
                          x,
                          op_slice(g, x, 0, 3, 5, 2),
                          op_add(g, late, op_sin(g, op_element(g, p, 0, 3)))};
    int count = 6;
    if (grouped) REQUIRE_OK(context, sl__graph_group(g, 0, count, outputs));
    CHECK_INTEGER(outputs[3], x);
    REQUIRE_OK(context, sl__gradient(g, outputs[0], 1, &p, &outputs[count++]));
    REQUIRE_OK(context, sl__gradient(g, outputs[1], 1, &p, &outputs[count++]));
    REQUIRE(run(context, g, count, outputs, 11, &result[grouped]));
    sl__graph_free(g);
  }
  CHECK(close_to(&result[0], &result[1], 1e-11, "mixed"));
  free(result[0].value);
  free(result[1].value);
  sl_context_free(context);
}

/* Mixture: for each of n, log_sum_exp over components: one reduction along an axis. */
TEST(small_reductions_are_joined) {
  enum { COMPONENTS = 3, OBSERVATIONS = 250 };
  sl_context *context = context_of(1);
  sl__graph *g;
  REQUIRE(sl__graph_new(context, &g) == SL_OK);
  const sl_node x = op_input(g, SL_F64, sl__shape1(FEATURES));
  sl_node target = 0;
  double expected = 0;
  for (int n = 0; n < OBSERVATIONS; n++) {
    sl_node parts[COMPONENTS];
    double sum = 0;
    for (int k = 0; k < COMPONENTS; k++) {
      const sl_node mean = op_element(g, x, 0, k), weight = op_element(g, x, 0, 10 + k);
      const sl_node d = op_subtract(g, op_number(g, SL_F64, cos(n)), mean);
      const sl_node term = op_add(g, weight, op_scale(g, op_square(g, d), -0.5));
      parts[k] = op_reshape(g, term, sl__shape1(1));
      const double off = cos(n) - sin(0.7 * k + 0.3);
      sum += exp(sin(0.7 * (10 + k) + 0.3) - 0.5 * off * off);
    }
    const sl_node each = op_log_sum_exp(g, op_concatenate(g, COMPONENTS, parts, 0), 0);
    target = target ? op_add(g, target, each) : each;
    expected += log(sum);
  }
  sl_node outputs[2] = {target};
  REQUIRE_OK(context, sl__graph_group(g, 0, 1, outputs));
  CHECK(count_live(g, 1, outputs) < 60);
  REQUIRE_OK(context, sl__gradient(g, outputs[0], 1, &x, &outputs[1]));
  numbers result;
  REQUIRE(run(context, g, 2, outputs, 1, &result));
  CHECK_CLOSE(result.value[0], expected, 1e-11);
  CHECK(result.steps < 100);
  free(result.value);
  sl__graph_free(g);
  sl_context_free(context);
}

TEST(bits_do_not_depend_on_threads) {
  numbers first = {0};
  for (int threads = 1; threads <= 8; threads *= 2) {
    sl_context *context = context_of(threads);
    sl__graph *g;
    REQUIRE(sl__graph_new(context, &g) == SL_OK);
    const sl_node x = op_input(g, SL_F64, sl__shape1(FEATURES));
    double expected;
    sl_node outputs[2] = {regression(g, x, 3000, &expected)};
    REQUIRE_OK(context, sl__graph_group(g, 0, 1, outputs));
    REQUIRE_OK(context, sl__gradient(g, outputs[0], 1, &x, &outputs[1]));
    numbers result;
    REQUIRE(run(context, g, 2, outputs, 37, &result));
    if (!first.value) {
      first = result;
    } else {
      CHECK(memcmp(first.value, result.value, (size_t)result.count * sizeof(double)) == 0);
      free(result.value);
    }
    sl__graph_free(g);
    sl_context_free(context);
  }
  free(first.value);
}

TEST(half_a_million_nodes) {
  sl_context *context = context_of(1);
  sl__graph *g;
  REQUIRE(sl__graph_new(context, &g) == SL_OK);
  const sl_node x = op_input(g, SL_F64, sl__shape1(FEATURES));
  double expected;
  sl_node outputs[2] = {regression(g, x, 42000, &expected)};
  const uint32_t before = g->count;
  const double start = seconds();
  REQUIRE_OK(context, sl__graph_group(g, 0, 1, outputs));
  const double time = seconds() - start;
  printf("  %.1f million nodes grouped in %.2f s\n", before * 1e-6, time);
  CHECK(before > 300000);
  CHECK(g->count < before + 100);
  CHECK(time < 20);
  sl__graph_free(g);
  sl_context_free(context);
}

/* ---- running out of memory ---- */

TEST(no_memory) {
  short_memory memory = {.left = -1};
  const sl_context_options options = {
      .size = sizeof options, .threads = 1, .reallocate = reallocate_shortly, .user = &memory};
  sl_context *context;
  REQUIRE(sl_context_new(&options, &context) == SL_OK);
  const int64_t alive = memory.alive;
  for (uint64_t seed = 3; seed < 7; seed++) {
    sl_status status = SL_NO_MEMORY;
    for (int64_t allowed = 0; status != SL_OK && allowed < 1000; allowed++) {
      maker m = {.type = SL_F64, .state = seed};
      sl_node outputs[MOST_OUTPUTS];
      REQUIRE(sl__graph_new(context, &m.g) == SL_OK);
      const int count = write_program(&m, outputs);
      memory.left = allowed;
      status = sl__graph_group(m.g, 0, count, outputs);
      double number;
      if (status == SL_OK) status = sl__graph_numbers(m.g, op_log_sum_exp(m.g, m.data, 0), &number);
      memory.left = -1;
      CHECK(status == SL_OK || status == SL_NO_MEMORY);
      sl__graph_free(m.g);
      CHECK_INTEGER(memory.alive, alive);
    }
    CHECK(status == SL_OK);
  }
  sl_context_free(context);
}
