/** @file Feedback on an erased impression finds no older one with the same key, before a restart and after it. */

import { expect, test } from 'vitest'
import type { Event } from '../../src/events/event.ts'
import { emptyOutputs } from '../../src/join/join-outputs.ts'
import { LabelJoin } from '../../src/join/label-join.ts'
import type { JoinOptions } from '../../src/join/options.ts'
import { decodePlain, plainEvent } from '../events/plain-events.ts'

const options: JoinOptions = {
  tasks: [{ name: 'click', kind: 'click', windowMs: 30 }],
  emission: 'wait',
  erasure: { kind: 'erasure', userField: 'user' },
  retentionMs: 20,
}

function shown(id: string, time: number, user: string): Event {
  return plainEvent({ id, time, fields: { user } })
}

test('feedback on an erased impression is an orphan, restored or not', () => {
  const labels = new LabelJoin(options, decodePlain)
  const restored = new LabelJoin(options, decodePlain)
  // The first is closed by then, the second open and of somebody else.
  const before = [shown('i1', 100, 'a'), shown('i2', 135, 'b'), shown('i3', 136, 'c')]
  const tombstone = plainEvent({ kind: 'erasure', key: 'c', time: 140, anchor: false })
  for (const event of [...before, tombstone]) labels.push(event, emptyOutputs())
  restored.restore(labels.snapshot())
  expect(Buffer.compare(restored.snapshot(), labels.snapshot())).toBe(0)
  for (const one of [labels, restored]) {
    const outputs = emptyOutputs()
    one.push(plainEvent({ kind: 'click', time: 141, id: 'click', anchor: false }), outputs)
    expect(outputs.orphans.length).toBe(1)
  }
})
