/** @file Which impressions give a row as they open, so that the prediction of that moment can be judged. */

import { hashShare } from '../events/id-hash.ts'
import type { Name } from '../events/name-units.ts'

/** Draws for other purposes by the same ids must not pick the same ones. */
const OPENED_SALT = 0x0fe4ed

/** Whether this impression is in the share, by a hash of its event id: the same in every run. */
export function isOpened(id: Name, share: number): boolean {
  return share > 0 && hashShare(id, OPENED_SALT) < share
}
