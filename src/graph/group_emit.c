/* What replaces nodes that are alike: one operation on all their operands side by side, [count] or
 * [count, numbers of each]. An operand that is the same for all stays one and is broadcast. Nodes
 * whose operands come from different places are joined apart, as long as there are enough of each:
 * what has been computed together stays together, and nothing has to be copied. */
#include <stdlib.h>
#include <string.h>

#include "graph/group.h"

/* ---- one node ---- */

static sl_status rebuild(sl__grouping *p, sl_node node) {
  sl__graph *g = p->g;
  sl__node n = g->nodes[node];
  bool changed = false;
  for (int k = 0; k < n.operands; k++) {
    const sl_node operand = sl__rebuilt_node(p, n.operand[k]);
    changed |= operand != n.operand[k];
    n.operand[k] = operand;
  }
  int64_t parts;
  const sl_node *part = sl__parts(&n, &parts);
  if (parts) {
    sl_node *list = sl__arena_take(&g->arena, (size_t)parts, sizeof *list);
    if (!list) return g->status = SL_NO_MEMORY;
    for (int64_t k = 0; k < parts; k++) {
      list[k] = sl__rebuilt_node(p, part[k]);
      changed |= list[k] != part[k];
    }
    n.data = list;
  }
  const sl_node made = changed && g->status == SL_OK ? sl__node_add(g, n) : node;
  p->image[node] = (sl__image){.source = made};
  p->rebuilt[node] = made;
  return g->status;
}

static sl_status list_parts(sl__grouping *p, sl_node node) {
  int64_t parts, at = 0;
  const sl_node *part = sl__parts(&p->g->nodes[node], &parts);
  sl__element *list = sl__arena_take(&p->arena, (size_t)sl__count_of(p, node), sizeof *list);
  if (!list) return SL_NO_MEMORY;
  for (int64_t k = 0; k < parts; k++) {
    sl__list_elements(p, part[k], list + at);
    at += sl__count_of(p, part[k]);
  }
  p->image[node].list = list;
  return p->g->status;
}

/* ---- elementwise ---- */

/* Whether all runs of `each` elements are equal to the first. */
static bool is_common(const sl__element *e, int64_t members, int64_t each) {
  for (int64_t i = each; i < members * each; i++) {
    if (e[i].source != e[i - each].source || e[i].at != e[i - each].at) return false;
  }
  return true;
}

/* If every member's elements are one number, leaves one of each; returns how many are left. */
static int64_t thin_out(sl__element *e, int64_t members, int64_t each) {
  for (int64_t m = 0; m < members; m++) {
    if (!is_common(e + m * each, each, 1)) return each;
  }
  for (int64_t m = 0; m < members; m++) e[m] = e[m * each];
  return 1;
}

/* Operand k of all members, in a shape that broadcasts to [count, each]. */
static sl_node joined_operand(sl__grouping *p, const sl_node *member, int64_t count, int k) {
  const int64_t each = sl__count_of(p, member[0]);
  sl__element *e = sl__element_room(p, (size_t)(count * each));
  if (!e) return sl__out_of_memory(p->g);
  for (int64_t m = 0; m < count; m++)
    sl__list_elements(p, p->g->nodes[member[m]].operand[k], e + m * each);
  if (is_common(e, count, each))
    return op_reshape(p->g, sl__vector_of(p, e, each), sl__single_shape(each));
  const int64_t left = each > 1 ? thin_out(e, count, each) : 1;
  const sl_node vector = sl__vector_of(p, e, count * left);
  return each > 1 ? op_reshape(p->g, vector, sl__shape2((int32_t)count, (int32_t)left)) : vector;
}

/* The numbers fixed in the members as an operand, or 0 if they are all the same. */
static sl_node joined_attribute(sl__grouping *p, const sl_node *member, int64_t count) {
  sl__graph *g = p->g;
  double *values = sl__arena_take(&p->arena, (size_t)count, sizeof *values);
  if (!values) return sl__out_of_memory(g);
  bool same = true;
  for (int64_t m = 0; m < count; m++) {
    values[m] = g->nodes[member[m]].attribute;
    same &= memcmp(&values[m], &values[0], sizeof *values) == 0;
  }
  if (same) return 0;
  const bool many = sl__count_of(p, member[0]) > 1;
  return op_constant(g, (sl_dtype)g->nodes[member[0]].type,
                     many ? sl__shape2((int32_t)count, 1) : sl__shape1((int32_t)count), values);
}

static sl_node apply_mapped(sl__grouping *p, const sl_node *member, int64_t count) {
  sl__graph *g = p->g;
  const sl__node n = g->nodes[member[0]];
  sl_node operand[3] = {0, 0, 0};
  for (int k = 0; k < n.operands; k++) operand[k] = joined_operand(p, member, count, k);
  if (n.operation == SL__OP_ROWS) return op_rows(g, operand[0]);
  if (n.operation == SL__OP_CAST) return op_cast(g, operand[0], (sl_dtype)n.type);
  if (n.elementwise == SL__EW_scale || n.elementwise == SL__EW_shift) {
    const sl_node factors = joined_attribute(p, member, count);
    if (factors && n.elementwise == SL__EW_scale) return op_multiply(g, operand[0], factors);
    if (factors) return op_add(g, operand[0], factors);
  }
  return sl__op_elementwise(g, n.elementwise, operand[0], operand[1], operand[2], n.attribute);
}

sl_status sl__place_members(sl__grouping *p, const sl_node *member, int64_t count, sl_node made) {
  if (!made) return p->g->status;
  const int64_t each = sl__count_of(p, member[0]);
  const sl_node whole = op_broadcast(p->g, made, sl__joined_shape(count, each));
  sl__set_images(p, member, count, sl__contiguous(p->g, whole));
  return p->g->status;
}

