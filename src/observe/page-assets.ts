/** @file The built files of the page, as they lie in `dist/web`. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MillraceError } from '../errors.ts'

/** The page's three files as text. */
export interface PageAssets {
  readonly html: string
  readonly css: string
  readonly script: string
}

/** Reads them from the folder that the build wrote; IO when one is missing. */
export function readPageAssets(folder: string): PageAssets {
  const read = (name: string): string => {
    try {
      return readFileSync(join(folder, name), 'utf8')
    } catch (cause) {
      throw new MillraceError('IO', `the page's file ${join(folder, name)} cannot be read`, {
        remedy: 'run npm run build',
        cause,
      })
    }
  }
  return { html: read('page.html'), css: read('page.css'), script: read('page.js') }
}
