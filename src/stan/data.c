/* Stan's JSON: one object whose members are the variables of the block `data`; containers are
 * nested arrays, matrices row by row; "NaN", "Inf", "Infinity" and their negatives may be written
 * as texts. Members that the program does not declare are ignored. */
#include "stan/data.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
  sl__stan_tracer *t;
  const char *name; /* of the file */
  const sl__stan_variable *variable;
  const sl__stan_value *wanted; /* sizes */
  double *numbers;              /* or */
  int64_t *integers;
  int64_t filled;
  int64_t at[SL__STAN_MAX_DIMS]; /* which element is read, from 1, at each level */
} reader;

enum { DECLARED_TEXT = SL__STAN_TYPE_TEXT + 160 };

/* "vector of sizes [3]"; a scalar has its type alone. */
static const char *declared_text(const sl__stan_variable *variable, const sl__stan_value *wanted,
                                 char buffer[DECLARED_TEXT]) {
  char type[SL__STAN_TYPE_TEXT], sizes[128];
  sl__stan_type_text(variable->type, type);
  if (wanted->dims == 0)
    snprintf(buffer, DECLARED_TEXT, "%s", type);
  else
    snprintf(buffer, DECLARED_TEXT, "%s of sizes %s", type,
             sl__stan_shape_text(wanted->dims, wanted->size, sizes));
  return buffer;
}

/* The sizes that the JSON has along its first elements. */
static const char *found_shape(const sl__json_value *value, char buffer[128]) {
  int32_t size[SL__STAN_MAX_DIMS];
  int dims = 0;
  for (; value && value->kind == SL__JSON_ARRAY && dims < SL__STAN_MAX_DIMS; value = value->child)
    size[dims++] = (int32_t)(value->count < INT32_MAX ? value->count : INT32_MAX);
  return sl__stan_shape_text(dims, size, buffer);
}

/* Arrays whose first elements have the right sizes, but not this one: it is named. */
static sl_status refuse_ragged(const reader *r, const sl__json_value *value, int level) {
  char declared[DECLARED_TEXT], element[128], has[32] = "is a single number";
  int32_t at[SL__STAN_MAX_DIMS];
  for (int d = 0; d < level; d++) at[d] = (int32_t)r->at[d];
  if (value->kind == SL__JSON_ARRAY) snprintf(has, sizeof has, "has %lld", (long long)value->count);
  return sl__fail(r->t->context, SL_BAD_ARGUMENT,
                  "%.200s: '%.60s' is declared as %s, but its element %s %s instead of %d "
                  "elements; make all of them equal",
                  r->name, r->variable->name, declared_text(r->variable, r->wanted, declared),
                  sl__stan_shape_text(level, at, element), has, (int)r->wanted->size[level]);
}

/* value: what has another size than it should, at this level of `whole`. */
static sl_status refuse_shape(const reader *r, const sl__json_value *whole,
                              const sl__json_value *value, int level) {
  char declared[DECLARED_TEXT], found[128];
  bool first = true;
  for (int d = 0; d < level; d++) first = first && r->at[d] == 1;
  if (!first && level < r->wanted->dims) return refuse_ragged(r, value, level);
  const sl__source *source = &r->t->program->source;
  int line, column;
  sl__source_place(source, r->variable->place, &line, &column);
  return sl__fail(r->t->context, SL_BAD_ARGUMENT,
                  "%.200s: '%.60s' is declared as %s, and the data has %s; %s, or correct the "
                  "declaration (%.200s:%d:%d)",
                  r->name, r->variable->name, declared_text(r->variable, r->wanted, declared),
                  found_shape(whole, found),
                  r->wanted->dims == 0 ? "give one number without brackets"
                                       : "give these sizes, a matrix row by row",
                  source->name, line, column);
}

static bool special_number(const char *text, double *out) {
  static const struct {
    const char *text;
    double value;
  } words[] = {
      {"NaN", (double)NAN},
      {"nan", (double)NAN},
      {"Inf", (double)INFINITY},
      {"+Inf", (double)INFINITY},
      {"inf", (double)INFINITY},
      {"+inf", (double)INFINITY},
      {"Infinity", (double)INFINITY},
      {"+Infinity", (double)INFINITY},
      {"-Inf", -(double)INFINITY},
      {"-inf", -(double)INFINITY},
      {"-Infinity", -(double)INFINITY},
  };
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (strcmp(words[i].text, text) != 0) continue;
    *out = words[i].value;
    return true;
  }
  return false;
}

