/** @file The smallest loss that methods working with log L or 1 / L believe in. */

/** A mean log loss below this is a batch that says nothing; without a floor its weight would be unbounded. */
export const LOSS_FLOOR = 1e-8
