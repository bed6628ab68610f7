/* When a direction of a layer is computed otherwise than its kind says: the transformer it is given
 * may have no closed form there. */
#include <stdio.h>
#include <string.h>
#include "flow/transformer/transformer.h"

void sl__kind_how_note(const sl__kind *kind, bool sampling, char *text, size_t size) {
  const char *note = sampling ? kind->sample_note : kind->log_prob_note;
  snprintf(text, size, "%s", note ? note : "");
  if (kind->argument_count == 0 || kind->arguments[0].choices != sl__transformer_names) return;
  /* iaf goes through its transformer the other way: what it draws, others score. */
  const bool drawn = sampling != (kind->log_prob_how == SL__HOW_SEQUENTIAL);
  int count = 0;
  size_t length = 0;
  const sl__transformer *const *all = sl__transformers(&count);
  for (int i = 0; i < count && length < size; i++)
    if ((drawn ? all[i]->sample_how : all[i]->log_prob_how) == SL__HOW_ITERATIVE)
      length += (size_t)snprintf(text + length, size - length, "%s%s",
                                 length == 0 ? "a root with " : ", ", all[i]->name);
}
