/** @file The engines that a job or a command line may ask for, by name; what opens them is loaded when one is. */

/**
 * What a job or a command line may ask for. `native` is Millrace's own kernels, else `tensorflow`; `tfjs` is `tensorflow`, else wasm,
 * else cpu; `auto` is the first of native, tensorflow, wasm and plain that starts.
 */
export const ENGINE_PREFERENCES = [
  'auto',
  'plain',
  'plain-float64',
  'tfjs',
  'native',
  'tensorflow',
  'wasm',
  'cpu',
] as const

/** One of `ENGINE_PREFERENCES`. */
export type EnginePreference = (typeof ENGINE_PREFERENCES)[number]
