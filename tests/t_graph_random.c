/* Random graphs against the planner. Every graph is planned twice: as usual, with steps fused,
 * memory used again and concatenations computed in place; and plainly, every value an output of its
 * own, so that nothing is fused and no memory is used twice. Values and gradients of both, on 1, 2
 * and 8 threads and for row counts around the edges of blocks, must agree to the bit.
 *
 * A seed names a graph: SL_RANDOM_GRAPHS=first,count looks at others. */
#include <time.h>

#include "random_graphs.h"

enum { MAX_ROWS = 700, GRAPHS = 300 };

static bool seen_operation[SL__OP_COUNT];

typedef struct plan {
  sl__program *program;
  int outputs;
  int64_t *count;
  bool *batched;
  sl_dtype *type;
} plan;

static sl_status make_plan(sl_context *context, sl__graph *g, int outputs, const sl_node *output,
                           plan *out) {
  *out = (plan){.outputs = outputs,
                .count = calloc((size_t)outputs, sizeof *out->count),
                .batched = calloc((size_t)outputs, sizeof *out->batched),
                .type = calloc((size_t)outputs, sizeof *out->type)};
  for (int k = 0; k < outputs; k++) {
    out->count[k] = sl__shape_count(sl__node_shape(g, output[k]));
    out->batched[k] = sl__node_batched(g, output[k]);
    out->type[k] = sl__node_type(g, output[k]);
  }
  return sl__program_new(context, g, outputs, output, &out->program);
}

static void drop_plan(plan *p) {
  sl__program_free(p->program);
  free(p->count);
  free(p->batched);
  free(p->type);
}

/* Rounded up, so that what comes after is aligned; the rest stays zero. */
static size_t bytes_of(const plan *p, int output, int64_t rows) {
  const int64_t numbers = (p->batched[output] ? rows : 1) * p->count[output];
  return (size_t)(numbers * (p->type[output] == SL_F32 ? 4 : 8) + 7) / 8 * 8;
}

/* Runs three times, first by steps and then from lists, to the same bits; the outputs one after
 * another in memory that the caller frees. */
static char *run(sl_context *context, const plan *p, const void *x, sl_dtype type,
                 const void *parameters, int64_t rows) {
  sl__workspace *w;
  if (sl__workspace_new(context, p->program, rows, &w) != SL_OK) return NULL;
  size_t bytes = 64;
  for (int k = 0; k < p->outputs; k++) bytes += bytes_of(p, k, rows);
  char *out = calloc(bytes, 1), *at = out;
  sl__sink *sinks = calloc((size_t)p->outputs + 1, sizeof *sinks);
  for (int k = 0; k < p->outputs; at += bytes_of(p, k++, rows))
    sinks[k] = (sl__sink){at, p->type[k], 0, 0};
  const sl__feed feed = {.data = x, .type = type};
  const sl__run r = {
      .rows = rows, .parameters = parameters, .feeds = &feed, .sinks = sinks, .key = {.seed = 5}};
  char *first = malloc(bytes);
  for (int time = 0; time < 3 && out; time++) {
    sl_status status = sl__program_run(context, p->program, w, &r);
    if (time == 0) memcpy(first, out, bytes);
    if (status == SL_OK && CHECK(memcmp(first, out, bytes) == 0)) {
      if (time < 2) memset(out, 0, bytes);
      continue;
    }
    free(out);
    out = NULL;
  }
  free(first);
  free(sinks);
  sl__workspace_free(w);
  return out;
}

/* The first outputs, which are there to be compared; the rest of a plain plan only keeps memory. */
static bool same_outputs(const plan *a, const char *x, const char *y, int64_t rows,
                         const char *what) {
  for (int k = 0; k < a->outputs; k++) {
    const size_t bytes = bytes_of(a, k, rows);
    if (memcmp(x, y, bytes) != 0) {
      printf("  %s: output %d differs, %lld rows\n", what, k, (long long)rows);
      return false;
    }
    x += bytes;
    y += bytes;
  }
  return true;
}

