/* Fits argument types to a signature (the language is described in signatures.h). First the words
 * that stand for one type in several places are settled, then each argument's promotion is
 * counted against the type that its word asks for. */
#include "stan/signatures.h"

/* What the repeated words of a signature stand for; VOID: not settled. */
typedef struct settled {
  sl__stan_type any;   /* `any` */
  sl__stan_type whole; /* the containers of `each`, `dense`, `complex_dense` */
  sl__stan_type ints;  /* the arrays of `each_int` */
  int star;            /* dimensions of [*]; -1: not settled */
  bool unknown;        /* an argument's type is not known */
} settled;

static bool is_void(sl__stan_type type) {
  return type.base == SL__STAN_VOID;
}

static bool is_value(sl__stan_type type) {
  return type.base != SL__STAN_VOID && type.base != SL__STAN_STRING_TYPE &&
         type.base != SL__STAN_FUNCTION_TYPE;
}

/* Joins a type to what a word stands for so far. */
static bool settle(sl__stan_type *word, sl__stan_type type) {
  if (!is_void(*word)) return sl__stan_common_type(*word, type, word);
  *word = type;
  return true;
}

static sl__stan_type complex_of(sl__stan_type type) {
  switch (type.base) {
    case SL__STAN_INT_TYPE:
    case SL__STAN_REAL_TYPE: return sl__stan_type_of(SL__STAN_COMPLEX_TYPE, type.arrays);
    case SL__STAN_VECTOR_TYPE: return sl__stan_type_of(SL__STAN_COMPLEX_VECTOR_TYPE, type.arrays);
    case SL__STAN_ROW_VECTOR_TYPE:
      return sl__stan_type_of(SL__STAN_COMPLEX_ROW_VECTOR_TYPE, type.arrays);
    case SL__STAN_MATRIX_TYPE: return sl__stan_type_of(SL__STAN_COMPLEX_MATRIX_TYPE, type.arrays);
    default: return type;
  }
}

/* The real scalar, vector, row_vector or matrix, or (with_int) int, or an array of them. */
static bool is_numeric(sl__stan_type type) {
  return type.base >= SL__STAN_INT_TYPE && type.base <= SL__STAN_MATRIX_TYPE;
}

/* First pass: what does this argument say of the repeated words? */
static bool settle_argument(const sl__stan_word *word, sl__stan_type given, settled *s) {
  bool scalar = sl__stan_dimensions(given) == 0;
  switch (word->kind) {
    case SL__STAN_ANY:
      if (!is_value(given) || given.arrays < word->type.arrays) return false;
      return settle(&s->any, sl__stan_type_of(given.base, given.arrays - word->type.arrays));
    case SL__STAN_EACH: return is_numeric(given) && (scalar || settle(&s->whole, given));
    case SL__STAN_DENSE:
      return is_numeric(given) && given.arrays == 0 && (scalar || settle(&s->whole, given));
    case SL__STAN_COMPLEX_DENSE:
    case SL__STAN_COMPLEX_EACH:
      if (!is_numeric(given) && !sl__stan_is_complex(given)) return false;
      if (word->kind == SL__STAN_COMPLEX_DENSE && given.arrays > 0) return false;
      return scalar || settle(&s->whole, complex_of(given));
    case SL__STAN_EACH_INT:
      return given.base == SL__STAN_INT_TYPE && (scalar || settle(&s->ints, given));
    case SL__STAN_EXACT: {
      if (!word->star) return true;
      int extra = given.arrays - word->type.arrays;
      if (extra < 0 || (s->star >= 0 && s->star != extra)) return false;
      s->star = extra;
      return true;
    }
    default: return true;
  }
}

/* A member of the word's set that the type could be turned into. */
static sl__stan_type member_of_set(sl__stan_word_kind kind, sl__stan_type given) {
  const sl__stan_type none = {SL__STAN_VOID, 0};
  bool real = given.base == SL__STAN_REAL_TYPE || given.base == SL__STAN_INT_TYPE;
  bool vector = given.base == SL__STAN_VECTOR_TYPE || given.base == SL__STAN_ROW_VECTOR_TYPE;
  sl__stan_type as_real = sl__stan_type_of(SL__STAN_REAL_TYPE, given.arrays);
  switch (kind) {
    case SL__STAN_ANY_VECTOR: return vector && given.arrays == 0 ? given : none;
    case SL__STAN_VECTORS: return vector && given.arrays <= 1 ? given : none;
    case SL__STAN_INTS: return given.base == SL__STAN_INT_TYPE && given.arrays <= 1 ? given : none;
    case SL__STAN_CONTAINER:
      if (sl__stan_is(given, SL__STAN_MATRIX_TYPE)) return given;
      return member_of_set(SL__STAN_SEQUENCE, given);
    case SL__STAN_SEQUENCE:
      if (vector && given.arrays == 0) return given;
      return real && given.arrays == 1 ? as_real : none;
    case SL__STAN_REAL_OR_VECTOR:
      if (given.arrays > 0) return none;
      return real ? as_real : given.base == SL__STAN_VECTOR_TYPE ? given : none;
    case SL__STAN_REALS:
      if (real && given.arrays == 0) return as_real;
      return member_of_set(SL__STAN_SEQUENCE, given);
    default: return none;
  }
}

