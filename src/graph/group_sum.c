/* Sums of many terms. A sum that is alone in its class is put in order by where its terms come
 * from: those of one node become one reduction of a slice or a gather. Alike sums are columns of
 * terms, [count] each, and columns that come from one node are one reduction along an axis. The
 * order in which terms are added differs from the program's, but depends on nothing else. */
#include <stdlib.h>
#include <string.h>

#include "graph/group.h"

/* The k-th number of every member's sum. Those of a kind are added by one reduction. */
typedef struct column {
  bool negative, common; /* common: the same for all members */
  sl_node source;        /* of the first member; 0: known */
  uint32_t at;
  int32_t k;
} column;

typedef struct addition {
  sl__grouping *p;
  int64_t members, each, columns;
  sl__element *element; /* [members][columns][each] */
  column *column;       /* [columns], sorted */
  column *kept;         /* those of numbers that do not repeat */
  int64_t kept_count;
  sl_node plus, minus; /* what is made so far */
} addition;

static bool is_same_kind(const column *a, const column *b) {
  return a->negative == b->negative && a->common == b->common && a->source == b->source;
}

static int by_kind(const void *a, const void *b) {
  const column *x = a, *y = b;
  if (x->negative != y->negative) return x->negative ? 1 : -1;
  if (x->common != y->common) return x->common ? 1 : -1;
  if (x->source != y->source) return x->source < y->source ? -1 : 1;
  if (x->at != y->at) return x->at < y->at ? -1 : 1;
  return (x->k > y->k) - (x->k < y->k);
}

static bool is_common_column(const addition *s, int64_t k) {
  const int64_t row = s->columns * s->each;
  for (int64_t m = 1; m < s->members; m++) {
    if (memcmp(s->element + m * row + k * s->each, s->element + k * s->each,
               (size_t)s->each * sizeof *s->element) != 0)
      return false;
  }
  return s->members > 1;
}

static sl_status find_columns(addition *s, const sl_node *member) {
  sl__grouping *p = s->p;
  const sl__terms terms = p->terms[member[0]];
  s->columns = 0;
  for (int32_t t = 0; t < terms.count; t++)
    s->columns += s->each > 1 ? 1 : sl__count_of(p, terms.term[t].node);
  s->element =
      sl__arena_take(&p->arena, (size_t)(s->members * s->columns * s->each), sizeof *s->element);
  s->column = sl__arena_take(&p->arena, (size_t)s->columns, sizeof *s->column);
  s->kept = sl__arena_take(&p->arena, (size_t)s->columns, sizeof *s->kept);
  if (!s->element || !s->column || !s->kept) return SL_NO_MEMORY;
  sl__element *to = s->element;
  for (int64_t m = 0; m < s->members; m++) {
    for (int32_t t = 0; t < terms.count; t++) {
      const sl_node term = p->terms[member[m]].term[t].node;
      sl__list_elements(p, term, to);
      to += sl__count_of(p, term);
    }
  }
  int32_t k = 0;
  for (int32_t t = 0; t < terms.count; t++) {
    const int64_t numbers = s->each > 1 ? 1 : sl__count_of(p, terms.term[t].node);
    for (int64_t i = 0; i < numbers; i++, k++) {
      const sl__element first = s->element[k * s->each];
      const bool known = sl__is_known_element(p, first);
      s->column[k] = (column){.negative = terms.term[t].negative,
                              .common = is_common_column(s, k),
                              .source = known ? 0 : first.source,
                              .at = known ? 0 : first.at,
                              .k = k};
    }
  }
  qsort(s->column, (size_t)s->columns, sizeof *s->column, by_kind);
  return p->g->status;
}

static void add_to(addition *s, bool negative, sl_node value) {
  sl_node *sum = negative ? &s->minus : &s->plus;
  *sum = *sum ? op_add(s->p->g, *sum, value) : value;
}

