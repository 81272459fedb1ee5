/** @file The `balance` and `row_balance` sections of a job: every method's own options, strict, told apart by `kind`. */

import { z } from 'zod'
import { BALANCERS } from '../balance/balancers.ts'
import { rowBalanceOptions } from '../balance/row-balancers.ts'
import { MillraceError } from '../errors.ts'
import { snakeCaseKind } from './snake-case.ts'

const [first, ...others] = BALANCERS.map(({ kind, settings }) => snakeCaseKind(kind, settings))
if (first === undefined) throw new MillraceError('BAD_STATE', 'the list of balancers is empty')

/** What a job may say about balancing; `balancerFrom` makes the balancer of it. */
export const balanceOptions = z.discriminatedUnion('kind', [first, ...others])

const [firstRow, ...otherRows] = rowBalanceOptions.options.map((options) =>
  snakeCaseKind(options.shape.kind.value, options),
)
if (firstRow === undefined) throw new MillraceError('BAD_STATE', 'no row balancer is listed')

/** What a job may say about its embedding rows; what comes out is what `rowBalancerFrom` takes. */
export const rowBalanceSettings = z
  .discriminatedUnion('kind', [firstRow, ...otherRows])
  .transform((options) => rowBalanceOptions.parse(options))

/** A balancer's name and its options. */
export type BalanceOptions = z.output<typeof balanceOptions>
