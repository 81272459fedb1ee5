/** @file What the stages of an A/B test's arm know, as a report. */

import type { ArmFigures } from '../src/observe/report.ts'
import type { JobStages } from './job-stages.ts'

/** By arm; undefined for a job that is none. O(window log window) per arm and task. */
export function armFigures({ arms }: Pick<JobStages, 'arms'>): readonly ArmFigures[] | undefined {
  if (arms === undefined) return undefined
  const { names, learned, leftOut } = arms.traffic
  const quality = arms.quality.quality()
  return names.map((arm, i) => ({
    arm,
    learned: learned[i] ?? 0,
    leftOut: leftOut[i] ?? 0,
    tasks: quality[i] ?? [],
  }))
}
