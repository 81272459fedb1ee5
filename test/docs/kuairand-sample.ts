/** @file The first rows of KuaiRand-Pure where a reader of the README has the whole of it; enough to run the command. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const ROWS = 3_000

/** Name in the download -> name in the test data. */
const FILES = {
  'log_standard_4_22_to_5_08_pure.csv': 'log_standard_0425_0430.csv.gz',
  'user_features_pure.csv': 'user_features_pure.csv.gz',
  'video_features_basic_pure.csv': 'video_features_basic_pure.csv.gz',
}

/** Writes the files to KuaiRand-Pure/data of the folder; returns why not, when the test data is not there. */
export function loadKuairand(folder: string): string | undefined {
  const source = process.env.KUAIRAND_DIR ?? '../shared/data/kuairand'
  const target = join(folder, 'KuaiRand-Pure/data')
  for (const [name, packed] of Object.entries(FILES)) {
    const path = join(source, packed)
    if (!existsSync(path)) return `${path} is missing (KUAIRAND_DIR says where the data is)`
    const text = gunzipSync(readFileSync(path)).toString('utf8')
    const lines = name.startsWith('log') ? text.split('\n').slice(0, ROWS + 1) : text.split('\n')
    mkdirSync(target, { recursive: true })
    writeFileSync(join(target, name), `${lines.join('\n').trimEnd()}\n`)
  }
  return undefined
}
