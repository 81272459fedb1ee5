/** @file The optional section `graph` of full updates: the model's forward pass as data, for consumers that know no model kinds. */

import { ByteReader, ByteWriter } from '../bytes.ts'
import { type ForwardGraph, forwardGraph } from '../model/forward-graph.ts'
import type { Model } from '../model/model.ts'
import type { UpdateSection } from './sections.ts'

/** Optional: who knows the kinds of models needs no graph. */
export function graphSection(model: Model): UpdateSection {
  const content = new ByteWriter(16_384).json(forwardGraph(model)).finish()
  return { name: 'graph', version: 1, required: false, content }
}

/** The graph among an update's sections; undefined where the trainer wrote none. */
export function graphOf(sections: readonly UpdateSection[]): ForwardGraph | undefined {
  const section = sections.find(({ name, version }) => name === 'graph' && version === 1)
  if (section === undefined) return undefined
  const reader = new ByteReader(section.content)
  const graph = reader.json() as ForwardGraph
  reader.end()
  return graph
}