/* The outputs, then every value that they depend on, but for those inside of roots. */
static int all_values(const sl__graph *g, int count, const sl_node *outputs, sl_node *list) {
  bool *live = calloc(g->count, sizeof *live), *inside = calloc(g->count, sizeof *inside);
  for (int k = 0; k < count; k++) live[list[k] = outputs[k]] = true;
  for (sl_node i = g->count - 1; i > 0; i--) {
    const sl__node *n = &g->nodes[i];
    if (!live[i]) continue;
    for (int64_t k = 0; k < sl__operand_count(n); k++) live[sl__operand_at(n, k)] = true;
  }
  for (sl_node i = 1; i < g->count; i++) {
    const sl__node *n = &g->nodes[i];
    inside[i] = n->operation == SL__OP_VARIABLE;
    for (int64_t k = 0; k < sl__operand_count(n) && !sl__is_loop(n); k++)
      inside[i] |= inside[sl__operand_at(n, k)];
    seen_operation[n->operation] |= live[i];
    if (live[i] && !inside[i] && n->root == i && n->operation != SL__OP_PARAMETER)
      list[count++] = i;
  }
  free(live);
  free(inside);
  return count;
}

static const int thread_counts[3] = {1, 2, 8};
static const int64_t row_counts[7] = {1, 3, 17, 64, 65, 300, 700};

static void check_graph(sl_context *const context[3], uint64_t seed) {
  static double x[MAX_ROWS * FEATURES], p[PARAMETERS];
  static float p32[PARAMETERS];
  maker m = {.state = seed * 7919, .type = seed % 3 ? SL_F32 : SL_F64, .twice = seed % 4 == 1};
  for (int i = 0; i < MAX_ROWS * FEATURES; i++) x[i] = dice(&m, 20001) / 1e4 - 1;
  for (int i = 0; i < PARAMETERS; i++) p32[i] = (float)(p[i] = dice(&m, 20001) / 1e4 - 1);
  const void *parameters = m.type == SL_F32 ? (const void *)p32 : p;
  if (!CHECK(sl__graph_new(context[0], &m.g) == SL_OK)) return;
  sl_node outputs[5];
  const int count = build(&m, outputs);
  plan usual = {0}, plain = {0};
  char what[64];
  snprintf(what, sizeof what, "graph %llu", (unsigned long long)seed);
  sl_node *list = calloc(m.g->count + 8u, sizeof *list);
  bool good = CHECK_OK(context[0], make_plan(context[0], m.g, count, outputs, &usual)) &&
              CHECK_OK(context[0], make_plan(context[0], m.g, all_values(m.g, count, outputs, list),
                                             list, &plain));
  for (int r = 0; r < 7 && good; r++) {
    if (dice(&m, 2)) continue;
    char *expected = run(context[0], &plain, x, SL_F64, parameters, row_counts[r]);
    for (int t = 0; t < 3 && good; t++) {
      snprintf(what, sizeof what, "graph %llu on %d threads", (unsigned long long)seed,
               thread_counts[t]);
      char *got = run(context[t], &usual, x, SL_F64, parameters, row_counts[r]);
      good =
          CHECK(expected && got) && CHECK(same_outputs(&usual, expected, got, row_counts[r], what));
      free(got);
    }
    free(expected);
  }
  if (!good) printf("  %s failed\n", what);
  free(list);
  drop_plan(&usual);
  drop_plan(&plain);
  sl__graph_free(m.g);
}

TEST(random_graphs_have_the_same_bits_however_they_are_planned_and_run) {
  /* A slow build, with sanitizers, or a busy machine sees fewer graphs; 83 have all operations. */
  enum { SECONDS = 3, ENOUGH = 83 };
  unsigned long first = 1, graphs = GRAPHS, seen = 0;
  const char *wish = getenv("SL_RANDOM_GRAPHS");
  if (wish && sscanf(wish, "%lu,%lu", &first, &graphs) != 2) graphs = 1;
  sl_context *context[3];
  for (int t = 0; t < 3; t++) {
    const sl_context_options options = {.size = sizeof options, .threads = thread_counts[t]};
    REQUIRE(sl_context_new(&options, &context[t]) == SL_OK);
  }
  const clock_t start = clock();
  for (bool late = false; seen < graphs && (wish || !late); seen++) {
    check_graph(context, first + seen);
    late = (double)(clock() - start) / CLOCKS_PER_SEC > SECONDS;
  }
  for (int t = 0; t < 3; t++) sl_context_free(context[t]);
  for (int i = 0; i < SL__OP_COUNT && !wish && seen >= ENOUGH; i++) {
    if (i == SL__OP_SHARED_INPUT || i == SL__OP_STRIPS || CHECK(seen_operation[i])) continue;
    printf("  operation %s was in no graph\n", sl__operations[i].name);
  }
}
