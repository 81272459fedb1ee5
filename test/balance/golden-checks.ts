/** @file What every balancing method does with a golden file: the options its config means, and the numbers it must reproduce. */

import { z } from 'zod'
import { alignedMtl } from '../../src/balance/aligned-mtl.ts'
import type { Balancer, BalancerState } from '../../src/balance/balancer.ts'
import { cagrad, cagradOptions } from '../../src/balance/cagrad.ts'
import { bounded } from '../../src/balance/coefficient-bounds.ts'
import { dwa, dwaOptions } from '../../src/balance/dwa.ts'
import { equal } from '../../src/balance/equal.ts'
import { fairgrad, fairgradOptions } from '../../src/balance/fairgrad.ts'
import { famo, famoOptions } from '../../src/balance/famo.ts'
import { gls } from '../../src/balance/gls.ts'
import { gradcraft, gradcraftOptions } from '../../src/balance/gradcraft.ts'
import { gradnorm, gradnormOptions } from '../../src/balance/gradnorm.ts'
import { gradvac, gradvacOptions } from '../../src/balance/gradvac.ts'
import { combined, combinedNorm, dot, gramTimes } from '../../src/balance/gram.ts'
import { imtl } from '../../src/balance/imtl.ts'
import { imtlG } from '../../src/balance/imtl-g.ts'
import { imtlL, imtlLOptions } from '../../src/balance/imtl-l.ts'
import { mgda, mgdaOptions } from '../../src/balance/mgda.ts'
import { nashMtl } from '../../src/balance/nash-mtl.ts'
import { pcgrad, pcgradOptions } from '../../src/balance/pcgrad.ts'
import { stch, stchOptions } from '../../src/balance/stch.ts'
import { symmetricEigen } from '../../src/balance/symmetric-eigen.ts'
import { uncertainty, uncertaintyOptions } from '../../src/balance/uncertainty.ts'
import { type Actual, arrayIn, type GoldenCase, listIn } from './golden-case.ts'
import { type Ran, runSteps } from './golden-steps.ts'
import { checkDbMtl, checkMetabalance, checkPmtrec } from './golden-vectors.ts'

/** Checks one file; `config` must be exactly the names that the method's file may have. */
export interface GoldenCheck {
  readonly config: z.ZodType
  run(file: GoldenCase): void
}

const SOLVER = 1e-6
const number = z.number()
const sized = { T: z.int().positive(), P: z.int().positive() }
const array = z.object({ shape: z.array(number), data: z.array(number) })