/* ---- reductions ---- */

static sl_status emit_reduced(sl__grouping *p, const sl_node *member, int64_t count) {
  sl__graph *g = p->g;
  const sl__node n = g->nodes[member[0]];
  const sl_shape from = g->nodes[n.operand[0]].shape;
  const int64_t each = sl__shape_count(from);
  int32_t outer = 1, inner = 1;
  for (int d = 0; d < n.integer[0]; d++) outer *= from.size[d];
  for (int d = n.integer[0] + 1; d < from.dims; d++) inner *= from.size[d];
  sl__element *e = sl__element_room(p, (size_t)(count * each));
  if (!e) return SL_NO_MEMORY;
  for (int64_t m = 0; m < count; m++)
    sl__list_elements(p, g->nodes[member[m]].operand[0], e + m * each);
  const sl_node all =
      op_reshape(g, sl__vector_of(p, e, count * each),
                 sl__shape3((int32_t)count * outer, from.size[n.integer[0]], inner));
  const sl_node made = n.operation == SL__OP_MAX   ? op_max(g, all, 1)
                       : n.operation == SL__OP_SUM ? op_sum(g, all, 1)
                                                   : sl__sum_log(g, all, 1);
  if (made) sl__set_images(p, member, count, sl__contiguous(g, made));
  return g->status;
}

/* ---- groups ---- */

static sl_status emit_joined(sl__grouping *p, const sl_node *member, int64_t count) {
  const uint8_t treatment = p->treatment[member[0]];
  if (treatment == SL__LISTED) return list_parts(p, member[0]);
  if (treatment == SL__REDUCED && count >= SL__GROUP_FEWEST) return emit_reduced(p, member, count);
  if (treatment == SL__MAPPED && count >= SL__GROUP_FEWEST)
    return sl__place_members(p, member, count, apply_mapped(p, member, count));
  if (treatment == SL__ADDED && count >= SL__GROUP_FEWEST) return sl__emit_added(p, member, count);
  for (int64_t m = 0; m < count; m++) {
    SL__TRY(treatment == SL__ADDED ? sl__emit_added(p, &member[m], 1) : rebuild(p, member[m]));
  }
  return SL_OK;
}

/* Where an operand of a member comes from. In beta[1] * x[n,1] + beta[2] * x[n,2] it is better that
 * each beta has a vector of products than that all are gathered for one: where members meet again,
 * and few elements serve them all, the very element counts. */
static uint32_t append_origin(const sl__grouping *p, sl_node operand, int64_t members, bool meet,
                              uint32_t *words) {
  enum { SHARES = 8 };
  const sl__node *n = &p->g->nodes[operand];
  const sl__image image = p->image[n->root];
  sl__element first = {image.source, image.at + (uint32_t)n->offset};
  if (image.list) first = image.list[n->offset];
  const bool known = sl__is_known_element(p, first);
  const bool shared = meet && (int64_t)p->references[operand] * SHARES >= members;
  words[0] = known && !shared ? 0 : first.source;
  words[1] = shared ? first.at + 1 : 0;
  return 2;
}

static uint32_t origin_of(sl__grouping *p, sl__interner *origins, sl_node node, int64_t members) {
  const bool meet = p->met[node];
  uint32_t words[2 * SL__GROUP_SMALL], length = 0;
  if (p->treatment[node] == SL__ADDED) {
    for (int32_t t = 0; t < p->terms[node].count; t++)
      length += append_origin(p, p->terms[node].term[t].node, members, meet, words + length);
  } else {
    for (int k = 0; k < p->g->nodes[node].operands; k++)
      length += append_origin(p, p->g->nodes[node].operand[k], members, meet, words + length);
  }
  return sl__intern(origins, words, length);
}

sl_status sl__emit_group(sl__grouping *p, const sl_node *member, int64_t count) {
  p->g->label = p->g->nodes[member[0]].label;
  if (count < 2 * SL__GROUP_FEWEST) return emit_joined(p, member, count);
  sl__interner origins = {.arena = &p->arena};
  uint32_t *origin = sl__arena_take(&p->arena, (size_t)count, sizeof *origin);
  if (!origin) return SL_NO_MEMORY;
  for (int64_t m = 0; m < count; m++) {
    origin[m] = origin_of(p, &origins, member[m], count);
    if (origin[m] == UINT32_MAX) return SL_NO_MEMORY;
  }
  /* sort by origin: begin[o] .. begin[o + 1]; what has too little company goes to the end */
  int64_t *begin = sl__arena_take(&p->arena, (size_t)origins.count + 2, sizeof *begin);
  sl_node *sorted = sl__arena_take(&p->arena, (size_t)count, sizeof *sorted);
  if (!begin || !sorted) return SL_NO_MEMORY;
  for (int64_t m = 0; m < count; m++) begin[origin[m]]++;
  int64_t at = 0;
  for (uint32_t o = 0; o < origins.count; o++) {
    const int64_t members = begin[o];
    begin[o] = members < SL__GROUP_SEPARATE ? -1 : at;
    if (members >= SL__GROUP_SEPARATE) at += members;
  }
  begin[origins.count] = at;
  const int64_t company = at;
  for (int64_t m = 0; m < count; m++) {
    int64_t *to = &begin[origin[m]];
    if (*to < 0) to = &begin[origins.count];
    sorted[(*to)++] = member[m];
  }
  for (int64_t first = 0, o = 0; first < company; o++) {
    if (begin[o] < 0) continue;
    SL__TRY(emit_joined(p, sorted + first, begin[o] - first));
    first = begin[o];
  }
  return company < count ? emit_joined(p, sorted + company, count - company) : SL_OK;
}
