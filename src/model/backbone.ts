/**
 * @file The contract of a backbone: the part of a model below the towers. Adding one is one file that exports a `ModelKind`
 * and one line in `models.ts`; towers, mutual learning, the wide part and conditional heads come with it.
 */

import type { z } from 'zod'
import type { Tape, Var } from '../tensors/tape.ts'
import type { Condition } from './conditional-heads.ts'
import type {
  GateWeights,
  GradientScale,
  ModelInput,
  ModelShape,
  ParameterSource,
  ParameterSpec,
} from './model.ts'
import type { Tower } from './tower.ts'

/** A value that only one task's loss reaches although it comes straight from the input. */
export interface PrivateValue {
  readonly task: number
  readonly value: Var
}

/** What the towers stand on; see `Forward` for the cut. */
export interface BackboneForward {
  /** h_t, [B, width] per task. */
  readonly towerInputs: readonly Var[]
  readonly cut: readonly Var[]
  readonly privateCut: readonly PrivateValue[]
  readonly gates: readonly GateWeights[]
}

/** A backbone of one fixed shape. */
export interface Backbone {
  readonly columnsPerField: number
  /** n, the width of every tower input. */
  readonly width: number
  readonly parameters: readonly ParameterSpec[]
  /** What turns h_t into a logit. */
  readonly towers: readonly Tower[]
  /** Heads that the backbone itself makes conditional (ESMM). */
  readonly conditional?: readonly Condition[]
  forward(tape: Tape, parameter: ParameterSource, input: ModelInput): BackboneForward
  gradientScale?(): GradientScale
}

/** One line of the list in `models.ts`. */
export interface ModelKind<Options extends z.ZodObject> {
  readonly kind: string
  readonly options: Options
  /** BAD_SETTINGS when the options do not fit the shape. */
  backbone(options: unknown, shape: ModelShape): Backbone
}

/** Ties a backbone's builder to its options: what the builder gets has passed the schema. */
export function defineKind<Options extends z.ZodObject>(
  options: Options,
  kind: string,
  build: (options: z.output<Options>, shape: ModelShape) => Backbone,
): ModelKind<Options> {
  return { kind, options, backbone: (given, shape) => build(options.parse(given), shape) }
}
