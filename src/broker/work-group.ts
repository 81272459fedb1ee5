/** @file A group of processes that share numbered pieces of work: what a member sees of it, and who should hold how much. */

import type { TopicPartition } from '../ids.ts'

/** What a process joins. */
export interface GroupOptions {
  readonly group: string
  /** Topics whose partition number is the number of the piece: for tools that look at the group. */
  readonly topics: readonly string[]
  /** The pieces are 0 to `pieces` - 1. */
  readonly pieces: number
  /** How long a member that shows no sign of life keeps its pieces, where that is found out by waiting. */
  readonly sessionMs: number
}

/**
 * One member. It holds what the last `settle` gave, until it calls `settle` again. A group is politeness, not a fence: a member
 * that was thought dead may still believe that it holds a piece, so what is written for a piece carries a claim of its own.
 */
export interface GroupMember {
  readonly id: string
  /** Whether pieces should change hands: then bring what is held to rest and call `settle`. */
  readonly unsettled: boolean
  /**
   * Gives up what others should have, takes what is this member's; resolves with all that it holds from now on, ascending. `release`
   * is called with what is given up, where there are locks before anybody else can have it.
   */
  settle(release: (pieces: readonly number[]) => Promise<void>): Promise<readonly number[]>
  /** Shows positions that are safe elsewhere to tools that look at the group's lag; nothing reads from there. */
  commitOffsets(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void>
  /** Gives everything up. What is held must be at rest. */
  leave(): Promise<void>
}

/** How many pieces the member in place `rank` (from 0) should hold. */
export function fairShare(pieces: number, members: number, rank: number): number {
  return Math.floor(pieces / members) + (rank < pieces % members ? 1 : 0)
}

/** A member with what it held last. */
export interface Holder {
  readonly id: string
  readonly held: readonly number[]
}

/** Every piece to one member, fairly, and to the one that held it where that is fair. A function of its arguments alone. */
export function shareOut(
  holders: readonly Holder[],
  pieces: number,
): ReadonlyMap<string, number[]> {
  const ranked = holders.toSorted((a, b) => b.held.length - a.held.length || (a.id < b.id ? -1 : 1))
  const free = new Set(Array.from({ length: pieces }, (_, piece) => piece))
  const shares = new Map<string, number[]>()
  for (const [rank, { id, held }] of ranked.entries()) {
    const share: number[] = []
    for (const piece of held.toSorted((a, b) => a - b)) {
      if (share.length < fairShare(pieces, ranked.length, rank) && free.delete(piece)) {
        share.push(piece)
      }
    }
    shares.set(id, share)
  }
  for (const [rank, { id }] of ranked.entries()) {
    const share = shares.get(id) ?? []
    for (const piece of [...free]) {
      if (share.length >= fairShare(pieces, ranked.length, rank)) break
      free.delete(piece)
      share.push(piece)
    }
    share.sort((a, b) => a - b)
  }
  return shares
}
