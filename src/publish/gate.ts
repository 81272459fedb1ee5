/**
 * @file The gate before publication (law 8): judges every candidate version; a sick one is held back with its reasons and the last
 * good one stays. Decides by event-time evidence and weights alone, so that a replay decides the same.
 */

import { ByteReader, ByteWriter } from '../bytes.ts'
import type { Stage } from '../stage.ts'
import {
  denseNorm,
  finiteFindings,
  type GateBaseline,
  type GateEvidence,
  type GateFinding,
  judgedTasks,
  normFindings,
  qualityFindings,
} from './gate-checks.ts'
import type { GateOptions } from './gate-options.ts'
import type { UpdateContent } from './update.ts'

/** What became of a candidate. */
export interface Verdict {
  readonly outcome: 'published' | 'held'
  /** Of the candidate; one that was held gives its number to the next. */
  readonly sequence: number
  /** Learned from by then. */
  readonly samples: number
  /** Why it was held; empty when it was published. */
  readonly findings: readonly GateFinding[]
  /** Held in a row, this one included. */
  readonly heldInRow: number
}

interface GateState {
  readonly baseline?: GateBaseline | undefined
  readonly heldInRow: number
}

/** The state is what is remembered of the last published version, and how many were held since. */
export class Gate implements Stage {
  readonly #options: GateOptions
  #state: GateState = { heldInRow: 0 }

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Judges a candidate; one without findings counts as published from now on. */
  judge(candidate: UpdateContent, evidence: GateEvidence): Verdict {
    const { samples, sequence } = candidate.header
    const findings = this.#findings(candidate, evidence)
    if (findings.length > 0) {
      const heldInRow = this.#state.heldInRow + 1
      this.#state = { ...this.#state, heldInRow }
      return { outcome: 'held', sequence, samples, findings, heldInRow }
    }
    this.#state = { baseline: this.#baselineOf(candidate, evidence), heldInRow: 0 }
    return { outcome: 'published', sequence, samples, findings, heldInRow: 0 }
  }

  snapshot(): Uint8Array {
    return new ByteWriter().text('gate 1').json(this.#state).finish()
  }

  restore(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes).expect('gate 1')
    this.#state = reader.json() as GateState
    reader.end()
  }

  #findings(candidate: UpdateContent, evidence: GateEvidence): GateFinding[] {
    const findings = finiteFindings(candidate)
    const options = this.#options
    if (!options.enabled) return findings
    const { baseline: last, heldInRow } = this.#state
    const baseline = heldInRow >= options.patience ? undefined : last
    findings.push(...normFindings(candidate, options, baseline))
    findings.push(...evidence.outages.map(outage))
    if (!this.#warm(candidate)) return findings
    for (const task of judgedTasks(evidence, options)) {
      findings.push(...qualityFindings(task, options, baseline))
    }
    return findings
  }

  #baselineOf(candidate: UpdateContent, evidence: GateEvidence): GateBaseline {
    return {
      sequence: candidate.header.sequence,
      denseNorm: denseNorm(candidate.dense),
      tasks: this.#warm(candidate) ? judgedTasks(evidence, this.#options) : [],
    }
  }

  #warm({ header }: UpdateContent): boolean {
    return header.samples >= this.#options.warmup_samples
  }
}

function outage(task: string): GateFinding {
  return { rule: 'label-outage', subject: task, message: `${task}: its labels stopped coming` }
}
