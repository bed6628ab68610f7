/* The robust mode behind sl_vi. src/api only. */
#ifndef SL_API_VI_H
#define SL_API_VI_H
#include "sluice/sluice.h"

/* all: of today's size, mode SL_VI_ROBUST; report: checked, or NULL. */
sl_status sl__api_vi_robust(sl_context *context, const sl_target *target, const sl_vi_options *all,
                            sl_flow **out, sl_vi_report *report);
#endif
