/** @file Reads one golden model file: what it asks for as options of a model, and its arrays. Nothing is read from its name. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildModel } from '../../src/model/build-model.ts'
import type { Model } from '../../src/model/model.ts'
import { modelOptions } from '../../src/model/options.ts'
import type { GoldenFolder } from '../golden-folder.ts'

/** An array as the files write it: flat and row-major. */
export interface GoldenArray {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

/** DEPHN's expectations for gate gradients; arrays are [T, K, P] unless said otherwise. */
export interface GoldenVirtual {
  readonly function: string
  /** [T, T]. */
  readonly labelAssociation: GoldenArray
  readonly labelAssociationCosine: GoldenArray
  readonly scale: GoldenArray
  readonly gateGrads: GoldenArray
  readonly scaleClipped: GoldenArray
  readonly gateGradsClipped: GoldenArray
  readonly variants: Readonly<Record<string, GoldenArray>>
}

export interface GoldenModel {
  readonly algorithm: string
  readonly case: string
  readonly config: Readonly<Record<string, unknown>>
  readonly params: Readonly<Record<string, GoldenArray>>
  readonly inputs: { readonly x: GoldenArray }
  readonly labels: GoldenArray
  readonly expected: {
    readonly logits: GoldenArray
    readonly probabilities: GoldenArray
    readonly losses: GoldenArray
    readonly grads: Readonly<Record<string, Readonly<Record<string, GoldenArray>>>>
    readonly zeroGrads: Readonly<Record<string, readonly string[]>>
    readonly virtual?: GoldenVirtual
  }
}

/** Every file of the folder, by name. */
export function readGoldenModels({ path, names }: GoldenFolder): ReadonlyMap<string, GoldenModel> {
  return new Map(names.map((name) => [name, JSON.parse(readFileSync(join(path, name), 'utf8'))]))
}

const BACKBONES = ['shared-bottom', 'omoe', 'mmoe', 'ple', 'stem', 'dephn', 'aitm', 'esmm']

/** Configuration keys that say nothing about the model: sizes of the arrays and where a file comes from. */
const SIZES = ['T', 'F', 'd', 'B', 'source']

/** Keys of the mutual learning around a backbone; they are fields of `dml`. */
const DML: Readonly<Record<string, string>> = {
  ctfm: 'ctfm',
  gkd: 'gkd',
  gkdGateLayers: 'gate_layers',
  stopGradient: 'stop_gradient',
}

/** The model that the file describes. Throws for an algorithm or a setting that nothing here knows. */
export function goldenModel(file: GoldenModel): Model {
  const { T, F, d } = file.config
  const shape = {
    tasks: Array.from({ length: Number(T) }, (_, task) => `task-${task}`),
    fields: Number(F),
    dense: 0,
  }
  return buildModel(modelOptions.parse({ ...optionsOf(file), dim: d }), shape)
}

function optionsOf(file: GoldenModel): Record<string, unknown> {
  const { algorithm, config } = file
  const mutual = algorithm.startsWith('dml-')
  const kind = mutual ? String(config.backbone) : algorithm
  if (!BACKBONES.includes(kind) || (mutual && algorithm !== `dml-${kind}`)) {
    throw new Error(`golden file of an unknown algorithm: ${algorithm}`)
  }
  const options: Record<string, unknown> = { kind }
  const dml: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(config)) {
    const part = DML[key]
    if (SIZES.includes(key) || (mutual && key === 'backbone')) continue
    if (part === undefined) options[optionName(kind, key)] = value
    else dml[part] = value
  }
  if (mutual) return { ...options, ...linearGates(kind, options), ...streamsOf(file), dml }
  return Object.keys(dml).length > 0 ? { ...options, dml } : options
}

/** `expertHidden` -> `expert_hidden`; the strict schema of the kind refuses what it does not know. */
function optionName(kind: string, key: string): string {
  // The DML files call the widths of every backbone `expertHidden`.
  if (kind === 'shared-bottom' && key === 'expertHidden') return 'bottom_hidden'
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** The authors of DML have gates of one linear layer. */
function linearGates(kind: string, options: Record<string, unknown>): Record<string, unknown> {
  const isGated = ['omoe', 'mmoe', 'ple', 'stem'].includes(kind)
  return isGated && options.gate_hidden === undefined ? { gate_hidden: [] } : {}
}

/** One shared stream or one per expert shows in the names of the shared gates. */
function streamsOf({ params }: GoldenModel): Record<string, unknown> {
  const names = Object.keys(params)
  const perExpert = names.some((name) => /^level\.\d+\.gate\.shared\.\d+\./.test(name))
  return perExpert ? { shared_streams: 'per-expert' } : {}
}
