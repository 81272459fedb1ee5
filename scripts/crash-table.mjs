// The crash table of docs/semantics.md, from bench/results/crash-table.json, which `npm run test:kafka:kills` writes.

/** Rows by kind of crash, and where they were measured. */
export function crashTable({ facts, figures, commit, machine, measured_on }) {
  const kinds = figures
    .filter(({ label }) => label.endsWith(': lost'))
    .map(({ label }) => label.slice(0, -': lost'.length))
  const count = (kind, name) => figures.find(({ label }) => label === `${kind}: ${name}`).rounds[0]
  const rows = kinds.map((kind) => {
    const counts = ['lost', 'doubled', 'different'].map((name) => count(kind, name))
    return `| ${[kind, facts[`${kind}: crashes`], facts[`${kind}: runs`], ...counts].join(' | ')} |`
  })
  return [
    '| crash | crashes | runs | lost | doubled | other hashes |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    `Commit ${commit}, ${machine.cores} cores (${machine.processor}), ${measured_on}.`,
  ].join('\n')
}
