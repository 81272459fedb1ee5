// Writes the generated parts of the documentation; run it after `npm run build`, and commit what it changes.
//   npm run docs             tables, pictures and copies of files
//   npm run docs -- --run    also the output of the default run in the README

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { READS } from '../.dependency-cruiser.mjs'
import { jobSchema } from '../dist/src/settings/job-schema.js'
import { apiTables } from './api-page.mjs'
import { crashTable } from './crash-table.mjs'
import { withPart } from './generated-part.mjs'
import { importPicture } from './import-picture.mjs'
import { jobFileTables } from './job-file-tables.mjs'
import { metricsTables } from './metrics-tables.mjs'

function write(file, part, content) {
  const before = readFileSync(file, 'utf8')
  const after = withPart(before, part, content)
  if (after === before) return
  writeFileSync(file, after)
  console.log(`${file}: wrote ${part}`)
}

/** Blocks that are a file of the repository, word for word. */
function writeCopies(file) {
  const before = readFileSync(file, 'utf8')
  const after = before.replaceAll(/^```(\w+) file=(\S+)\n[\s\S]*?^```$/gm, (_, language, path) => {
    return `\`\`\`${language} file=${path}\n${readFileSync(path, 'utf8').trimEnd()}\n\`\`\``
  })
  if (after === before) return
  writeFileSync(file, after)
  console.log(`${file}: copied its files`)
}

/** Every command, as the commands say it themselves. */
function commandReference() {
  const args = [resolve('dist/bin/millrace.js'), 'reference']
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trimEnd()
}

/** The tables that the default run prints, from an empty folder. */
function runOutput() {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  try {
    const options = { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }
    const output = execFileSync(
      process.execPath,
      [resolve('dist/bin/millrace.js'), 'start', '--exit'],
      options,
    )
    return output.trimEnd()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

writeFileSync('docs/images/folders.svg', importPicture(READS))
write('docs/job-file.md', 'settings', jobFileTables(z.toJSONSchema(jobSchema, { io: 'input' })))
write('docs/command-line.md', 'commands', commandReference())
write('docs/api.md', 'names', apiTables())
write('docs/metrics.md', 'metrics', metricsTables())
write(
  'docs/semantics.md',
  'crashes',
  crashTable(JSON.parse(readFileSync('bench/results/crash-table.json', 'utf8'))),
)
for (const page of ['README.md', 'docs/model-topic-consumer.md', 'docs/how-to/own-events.md'])
  writeCopies(page)
if (process.argv.includes('--run')) {
  write('README.md', 'output', `\`\`\`text output\n${runOutput()}\n\`\`\``)
}
