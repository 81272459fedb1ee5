/** @file float32 to IEEE 754 binary16 and back, on bit patterns: Node 20 has no Float16Array. */

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** The nearest binary16, ties to even; beyond 65,504 infinite; every NaN one NaN. */
export function toHalf(value: number): number {
  float[0] = value
  const word = bits[0]!
  const sign = (word >>> 16) & 0x8000
  const magnitude = word & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x47800000) return sign | 0x7c00 // 2^16 and more
  if (magnitude >= 0x38800000) return sign | halved(magnitude - 0x38000000, 13)
  const shift = 126 - (magnitude >>> 23) // below 2^-14: a count of 2^-24
  return shift > 25 ? sign : sign | halved((magnitude & 0x7fffff) | 0x800000, shift)
}

/** The value of a binary16; every one is a float32. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 31
  const fraction = half & 1023
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** word / 2^shift, ties to even. */
function halved(word: number, shift: number): number {
  const kept = word >>> shift
  const rest = word & ((1 << shift) - 1)
  const middle = 1 << (shift - 1)
  return rest > middle || (rest === middle && kept & 1) ? kept + 1 : kept
}
