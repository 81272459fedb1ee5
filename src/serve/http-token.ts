/** @file The bearer token of a scorer: compared in constant time, never shown (RFC 6750, section 2.1). */

import { createHash, timingSafeEqual } from 'node:crypto'

/** A text that shows itself only when it is asked to. */
export interface HiddenToken {
  reveal(): string
}

/** Tells whether an `Authorization` header carries the token; hashing makes the lengths equal. */
export function tokenCheck(token: HiddenToken): (authorization: string | undefined) => boolean {
  const expected = digest(token.reveal())
  return (authorization = '') => {
    const [, given = ''] = /^Bearer +(\S+)$/i.exec(authorization) ?? []
    return timingSafeEqual(digest(given), expected)
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
