/** @file The three actions of the simulated app, in the order of every table of effects. */

/** Actions that follow an impression; none is nested in another. */
export const WORLD_TASKS = ['click', 'like', 'share'] as const

export type WorldTask = (typeof WORLD_TASKS)[number]

/** One number per action, for example its true probability. */
export type PerTask = Readonly<Record<WorldTask, number>>
