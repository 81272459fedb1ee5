/** @file The calibration curve: predictions cut into bins of equal size, mean probability against rate of positives in each. */

/** One point of the curve. */
export interface ReliabilityBin {
  readonly samples: number
  /** Mean predicted probability. */
  readonly predicted: number
  /** Rate of positives. */
  readonly observed: number
  /** Wilson interval of the rate at 95 %. */
  readonly low: number
  readonly high: number
}

/** Cells on the logit scale that predictions are sorted into before they are cut; fine enough for any curve. */
const CELLS = 1024
/** Logits beyond this fall into the outermost cells. */
const LOGIT_RANGE = 12

/** Bins of about equal size, lowest predictions first; predictions of one cell stay together. O(n), without sorting. */
export function reliabilityBins(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  bins = 10,
): readonly ReliabilityBin[] {
  const count = new Float64Array(CELLS)
  const predicted = new Float64Array(CELLS)
  const positives = new Float64Array(CELLS)
  for (let i = 0; i < labels.length; i++) {
    const cell = cellOf(probabilities[i]!)
    count[cell]! += 1
    predicted[cell]! += probabilities[i]!
    positives[cell]! += labels[i]! > 0 ? 1 : 0
  }
  const found: ReliabilityBin[] = []
  let open = { samples: 0, predicted: 0, positives: 0 }
  let passed = 0
  for (let cell = 0; cell < CELLS; cell++) {
    open.samples += count[cell]!
    open.predicted += predicted[cell]!
    open.positives += positives[cell]!
    passed += count[cell]!
    if (open.samples > 0 && passed >= ((found.length + 1) / bins) * labels.length) {
      found.push(binOf(open))
      open = { samples: 0, predicted: 0, positives: 0 }
    }
  }
  return found
}

function cellOf(probability: number): number {
  const logit = Math.log(probability / (1 - probability))
  const place = Math.floor(((logit + LOGIT_RANGE) / (2 * LOGIT_RANGE)) * CELLS)
  return Math.min(CELLS - 1, Math.max(0, place))
}

/** Wilson (1927): the interval keeps inside [0, 1] and is sound for rates near 0. */
function binOf(sums: { samples: number; predicted: number; positives: number }): ReliabilityBin {
  const { samples } = sums
  const observed = sums.positives / samples
  const z = 1.96
  const spread = 1 + z ** 2 / samples
  const middle = (observed + z ** 2 / (2 * samples)) / spread
  const half =
    (z / spread) * Math.sqrt((observed * (1 - observed)) / samples + z ** 2 / (4 * samples ** 2))
  return {
    samples,
    predicted: sums.predicted / samples,
    observed,
    low: Math.max(0, middle - half),
    high: Math.min(1, middle + half),
  }
}
