import { describe, expect, it } from 'vitest'
import { emptyOutputs } from '../../src/join/join-outputs.ts'
import { Ledger } from '../../src/join/ledger.ts'
import { unaccounted } from '../../src/observe/accounting.ts'
import { codeOf } from '../contracts/stage.contract.ts'
import { plainEvent } from '../events/plain-events.ts'
import { kindOf } from './drawn-history.ts'

const impressions = kindOf('impression', 'impression')
const clicks = kindOf('click', 'impression')
const open = plainEvent()
const click = plainEvent({ kind: 'click', source: { input: 2, offset: 0 } })

describe('the ledger', () => {
  it('adds the inputs of a kind up and names every place', () => {
    const ledger = new Ledger([impressions, impressions, clicks])
    for (const input of [0, 1, 1, 2, 2]) ledger.countIn(input)
    ledger.countOut({
      ...emptyOutputs(),
      duplicates: [plainEvent({ source: { input: 1, offset: 1 } })],
      sampled: [plainEvent({ source: { input: 1, offset: 0 } })],
      late: [{ event: click, reason: 'after-window' }],
      deadLetters: [{ ...click, kind: 'malformed', reason: 'key', detail: '' }],
    })
    const accounting = ledger.accounting([open])
    expect(accounting).toMatchObject([
      { topic: 'impressions', kind: 'impression', in: 3, joined: 1, duplicates: 1, open: 1 },
      { topic: 'clicks', in: 2, late: { 'after-window': 1 }, deadLetters: { key: 1 }, open: 0 },
    ])
    expect(accounting.map(unaccounted)).toEqual([0, 0])
  })

  it('notices a record that is in no place', () => {
    const ledger = new Ledger([impressions, clicks])
    ledger.countIn(1)
    ledger.check(1)
    expect(codeOf(() => ledger.check(0))).toBe('BAD_STATE')
    expect(() => ledger.accounting([])).toThrow('1 records of click are unaccounted for')
  })

  it('notices records that change places between kinds, which the total does not show', () => {
    const ledger = new Ledger([impressions, clicks])
    ledger.countIn(0)
    ledger.check(1)
    expect(codeOf(() => ledger.accounting([plainEvent({ kind: 'click' })]))).toBe('BAD_STATE')
  })
})