/* Second pass: the type that the word asks this argument to become; VOID: none. */
static sl__stan_type wanted(const sl__stan_word *word, sl__stan_type given, const settled *s) {
  const sl__stan_type none = {SL__STAN_VOID, 0};
  const sl__stan_type real = {SL__STAN_REAL_TYPE, 0};
  bool scalar = sl__stan_dimensions(given) == 0;
  switch (word->kind) {
    case SL__STAN_EXACT:
      return sl__stan_type_of(word->type.base, word->type.arrays + (word->star ? s->star : 0));
    case SL__STAN_ANY: return sl__stan_type_of(s->any.base, s->any.arrays + word->type.arrays);
    case SL__STAN_EACH: return scalar ? given : s->whole;
    case SL__STAN_EACH_INT:
      if (scalar) return given;
      return is_void(s->whole) || sl__stan_dimensions(s->whole) == s->ints.arrays ? s->ints : none;
    case SL__STAN_LIKE:
    case SL__STAN_DENSE: return scalar ? real : s->whole;
    case SL__STAN_COMPLEX_EACH:
    case SL__STAN_COMPLEX_DENSE: return scalar ? complex_of(real) : s->whole;
    case SL__STAN_CALLBACK: return given.base == SL__STAN_FUNCTION_TYPE ? given : none;
    default: return member_of_set(word->kind, given);
  }
}

static sl__stan_type result_of(const sl__stan_word *word, const sl__stan_type *types, int count,
                               const settled *s) {
  int dimensions = 0, arrays = 0;
  for (int i = 0; i < count; i++) {
    int own = sl__stan_dimensions(types[i]);
    dimensions = own > dimensions ? own : dimensions;
    arrays = types[i].arrays > arrays ? types[i].arrays : arrays;
  }
  const sl__stan_type real = {SL__STAN_REAL_TYPE, 0};
  sl__stan_type type = word->type;
  switch (word->kind) {
    case SL__STAN_EXACT:
      return sl__stan_type_of(type.base, type.arrays + (word->star ? s->star : 0));
    case SL__STAN_ANY: return sl__stan_type_of(s->any.base, s->any.arrays + type.arrays);
    case SL__STAN_REALS: return sl__stan_type_of(SL__STAN_REAL_TYPE, dimensions > 0);
    case SL__STAN_INTS: return sl__stan_type_of(SL__STAN_INT_TYPE, dimensions > 0);
    case SL__STAN_VECTORS: return sl__stan_type_of(SL__STAN_VECTOR_TYPE, arrays > 0);
    case SL__STAN_DENSE: return is_void(s->whole) ? real : s->whole;
    case SL__STAN_COMPLEX_EACH:
    case SL__STAN_COMPLEX_DENSE: return is_void(s->whole) ? complex_of(real) : s->whole;
    case SL__STAN_EACH_INT:
      return sl__stan_type_of(SL__STAN_INT_TYPE, is_void(s->ints) ? 0 : s->ints.arrays);
    default: { /* each */
      if (is_void(s->whole))
        return sl__stan_type_of(SL__STAN_REAL_TYPE, is_void(s->ints) ? 0 : s->ints.arrays);
      bool integer = s->whole.base == SL__STAN_INT_TYPE;
      return integer ? sl__stan_type_of(SL__STAN_REAL_TYPE, s->whole.arrays) : s->whole;
    }
  }
}

static sl__stan_fit misfit(int argument) {
  return (sl__stan_fit){.argument = argument};
}

sl__stan_fit sl__stan_signature_fit(const sl__stan_signature *signature, const sl__stan_type *types,
                                    int count, const bool *data_only) {
  bool enough = signature->more ? count >= signature->count : count == signature->count;
  if (!enough) return misfit(-1);
  settled s = {.star = -1};
  for (int i = 0; i < signature->count; i++) {
    if (types[i].base == SL__STAN_UNKNOWN_TYPE)
      s.unknown = true;
    else if (!settle_argument(&signature->argument[i], types[i], &s))
      return misfit(i);
  }
  if (s.star < 0) s.star = 0;
  sl__stan_fit fit = {.good = true};
  for (int i = 0; i < signature->count; i++) {
    const sl__stan_word *word = &signature->argument[i];
    if (types[i].base == SL__STAN_UNKNOWN_TYPE) continue;
    sl__stan_type aim = wanted(word, types[i], &s);
    int cost = is_void(aim) ? -1 : sl__stan_promotion(types[i], aim);
    if (cost < 0) return misfit(i);
    if (word->data && data_only && !data_only[i])
      return (sl__stan_fit){.argument = i, .data = true};
    fit.cost += cost;
  }
  fit.result = result_of(&signature->result, types, count, &s);
  bool fixed = signature->result.kind == SL__STAN_EXACT && !signature->result.star;
  if (s.unknown && !fixed) fit.result = sl__stan_type_of(SL__STAN_UNKNOWN_TYPE, 0);
  if (fit.result.arrays > SL__STAN_MAX_ARRAYS) return misfit(0);
  return fit;
}

int sl__stan_signature_match(const sl__stan_builtin *builtin, const sl__stan_type *types, int count,
                             const bool *data_only, sl__stan_fit *fit) {
  int best = -1;
  const char *text = builtin->signatures;
  for (int number = 0;; number++) {
    sl__stan_signature signature;
    const char *end = sl__stan_signature_read(text, &signature);
    if (!end) return best;
    sl__stan_fit now = sl__stan_signature_fit(&signature, types, count, data_only);
    if (now.good && (best < 0 || now.cost < fit->cost)) {
      best = number;
      *fit = now;
    }
    if (*end != ';' || (best >= 0 && fit->cost == 0)) return best;
    text = end + 1;
  }
}
