/** @file The list of row balancers a job may name for its shared tables: `row_balance: { kind: pmtrec, ...options }`. */

import { z } from 'zod'
import { metabalanceRows, metabalanceRowsOptions } from './metabalance-rows.ts'
import { pmtrec, pmtrecOptions } from './pmtrec.ts'
import type { RowBalancer } from './row-balancer.ts'

/** What may stand in the job, defaults filled in; adding a method is one line here and one below. */
export const rowBalanceOptions = z.discriminatedUnion('kind', [
  pmtrecOptions.extend({ kind: z.literal('pmtrec') }).strict(),
  metabalanceRowsOptions.extend({ kind: z.literal('metabalance') }).strict(),
])

/** The row balancer of parsed settings. */
export function rowBalancerFrom(options: z.output<typeof rowBalanceOptions>): RowBalancer {
  switch (options.kind) {
    case 'pmtrec':
      return pmtrec(options)
    case 'metabalance':
      return metabalanceRows(options)
    default:
      return options satisfies never
  }
}
