/* Reads the short texts of signatures (the language is described in signatures.h). */
#include <string.h>
#include "stan/signatures.h"

typedef struct spelling {
  const char *word;
  size_t length;
  sl__stan_word_kind kind;
  sl__stan_base base; /* of SL__STAN_EXACT */
} spelling;

#define SPELLING(word, kind, base) {#word, sizeof #word - 1, kind, base},

static const spelling spellings[] = {
    SPELLING(void, SL__STAN_EXACT, SL__STAN_VOID) SPELLING(int, SL__STAN_EXACT, SL__STAN_INT_TYPE)
        SPELLING(real, SL__STAN_EXACT, SL__STAN_REAL_TYPE) SPELLING(vector, SL__STAN_EXACT,
                                                                    SL__STAN_VECTOR_TYPE)
            SPELLING(row_vector, SL__STAN_EXACT, SL__STAN_ROW_VECTOR_TYPE) SPELLING(
                matrix, SL__STAN_EXACT, SL__STAN_MATRIX_TYPE) SPELLING(complex, SL__STAN_EXACT,
                                                                       SL__STAN_COMPLEX_TYPE)
                SPELLING(complex_vector, SL__STAN_EXACT, SL__STAN_COMPLEX_VECTOR_TYPE) SPELLING(
                    complex_row_vector, SL__STAN_EXACT, SL__STAN_COMPLEX_ROW_VECTOR_TYPE)
                    SPELLING(complex_matrix, SL__STAN_EXACT, SL__STAN_COMPLEX_MATRIX_TYPE) SPELLING(
                        tuple, SL__STAN_EXACT, SL__STAN_TUPLE_TYPE)
                        SPELLING(any_vector, SL__STAN_ANY_VECTOR, SL__STAN_VOID) SPELLING(
                            sequence, SL__STAN_SEQUENCE,
                            SL__STAN_VOID) SPELLING(container, SL__STAN_CONTAINER, SL__STAN_VOID)
                            SPELLING(reals, SL__STAN_REALS, SL__STAN_VOID) SPELLING(
                                real_or_vector, SL__STAN_REAL_OR_VECTOR,
                                SL__STAN_VOID) SPELLING(ints, SL__STAN_INTS, SL__STAN_VOID)
                                SPELLING(vectors, SL__STAN_VECTORS, SL__STAN_VOID) SPELLING(
                                    any, SL__STAN_ANY, SL__STAN_VOID) SPELLING(each, SL__STAN_EACH,
                                                                               SL__STAN_VOID)
                                    SPELLING(each_int, SL__STAN_EACH_INT, SL__STAN_VOID)
                                        SPELLING(like, SL__STAN_LIKE, SL__STAN_VOID)
                                            SPELLING(dense, SL__STAN_DENSE, SL__STAN_VOID) SPELLING(
                                                complex_each, SL__STAN_COMPLEX_EACH, SL__STAN_VOID)
                                                SPELLING(complex_dense, SL__STAN_COMPLEX_DENSE,
                                                         SL__STAN_VOID)};

static const char *after(const char *text, const char *prefix) {
  size_t length = strlen(prefix);
  return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* A word with what stands behind it; NULL: none. */
static const char *read_word(const char *text, sl__stan_word *word) {
  size_t length = 0;
  while ((text[length] >= 'a' && text[length] <= 'z') || text[length] == '_') length++;
  const spelling *found = NULL;
  for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
    const spelling *s = &spellings[i];
    if (s->length == length && memcmp(s->word, text, length) == 0) found = s;
  }
  if (!found) return NULL;
  *word = (sl__stan_word){.kind = found->kind, .type = sl__stan_type_of(found->base, 0)};
  text += length;
  for (; after(text, "[]"); text += 2) word->type.arrays++;
  if (!after(text, "[*]")) return text;
  word->star = true;
  return text + 3;
}

/* The ')' that closes the '(' at text; NULL: there is none. */
static const char *closing(const char *text) {
  int depth = 0;
  for (; *text && *text != ';'; text++) {
    if (*text == '(') depth++;
    if (*text == ')' && --depth == 0) return text;
  }
  return NULL;
}

static const char *read_argument(const char *text, sl__stan_word *word) {
  const char *rest = after(text, "data ");
  const char *begin = rest ? rest : text;
  const char *end = read_word(begin, word);
  if (!end) return NULL;
  word->data = rest != NULL;
  if (*end != '(') return end;
  *word = (sl__stan_word){.kind = SL__STAN_CALLBACK, .nested = begin};
  end = closing(end);
  return end ? end + 1 : NULL;
}

const char *sl__stan_signature_read(const char *text, sl__stan_signature *signature) {
  *signature = (sl__stan_signature){.text = text};
  const char *at = read_word(text, &signature->result);
  if (!at || *at != '(') return NULL;
  for (at++; *at != ')';) {
    const char *dots = after(at, "...");
    if (dots) {
      signature->more = true;
      at = dots;
      break;
    }
    if (signature->count == SL__STAN_MAX_ARGUMENTS) return NULL;
    at = read_argument(at, &signature->argument[signature->count]);
    if (!at) return NULL;
    signature->count++;
    if (*at == ',' || *at == '|')
      at++;
    else if (*at != ')')
      return NULL;
  }
  if (*at != ')') return NULL;
  signature->length = (int)(at + 1 - text);
  return at + 1;
}

bool sl__stan_signature_at(const sl__stan_builtin *builtin, int number,
                           sl__stan_signature *signature) {
  const char *text = builtin->signatures;
  for (int i = 0;; i++) {
    const char *end = sl__stan_signature_read(text, signature);
    if (!end) return false;
    if (i == number) return true;
    if (*end != ';') return false;
    text = end + 1;
  }
}
