/** @file A model with every kind of state, histories among them, learned by a joiner and a trainer, and rows of their samples topic. */

import { parseJob } from '../../src/settings/job.ts'
import { learnedLog } from '../topology/logged-samples.ts'
import { jobText } from '../topology/temporary-job.ts'
import { withHistories } from '../topology/tight-job.ts'
import type { Place } from './python-topics.ts'

/** The topic `logged` as the Python tests read it. */
export async function loggedTopic({ folder, log }: Place): Promise<object> {
  const text = withHistories(jobText(folder))
    .replace('kind: mmoe,', 'kind: mmoe, wide: true,')
    .replace('publish: {', 'publish: { topic: logged,')
  const job = parseJob(`${folder}/job.yaml`, text)
  const { version, rows, expected } = await learnedLog(job, log, 200)
  const { sequence, sha256 } = version
  return {
    topic: 'logged',
    sequence,
    sha256,
    versions: [sha256],
    scores: expected,
    rows: rows.map(({ fields, time }) => ({ ...fields, time })),
  }
}
