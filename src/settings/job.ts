/** @file A job: one YAML file read, checked and typed. */

import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { MillraceError, messageOf } from '../errors.ts'
import { hasImpressions } from '../events/options.ts'
import { type JobSettings, jobSchema } from './job-schema.ts'
import { validate } from './validate.ts'
import { parseYaml } from './yaml-source.ts'

/** Settings and where they came from. `${NAME}` in texts is not replaced yet: see `expandSettings`. */
export interface Job extends JobSettings {
  /** The path as it was given, for messages. */
  readonly file: string
}

/** Whether samples start at impressions; else at the first action on a pair of user and item. */
export function startsAtImpressions({ events }: Job): boolean {
  return hasImpressions(events.kinds)
}

/** How a job erases users: the kind of its tombstones, and the field of impressions that holds the user. */
export function erasureOf({
  events,
}: Job): { readonly kind: string; readonly userField: string } | undefined {
  const tombstone = events.kinds.find(({ erases }) => erases !== undefined)
  if (tombstone?.erases === undefined) return undefined
  return { kind: tombstone.kind, userField: tombstone.erases }
}

/** Share of the impressions that are also scored as they open; an action that opens its sample has nothing to be scored before. */
export function openedShare(job: Job): number {
  return startsAtImpressions(job) ? job.observe.delayed_share : 0
}

/** Reads and checks a job file; BAD_SETTINGS with one line per problem: file, line, setting, value, remedy. */
export async function loadJob(file: string): Promise<Job> {
  return parseJob(file, await readText(file))
}

/** A job from text that was read already; `file` is for messages, and where relative paths start. BAD_SETTINGS as `loadJob`. */
export function parseJob(file: string, text: string): Job {
  return { ...validate(jobSchema, parseYaml(file, text)), file }
}

/** A path that stands in the job file, such as a schema's: relative paths start at the file's directory. */
export function besideJob(job: Job, path: string): string {
  return resolve(dirname(job.file), path)
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new MillraceError(
      'BAD_SETTINGS',
      `cannot read the job file ${file}: ${messageOf(cause)}`,
      {
        remedy: 'give the path of a job file, for example examples/simulated/job.yaml',
        cause,
      },
    )
  }
}
