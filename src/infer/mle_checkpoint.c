/* Checkpoints: a safetensors file with the parameters, the best so far, their average and the
 * optimiser's states as tensors; the counters and what the run was asked to do as metadata.
 *
 * Resuming refuses a file made with other options or other data, and says which: only then does the
 * run end in the same bits as one that was never interrupted. Time limits, callbacks and the names
 * of files may differ. The file appears whole or not at all (io.h writes a temporary name, then
 * renames), so that a killed process leaves the checkpoint before. */
#include <string.h>
#include "base/os.h"
#include "infer/mle.h"
#include "io/io.h"

enum { MOST_ENTRIES = 64, MOST_TENSORS = 3 + SL__MAX_OPTIMISER_STATES, HISTORIES = 3 };

/* The fields of sl__mle_state, by name. */
typedef struct state_field {
  const char *name;
  size_t offset;
  bool real;
} state_field;
#define INTEGER(field) \
  { "state." #field, offsetof(sl__mle_state, field), false }
#define REAL(field) \
  { "state." #field, offsetof(sl__mle_state, field), true }
static const state_field state_fields[] = {
    INTEGER(step),       INTEGER(updates), INTEGER(bad_running), INTEGER(skipped),
    INTEGER(best_step),  INTEGER(stale),   INTEGER(stalled),     INTEGER(reductions),
    INTEGER(loss_count), REAL(loss_sum),   REAL(rate_factor),    REAL(train_loss),
    REAL(valid),         REAL(best),       REAL(seconds),       INTEGER(history.count),
    INTEGER(history.merges), INTEGER(history.waiting), REAL(history.waiting_sum),
};
enum { STATE_FIELDS = sizeof state_fields / sizeof state_fields[0] };

typedef struct entries {
  sl__arena *arena;
  int64_t count;
  const char *keys[MOST_ENTRIES], *values[MOST_ENTRIES];
  bool failed;
} entries;

static void add_text(entries *e, const char *key, const char *value) {
  const char *copy = sl__arena_text(e->arena, value, strlen(value));
  if (!copy || e->count == MOST_ENTRIES) {
    e->failed = true;
    return;
  }
  e->keys[e->count] = key;
  e->values[e->count++] = copy;
}

static void add_integer(entries *e, const char *key, int64_t value) {
  char buffer[32];
  snprintf(buffer, sizeof buffer, "%lld", (long long)value);
  add_text(e, key, buffer);
}

static void add_real(entries *e, const char *key, double value) {
  char buffer[40];
  sl__format_real(buffer, value, SL_F64);
  add_text(e, key, buffer);
}

/* FNV-1a over 64-bit words: enough to notice other data, not to resist a forger. */
static uint64_t hash(uint64_t state, const void *bytes, int64_t size) {
  const char *at = bytes;
  for (; size > 0; at += 8, size -= 8) {
    uint64_t word = 0;
    memcpy(&word, at, size < 8 ? (size_t)size : 8);
    state = (state ^ word) * 0x100000001b3u;
    state ^= state >> 29; /* the product alone never carries high bits down */
  }
  return state;
}

static uint64_t hash_data(const sl__mle *mle) {
  const sl__mle_data *data = mle->data;
  const int64_t width = mle->number_size, dim = mle->flow->dim;
  const int64_t context_dim = mle->flow->context_dim;
  const struct {
    const void *bytes;
    int64_t size;
  } parts[] = {
      {mle->options.generate ? NULL : data->x, data->rows * dim * width},
      {data->context, data->rows * context_dim * width},
      {data->weight, data->rows * width},
      {data->valid_x, data->valid_rows * dim * width},
      {data->valid_context, data->valid_rows * context_dim * width},
      {data->valid_weight, data->valid_rows * width},
      {data->noise_width, dim * (int64_t)sizeof(double)},
  };
  uint64_t state = 0xcbf29ce484222325u;
  for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
    state = state * 31 + (parts[k].bytes != NULL);
    if (parts[k].bytes) state = hash(state, parts[k].bytes, parts[k].size);
  }
  return state;
}

/* Everything that decides the numbers. */
static void add_fixed(const sl__mle *mle, entries *e) {
  const sl__mle_options *options = &mle->options;
  const sl__flow *flow = mle->flow;
  const sl__optimiser_options *own = &options->optimiser_options;
  char digits[17];
  snprintf(digits, sizeof digits, "%016llx", (unsigned long long)hash_data(mle));
  add_text(e, "flow", flow->formula);
  add_text(e, "base", flow->base_formula);
  add_text(e, "precision", flow->type == SL_F32 ? "f32" : "f64");
  add_integer(e, "dim", flow->dim);
  add_integer(e, "context_dim", flow->context_dim);
  add_integer(e, "parameters", flow->size);
  add_integer(e, "seed", (int64_t)options->seed);
  add_integer(e, "steps", options->steps);
  add_integer(e, "batch", options->batch);
  add_integer(e, "valid_every", options->valid_every);
  add_integer(e, "patience", options->patience);
  add_integer(e, "warmup_steps", options->warmup_steps);
  add_real(e, "rate", options->rate);
  add_text(e, "schedule", mle->schedule->name);
  add_text(e, "optimizer", mle->optimiser->name);
  add_real(e, "beta1", own->beta1);
  add_real(e, "beta2", own->beta2);
  add_real(e, "epsilon", own->epsilon);
  add_real(e, "momentum", own->momentum);
  add_real(e, "weight_decay", own->weight_decay);
  add_real(e, "clip", options->clip);
  add_real(e, "ema", options->ema);
  add_integer(e, "data_rows", options->generate ? 0 : mle->data->rows);
  add_integer(e, "valid_rows", mle->data->valid_rows);
  add_text(e, "data_hash", digits);
}

static void add_state(const sl__mle *mle, entries *e) {
  sl__mle_state state = mle->state;
  state.seconds = sl__mle_seconds(mle);
  for (int f = 0; f < STATE_FIELDS; f++) {
    const char *at = (const char *)&state + state_fields[f].offset;
    if (state_fields[f].real) {
      double value;
      memcpy(&value, at, sizeof value);
      add_real(e, state_fields[f].name, value);
    } else {
      int64_t value;
      memcpy(&value, at, sizeof value);
      add_integer(e, state_fields[f].name, value);
    }
  }
  add_text(e, "state.trouble", mle->trouble);
}

/* The vectors of a checkpoint, with their names; those that this run does not keep are left out. */
static int list_vectors(sl__mle *mle, const char *names[MOST_TENSORS],
                        char *vectors[MOST_TENSORS]) {
  static const char *const all_names[] = {"parameters", "best",    "average", "state.0", "state.1",
                                          "state.2",    "state.3", "state.4", "state.5", "state.6",
                                          "state.7",    "state.8", "state.9"};
  _Static_assert(sizeof all_names / sizeof all_names[0] == MOST_TENSORS, "a name for each");
  char *const all[] = {mle->weights, mle->best, mle->average};
  int count = 0;
  for (int k = 0; k < MOST_TENSORS; k++) {
    char *vector = k < 3 ? all[k] : mle->states[k - 3];
    if (!vector) continue;
    names[count] = all_names[k];
    vectors[count++] = vector;
  }
  return count;
}

static const char *const history_names[HISTORIES] = {"history.step", "history.loss",
                                                     "history.valid"};

/* The arrays of a history [SL__LOSS_POINTS], in the order of their names. */
static void list_histories(sl__loss_history *history, double *arrays[HISTORIES]) {
  arrays[0] = history->step;
  arrays[1] = history->loss;
  arrays[2] = history->valid;
}

sl_status sl__mle_save(sl__mle *mle, const char *path) {
  const char *names[MOST_TENSORS];
  char *vectors[MOST_TENSORS];
  double *histories[HISTORIES];
  const int count = list_vectors(mle, names, vectors);
  sl__tensor tensors[MOST_TENSORS + HISTORIES] = {0};
  list_histories(&mle->state.history, histories);
  for (int k = 0; k < HISTORIES; k++)
    tensors[count + k] = (sl__tensor){.name = history_names[k],
                                      .type = SL_F64,
                                      .dims = 1,
                                      .shape = {SL__LOSS_POINTS},
                                      .data = histories[k],
                                      .count = SL__LOSS_POINTS};
  for (int k = 0; k < count; k++)
    tensors[k] = (sl__tensor){.name = names[k],
                              .type = mle->flow->type,
                              .dims = 1,
                              .shape = {mle->flow->size},
                              .data = vectors[k],
                              .count = mle->flow->size};
  sl__arena arena;
  sl__arena_open(&arena, mle->context);
  entries e = {.arena = &arena};
  add_text(&e, "format", "sluice checkpoint 2");
  add_fixed(mle, &e);
  add_state(mle, &e);
  const sl_status status =
      e.failed ? SL_NO_MEMORY
               : sl__tensors_write(mle->context, path, count + HISTORIES, tensors, e.count, e.keys,
                                   e.values);
  sl__arena_close(&arena);
  return status;
}

static sl_status compare_fixed(const sl__mle *mle, const sl__tensor_file *file, entries *e) {
  add_text(e, "format", "sluice checkpoint 2");
  add_fixed(mle, e);
  if (e->failed) return SL_NO_MEMORY;
  for (int64_t k = 0; k < e->count; k++) {
    const char *saved = sl__tensors_meta(file, e->keys[k]);
    if (!saved && k == 0)
      return sl__fail(mle->context, SL_FORMAT,
                      "this is not a checkpoint of sluice; give a file that --checkpoint wrote");
    if (!saved)
      return sl__fail(mle->context, SL_FORMAT,
                      "the checkpoint has no entry %s; it is damaged, start the fit anew",
                      e->keys[k]);
    if (strcmp(saved, e->values[k]) == 0) continue;
    if (strcmp(e->keys[k], "data_hash") == 0)
      return sl__fail(mle->context, SL_BAD_ARGUMENT,
                      "the checkpoint was made from other data; resume with the same data");
    return sl__fail(mle->context, SL_BAD_ARGUMENT,
                    "the checkpoint was made with %s %s, now it is %s; resume with the same",
                    e->keys[k], saved, e->values[k]);
  }
  return SL_OK;
}

static sl_status read_state(sl__mle *mle, const sl__tensor_file *file) {
  for (int f = 0; f < STATE_FIELDS; f++) {
    const char *text = sl__tensors_meta(file, state_fields[f].name);
    const char *end = text ? text + strlen(text) : NULL;
    char *at = (char *)&mle->state + state_fields[f].offset;
    const char *used = NULL;
    if (text && state_fields[f].real) {
      double value = 0;
      used = sl__parse_real(text, end, &value);
      memcpy(at, &value, sizeof value);
    } else if (text) {
      int64_t value = 0;
      used = sl__parse_integer(text, end, &value);
      if (value < 0) used = NULL;
      memcpy(at, &value, sizeof value);
    }
    if (!used || used != end)
      return sl__fail(mle->context, SL_FORMAT,
                      "the checkpoint's entry %s is missing or no number; it is damaged, start "
                      "the fit anew", state_fields[f].name);
  }
  const char *trouble = sl__tensors_meta(file, "state.trouble");
  if (trouble) {
    const size_t length = strlen(trouble), most = sizeof mle->trouble - 1;
    memcpy(mle->trouble, trouble, length < most ? length : most);
  }
  return SL_OK;
}

static sl_status read_vectors(sl__mle *mle, const sl__tensor_file *file) {
  const char *names[MOST_TENSORS];
  char *vectors[MOST_TENSORS];
  const int count = list_vectors(mle, names, vectors);
  for (int k = 0; k < count; k++) {
    const sl__tensor *tensor = sl__tensors_find(file, names[k]);
    if (!tensor || tensor->is_int64 || tensor->type != mle->flow->type ||
        tensor->count != mle->flow->size)
      return sl__fail(mle->context, SL_FORMAT,
                      "the checkpoint's tensor %s is missing or of another size; it is damaged, "
                      "start the fit anew", names[k]);
    memcpy(vectors[k], tensor->data, (size_t)(mle->flow->size * mle->number_size));
  }
  return SL_OK;
}

static sl_status read_history(sl__mle *mle, const sl__tensor_file *file) {
  sl__loss_history *history = &mle->state.history;
  double *arrays[HISTORIES];
  bool sound = history->count <= SL__LOSS_POINTS && history->merges < 60;
  list_histories(history, arrays);
  for (int k = 0; k < HISTORIES && sound; k++) {
    const sl__tensor *tensor = sl__tensors_find(file, history_names[k]);
    sound = tensor && !tensor->is_int64 && tensor->type == SL_F64 &&
            tensor->count == SL__LOSS_POINTS;
    if (sound) memcpy(arrays[k], tensor->data, SL__LOSS_POINTS * sizeof(double));
  }
  return sound ? SL_OK
               : sl__fail(mle->context, SL_FORMAT,
                          "the checkpoint's history of losses is missing or of another size; it is "
                          "damaged, start the fit anew");
}

sl_status sl__mle_resume(sl__mle *mle, const char *path) {
  sl__tensor_file file;
  SL__TRY(sl__tensors_read(mle->context, path, &file));
  sl__arena arena;
  sl__arena_open(&arena, mle->context);
  entries e = {.arena = &arena};
  sl_status status = compare_fixed(mle, &file, &e);
  if (status == SL_OK) status = read_state(mle, &file);
  if (status == SL_OK) status = read_vectors(mle, &file);
  if (status == SL_OK) status = read_history(mle, &file);
  sl__arena_close(&arena);
  sl__tensors_close(&file);
  return status == SL_OK ? SL_OK : sl__fail_prefix(mle->context, "%s", path);
}
