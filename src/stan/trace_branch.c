/* `if` with a condition that depends on parameters: both branches are executed, and every variable
 * that either assigns to becomes a choice between its two values. What a branch adds to the density
 * counts where the branch is taken; a reject in it makes the density zero there. A return in a
 * branch notes where it is reached: the function goes on for the rest, and its result is a choice
 * among the values of all returns. */
#include "stan/trace.h"
#include <string.h>

typedef struct changes {
  sl__stan_slot **slot;
  int count, capacity;
} changes;

/* Adds the variables that a statement assigns to; refuses what has no counterpart as a choice: to
 * leave a loop that is not within the statement (in_loop: it is). */
static sl_status find_changes(sl__stan_tracer *t, const sl__stan_statement *s, bool in_loop,
                              changes *c) {
  switch (s->kind) {
    case SL__STAN_DECLARE:
    case SL__STAN_TILDE:
    case SL__STAN_TARGET_ADD:
    case SL__STAN_JACOBIAN_ADD:
    case SL__STAN_EXPRESSION_STATEMENT:
    case SL__STAN_REJECT:
    case SL__STAN_FATAL_ERROR:
    case SL__STAN_PRINT: return SL_OK;
    case SL__STAN_ASSIGN: {
      const sl__stan_expression *e = s->left;
      while (e->kind == SL__STAN_INDEXED) e = e->argument[0];
      if (e->kind != SL__STAN_VARIABLE || c->count == c->capacity) return SL_OK;
      sl__stan_slot *slot = &t->frame->slot[e->variable->slot];
      for (int i = 0; i < c->count; i++)
        if (c->slot[i] == slot) return SL_OK;
      if (slot->value.type.base != SL__STAN_VOID) c->slot[c->count++] = slot;
      return SL_OK;
    }
    case SL__STAN_IF:
      SL__TRY(find_changes(t, s->body, in_loop, c));
      return s->otherwise ? find_changes(t, s->otherwise, in_loop, c) : SL_OK;
    case SL__STAN_FOR:
    case SL__STAN_FOREACH:
    case SL__STAN_WHILE: return find_changes(t, s->body, true, c);
    case SL__STAN_BLOCK_STATEMENT:
      for (const sl__stan_statement *inner = s->first; inner; inner = inner->next)
        SL__TRY(find_changes(t, inner, in_loop, c));
      return SL_OK;
    case SL__STAN_RETURN: return SL_OK;
    case SL__STAN_BREAK:
    case SL__STAN_CONTINUE:
      if (in_loop) return SL_OK;
      break;
  }
  return sl__stan_stop(t, SL_UNSUPPORTED, s->place,
                       "break and continue are not supported where a condition depends on "
                       "parameters; assign in both branches instead, or use ? :");
}

/* Values of the changed variables, copied to the stack. */
static sl_status save(sl__stan_tracer *t, const changes *c, sl__stan_value *saved) {
  for (int i = 0; i < c->count; i++) {
    saved[i] = c->slot[i]->value;
    SL__TRY(sl__stan_copy(t, &saved[i]));
  }
  return SL_OK;
}

static sl_status restore(sl__stan_tracer *t, const changes *c, const sl__stan_value *saved) {
  for (int i = 0; i < c->count; i++) SL__TRY(sl__stan_store(t, c->slot[i], &saved[i]));
  return SL_OK;
}

static sl_node negation(sl__graph *g, sl_node truth) {
  return op_shift(g, op_negate(g, truth), 1);
}

/* *returned: everywhere in the branch. */
static sl_status execute_branch(sl__stan_tracer *t, const sl__stan_statement *s, sl_node taken,
                                bool *returned) {
  sl__stan_control control = SL__STAN_GO_ON;
  *returned = false;
  if (!s) return SL_OK;
  const sl_node outer = t->mask;
  t->mask = outer ? op_multiply(t->graph, outer, taken) : taken;
  t->frame->branches++;
  const sl_status status = t->mask ? sl__stan_execute(t, s, &control) : SL_OK;
  t->frame->branches--;
  t->mask = outer;
  *returned = control == SL__STAN_DO_RETURN;
  return status != SL_OK ? status : sl__stan_graph_check(t, s->place);
}

sl_status sl__stan_merge_return(sl__stan_tracer *t, size_t place, const sl__stan_value *value) {
  sl__stan_frame *frame = t->frame;
  sl__stan_value merged = *value;
  const bool is_void = value->type.base == SL__STAN_VOID;
  if (frame->done && !is_void)
    SL__TRY(sl__stan_choose(t, frame->done, place, &frame->result, value, &merged));
  if (!is_void && merged.form != SL__STAN_NODE) { /* numbers end with their statement */
    merged.node = sl__stan_node(t, value);
    merged.form = SL__STAN_NODE;
  }
  merged.kept = NULL;
  frame->result = merged;
  if (t->mask) frame->done = frame->done ? op_maximum(t->graph, frame->done, t->mask) : t->mask;
  return sl__stan_graph_check(t, place);
}

static bool is_same(const sl__stan_value *a, const sl__stan_value *b) {
  if (a->form != b->form || !sl__stan_same_shape(a, b)) return false;
  if (a->form == SL__STAN_NODE) return a->node == b->node;
  if (a->form == SL__STAN_PIECES) return false;
  return memcmp(a->numbers, b->numbers, (size_t)a->count * sizeof *a->numbers) == 0;
}

