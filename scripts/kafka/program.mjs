// Looks for the programs that a broker needs, and says in one sentence what to install when one is missing.

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Something about the machine or the broker that the reader can put right. */
export class KafkaError extends Error {
  name = 'KafkaError'
}

/** The path of a program: from JAVA_HOME when it is java, else from PATH. */
export function whichProgram(name) {
  const fromHome = name === 'java' ? javaFromHome() : undefined
  if (fromHome !== undefined) return fromHome
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, process.platform === 'win32' ? `${name}.exe` : name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here: the next folder.
    }
  }
  return undefined
}

/** The path of a program; KafkaError with the remedy when there is none. */
export function findProgram(name, remedy) {
  const path = whichProgram(name)
  if (path === undefined) throw new KafkaError(`${name} is not installed. ${remedy}`)
  return path
}

function javaFromHome() {
  const home = process.env.JAVA_HOME
  if (!home) return undefined
  const path = join(home, 'bin', 'java')
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch {
    return undefined
  }
}
