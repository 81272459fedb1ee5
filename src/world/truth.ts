/**
 * @file The true probability of each action, p = sigmoid(sum of effects): what learners are judged against and never see.
 * Nearly all of it comes from what the events show (segment x category, position, device, hour, author, tags, age of the
 * item); single users and items add a little.
 */

import { CATEGORIES, TAG_COUNT } from './catalogue.ts'
import { PURPOSE, randomOf } from './draws.ts'
import { Effects, WanderingEffects } from './effects.ts'
import { AGE_BANDS, COUNTRIES, DEVICES } from './population.ts'
import { type PerTask, WORLD_TASKS } from './tasks.ts'
import { type Showing, Visits } from './visits.ts'
import type { WorldOptions } from './world-options.ts'

/** Log-odds of an average showing, in the order of `WORLD_TASKS`. */
const BASE = [-0.15, -2.3, -3.2]
/** Users look less and less down the slate: added per ln(1 + position). */
const POSITION_SLOPE = [-0.45, -0.2, -0.15]
/** Amplitude of the day's rhythm, highest at 20 h UTC. */
const HOUR_SWING = [0.15, 0.1, 0.1]
/** New items attract: added per ln(1 + age in hours). */
const AGE_SLOPE = [-0.2, -0.12, -0.2]

/** What the actions of every impression were really likely to be, in the world of the same options. */
export class Truth {
  readonly #visits: Visits
  readonly #options: WorldOptions
  readonly #fashion: WanderingEffects
  readonly #ageCategory: WanderingEffects
  /** What age bands like after the change of taste. */
  readonly #laterAgeCategory: WanderingEffects
  readonly #countryCategory: WanderingEffects
  readonly #user: Effects
  readonly #author: Effects
  readonly #device: Effects
  readonly #tag: Effects
  readonly #logOdds = new Float64Array(WORLD_TASKS.length)

  constructor(options: WorldOptions) {
    this.#options = options
    this.#visits = new Visits(options)
    const cells = CATEGORIES.length
    const wandering = (table: number, rows: number, still: number[], swing: number[]) =>
      new WanderingEffects(
        rows * cells,
        { sd: still, shared: 0.75 },
        { sd: swing, shared: 0.75 },
        options.drift_hours,
        randomOf(options.seed, PURPOSE.drift, table),
      )
    const fixed = (table: number, size: number, sd: number[], shared: number) =>
      new Effects(size, { sd, shared }, randomOf(options.seed, PURPOSE.effects, table))
    this.#fashion = wandering(0, 1, [0.3, 0.3, 0.3], [0.65, 0.65, 0.65])
    this.#ageCategory = wandering(1, AGE_BANDS.length, [1, 1, 1], [0.15, 0.15, 0.15])
    this.#laterAgeCategory = wandering(3, AGE_BANDS.length, [1, 1, 1], [0.15, 0.15, 0.15])
    this.#countryCategory = wandering(2, COUNTRIES.length, [0.2, 0.2, 0.2], [0, 0, 0])
    this.#user = fixed(0, options.users, [0.2, 0.15, 0.1], 0.8)
    this.#author = fixed(1, options.authors, [0.15, 0.15, 0.15], 0.8)
    this.#device = fixed(2, DEVICES.length, [0.2, 0.2, 0.3], 0.3)
    this.#tag = fixed(3, TAG_COUNT, [0.2, 0.2, 0.2], 0.7)
  }

  /** True probabilities of an impression by its id; undefined for what is no id of an impression (an orphan's). */
  probabilities(impressionId: string): PerTask | undefined {
    const match = /^(\d+)-(\d+)$/.exec(impressionId)
    if (match === null) return undefined
    const visit = Number(match[1])
    const showing = this.#visits.showings(visit, this.#visits.randomOf(visit))[Number(match[2])]
    return showing && this.probabilitiesOf(showing)
  }

  /** True probabilities of a showing: a pure function of it. */
  probabilitiesOf(showing: Showing): PerTask {
    const z = this.#logOdds
    const { user, item } = showing
    const hours = (showing.timeMs - this.#options.start_ms) / 3_600_000
    const hourOfDay = (showing.timeMs / 3_600_000) % 24
    const rhythm = Math.cos((2 * Math.PI * (hourOfDay - 20)) / 24)
    for (let task = 0; task < z.length; task++) {
      let tags = 0
      for (const tag of item.tags) tags += this.#tag.at(task, tag)
      z[task] =
        (BASE[task] ?? 0) +
        (POSITION_SLOPE[task] ?? 0) * Math.log1p(showing.position) +
        (HOUR_SWING[task] ?? 0) * rhythm +
        (AGE_SLOPE[task] ?? 0) * Math.log1p(showing.itemAgeHours) +
        this.#user.at(task, showing.userIndex) +
        this.#author.at(task, item.author) +
        this.#device.at(task, showing.device) +
        tags / item.tags.length +
        0.06 * item.quality
    }
    this.#fashion.addTo(z, item.category, hours)
    const taste = user.ageBand * CATEGORIES.length + item.category
    const later = laterShare(this.#options.change, hours)
    this.#ageCategory.addTo(z, taste, hours, 1 - later)
    if (later > 0) this.#laterAgeCategory.addTo(z, taste, hours, later)
    this.#countryCategory.addTo(z, user.country * CATEGORIES.length + item.category, hours)
    const [click = 0, like = 0, share = 0] = z
    return { click: sigmoid(click), like: sigmoid(like), share: sigmoid(share) }
  }
}

/** How much of the later tastes there is `hours` after the start, 0 to 1. */
function laterShare(
  { kind, at_hours: at, over_hours: over }: WorldOptions['change'],
  hours: number,
): number {
  if (kind === 'none' || hours < at) return 0
  if (kind === 'abrupt') return 1
  if (kind === 'gradual') return Math.min(1, (hours - at) / over)
  return Math.floor((hours - at) / over) % 2 === 0 ? 1 : 0
}

function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z))
}
