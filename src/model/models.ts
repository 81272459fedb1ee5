/** @file Every kind of model there is. Adding one: its file, and its line here. */

import { aitm } from './aitm.ts'
import { dephn } from './dephn.ts'
import { esmm } from './esmm.ts'
import { mmoe } from './mmoe.ts'
import { omoe } from './omoe.ts'
import { ple } from './ple.ts'
import { sharedBottom } from './shared-bottom.ts'
import { stem } from './stem.ts'

/** Every model that a job can choose, with its options and how it is built. */
export const MODELS = [sharedBottom, omoe, mmoe, ple, stem, dephn, aitm, esmm] as const
