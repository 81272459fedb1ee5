/** @file The board of a group inside one process: for the log in memory. */

import type { PieceBoard } from './fair-member.ts'

/** Members and the holder of each piece. */
export class MemoryGroup {
  readonly #members = new Set<string>()
  readonly #holders = new Map<number, string>()
  #joined = 0

  /** A new member's view. */
  join(): { readonly id: string; readonly board: PieceBoard } {
    const id = `member-${String(this.#joined++).padStart(6, '0')}`
    this.#members.add(id)
    const holders = this.#holders
    return {
      id,
      board: {
        members: () => [...this.#members].sort(),
        isFree: (piece) => !holders.has(piece),
        take: (piece) => !holders.has(piece) && holders.set(piece, id).get(piece) === id,
        giveUp: (piece) => {
          if (holders.get(piece) === id) holders.delete(piece)
        },
        leave: () => void this.#members.delete(id),
      },
    }
  }

  /** What a coordinator does with a member that it thinks dead, which may live on and not know. */
  evict(id: string): void {
    this.#members.delete(id)
    for (const [piece, holder] of this.#holders) if (holder === id) this.#holders.delete(piece)
  }
}
