/**
 * @file Named, versioned pieces of an update's body: the one way in which the format grows (docs/model-topic.md, "Changing the
 * format"). A reader skips a section that it does not know when it is marked optional, and refuses the update when it is required.
 */

import type { ByteReader, ByteWriter } from '../bytes.ts'
import { MillraceError } from '../errors.ts'

/** One piece of the body. */
export interface UpdateSection {
  /** Lower-case words with hyphens; unique in an update. */
  readonly name: string
  /** Layout of `content`; a changed layout is a new version. */
  readonly version: number
  /** Whether a consumer that does not know this name in this version would score wrongly without it. */
  readonly required: boolean
  readonly content: Uint8Array
}

/**
 * Every section that this program reads, with the versions of its layout. A part of the program that adds a section to updates adds
 * its line here, and a row to the table of docs/model-topic.md.
 */
export const SECTIONS: Readonly<Record<string, readonly number[]>> = {
  dense: [1],
  statistics: [1],
  rows: [1, 2],
  probe: [1],
  'feature-state': [1],
  graph: [1],
  removed: [1],
  'state-removed': [1],
}

/** Flag bit of a required section. */
const REQUIRED = 1

/** Appends the sections, in the given order. */
export function writeSections(writer: ByteWriter, sections: readonly UpdateSection[]): void {
  writer.u32(sections.length)
  for (const { name, version, required, content } of sections) {
    writer
      .text(name)
      .u32(version)
      .u8(required ? REQUIRED : 0)
      .bytes(content)
  }
}

/**
 * What `writeSections` wrote, by name, optional ones that this program does not know included. FOREIGN when a required one is
 * unknown, CORRUPT when a name comes twice or a flag is not one.
 */
export function readSections(reader: ByteReader): ReadonlyMap<string, UpdateSection> {
  const sections = new Map<string, UpdateSection>()
  for (let left = reader.u32(); left > 0; left--) {
    const name = reader.text()
    const version = reader.u32()
    const flags = reader.u8()
    const section = { name, version, required: flags === REQUIRED, content: reader.bytes() }
    if (flags > REQUIRED || sections.has(name)) {
      throw new MillraceError(
        'CORRUPT',
        `section ${JSON.stringify(name)} comes twice or is marked ${flags}`,
      )
    }
    if (section.required && !isKnown(section)) {
      throw new MillraceError('FOREIGN', `the update needs section ${name} version ${version}`, {
        remedy: 'upgrade the consumer',
      })
    }
    sections.set(name, section)
  }
  return sections
}

/** Whether this program reads the section: its name, in its version. */
export function isKnown({ name, version }: UpdateSection): boolean {
  return Object.hasOwn(SECTIONS, name) && SECTIONS[name]?.includes(version) === true
}
