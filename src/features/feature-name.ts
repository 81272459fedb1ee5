/** @file What a feature may be called: names go into metrics, columns and files. */

import { z } from 'zod'

export const featureName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]*$/, 'a letter, then letters, digits, "_", "." or "-"')
