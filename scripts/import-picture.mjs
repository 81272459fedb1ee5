// The folder table of .dependency-cruiser.mjs as a mermaid flowchart, for docs/architecture.md.

/** An arrow goes from a folder to the folders that read it: with the data. Arrows that follow from others are left out. */
export function importPicture(reads) {
  const lines = ['flowchart LR']
  for (const [folder, below] of Object.entries(reads)) {
    const direct = below.filter((name) => !below.some((other) => reaches(reads, other, name)))
    if (direct.length === 0 && !Object.values(reads).some((names) => names.includes(folder))) {
      lines.push(`  ${folder}`)
    }
    for (const name of direct) lines.push(`  ${name} --> ${folder}`)
  }
  return lines.join('\n')
}

function reaches(reads, from, to) {
  return from !== to && reads[from].some((name) => name === to || reaches(reads, name, to))
}
