/** @file What a bench is, and what it gives: figures with their targets, floors beside them, curves for the plots. */

/** One measured line. With `against` the figure is a ratio of medians, else a median in `unit`. */
export interface Figure {
  /** Says what was measured, unique in its bench; the bench's first figure is its headline. */
  readonly label: string
  /** Unit of the rounds: `samples/s`, `ms`, `bytes`. */
  readonly unit: string
  /** One value per round. */
  readonly rounds: readonly number[]
  /** What it is compared with: the other side of the same run, in the same unit. */
  readonly against?: Side
  /** Which way is good, of the ratio or of the value. */
  readonly better: 'higher' | 'lower'
  /** What the ratio, or the value, should reach. */
  readonly target?: number
}

/** The other side of a figure. */
export interface Side {
  /** `torch`, `kafka-streams`, `equal weights`. */
  readonly name: string
  readonly rounds: readonly number[]
}

/** What the machine could do at best, measured in the same run: matrix products, memory bandwidth, decoding alone. */
export interface Floor {
  readonly label: string
  readonly value: number
  readonly unit: string
}

/** One plot: how something grows. */
export interface Curve {
  /** Unique in its bench. */
  readonly title: string
  readonly x: string
  readonly y: string
  /** A logarithmic axis; else it starts at 0. */
  readonly log?: 'x' | 'y' | 'both'
  readonly lines: readonly Line[]
}

export interface Line {
  readonly name: string
  /** Ascending in x. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** What one run of a bench found. */
export interface Measured {
  /** At least one; the first is the headline. */
  readonly figures: readonly Figure[]
  readonly floors?: readonly Floor[]
  readonly curves?: readonly Curve[]
  /** Versions of what took part: engine, broker, peer. */
  readonly versions?: Readonly<Record<string, string>>
  /** Facts that a reader of the figures needs: sizes, settings. */
  readonly facts?: Readonly<Record<string, string | number>>
}

/** What a bench gets. */
export interface BenchContext {
  /** The peer to measure beside; one of the bench's, undefined if it has none. */
  readonly peer: string | undefined
  /** Rounds per side; a bench gives its own default. */
  readonly rounds: number | undefined
  /** A folder of its own, removed afterwards. */
  readonly folder: string
  /** Prints one line of progress. */
  readonly say: (line: string) => void
}

/** One bench: a file of `bench/benches`. */
export interface Bench {
  readonly name: string
  /** What it measures, in a sentence. */
  readonly summary: string
  /** Peers that it can measure beside, the default first. */
  readonly peers: readonly string[]
  run(context: BenchContext): Promise<Measured>
}
