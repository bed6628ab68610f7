/* A transformer by itself, for tests: its program in both directions, run at rows of values and
 * parameters. */
#ifndef SL_TESTS_TRANSFORMER_SUBJECT_H
#define SL_TESTS_TRANSFORMER_SUBJECT_H
#include "check.h"
#include "flow/transformer/transformer.h"

enum { FEATURES = 3, MOST_ROWS = 512, MOST_NUMBERS = 256 };

enum { LOG_PROB, SAMPLE, DIRECTIONS };
typedef struct subject {
  sl_context *context;
  sl__arena arena;
  sl__option_value values[1 + SL__TRANSFORMER_ARGUMENTS];
  sl__transform transform;
  int axis;
  sl__program *program[DIRECTIONS];
  sl__workspace *workspace[DIRECTIONS];
  double own[FEATURES];
} subject;

static const sl__option_row rows_of_arguments[1 + SL__TRANSFORMER_ARGUMENTS] = {
    {"transformer", SL__OPTION_CHOICE, NULL, 0, 0, sl__transformer_names, ""},
#define ARGUMENT(owners, name, type, fallback, low, high, choices, help) \
  {#name, type, fallback, low, high, choices, help},
#include "flow/transformer/transformers.def"
};

typedef struct setting {
  const char *transformer, *argument[2], *value[2];
} setting;

/* Inputs: the values [FEATURES]; each group, the axis of its numbers being `axis`. Outputs: value,
 * log_det, and the gradient of sum (1 + k / 4) (value[k] + 0.7 log_det[k]) by each input. */
static sl_status build(subject *s, int direction, sl__graph *g) {
  sl_dtype type = s->transform.type;
  sl_node in[1 + SL__MAX_GROUPS], out[3 + SL__MAX_GROUPS];
  sl__transform_parameters parameters = {.axis = s->axis};
  int count = s->transform.group_count;
  in[0] = op_input(g, type, sl__shape1(FEATURES));
  for (int k = 0; k < count; k++) {
    int32_t size = s->transform.group_size[k];
    in[k + 1] =
        op_input(g, type, s->axis ? sl__shape2(FEATURES, size) : sl__shape2(size, FEATURES));
    parameters.group[k] = in[k + 1];
  }
  if (s->transform.own) parameters.own = op_constant(g, type, sl__shape1(FEATURES), s->own);
  const sl__transformer *kind = s->transform.kind;
  sl__mapped both = direction == SAMPLE ? kind->sample(&s->transform, g, in[0], &parameters)
                                        : kind->log_prob(&s->transform, g, in[0], &parameters);
  sl_node zeros = op_rows(g, op_number(g, type, 0));
  out[0] = op_add(g, both.value, zeros);
  out[1] = op_add(g, both.log_det, zeros);
  double weight[FEATURES];
  for (int k = 0; k < FEATURES; k++) weight[k] = 1 + 0.25 * k;
  sl_node sum = op_add(g, out[0], op_scale(g, out[1], 0.7));
  sum = op_multiply(g, sum, op_constant(g, type, sl__shape1(FEATURES), weight));
  SL__TRY(sl__gradient(g, op_sum_all(g, sum), count + 1, in, out + 2));
  return sl__program_new(s->context, g, count + 3, out, &s->program[direction]);
}

static bool open_subject(subject *s, const setting *what, sl_dtype type, int axis) {
  *s = (subject){.axis = axis, .own = {1, 1.3, 0.8}};
  if (sl_context_new(NULL, &s->context) != SL_OK) return CHECK(false);
  sl__arena_open(&s->arena, s->context);
  int count = 1 + SL__TRANSFORMER_ARGUMENTS;
  sl_status status =
      sl__options_default(s->context, &s->arena, rows_of_arguments, count, s->values);
  if (status == SL_OK)
    status = sl__options_set(s->context, &s->arena, rows_of_arguments, count, s->values, "",
                             "transformer", what->transformer);
  for (int i = 0; i < 2 && what->argument[i] && status == SL_OK; i++)
    status = sl__options_set(s->context, &s->arena, rows_of_arguments, count, s->values, "",
                             what->argument[i], what->value[i]);
  for (int i = 1; i < count; i++) s->values[i].given = false;
  sl__layer layer = {.type = type, .arguments = s->values};
  if (status == SL_OK) status = sl__transform_read(s->context, &layer, 1, &s->transform);
  for (int d = 0; d < DIRECTIONS && status == SL_OK; d++) {
    sl__graph *g = NULL;
    status = sl__graph_new(s->context, &g);
    if (status == SL_OK) status = build(s, d, g);
    sl__graph_free(g);
    if (status == SL_OK)
      status = sl__workspace_new(s->context, s->program[d], MOST_ROWS, &s->workspace[d]);
  }
  return CHECK_OK(s->context, status) && CHECK(s->transform.total <= MOST_NUMBERS);
}

static void close_subject(subject *s) {
  for (int d = 0; d < DIRECTIONS; d++) {
    sl__workspace_free(s->workspace[d]);
    sl__program_free(s->program[d]);
  }
  sl__arena_close(&s->arena);
  sl_context_free(s->context);
}

/* What one run yields. raw[row][feature][number] holds the groups one after another. */
typedef struct points {
  int rows;
  double in[MOST_ROWS][FEATURES], value[MOST_ROWS][FEATURES], log_det[MOST_ROWS][FEATURES];
  double raw[MOST_ROWS][FEATURES][MOST_NUMBERS];
  double by_in[MOST_ROWS][FEATURES], by_raw[MOST_ROWS][FEATURES][MOST_NUMBERS];
} points;

/* Between raw and one group's [rows][size][FEATURES] or [rows][FEATURES][size]. */
static void turn(const subject *s, int rows, int32_t begin, int32_t size,
                 double raw[][FEATURES][MOST_NUMBERS], double *group, bool out) {
  for (int r = 0; r < rows; r++)
    for (int f = 0; f < FEATURES; f++)
      for (int32_t k = 0; k < size; k++) {
        int32_t at = s->axis ? f * size + k : k * FEATURES + f;
        double *number = &group[(int64_t)r * size * FEATURES + at];
        if (out)
          raw[r][f][begin + k] = *number;
        else
          *number = raw[r][f][begin + k];
      }
}

static void run(subject *s, int direction, points *p) {
  int count = s->transform.group_count;
  double *buffer[2 * SL__MAX_GROUPS] = {NULL};
  sl__feed feeds[1 + SL__MAX_GROUPS] = {{.data = p->in, .type = SL_F64}};
  sl__sink sinks[3 + SL__MAX_GROUPS] = {{.data = p->value, .type = SL_F64},
                                        {.data = p->log_det, .type = SL_F64},
                                        {.data = p->by_in, .type = SL_F64}};
  for (int k = 0, begin = 0; k < count; begin += s->transform.group_size[k++]) {
    int32_t size = s->transform.group_size[k];
    size_t numbers = (size_t)p->rows * (size_t)size * FEATURES;
    buffer[2 * k] = calloc(numbers, sizeof(double));
    buffer[2 * k + 1] = calloc(numbers, sizeof(double));
    if (!buffer[2 * k] || !buffer[2 * k + 1]) abort();
    turn(s, p->rows, begin, size, p->raw, buffer[2 * k], false);
    feeds[k + 1] = (sl__feed){.data = buffer[2 * k], .type = SL_F64};
    sinks[k + 3] = (sl__sink){.data = buffer[2 * k + 1], .type = SL_F64};
  }
  sl__run now = {.rows = p->rows, .feeds = feeds, .sinks = sinks};
  CHECK_OK(s->context,
           sl__program_run(s->context, s->program[direction], s->workspace[direction], &now));
  for (int k = 0, begin = 0; k < count; begin += s->transform.group_size[k++]) {
    turn(s, p->rows, begin, s->transform.group_size[k], p->by_raw, buffer[2 * k + 1], true);
    free(buffer[2 * k]);
    free(buffer[2 * k + 1]);
  }
}

static const char *named(const setting *what) {
  static char text[80];
  snprintf(text, sizeof text, "%s %s=%s %s=%s", what->transformer,
           what->argument[0] ? what->argument[0] : "", what->value[0] ? what->value[0] : "",
           what->argument[1] ? what->argument[1] : "", what->value[1] ? what->value[1] : "");
  return text;
}

/* Random parameters of this size; values from 0 to 1000, more of them near 0; rounded to float32
 * for a subject of that type. */
static void fill(points *p, const subject *s, int rows, double size) {
  static const double places[] = {0, 1e-3, 1e-8, 0.5, 1, 2, 4, 10, 100, 1000};
  sl__random_key key = {21, SL__STREAM_TEST, 1};
  uint64_t draw = 0;
  int total = s->transform.total;
  bool narrow = s->transform.type == SL_F32;
  p->rows = rows;
  for (int r = 0; r < rows; r++)
    for (int f = 0; f < FEATURES; f++) {
      double noise = sl__random_normal(key, draw++, 0);
      int kind = r % 3;
      p->in[r][f] = kind == 2 ? 2 * noise : places[r / 3 % 10] * (kind ? 1 : -1);
      for (int k = 0; k < total; k++) p->raw[r][f][k] = size * sl__random_normal(key, draw++, 0);
      if (!narrow) continue;
      p->in[r][f] = (double)(float)p->in[r][f];
      for (int k = 0; k < total; k++) p->raw[r][f][k] = (double)(float)p->raw[r][f][k];
    }
}
#endif
