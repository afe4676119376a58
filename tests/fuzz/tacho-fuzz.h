/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every fuzz target shares: the entry point's prototype and a check that no build drops. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define TACHO_FUZZ_CHECK(condition)                                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (!(condition))                                                                              \
      {                                                                                            \
        g_printerr ("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                        \
        abort ();                                                                                  \
      }                                                                                            \
  }                                                                                                \
  G_STMT_END

/* A warning is a finding as a crash is; libFuzzer keeps the input of an abort, but not that of the
 * trap that G_DEBUG=fatal-warnings would set. */
static GLogWriterOutput
tacho_fuzz_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  if ((level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR)) != 0)
    {
      g_log_writer_standard_streams (level, fields, n_fields, user_data);
      abort ();
    }
  return G_LOG_WRITER_HANDLED;
}

__attribute__ ((constructor)) static void
tacho_fuzz_start (void)
{
  g_log_set_writer_func (tacho_fuzz_log, NULL, NULL);
}

/* Splits the input: its first byte says how the rest is to be cut into pieces. */
static inline gsize
tacho_fuzz_piece (uint8_t how, gsize at, gsize size)
{
  gsize piece = how == 0 ? size : 1 + (at * 31 + how) % how;

  return MIN (piece, size - at);
}