/* "element [2,1] of 'x'", or "'x'" of a scalar. */
static const char *element_text(const reader *r, char buffer[256]) {
  char place[128];
  int32_t at[SL__STAN_MAX_DIMS];
  const int dims = r->wanted->dims;
  for (int d = 0; d < dims; d++) at[d] = (int32_t)r->at[d];
  if (dims == 0)
    snprintf(buffer, 256, "'%.60s'", r->variable->name);
  else
    snprintf(buffer, 256, "element %s of '%.60s'", sl__stan_shape_text(dims, at, place),
             r->variable->name);
  return buffer;
}

static sl_status read_scalar(reader *r, const sl__json_value *value) {
  sl_context *context = r->t->context;
  char element[256];
  double number = value->number;
  const bool special = value->kind == SL__JSON_TEXT && special_number(value->text, &number);
  if (value->kind != SL__JSON_NUMBER && !special)
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%.200s: %s is not a number; missing values cannot be given", r->name,
                    element_text(r, element));
  if (r->numbers) {
    r->numbers[r->filled++] = number;
    return SL_OK;
  }
  if (special || !value->is_integer || value->integer > INT32_MAX || value->integer < INT32_MIN) {
    char text[32];
    sl__format_real(text, number, SL_F64);
    if (!special && fabs(number) <= INT32_MAX && number == floor(number))
      return sl__fail(context, SL_BAD_ARGUMENT,
                      "%.200s: %s is declared as int, and written with a decimal point or "
                      "exponent; write %s",
                      r->name, element_text(r, element), text);
    return sl__fail(context, SL_BAD_ARGUMENT,
                    "%.200s: %s is declared as int, and is %s, not an integer of 32 bits", r->name,
                    element_text(r, element), text);
  }
  r->integers[r->filled++] = value->integer;
  return SL_OK;
}

static sl_status read_level(reader *r, const sl__json_value *whole, const sl__json_value *value,
                            int dim) {
  if (dim == r->wanted->dims) {
    if (value->kind == SL__JSON_ARRAY) return refuse_shape(r, whole, value, dim);
    return read_scalar(r, value);
  }
  if (value->kind != SL__JSON_ARRAY || value->count != r->wanted->size[dim])
    return refuse_shape(r, whole, value, dim);
  r->at[dim] = 0;
  for (const sl__json_value *child = value->child; child; child = child->next) {
    r->at[dim]++;
    SL__TRY(read_level(r, whole, child, dim + 1));
  }
  return SL_OK;
}

/* Containers without elements may be written as any nesting of empty arrays. */
static bool is_empty(const sl__json_value *value) {
  if (value->kind != SL__JSON_ARRAY) return false;
  for (const sl__json_value *child = value->child; child; child = child->next)
    if (!is_empty(child)) return false;
  return true;
}

/* ---- members, sorted by their keys ---- */

typedef struct members {
  const sl__json_value **sorted; /* [count] */
  size_t count;
} members;

static int compare_members(const void *a, const void *b) {
  const sl__json_value *const *first = a, *const *second = b;
  return strcmp((*first)->key, (*second)->key);
}

static int compare_key(const void *key, const void *member) {
  const sl__json_value *const *other = member;
  return strcmp(key, (*other)->key);
}

static sl_status sort_members(sl__arena *arena, const sl__json_value *root, members *out) {
  for (const sl__json_value *m = root->child; m; m = m->next) out->count++;
  out->sorted = sl__arena_take(arena, out->count + 1, sizeof *out->sorted);
  if (!out->sorted) return SL_NO_MEMORY;
  size_t i = 0;
  for (const sl__json_value *m = root->child; m; m = m->next) out->sorted[i++] = m;
  qsort(out->sorted, out->count, sizeof *out->sorted, compare_members);
  return SL_OK;
}

/* NULL: there is none. */
static const sl__json_value *find_member(const members *m, const char *key, bool *twice) {
  const sl__json_value *const *found =
      m->count > 0 ? bsearch(key, m->sorted, m->count, sizeof *m->sorted, compare_key) : NULL;
  *twice = false;
  if (!found) return NULL;
  const size_t i = (size_t)(found - m->sorted);
  *twice = (i > 0 && strcmp(m->sorted[i - 1]->key, key) == 0) ||
           (i + 1 < m->count && strcmp(m->sorted[i + 1]->key, key) == 0);
  return *found;
}

