/* Planning of roots: the nodes inside are no steps of a stage but a list that the root's own step
 * repeats, in the order in which they were made. They lie in memory that belongs to the root while
 * it runs. */
#include "graph/plan.h"

static sl_status mark_loop(sl__plan *p, sl_node root) {
  const sl__sub_graph s = sl__sub_graph_of(&p->g->nodes[root]);
  uint8_t *inside = sl__arena_take(&p->arena, (size_t)(s.last - s.variable) + 1, sizeof *inside);
  if (!inside) return SL_NO_MEMORY;
  sl__mark_inside(p->g, &s, inside);
  for (sl_node i = s.variable; i <= s.last; i++) {
    if (inside[i - s.variable]) p->loop[i] = root;
  }
  return SL_OK;
}

static sl_status refuse_leak(const sl__plan *p, sl_node user) {
  const uint16_t label = p->g->nodes[user].label;
  return sl__fail(p->context, SL_BAD_ARGUMENT,
                  "%s%sa value that depends on the x of a root's function is used outside of it",
                  p->g->labels[label], label ? ": " : "");
}

sl_status sl__find_loops(sl__plan *p, int count, const sl_node *outputs) {
  for (sl_node i = 1; i < p->nodes; i++) {
    if (p->live[i] && sl__is_loop(&p->g->nodes[i])) SL__TRY(mark_loop(p, i));
  }
  for (sl_node i = 1; i < p->nodes; i++) {
    const sl__node *n = &p->g->nodes[i];
    if (!p->live[i]) continue;
    if (n->operation == SL__OP_VARIABLE && !p->loop[i]) return refuse_leak(p, i);
    for (int64_t k = 0; k < sl__operand_count(n); k++) {
      const sl_node loop = p->loop[sl__operand_at(n, k)];
      if (loop && loop != p->loop[i] && loop != i) return refuse_leak(p, i);
    }
  }
  for (int k = 0; k < count; k++) {
    if (p->loop[outputs[k]]) return refuse_leak(p, outputs[k]);
  }
  return SL_OK;
}

void sl__set_loop_stage(sl__plan *p, sl_node root) {
  const sl__sub_graph s = sl__sub_graph_of(&p->g->nodes[root]);
  for (sl_node i = s.variable; i <= s.last; i++) {
    if (p->loop[i] == root) p->stage[i] = p->ready[i] = p->stage[root];
  }
}

/* ---- memory ---- */

/* The steps of a loop run one after another, in the order of their nodes: a value lives from the
 * node of the step that makes it to that of the last one that reads it. */
typedef struct lives {
  sl__plan *p;
  sl_node root;
  sl__sub_graph s;
  sl_node *birth, *death; /* of owners, from s.variable on; birth 0: owns no memory */
} lives;

static sl_node owner_of(const lives *l, sl_node node) {
  int64_t offset;
  return sl__final_home(l->p, l->p->g->nodes[node].root, &offset);
}

static void find_lives(lives *l) {
  const sl_node first = l->s.variable;
  const sl_node always[3] = {l->s.variable, l->s.value, l->s.slope};
  for (sl_node i = first; i <= l->s.last; i++) {
    const sl__node *n = &l->p->g->nodes[i];
    if (l->p->loop[i] != l->root) continue;
    const sl_node step = l->p->group[i];
    if (n->root == i && step == i) {
      const sl_node owner = owner_of(l, i);
      if (!l->birth[owner - first]) l->birth[owner - first] = i;
      if (l->death[owner - first] < i) l->death[owner - first] = i;
    }
    for (int64_t k = 0; k < sl__operand_count(n); k++) {
      const sl_node operand = sl__operand_at(n, k);
      if (l->p->loop[operand] != l->root) continue;
      const sl_node owner = owner_of(l, operand);
      if (l->death[owner - first] < step) l->death[owner - first] = step;
    }
  }
  for (int k = 0; k < 3; k++) {
    if (l->p->loop[always[k]] == l->root) l->death[owner_of(l, always[k]) - first] = l->s.last + 1;
  }
}

/* Lists of owners by the node at which they are born or die. */
typedef struct calendar {
  sl_node *first, *next; /* [at - variable], [owner - variable]; 0: the end */
} calendar;

static void enter(calendar *c, sl_node variable, sl_node at, sl_node owner) {
  c->next[owner - variable] = c->first[at - variable];
  c->first[at - variable] = owner;
}

