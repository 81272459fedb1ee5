/**
 * @file The board of a group on a shared folder: a lock per member and a lock per piece. A process that died no longer holds its
 * locks; one that hangs does, until it is ended: on the embedded log nothing is taken from a living process.
 */

import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { MillraceError } from '../../errors.ts'
import type { PieceBoard } from '../fair-member.ts'
import { isMissing } from './disk.ts'
import { WriterLock } from './writer-lock.ts'

/** Groups are beside the topics; no topic name has a tilde. */
const GROUPS = '~groups'

/** A new member of the group in the log at `root`. */
export function joinFileGroup(
  root: string,
  group: string,
): { readonly id: string; readonly board: PieceBoard } {
  const folder = join(root, GROUPS, encodeURIComponent(group))
  const members = join(folder, 'members')
  const { id, lock } = register(members)
  const held = new Map<number, WriterLock>()
  const pieceFolder = (piece: number): string => join(folder, 'pieces', String(piece))
  return {
    id,
    board: {
      members: () => livingMembers(members),
      isFree: (piece) => !WriterLock.isHeld(pieceFolder(piece)),
      take: (piece) => {
        mkdirSync(pieceFolder(piece), { recursive: true })
        const taken = tryLock(pieceFolder(piece), `piece ${piece} of group ${group}`)
        if (taken !== undefined) held.set(piece, taken)
        return taken !== undefined
      },
      giveUp: (piece) => {
        held.get(piece)?.release()
        held.delete(piece)
      },
      leave: () => lock.release(),
    },
  }
}

/** A folder of its own for each membership of a process. */
function register(members: string): { id: string; lock: WriterLock } {
  mkdirSync(members, { recursive: true })
  const place = `${hostname()}-${process.pid}`
  for (let n = 0; ; n++) {
    const id = `${place}-${n}`
    const folder = join(members, id)
    mkdirSync(folder, { recursive: true })
    const lock = tryLock(folder, `membership ${id}`)
    if (lock !== undefined) return { id, lock }
  }
}

/** Forgets the dead on the way; a folder without a lock is one that is being made. */
function livingMembers(members: string): string[] {
  const living: string[] = []
  for (const id of readdirSync(members).sort()) {
    const folder = join(members, id)
    if (WriterLock.isHeld(folder)) living.push(id)
    else if (WriterLock.wasTaken(folder)) rmSync(folder, { recursive: true, force: true })
  }
  return living
}

/** Undefined when another process holds it, or removed the folder of a dead member meanwhile. */
function tryLock(folder: string, what: string): WriterLock | undefined {
  try {
    return WriterLock.acquire(folder, what)
  } catch (error) {
    if (isMissing(error)) return undefined
    if (error instanceof MillraceError && error.code === 'BROKER') return undefined
    throw error
  }
}