/* ---- variables ---- */

static sl_status read_variable(sl__stan_tracer *t, const char *name, const members *given,
                               const sl__stan_variable *variable) {
  bool twice;
  SL__TRY(sl__stan_declare_slot(t, variable));
  sl__stan_slot *slot = &t->frame->slot[variable->slot];
  const sl__json_value *value = find_member(given, variable->name, &twice);
  char declared[DECLARED_TEXT];
  if (!value) {
    if (slot->value.count == 0) return SL_OK;
    return sl__fail(t->context, SL_BAD_ARGUMENT,
                    "%.200s: the variable '%.60s' (%s) of the block data is missing; add "
                    "\"%.60s\": %s to it",
                    name, variable->name, declared_text(variable, &slot->value, declared),
                    variable->name,
                    slot->value.dims == 0 ? "NUMBER" : "[NUMBER, ...] of these sizes");
  }
  if (twice)
    return sl__fail(t->context, SL_BAD_ARGUMENT,
                    "%.200s: the variable '%.60s' is given twice; leave one out", name,
                    variable->name);
  reader r = {.t = t, .name = name, .variable = variable, .wanted = &slot->value};
  void *memory = slot->value.dims > 0 ? slot->memory : (void *)&slot->own.number;
  if (variable->type.base == SL__STAN_INT_TYPE)
    r.integers = memory;
  else
    r.numbers = memory;
  if (slot->value.count > 0) return read_level(&r, value, value, 0);
  return is_empty(value) ? SL_OK : refuse_shape(&r, value, value, 0);
}

/* Stan takes NaN for a number, and so does sluice; but few mean it, and the density, which it makes
 * NaN too, does not say where it came from. */
static void warn_of_nan(sl__stan_tracer *t, const char *name, const sl__stan_variable *variable) {
  const sl__stan_value *value = &t->frame->slot[variable->slot].value;
  int64_t first = -1, count = 0;
  if (variable->type.base == SL__STAN_INT_TYPE || !t->context->log) return;
  for (int64_t i = value->count - 1; i >= 0; i--) {
    if (!isnan(value->numbers[i])) continue;
    first = i;
    count++;
  }
  if (count == 0) return;
  char line[512], place[128];
  snprintf(line, sizeof line,
           "%.200s: '%.60s%s' is NaN%s; a density that reads it is NaN at every point", name,
           variable->name, sl__stan_element_text(value, first, place),
           count > 1 ? ", and others of it are" : "");
  t->context->log(t->context->log_user, 1, line);
}

static sl_status read_block(sl__stan_tracer *t, const char *name, const members *given) {
  for (const sl__stan_statement *s = t->program->block[SL__STAN_DATA]; s; s = s->next) {
    if (s->kind != SL__STAN_DECLARE) continue;
    SL__TRY(read_variable(t, name, given, s->variable));
    warn_of_nan(t, name, s->variable);
    const sl_status status = sl__stan_check_constraint(t, s->variable);
    if (status == SL_BAD_ARGUMENT) { /* the place in the program stands in front */
      char *said = t->context->error.message;
      const size_t used = strlen(said);
      snprintf(said + used, sizeof t->context->error.message - used, " (from %.200s)", name);
      return status;
    }
    SL__TRY(status);
  }
  return SL_OK;
}

sl_status sl__stan_read_data(sl__stan_tracer *t, const char *name, const char *data,
                             size_t length) {
  sl__json_value *root = NULL;
  sl__arena arena;
  members given = {NULL, 0};
  if (!data) return read_block(t, name, &given);
  sl__arena_open(&arena, t->context);
  sl_status status = sl__json_parse(t->context, &arena, data, length, &root);
  if (status == SL_FORMAT)
    sl__fail_prefix(t->context, "%.200s:%d:%d", name, t->context->error.line,
                    t->context->error.column);
  else if (status != SL_OK)
    sl__fail_prefix(t->context, "%.200s", name);
  else if (root->kind != SL__JSON_OBJECT)
    status = sl__fail(t->context, SL_FORMAT,
                      "%.200s: expected a JSON object with the variables of the block data", name);
  else
    status = sort_members(&arena, root, &given);
  if (status == SL_OK) status = read_block(t, name, &given);
  sl__arena_close(&arena);
  return status;
}