/** Every method that golden files may name. Random loss weighting has no fixed answer and none. */
export const GOLDEN_CHECKS: Readonly<Record<string, GoldenCheck>> = {
  equal: check({}, (file) => runSteps(file, { make: () => equal({}) })),
  gls: check({}, (file) => runSteps(file, { make: () => gls({}), extra: geometricMean })),
  uncertainty: check(
    { initial: number, learningRate: number, form: z.enum(['half', 'bce']) },
    (file) => {
      const options = uncertaintyOptions.parse({ ...file.config, optimizer: 'sgd' })
      runSteps(file, {
        make: () => uncertainty(options),
        extra: (ran) => learned('logVariance', ran, options.learningRate),
      })
    },
  ),
  'imtl-l': check({ initial: number, learningRate: number }, (file) => {
    const options = imtlLOptions.parse({ ...file.config, optimizer: 'sgd' })
    runSteps(file, {
      make: () => imtlL(options),
      extra: (ran) => learned('scale', ran, options.learningRate),
    })
  }),
  imtl: check({ initial: number, learningRate: number }, (file) => {
    const options = imtlLOptions.parse({ ...file.config, optimizer: 'sgd' })
    runSteps(file, {
      make: () => imtl(options),
      extra: (ran) => ({
        ...learned('scale', ran, options.learningRate),
        imtlG: ran.coefficients.map((c, i) => c / Math.exp(ran.before.learned![i]!)),
      }),
    })
  }),
  'imtl-g': check({}, (file) =>
    runSteps(file, {
      make: () => imtlG({}),
      extra: ({ seen, coefficients }) => {
        const projections = gramTimes(seen.gram, coefficients)
        return { commonProjection: [projections[0]! / Math.sqrt(seen.gram[0]!)] }
      },
    }),
  ),
  dwa: check({ temperature: number, window: number.optional() }, checkDwa),
  stch: check({ mu: number }, checkStch),
  famo: check(
    {
      ...{
        weightLearningRate: number,
        weightDecay: number,
        maxNorm: number,
        sgdLearningRate: number,
      },
      ...{ curvature: array, centre: array, offset: array, theta0: array },
    },
    checkFamo,
  ),
  gradnorm: check({ alpha: number, learningRate: number, initialLosses: array }, (file) => {
    const options = gradnormOptions.parse({
      ...file.config,
      initialLosses: [...arrayIn(file.config, 'initialLosses')],
      referenceDecay: 1,
      optimizer: 'sgd',
    })
    runSteps(file, {
      make: () => gradnorm(options),
      extra: (ran) => learned('logits', ran, options.learningRate),
    })
  }),
  mgda: check({ normalization: z.enum(['none', 'l2', 'loss', 'loss+']) }, checkMgda),
  pcgrad: check({ epsilon: number }, (file) => {
    const options = pcgradOptions.parse(file.config)
    runSteps(file, {
      make: (step) => pcgrad(options, () => listIn<number[]>(step, 'order')),
      extra: ({ gradient, tasks }) => ({ meanGradient: gradient.map((g) => g / tasks) }),
    })
  }),
  gradvac: check({ beta: number }, (file) => {
    const options = gradvacOptions.parse(file.config)
    runSteps(file, {
      make: (step) => gradvac(options, () => listIn<number[]>(step, 'order')),
      extra: ({ after }) => ({ rhoAfter: after.rho! }),
    })
  }),
  cagrad: check({ c: number, rescale: number }, checkCagrad),
  'nash-mtl': check({ maxNorm: number }, (file) =>
    runSteps(file, {
      make: () => nashMtl({ maxNorm: 0 }),
      relative: SOLVER,
      extra: (ran) => {
        const gramNorm = Math.sqrt(dot(ran.seen.gram, ran.seen.gram))
        const maxNorm = z.number().parse(file.config.maxNorm)
        return {
          gramNorm: [gramNorm],
          coefficientsOfNormalizedGram: ran.coefficients.map((a) => a * Math.sqrt(gramNorm)),
          clippedGradient: answer(nashMtl({ maxNorm }), ran),
        }
      },
    }),
  ),
  fairgrad: check({ alpha: number }, (file) =>
    runSteps(file, {
      make: () => fairgrad(fairgradOptions.parse(file.config)),
      relative: SOLVER,
      extra: (ran) => {
        const options = fairgradOptions.parse({ ...file.config, timesTasks: true, maxNorm: 1 })
        return { clippedTimesT: answer(fairgrad(options), ran) }
      },
    }),
  ),
  'aligned-mtl': check({}, (file) =>
    runSteps(file, {
      make: () => alignedMtl({ tolerance: 1e-10 }),
      extra: ({ seen, tasks }) => {
        const { values } = symmetricEigen(seen.gram, tasks)
        const largest = Math.max(...values)
        return { rank: [values.filter((l) => l > 1e-10 * largest).length] }
      },
    }),
  ),
  gradcraft: check({ tau: number, epsilon: number, ema: number }, (file) =>
    runSteps(file, {
      make: () => gradcraft(gradcraftOptions.parse(file.config)),
      extra: ({ after }) => ({ magnitudeAfter: after.magnitudes! }),
    }),
  ),
  metabalance: check(
    { segments: z.array(number), relax: number, beta: number, target: number },
    checkMetabalance,
  ),
  'db-mtl': check({ beta: number, sigma: number }, checkDbMtl),
  pmtrec: {
    config: z.strictObject({ T: number, rows: number, d: number, alpha: number, tau: number }),
    run: checkPmtrec,
  },
}

function check(shape: z.ZodRawShape, run: (file: GoldenCase) => void): GoldenCheck {
  return { config: z.strictObject({ ...sized, ...shape }), run }
}

/** The combined gradient of a stateless variant on the same step. */
function answer(balancer: Balancer, { seen, tasks, grads, length }: Ran): Float64Array {
  return combined(balancer.coefficients(seen, balancer.init(tasks)).coefficients, grads, length)
}

/** Learned numbers before and after; plain descent shows its slope as their difference over the rate. */
function learned(name: string, { before, after }: Ran, learningRate: number): Actual {
  const from = before.learned!
  const to = after.learned!
  return {
    [`${name}Before`]: from,
    [`${name}After`]: to,
    [`${name}Grad`]: from.map((value, i) => (value - to[i]!) / learningRate),
  }
}

function geometricMean({ seen, tasks }: Ran): Actual {
  return { objective: [seen.losses.reduce((product, loss) => product * loss, 1) ** (1 / tasks)] }
}

