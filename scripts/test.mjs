// The whole gate: types, lint, build, then every suite. A suite is a folder of test/ (or a test file beside them); one
// that ran no test fails. Ends with a line `N passed, N failed`.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { relative, sep } from 'node:path'

// The suites with a broker run alone: beside others, on two cores, its answers come late.
const RUNS = [
  { report: 'node_modules/.cache/test-report.json', select: ['--exclude', 'test/kafka/**'] },
  {
    report: 'node_modules/.cache/test-report-kafka.json',
    select: ['test/kafka', '--maxWorkers=1'],
  },
]
let passed = 0
let failed = 0
let badRuns = 0

function check(name, command, args) {
  const started = Date.now()
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  console.log(`${status === 0 ? 'passed' : 'FAILED'}  ${name} (${seconds} s)`)
  if (status === 0) passed += 1
  else failed += 1
}

function suiteOf(file) {
  return relative('test', file).split(sep)[0]
}

function expectedSuites() {
  return readdirSync('test', { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.endsWith('.test.ts')) return [entry.name]
    if (!entry.isDirectory()) return []
    const files = readdirSync(`test/${entry.name}`, { recursive: true })
    return files.some((file) => String(file).endsWith('.test.ts')) ? [entry.name] : []
  })
}

/** What vitest said of every file, over all runs; a run without a report is a failure of its own. */
function fileResults() {
  return RUNS.flatMap(({ report }) => {
    if (existsSync(report)) return JSON.parse(readFileSync(report, 'utf8')).testResults
    console.log(`FAILED  vitest wrote no ${report}`)
    failed += 1
    return []
  })
}

/** Tests by suite and outcome. A file that failed outside of its tests counts as one failure. */
function tally(results) {
  const fresh = () => ({ passed: 0, failed: 0, skipped: 0 })
  const suites = new Map(expectedSuites().map((suite) => [suite, fresh()]))
  for (const { name, status, assertionResults } of results) {
    const counts = suites.get(suiteOf(name)) ?? fresh()
    suites.set(suiteOf(name), counts)
    for (const test of assertionResults)
      counts[test.status in counts ? test.status : 'skipped'] += 1
    const inTests = assertionResults.some((test) => test.status === 'failed')
    if (status === 'failed' && !inTests) counts.failed += 1
  }
  return suites
}

function countSuites(results) {
  for (const [suite, counts] of [...tally(results)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const empty = counts.passed + counts.failed === 0
    if (empty && process.env.CI) counts.failed += 1
    passed += counts.passed
    failed += counts.failed
    const skipped = counts.skipped > 0 ? `  (${counts.skipped} skipped)` : ''
    const verdict = counts.failed === 0 ? 'passed' : 'FAILED'
    const numbers = `${counts.passed} passed, ${counts.failed} failed`
    console.log(`${verdict}  ${suite}: ${numbers}${empty ? '  RAN NO TEST' : skipped}`)
  }
}

/** Said once more at the end, where it is read: which tests failed, and the start of what each said. */
function nameFailures(results) {
  for (const { name, message, assertionResults } of results) {
    const failures = assertionResults.filter(({ status }) => status === 'failed')
    for (const { fullName, failureMessages } of failures) {
      showFailure(`${relative('.', name)} > ${fullName}`, failureMessages.join('\n'))
    }
    if (failures.length === 0 && message) showFailure(relative('.', name), message)
  }
}

function showFailure(title, text) {
  const lines = text.split('\n').slice(0, 6)
  console.log(
    `FAILED  ${title}\n${lines.map((line) => `        ${line.slice(0, 200)}`).join('\n')}`,
  )
}

mkdirSync('node_modules/.cache', { recursive: true })
for (const { report } of RUNS) rmSync(report, { force: true })
check('types', 'npm', ['run', '--silent', 'types'])
check('lint and format', 'npx', ['biome', 'ci', '.'])
check('build', 'npm', ['run', '--silent', 'build'])
// With neither engine the suites run on the others, and say so.
spawnSync('node', ['scripts/native.mjs', '--if-possible'], { stdio: 'inherit' })
for (const { report, select } of RUNS) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const { status } = spawnSync('npx', ['vitest', 'run', ...select, ...reporters], {
    stdio: 'inherit',
  })
  badRuns += status === 0 ? 0 : 1
}
const results = fileResults()
countSuites(results)
nameFailures(results)
if (badRuns > 0 && failed === 0) {
  console.log('FAILED  vitest ended badly although no test failed: an error outside of the tests')
  failed += badRuns
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
