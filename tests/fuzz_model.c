/* Metadata of models: an input is lines of "key=value", laid over the metadata of one of two sound
 * models, whose tensors stay as they are; so that one field at a time is wrong, which mutated bytes
 * of a whole file seldom reach. Either the file is refused with a message, or the model scores, and
 * saves and loads to the same. */
#include "flow/model.h"
#include "fuzz.h"
#include "io/io.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_ENTRIES = 16, DIM = 3, CONTEXT = 2 };

typedef struct entries {
  int64_t count;
  const char *keys[MOST_ENTRIES], *values[MOST_ENTRIES];
} entries;

static const char *file_name(void) {
  static char path[64]; /* in memory where there is such a folder: written files are waited for */
  const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  snprintf(path, sizeof path, "%s/sluice_fuzz_model_%ld.safetensors", folder, (long)getpid());
  return path;
}

/* The entry of a key is replaced, or taken out if the line has no '=', or added. */
static void lay_over(sl__arena *arena, entries *all, const char *line, size_t length) {
  const char *equals = memchr(line, '=', length);
  const size_t key_length = equals ? (size_t)(equals - line) : length;
  const char *key = sl__arena_text(arena, line, key_length);
  const char *value = equals ? sl__arena_text(arena, equals + 1, length - key_length - 1) : NULL;
  if (!key || (equals && !value)) abort();
  int64_t i = 0;
  while (i < all->count && strcmp(all->keys[i], key) != 0) i++;
  if (!equals && i < all->count) {
    all->count--;
    all->keys[i] = all->keys[all->count];
    all->values[i] = all->values[all->count];
  } else if (equals && i < MOST_ENTRIES) {
    all->keys[i] = key;
    all->values[i] = value;
    if (i == all->count) all->count++;
  }
}

static void check_loaded(sl_context *context, const sl__model *model) {
  sl__model *again = NULL;
  if (sl__model_save(context, model, file_name()) != SL_OK) abort();
  if (sl__model_load(context, file_name(), &again) != SL_OK) abort();
  if (strcmp(again->flow->formula, model->flow->formula) != 0) abort();
  if (again->flow->size != model->flow->size) abort();
  sl__graph *g = NULL;
  if (sl__graph_new(context, &g) != SL_OK) abort();
  const sl_dtype type = model->flow->type;
  sl_node x = op_input(g, type, sl__shape1(model->dim)), given = 0;
  if (model->flow->context_dim > 0) given = op_input(g, type, sl__shape1(model->flow->context_dim));
  if (!sl__model_log_prob(model, g, x, given)) abort();
  sl__graph_free(g);
  sl__model_free(context, again);
}

static void run(sl_context *context, sl__arena *arena, const char *text, size_t size) {
  static const char *const formulas[] = {"lu-coupling(affine,hidden=4)", "maf(rqs,hidden=4)-scale"};
  sl__column_type types[DIM] = {{0}};
  sl__model *model = NULL, *loaded = NULL;
  sl__tensor_file file;
  const bool typed = size > 0 && *text == '#';
  if (typed && sl__type_read(context, "interval(0,1)", &types[1]) != SL_OK) abort();
  if (sl__model_new_typed(context, formulas[typed], "normal", DIM, types, CONTEXT, SL_F32, 7,
                          &model) != SL_OK ||
      sl__model_save(context, model, file_name()) != SL_OK ||
      sl__tensors_read(context, file_name(), &file) != SL_OK)
    abort();
  sl__model_free(context, model);
  entries all = {.count = file.entries};
  for (int64_t i = 0; i < file.entries; i++) {
    all.keys[i] = file.keys[i];
    all.values[i] = file.values[i];
  }
  for (size_t at = typed, length; at < size; at += length + 1) {
    const char *end = memchr(text + at, '\n', size - at);
    length = end ? (size_t)(end - (text + at)) : size - at;
    lay_over(arena, &all, text + at, length);
  }
  if (sl__tensors_write(context, file_name(), file.tensors, file.tensor, all.count, all.keys,
                        all.values) == SL_OK) {
    const sl_status status = sl__model_load(context, file_name(), &loaded);
    if ((status == SL_OK) != (loaded != NULL) || (status != SL_OK && !*sl_error(context))) abort();
    if (size == (size_t)typed && !loaded) abort(); /* nothing was changed */
    if (loaded) check_loaded(context, loaded);
    sl__model_free(context, loaded);
  }
  sl__tensors_close(&file);
  remove(file_name());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  sl__arena arena;
  if (sl_context_new(&options, &context) != SL_OK) return 0;
  sl__arena_open(&arena, context);
  run(context, &arena, (const char *)data, size);
  sl__arena_close(&arena);
  sl_context_free(context);
  return 0;
}

/* '#' at the begin: the model with typed columns. */
const fuzz_seed fuzz_seeds[] = {
    FUZZ_SEED(""),
    FUZZ_SEED("#"),
    FUZZ_SEED("format_version=2"),
    FUZZ_SEED("format_version"),
    FUZZ_SEED("formula=lu-coupling(affine,hidden=4)-standardize"),
    FUZZ_SEED("formula=lu-coupling(affine,hidden=4)*3-standardize\nseed=18446744073709551615"),
    FUZZ_SEED("formula=(lu-inverse(coupling(affine,hidden=4)))*1-standardize"),
    FUZZ_SEED("formula=maf(naf,hidden=9999x9999)*9999-standardize\nbase=student(3)"),
    FUZZ_SEED("#formula=maf(rqs,hidden=4)-scale-standardize\nbase=normal\ndtype=f32"),
    FUZZ_SEED("base=gaussian_mixture(3)\nformula=standardize"),
    FUZZ_SEED("dim=3\ncontext_dim=2\ndtype=f64"),
    FUZZ_SEED("dim=2147483647"),
    FUZZ_SEED("context_dim=1048576\ncontext_columns=[\"a\",\"b\"]"),
    FUZZ_SEED(
        "columns=[{\"name\":\"a\"},{\"name\":\"b\",\"type\":\"positive\",\"noise_width\":0.5},"
        "{\"name\":\"c\",\"type\":\"interval(0,1) integer\"}]"),
    FUZZ_SEED("#columns=[{\"name\":\"a\",\"type\":\"simplex(1)\"},{\"name\":\"b\",\"type\":"
              "\"simplex(1)\"},{\"name\":\"c\",\"type\":\"periodic(0,360)\"}]"),
    FUZZ_SEED(
        "columns=[{\"name\":\"a\",\"type\":\"count\"},{\"name\":\"b\",\"type\":\"width(1e-300)\"},"
        "{\"name\":\"\",\"noise_width\":-1e999}]"),
    FUZZ_SEED("context_columns=[\"species=setosa\",\"species=virginica\"]"),
    FUZZ_SEED("training={\"steps\":12,\"verdict\":\"Good\"}"),
    {0},
};
