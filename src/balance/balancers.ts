/** @file The list of balancers a job may name: `balance: { kind: pcgrad, ...options }`. Adding one is one file and one line here. */

import { z } from 'zod'
import { MillraceError } from '../errors.ts'
import { alignedMtl, alignedMtlOptions } from './aligned-mtl.ts'
import type { Balancer } from './balancer.ts'
import { cagrad, cagradOptions } from './cagrad.ts'
import { bounded, boundsOptions } from './coefficient-bounds.ts'
import { dbMtl, dbMtlOptions } from './db-mtl.ts'
import { dwa, dwaOptions } from './dwa.ts'
import { equal, equalOptions } from './equal.ts'
import { fairgrad, fairgradOptions } from './fairgrad.ts'
import { famo, famoOptions } from './famo.ts'
import { gls, glsOptions } from './gls.ts'
import { gradcraft, gradcraftOptions } from './gradcraft.ts'
import { gradnorm, gradnormOptions } from './gradnorm.ts'
import { gradvac, gradvacOptions } from './gradvac.ts'
import { smoothed, smoothingOptions } from './gram-smoothing.ts'
import { imtl, imtlOptions } from './imtl.ts'
import { imtlG, imtlGOptions } from './imtl-g.ts'
import { imtlL, imtlLOptions } from './imtl-l.ts'
import { metabalance, metabalanceOptions } from './metabalance.ts'
import { mgda, mgdaOptions } from './mgda.ts'
import { nashMtl, nashMtlOptions } from './nash-mtl.ts'
import { pcgrad, pcgradOptions } from './pcgrad.ts'
import { rlw, rlwOptions } from './rlw.ts'
import { stch, stchOptions } from './stch.ts'
import { uncertainty, uncertaintyOptions } from './uncertainty.ts'
import type { VectorBalancer } from './vector-balancer.ts'

/** What the learner gets; `needs` tells which of the two contracts it is. */
export type AnyBalancer = Balancer | VectorBalancer

/** A balancing method as the job file knows it. */
export interface BalancerMethod {
  readonly kind: string
  /** The job's `balance` section for this method: `kind`, the method's options, and the wrappers any Gram method may have. */
  readonly settings: z.ZodObject
  /** Makes the balancer from such a section; throws zod's error when an option is wrong. */
  create(settings: unknown): AnyBalancer
}

/** Wrappers of any method on coefficients: its Gram matrix smoothed, its coefficients bounded. Off unless asked for. */
const wrapperOptions = z.object({
  smoothing: smoothingOptions.optional(),
  bounds: boundsOptions.optional(),
})

/** Every method, in the order of papers.md section 5. */
export const BALANCERS: readonly BalancerMethod[] = [
  method('equal', equalOptions, equal),
  method('rlw', rlwOptions, rlw),
  method('uncertainty', uncertaintyOptions, uncertainty),
  method('dwa', dwaOptions, dwa),
  method('gls', glsOptions, gls),
  method('stch', stchOptions, stch),
  method('imtl-l', imtlLOptions, imtlL),
  method('famo', famoOptions, famo),
  method('gradnorm', gradnormOptions, gradnorm),
  method('mgda', mgdaOptions, mgda),
  method('pcgrad', pcgradOptions, pcgrad),
  method('gradvac', gradvacOptions, gradvac),
  method('cagrad', cagradOptions, cagrad),
  method('nash-mtl', nashMtlOptions, nashMtl),
  method('fairgrad', fairgradOptions, fairgrad),
  method('imtl-g', imtlGOptions, imtlG),
  method('imtl', imtlOptions, imtl),
  method('aligned-mtl', alignedMtlOptions, alignedMtl),
  method('metabalance', metabalanceOptions, metabalance),
  method('db-mtl', dbMtlOptions, dbMtl),
  method('gradcraft', gradcraftOptions, gradcraft),
]

/** The balancer of a job's `balance` section. BAD_SETTINGS names the kind or the option that is wrong. */
export function balancerFrom(settings: unknown): AnyBalancer {
  const kind = z.object({ kind: z.string() }).safeParse(settings).data?.kind
  const found = BALANCERS.find((known) => known.kind === kind)
  if (found === undefined) {
    throw new MillraceError('BAD_SETTINGS', `balance: no balancer is called '${kind}'`, {
      remedy: `give a kind out of ${BALANCERS.map((known) => known.kind).join(', ')}`,
    })
  }
  const checked = found.settings.safeParse(settings)
  if (!checked.success) {
    const wrong = z.prettifyError(checked.error)
    throw new MillraceError('BAD_SETTINGS', `balance of kind ${kind}: ${wrong}`, {
      remedy: `its options are ${Object.keys(found.settings.shape).join(', ')}`,
    })
  }
  return found.create(checked.data)
}

function method<Shape extends z.ZodRawShape>(
  kind: string,
  options: z.ZodObject<Shape>,
  make: (options: z.output<z.ZodObject<Shape>>) => AnyBalancer,
): BalancerMethod {
  return {
    kind,
    settings: z.strictObject({ kind: z.literal(kind), ...options.shape, ...wrapperOptions.shape }),
    create: (settings) => wrapped(make(options.parse(settings)), wrapperOptions.parse(settings)),
  }
}

/** Bounds outside smoothing: the norm that is clipped is that of the present gradients. */
function wrapped(made: AnyBalancer, options: z.output<typeof wrapperOptions>): AnyBalancer {
  const { bounds, smoothing } = options
  if (bounds === undefined && smoothing === undefined) return made
  if (made.needs === 'gradients' || (smoothing !== undefined && made.needs === 'losses')) {
    throw new MillraceError(
      'BAD_SETTINGS',
      `balance of kind ${made.name} has no Gram matrix or coefficients to wrap`,
      {
        remedy:
          made.needs === 'losses'
            ? 'remove balance.smoothing'
            : 'remove balance.smoothing and balance.bounds',
      },
    )
  }
  const inner = smoothing === undefined ? made : smoothed(made, smoothing)
  return bounds === undefined ? inner : bounded(inner, bounds)
}
