/* Model files that ask for more than they hold: a few hundred bytes whose formula, sizes or lists
 * describe a flow of gigabytes are refused before memory for it is taken, and loading a sound file
 * takes a small multiple of its size. Memory is counted at the context's own allocator. */
#include <unistd.h>
#include "check.h"
#include "flow/model.h"
#include "io/io.h"

typedef struct counter {
  size_t now, most;
} counter;

static void *reallocate(void *user, void *pointer, size_t old_size, size_t new_size) {
  counter *count = user;
  void *result = NULL;
  if (new_size == 0)
    free(pointer);
  else if (!(result = realloc(pointer, new_size)))
    return NULL;
  count->now = count->now - old_size + new_size;
  if (count->now > count->most) count->most = count->now;
  return result;
}

static sl_context *open_context(counter *count) {
  sl_context_options options = {
      .size = sizeof options, .threads = 1, .reallocate = reallocate, .user = count};
  sl_context *context = NULL;
  return sl_context_new(&options, &context) == SL_OK ? context : NULL;
}

static const char *temporary(void) {
  static char path[64];
  snprintf(path, sizeof path, "/tmp/sluice_t_model_hostile_%ld.safetensors", (long)getpid());
  return path;
}

static const char *const keys[] = {"format_version", "formula", "base", "dim",
                                   "context_dim",    "dtype",   "seed", "columns",
                                   "context_columns"};
enum { FORMULA = 1, DIM = 3, CONTEXT_DIM, DTYPE, COLUMNS = 7, CONTEXT_COLUMNS, KEYS };

/* '[{"name":"x"},...]' of so many columns. */
static void list_columns(int count, char *out) {
  *out++ = '[';
  for (int i = 0; i < count; i++) out += sprintf(out, "%s{\"name\":\"x\"}", i > 0 ? "," : "");
  strcpy(out, "]");
}

TEST(small_files_take_little_memory) {
  static const struct {
    const char *formula;
    int columns; /* how many are listed */
    const char *dim, *context_dim, *message;
  } cases[] = {
      {"maf(rqs,hidden=4096x4096)*1000-standardize", 2, "2", "0", "more than 100000 parameters"},
      {"coupling(affine,hidden=65536x65536)-standardize", 2, "2", "0", "2^31 numbers"},
      {"coupling(affine,hidden=16384x16384)-standardize", 2, "2", "0", "parameters"},
      {"lu*9999-standardize", 100, "100", "0", "more than 100000 parameters"},
      {"permute*9999-standardize", 100, "100", "0", "tensor 'layers.10000.shift' is missing"},
      {"reverse*9999-standardize", 1, "1", "0", "tensor 'layers.10000.shift' is missing"},
      {"(((reverse*9999)*9999)*9999)-standardize", 1, "1", "0", "more than 10000 layers"},
      {"inverse((lu*99)*99)-standardize", 50, "50", "0", "more than 100000 parameters"},
      {"planar(hidden=1024)*5000-standardize", 4, "4", "0", "hidden"},
      {"loc-standardize", 1, "1048576", "0", "does not name each column once"},
      {"maf-standardize", 1, "1", "1048576", "does not name each column once"},
      {"loc-standardize", 1, "1", "0", "tensor 'layers.1.loc' is missing"},
  };
  static char columns[4096];
  counter count = {0};
  sl_context *context = open_context(&count);
  REQUIRE(context != NULL);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *values[KEYS] = {
        "1", cases[i].formula, "normal", cases[i].dim, cases[i].context_dim, "f64",
        "7", columns,          "[]"};
    sl__model *model = NULL;
    list_columns(cases[i].columns, columns);
    REQUIRE_OK(context, sl__tensors_write(context, temporary(), 0, NULL, KEYS, keys, values));
    const size_t before = count.most = count.now;
    const sl_status status = sl__model_load(context, temporary(), &model);
    bool good = CHECK(status == SL_FORMAT || status == SL_BAD_ARGUMENT || status == SL_SYNTAX);
    good = CHECK(strstr(sl_error(context), cases[i].message) != NULL) && good;
    good = CHECK(count.most - before < 16 << 20) && good;
    CHECK(count.now == before && model == NULL);
    if (!good)
      printf("  %s: %.1f MB, %s\n", cases[i].formula, (double)(count.most - before) / 0x1p20,
             sl_error(context));
    sl__model_free(context, model);
  }
  remove(temporary());
  sl_context_free(context);
}

TEST(sound_files_take_a_small_multiple) {
  counter count = {0};
  sl_context *context = open_context(&count);
  REQUIRE(context != NULL);
  sl__model *model = NULL;
  REQUIRE_OK(context,
             sl__model_new(context, "maf(rqs,hidden=256x256)*4", NULL, 8, 2, SL_F32, 7, &model));
  REQUIRE_OK(context, sl__model_save(context, model, temporary()));
  const size_t bytes = (size_t)model->flow->size * sizeof(float);
  sl__model_free(context, model);
  const size_t before = count.most = count.now;
  REQUIRE_OK(context, sl__model_load(context, temporary(), &model));
  printf("  %.2f MB of numbers, at most %.2f MB taken\n", (double)bytes / 0x1p20,
         (double)(count.most - before) / 0x1p20);
  CHECK(count.most - before < 4 * bytes);
  sl__model_free(context, model);
  remove(temporary());
  sl_context_free(context);
}
