/** @file `millrace kuairand` on the real events: exact accounting, and parity with a PyTorch MMoE. */

import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { run } from './cli.ts'
import { temporaryFolder } from './temporary-job.ts'

const FOLDER = resolve(process.env.KUAIRAND_DIR ?? '../shared/data/kuairand')
const present = existsSync(`${FOLDER}/log_standard_0425_0430.csv.gz`)

if (!present) console.warn(`KUAIRAND IS ABSENT: ${FOLDER} has no log; its quality is NOT tested`)

test.skipIf(!present && process.env.CI === undefined)(
  'KuaiRand: every row is accounted for, and click and like are predicted better than by the PyTorch MMoE without rates',
  async () => {
    expect(present, `${FOLDER} must hold KuaiRand in CI`).toBe(true)
    const folder = temporaryFolder()
    const ended = await run(
      [
        'kuairand',
        ...['--log', `${FOLDER}/log_standard_0425_0430.csv.gz`],
        ...['--users', `${FOLDER}/user_features_pure.csv.gz`],
        ...['--videos', `${FOLDER}/video_features_basic_pure.csv.gz`],
        ...['--report', `${folder}/report.json`],
      ],
      folder,
    )
    expect(ended, ended.stderr).toMatchObject({ code: 0 })
    const report = JSON.parse(readFileSync(`${folder}/report.json`, 'utf8'))
    expect(report.accounting.impressions).toMatchObject({
      in: 94_784,
      duplicates: 2_979,
      joined: 91_805,
      open: 0,
    })
    for (const topic of Object.values<Record<string, number>>(report.accounting)) {
      const { in: read = 0, joined = 0, duplicates = 0, late = 0, orphans = 0 } = topic
      expect(read).toBe(joined + duplicates + late + orphans + (topic.dead_letters ?? 0))
    }
    console.log(JSON.stringify(report.tasks))
    expect(report.tasks.click.auc).toBeGreaterThan(0.724)
    for (const task of ['click', 'like']) {
      expect(Math.abs(report.tasks[task].calibration - 1), task).toBeLessThan(0.02)
    }
    expect(report.tasks.like.auc).toBeGreaterThan(0.78)
  },
  600_000,
)
