/** @file Arguments and options that several commands take. */

import { InvalidArgumentError, Option } from 'commander'

/** A whole number, 0 or more. */
export function whole(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('give a whole number.')
  return value
}

/** A whole number above 0. */
export function positive(text: string): number {
  const value = whole(text)
  if (value === 0) throw new InvalidArgumentError('give a whole number above 0.')
  return value
}

/** A share: above 0, at most 1. */
export function fraction(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 1))
    throw new InvalidArgumentError('give a number above 0, at most 1.')
  return value
}

/** `1/2`: the first of two trainers. */
export function share(text: string): { index: number; of: number } {
  const [, index, of] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number)
  if (index !== undefined && of !== undefined && index >= 1 && index <= of) return { index, of }
  throw new InvalidArgumentError('give a place and a number of trainers, such as 1/2.')
}

export const publicKeyOption = new Option(
  '--public-key <file>',
  'PEM file with public keys: take only what one of them signed',
)

export const jsonOption = new Option('--json', 'print the result as JSON')
export const reportOption = new Option('--report <file>', 'also write the results as JSON')
