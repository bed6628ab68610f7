/* Cells and tables of what there is to make a flow of, in Markdown, for the page of flows
 * (catalogue.c). */
#ifndef SL_BENCH_KIND_TABLES_H
#define SL_BENCH_KIND_TABLES_H
#include <stdio.h>
#include "flow/transformer/transformer.h"

static inline const char *table_how_text(sl__how how) {
  return how == SL__HOW_CLOSED_FORM  ? "closed form"
         : how == SL__HOW_SEQUENTIAL ? "feature by feature"
                                     : "root";
}

/* A cell of a table; '|' would end it. */
static inline void table_cell(const char *text) {
  printf(" ");
  for (; *text; text++) printf(*text == '|' ? "\\|" : "%c", *text);
  printf(" |");
}

static inline void table_how(const sl__kind *kind, bool sampling) {
  char note[128];
  sl__kind_how_note(kind, sampling, note, sizeof note);
  printf(note[0] ? " %s (%s) |" : " %s |",
         table_how_text(sampling ? kind->sample_how : kind->log_prob_how), note);
}

static inline void table_transformers(void) {
  printf(
      "\nTransformers, for `coupling`, `maf`, `iaf` and `elementwise`; `iaf` draws as its "
      "transformer scores.\n\n"
      "| transformer | what it does | sampling | log density | source |\n|---|---|---|---|---|\n");
  int count = 0;
  const sl__transformer *const *all = sl__transformers(&count);
  for (int i = 0; i < count; i++) {
    printf("| `%s` |", all[i]->name);
    table_cell(all[i]->summary);
    printf(" %s | %s |", table_how_text(all[i]->sample_how), table_how_text(all[i]->log_prob_how));
    table_cell(all[i]->source);
    printf("\n");
  }
}
#endif