/* Adds columns of one sign, all common to the members or none: their sum, or each. */
static sl_status add_columns(addition *s, const column *columns, int64_t count) {
  sl__grouping *p = s->p;
  const bool alone = columns->common || s->members == 1;
  const int64_t members = alone ? 1 : s->members;
  sl__element *e = sl__arena_take(&p->arena, (size_t)(members * count * s->each), sizeof *e),
              *to = e;
  if (!e) return SL_NO_MEMORY;
  for (int64_t m = 0; m < members; m++) {
    for (int64_t i = 0; i < count; i++, to += s->each) {
      memcpy(to, s->element + (m * s->columns + columns[i].k) * s->each,
             (size_t)s->each * sizeof *to);
    }
  }
  sl_node value = sl__vector_of(p, e, members * count * s->each);
  if (count > 1) { /* [members, count, each], without what there is one of */
    sl_shape shape = {0};
    if (!alone) shape.size[shape.dims++] = (int32_t)members;
    shape.size[shape.dims++] = (int32_t)count;
    if (s->each > 1) shape.size[shape.dims++] = (int32_t)s->each;
    value = op_sum(p->g, op_reshape(p->g, value, shape), alone ? 0 : 1);
  } else {
    value = op_reshape(p->g, value,
                       alone ? sl__single_shape(s->each) : sl__joined_shape(members, s->each));
  }
  add_to(s, columns->negative, value);
  return p->g->status;
}

/* How often columns have the same number from `at` on. */
static int64_t count_repeats(const addition *s, int64_t at) {
  const column *c = &s->column[at];
  int64_t end = at + 1;
  if (s->each > 1 || c->source == 0 || (s->members > 1 && !c->common)) return 1;
  while (end < s->columns && is_same_kind(c, &s->column[end]) && s->column[end].at == c->at) end++;
  return end - at;
}

/* A number that is added many times is multiplied once; takes its columns out. */
static sl_status add_repeated(addition *s) {
  int64_t left = 0, repeats;
  for (int64_t at = 0; at < s->columns; at += repeats) {
    repeats = count_repeats(s, at);
    if (repeats < SL__GROUP_FEWEST) {
      for (int64_t i = 0; i < repeats; i++) s->kept[left++] = s->column[at + i];
      continue;
    }
    const sl__element e = s->element[s->column[at].k];
    const sl_node number = op_reshape(s->p->g, sl__vector_of(s->p, &e, 1), sl__scalar_shape());
    add_to(s, s->column[at].negative, op_scale(s->p->g, number, (double)repeats));
  }
  s->kept_count = left;
  return s->p->g->status;
}

/* Few of a kind are added one by one, unless there are many such kinds. */
static sl_status add_rest(addition *s, const column *rest, int64_t count) {
  enum { MANY = 8 };
  for (int64_t begin = 0, end; begin < count; begin = end) {
    for (end = begin + 1; end < count && rest[end].negative == rest[begin].negative; end++) {
    }
    if (s->members == 1 && end - begin > MANY) {
      SL__TRY(add_columns(s, rest + begin, end - begin));
      continue;
    }
    for (int64_t i = begin; i < end; i++) SL__TRY(add_columns(s, rest + i, 1));
  }
  return SL_OK;
}

sl_status sl__emit_added(sl__grouping *p, const sl_node *member, int64_t count) {
  addition s = {.p = p, .members = count, .each = sl__count_of(p, member[0])};
  SL__TRY(find_columns(&s, member));
  SL__TRY(add_repeated(&s));
  const int64_t fewest = count == 1 ? SL__GROUP_FEWEST : 2;
  int64_t left = 0;
  column *rest = s.column; /* is not read any more */
  for (int64_t begin = 0, end; begin < s.kept_count; begin = end) {
    end = begin + 1;
    while (end < s.kept_count && is_same_kind(&s.kept[begin], &s.kept[end])) end++;
    if (end - begin >= fewest) {
      SL__TRY(add_columns(&s, s.kept + begin, end - begin));
      continue;
    }
    for (int64_t i = begin; i < end; i++) rest[left++] = s.kept[i];
  }
  SL__TRY(add_rest(&s, rest, left));
  sl_node made = s.plus;
  if (s.minus) made = made ? op_subtract(p->g, made, s.minus) : op_negate(p->g, s.minus);
  if (count > 1) return sl__place_members(p, member, count, made);
  if (made) sl__set_images(p, member, 1, sl__contiguous(p->g, made));
  return p->g->status;
}
