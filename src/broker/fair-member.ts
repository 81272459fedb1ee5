/** @file A member of a group without a coordinator: everyone sees the same board and takes or gives up pieces one by one. */

import { fairShare, type GroupMember } from './work-group.ts'

/** Where members and pieces are seen by all. */
export interface PieceBoard {
  /** Ids of the living members, sorted, this one among them. */
  members(): readonly string[]
  /** Whether nobody alive holds the piece. */
  isFree(piece: number): boolean
  /** True when the piece is this member's from now on. */
  take(piece: number): boolean
  giveUp(piece: number): void
  leave(): void
}

/** How often the board is looked at, ms. */
const LOOK_EVERY_MS = 50

/** Takes what is free up to its fair share and gives up what is beyond it, so the group comes to rest whatever happens. */
export class FairMember implements GroupMember {
  readonly id: string
  readonly #board: PieceBoard
  readonly #pieces: number
  readonly #held = new Set<number>()
  #lookedAt = Number.NEGATIVE_INFINITY
  #unsettled = true

  constructor(id: string, board: PieceBoard, pieces: number) {
    this.id = id
    this.#board = board
    this.#pieces = pieces
  }

  get unsettled(): boolean {
    const now = performance.now()
    if (now - this.#lookedAt < LOOK_EVERY_MS) return this.#unsettled
    this.#lookedAt = now
    const share = this.#share()
    const free = (): boolean => this.#others().some((piece) => this.#board.isFree(piece))
    this.#unsettled = this.#held.size > share || (this.#held.size < share && free())
    return this.#unsettled
  }

  async settle(release: (pieces: readonly number[]) => Promise<void>): Promise<readonly number[]> {
    const share = this.#share()
    const beyond = [...this.#held].sort((a, b) => a - b).slice(share)
    await release(beyond)
    for (const piece of beyond) {
      this.#held.delete(piece)
      this.#board.giveUp(piece)
    }
    for (const piece of this.#others()) {
      if (this.#held.size >= share) break
      if (this.#board.isFree(piece) && this.#board.take(piece)) this.#held.add(piece)
    }
    this.#lookedAt = Number.NEGATIVE_INFINITY
    return [...this.#held].sort((a, b) => a - b)
  }

  /** There are no groups to show positions to. */
  async commitOffsets(): Promise<void> {}

  async leave(): Promise<void> {
    for (const piece of this.#held) this.#board.giveUp(piece)
    this.#held.clear()
    this.#board.leave()
  }

  #share(): number {
    const members = this.#board.members()
    const rank = members.indexOf(this.id)
    // Thought dead by a coordinator: then nothing is this member's.
    return rank < 0 ? 0 : fairShare(this.#pieces, members.length, rank)
  }

  #others(): number[] {
    const all = Array.from({ length: this.#pieces }, (_, piece) => piece)
    return all.filter((piece) => !this.#held.has(piece))
  }
}