/** A period's mean is given apart from the step's losses: a second step of the period carries the difference. */
function checkDwa(file: GoldenCase): void {
  const windowed = file.config.window !== undefined
  const form = windowed ? { form: 'window' } : { form: 'period', periodSteps: 2 }
  const options = dwaOptions.parse({ ...file.config, ...form })
  runSteps(file, {
    make: () => dwa(options),
    ...(windowed ? {} : { settle: endPeriod }),
    extra: ({ coefficients, tasks }) => ({ weights: coefficients.map((c) => c * tasks) }),
  })
}

function endPeriod({ entries, seen, after }: Ran, balancer: Balancer): BalancerState {
  const mean = arrayIn(entries, 'periodMeanLosses')
  const losses = mean.map((value, i) => 2 * value - seen.losses[i]!)
  return balancer.coefficients({ ...seen, losses }, after).state
}

function checkStch(file: GoldenCase): void {
  const phases = file.steps.map((step) => step.phase)
  const warmupSteps = phases.filter((phase) => phase === 'warmup').length
  if (phases.some((phase, i) => phase !== (i < warmupSteps ? 'warmup' : 'main'))) {
    throw new Error(`phases are ${phases.join(', ')}; expected warmup steps, then main ones`)
  }
  runSteps(file, {
    make: () => stch(stchOptions.parse({ ...file.config, warmupSteps })),
    extra: ({ after }) => ({
      nadir: after.nadirSums!.map((sum, i) => sum / after.nadirCounts![i]!),
    }),
  })
}

function checkFamo(file: GoldenCase): void {
  const { weightLearningRate, weightDecay, maxNorm } = file.config
  const options = famoOptions.parse({ learningRate: weightLearningRate, weightDecay })
  const clip = z.number().parse(maxNorm)
  runSteps(file, {
    make: () => famo(options),
    settle: ({ entries, after }, balancer) => {
      if (balancer.afterStep === undefined) throw new Error('famo does not revisit its batch')
      return balancer.afterStep(arrayIn(entries, 'lossesAfter'), after)
    },
    extra: (ran) => {
      const clipped = bounded(famo(options), { maxNorm: clip })
      const { coefficients } = clipped.coefficients(ran.seen, ran.before)
      return {
        appliedGradient: combined(coefficients, ran.grads, ran.length),
        logitsBefore: ran.before.learned!,
        logitsAfter: ran.after.learned!,
        // An input of the update, restated here so that every number of the file is accounted for.
        delta: arrayIn(ran.entries, 'lossesAfter').map(
          (loss, i) => Math.log(ran.seen.losses[i]! + 1e-8) - Math.log(loss + 1e-8),
        ),
      }
    },
  })
}

function checkMgda(file: GoldenCase): void {
  const options = mgdaOptions.parse(file.config)
  runSteps(file, {
    make: () => mgda(options),
    relative: SOLVER,
    extra: (ran) => {
      const normalizers = ran.seen.losses.map((loss, i) => {
        const norm = Math.sqrt(ran.seen.gram[i * ran.tasks + i]!)
        return { none: 1, l2: norm, loss, 'loss+': loss * norm }[options.normalization]
      })
      const simplex = ran.coefficients.map((c, i) => c * normalizers[i]!)
      return {
        normalizers,
        simplex,
        gradientOfRawSum: combined(simplex, ran.grads, ran.length),
        minNormSquared: [combinedNorm(ran.seen.gram, ran.coefficients) ** 2],
      }
    },
  })
}

function checkCagrad(file: GoldenCase): void {
  const options = cagradOptions.parse(file.config)
  const { c, rescale } = options
  const divisor = [1, 1 + c * c, 1 + c][rescale]!
  runSteps(file, {
    make: () => cagrad(options),
    relative: SOLVER,
    extra: ({ coefficients, tasks, seen: { gram } }) => {
      const pulls = coefficients.map((value) => value * divisor - 1 / tasks)
      const total = pulls.reduce((sum, pull) => sum + pull, 0)
      const simplex = pulls.map((pull) => pull / total)
      const mean = gramTimes(gram, new Float64Array(tasks).fill(1 / tasks))
      const squareOfMean = dot(mean, new Float64Array(tasks).fill(1 / tasks))
      const radius = c * Math.sqrt(squareOfMean + 1e-8) + 1e-8
      const spread = Math.sqrt(combinedNorm(gram, simplex) ** 2 + 1e-8)
      return { simplex, objective: [dot(mean, simplex) + radius * spread] }
    },
  })
}