static void give_places(const lives *l, calendar *births, calendar *deaths, sl__heap *heap) {
  const sl_node first = l->s.variable;
  const sl__node *nodes = l->p->g->nodes;
  int64_t *place = l->p->place;
  for (sl_node i = first; i <= l->s.last; i++) {
    if (!l->birth[i - first]) continue;
    enter(births, first, l->birth[i - first], i);
    enter(deaths, first, l->death[i - first], i);
  }
  for (sl_node now = first; now <= l->s.last; now++) {
    for (sl_node i = births->first[now - first]; i; i = births->next[i - first])
      place[i] = sl__heap_take(heap, sl__units_of(&nodes[i]));
    for (sl_node i = deaths->first[now - first]; i; i = deaths->next[i - first])
      sl__heap_give(heap, place[i], sl__units_of(&nodes[i]));
  }
}

sl_status sl__place_loop(sl__plan *p, sl_node root) {
  lives l = {.p = p, .root = root, .s = sl__sub_graph_of(&p->g->nodes[root])};
  const size_t size = (size_t)(l.s.last - l.s.variable) + 2;
  sl__heap heap = {.gaps = sl__arena_take(&p->arena, size, sizeof *heap.gaps)};
  calendar births, deaths;
#define TAKE(array) (array = sl__arena_take(&p->arena, size, sizeof *array))
  const bool ok = TAKE(l.birth) && TAKE(l.death) && TAKE(births.first) && TAKE(births.next) &&
                  TAKE(deaths.first) && TAKE(deaths.next);
#undef TAKE
  if (!ok || !heap.gaps) return SL_NO_MEMORY;
  find_lives(&l);
  give_places(&l, &births, &deaths, &heap);
  const int64_t begin = sl__heap_take(&p->heap, heap.units);
  p->loop_memory[root] = (sl__interval){begin, heap.units};
  for (sl_node i = l.s.variable; i <= l.s.last; i++) {
    if (l.birth[i - l.s.variable]) p->place[i] += begin;
  }
  return SL_OK;
}

/* ---- steps ---- */

/* What a step of cost.c's units takes: the function goes round until the slowest of a block's lanes
 * has its root; the search itself stops 16 lanes at a time, and costs what some forty operations
 * on its lanes do for each of its rounds. */
enum { EVALUATIONS = 9, SEARCH = 250 };

static float search_cost(const sl__node *root) {
  if (root->operation != SL__OP_ROOT) return 0;
  const double lanes = (double)sl__shape_count(root->shape) * (root->batched ? 128 : 1);
  return (float)(SEARCH * 0.12 * lanes * (root->type == SL_F32 ? 1 : 2));
}

/* Lists what the nodes inside read of a block's values, each root once, and the value and the slope
 * where they depend on no variable and so are not inside. */
static sl_status list_outside(sl__plan *p, sl_node root, sl__loop *loop) {
  const sl__node *n = &p->g->nodes[root];
  int64_t count;
  const sl_node *part = sl__parts(n, &count);
  uint8_t *listed = sl__arena_take(&p->arena, p->nodes, sizeof *listed);
  loop->outside = sl__arena_take(&p->program->arena, (size_t)count, sizeof *loop->outside);
  if (!listed || !loop->outside) return SL_NO_MEMORY;
  for (int64_t k = 1; k < count; k++) {
    const sl__node *read = &p->g->nodes[part[k]];
    const bool is_source = k >= 3 && k < 3 + n->integer[1];
    if (is_source || p->loop[part[k]] == root || !read->batched || listed[read->root]) continue;
    listed[read->root] = true;
    loop->outside[loop->outsides++] = p->value[read->root];
  }
  return SL_OK;
}

sl_status sl__make_loop(sl__plan *p, sl_node root, sl__step *s) {
  const sl__sub_graph sub = sl__sub_graph_of(&p->g->nodes[root]);
  sl__loop *loop = sl__arena_take(&p->program->arena, 1, sizeof *loop);
  if (!loop) return SL_NO_MEMORY;
  int32_t count = 0;
  for (sl_node i = sub.variable; i <= sub.last; i++)
    count += p->loop[i] == root && sl__is_step(p, i);
  loop->variable = p->value[sub.variable];
  loop->value = p->value[sub.value];
  loop->slope = p->value[sub.slope];
  loop->step = sl__arena_take(&p->program->arena, (size_t)count + 1, sizeof *loop->step);
  if (!loop->step) return SL_NO_MEMORY;
  for (sl_node i = sub.variable; i <= sub.last; i++) {
    if (p->loop[i] != root || !sl__is_step(p, i)) continue;
    sl__step *step = &loop->step[loop->steps];
    SL__TRY(sl__make_step(p, i, step));
    loop->steps += !sl__is_nothing(step);
    s->cost += EVALUATIONS * step->cost;
  }
  s->cost += search_cost(&p->g->nodes[root]);
  s->loop = loop;
  return p->g->nodes[root].operation == SL__OP_ODE ? list_outside(p, root, loop) : SL_OK;
}