static sl__stan_piece piece_at(const sl__stan_value *value, int64_t i) {
  switch (value->form) {
    case SL__STAN_NUMBERS: return (sl__stan_piece){0, -1, value->numbers[i]};
    case SL__STAN_NODE: return (sl__stan_piece){value->node, (int32_t)i, 0};
    default: return value->pieces[i];
  }
}

static bool is_same_piece(sl__stan_piece a, sl__stan_piece b) {
  return a.node == b.node &&
         (a.node ? a.index == b.index : memcmp(&a.number, &b.number, sizeof a.number) == 0);
}

static sl_node node_of_piece(sl__graph *g, sl__stan_piece piece) {
  if (!piece.node) return op_number(g, SL_F64, piece.number);
  return piece.index < 0 ? piece.node : op_element(g, piece.node, 0, piece.index);
}

/* Both of one container that was assigned element by element: only the elements that differ are
 * chosen, so that a loop which fills a container in branches does not choose all of it each time.
 * *few false: too many differ, or the values are of other kinds. */
static sl_status merge_pieces(sl__stan_tracer *t, sl_node condition, const sl__stan_value *yes,
                              const sl__stan_value *no, sl__stan_value *chosen, bool *few) {
  enum { FEW = 16 };
  int64_t differing = 0;
  *few = (yes->form == SL__STAN_PIECES || no->form == SL__STAN_PIECES) && yes->dims > 0 &&
         yes->form != SL__STAN_INTEGERS && no->form != SL__STAN_INTEGERS &&
         sl__stan_same_shape(yes, no);
  for (int64_t i = 0; *few && i < no->count; i++) {
    differing += !is_same_piece(piece_at(yes, i), piece_at(no, i));
    *few = differing <= FEW;
  }
  if (!*few) return SL_OK;
  sl__stan_piece *piece = sl__stan_temporary(t, no->count, sizeof *piece);
  if (!piece) return SL_NO_MEMORY;
  for (int64_t i = 0; i < no->count; i++) {
    const sl__stan_piece a = piece_at(yes, i), b = piece_at(no, i);
    piece[i] = b;
    if (is_same_piece(a, b)) continue;
    const sl_node node =
        op_choose(t->graph, condition, node_of_piece(t->graph, a), node_of_piece(t->graph, b));
    if (!node) return sl__graph_status(t->graph);
    piece[i] = (sl__stan_piece){node, -1, 0};
  }
  *chosen = *no;
  chosen->form = SL__STAN_PIECES;
  chosen->pieces = piece;
  chosen->kept = NULL;
  return SL_OK;
}

static sl_status merge(sl__stan_tracer *t, const sl__stan_statement *s, sl_node condition,
                       const changes *c, const sl__stan_value *yes) {
  for (int i = 0; i < c->count; i++) {
    const sl__stan_value no = c->slot[i]->value;
    if (is_same(&yes[i], &no)) continue;
    if (no.type.base == SL__STAN_INT_TYPE && no.dims > 0)
      return sl__stan_stop(t, SL_UNSUPPORTED, s->place,
                           "arrays of integers that depend on parameters are not supported");
    sl__stan_value chosen;
    bool few;
    SL__TRY(merge_pieces(t, condition, &yes[i], &no, &chosen, &few));
    if (!few) SL__TRY(sl__stan_choose(t, condition, s->place, &yes[i], &no, &chosen));
    SL__TRY(sl__stan_store(t, c->slot[i], &chosen));
  }
  return SL_OK;
}

sl_status sl__stan_execute_both(sl__stan_tracer *t, const sl__stan_statement *s, sl_node condition,
                                sl__stan_control *control) {
  changes c = {.capacity = t->frame->count};
  bool first_returned, second_returned;
  const sl_node outer = t->mask, done = t->frame->done;
  condition = negation(t->graph, op_equal(t->graph, condition, op_number(t->graph, SL_F64, 0)));
  c.slot = sl__stan_temporary(t, c.capacity, sizeof *c.slot);
  if (!c.slot) return SL_NO_MEMORY;
  SL__TRY(find_changes(t, s->body, false, &c));
  if (s->otherwise) SL__TRY(find_changes(t, s->otherwise, false, &c));
  sl__stan_value *before = sl__stan_temporary(t, 2 * (int64_t)c.count, sizeof *before);
  if (!before) return SL_NO_MEMORY;
  sl__stan_value *yes = before + c.count;
  SL__TRY(save(t, &c, before));
  SL__TRY(execute_branch(t, s->body, condition, &first_returned));
  SL__TRY(save(t, &c, yes));
  SL__TRY(restore(t, &c, before));
  SL__TRY(execute_branch(t, s->otherwise, negation(t->graph, condition), &second_returned));
  if (first_returned && second_returned) {
    *control = SL__STAN_DO_RETURN;
    return SL_OK;
  }
  if (t->frame->done != done) {
    const sl_node left = negation(t->graph, t->frame->done);
    t->mask = outer ? op_multiply(t->graph, outer, left) : left;
  }
  return merge(t, s, condition, &c, yes);
}
