// Tokens by which a client proves that it receives at its address: those of Retry packets (RFC 9000 section 8.1.2)
// and those of NEW_TOKEN frames (section 8.1.3). Sealed, so that clients can neither read, change nor invent them;
// each kind under a key of its own, so that neither is taken for the other (section 8.1.1).
// Used by address-validation.ts.
//
//   inside a Retry token      | issued at (6) | hash of address and port (16) | length | retry ID | first ID ... |
//   inside a NEW_TOKEN token  | issued at (6) | hash of the address (16)      |, with workers: worker (1) |
import type { RemoteAddress } from '../transport/connection/index.ts'
import { BoxKey, boxNonce, digest, type Entropy, equalSecret } from '../transport/crypto/index.ts'
import { MAX_CONNECTION_ID_LENGTH, QUIC_VERSION_1 } from '../transport/wire/index.ts'
import {
  MAX_REMEMBERED_NEW_TOKENS,
  MAX_REMEMBERED_RETRY_TOKENS,
  NEW_TOKEN_LIFETIME,
  RETRY_TOKEN_LIFETIME,
  TOKEN_CLOCK_SKEW,
} from './limits.ts'
import { UsedTokens } from './used-tokens.ts'

const TIME_LENGTH = 6
const ADDRESS_LENGTH = 16
const FIXED_LENGTH = TIME_LENGTH + ADDRESS_LENGTH

/** The worker that a token was made by is the only one that accepts it: what was used, no other knows. */
export interface TokenHome {
  readonly index: number
  /** Wall-clock time, ms: older ones may have been used already, before this worker took its number over. */
  readonly since: number
}

export class AddressTokens {
  readonly #retryKey: BoxKey
  readonly #newTokenKey: BoxKey
  readonly #entropy: Entropy
  readonly #usedRetries = new UsedTokens(RETRY_TOKEN_LIFETIME + TOKEN_CLOCK_SKEW, MAX_REMEMBERED_RETRY_TOKENS)
  readonly #usedNewTokens = new UsedTokens(NEW_TOKEN_LIFETIME + TOKEN_CLOCK_SKEW, MAX_REMEMBERED_NEW_TOKENS)

  readonly #home: TokenHome | undefined

  /**
   * @param secret at least 32 random bytes; endpoints that share it accept each other's tokens
   * @param home the worker that this is, if it is one
   */
  constructor(secret: Uint8Array, entropy: Entropy, home?: TokenHome) {
    this.#home = home
    this.#retryKey = new BoxKey(secret, 'quactor retry token')
    this.#newTokenKey = new BoxKey(secret, 'quactor new token')
    this.#entropy = entropy
  }

  /**
   * @param first destination connection ID of the client's first Initial packet
   * @param retryId source connection ID of the Retry packet, to which the client will send
   * @param now wall-clock time, ms
   */
  sealRetry(remote: RemoteAddress, first: Uint8Array, retryId: Uint8Array, now: number): Uint8Array {
    const content = new Uint8Array(FIXED_LENGTH + 1 + retryId.length + first.length)
    writeFixed(content, now, hashOf(`${remote.address} ${remote.port}`))
    content[FIXED_LENGTH] = retryId.length
    content.set(retryId, FIXED_LENGTH + 1)
    content.set(first, FIXED_LENGTH + 1 + retryId.length)
    return this.#retryKey.seal(content, this.#entropy)
  }

  /** A token for a later connection from the same address, whatever its port. @param now wall-clock time, ms */
  sealNewToken(remote: RemoteAddress, now: number, version: number = QUIC_VERSION_1): Uint8Array {
    const content = new Uint8Array(this.#newTokenLength)
    writeFixed(content, now, scopeOf(remote, version))
    if (this.#home !== undefined) content[FIXED_LENGTH] = this.#home.index
    return this.#newTokenKey.seal(content, this.#entropy)
  }

  get #newTokenLength(): number {
    return this.#home === undefined ? FIXED_LENGTH : FIXED_LENGTH + 1
  }

  /** Whether a token claims to be of a Retry packet of ours. Its name says so; nothing is proved by that. */
  isRetry(token: Uint8Array): boolean {
    return this.#retryKey.owns(token)
  }

  /**
   * Uses a token that came back after a Retry.
   * @param destination destination connection ID of the packet that brought it
   * @param now wall-clock time, ms
   * @returns the destination connection ID of the client's first packet; undefined for a token that is forged, of
   *   another address or connection, expired, or used
   */
  claimRetry(
    token: Uint8Array,
    remote: RemoteAddress,
    destination: Uint8Array,
    now: number,
  ): Uint8Array | undefined {
    const content = this.#retryKey.open(token)
    if (content === undefined || content.length <= FIXED_LENGTH) return undefined
    const firstAt = FIXED_LENGTH + 1 + content[FIXED_LENGTH]
    const first = content.subarray(firstAt)
    const isFresh = isWithin(content, now, RETRY_TOKEN_LIFETIME) && this.#isOfThisLife(content)
    const isHere = isOf(content, hashOf(`${remote.address} ${remote.port}`))
    const isSameId = equalSecret(content.subarray(FIXED_LENGTH + 1, firstAt), destination)
    if (!isFresh || !isHere || !isSameId || first.length > MAX_CONNECTION_ID_LENGTH) return undefined
    return this.#usedRetries.claim(boxNonce(token), now) ? first : undefined
  }

  /** Uses a token of a NEW_TOKEN frame; false when it proves nothing. @param now wall-clock time, ms */
  claimNewToken(
    token: Uint8Array,
    remote: RemoteAddress,
    now: number,
    version: number = QUIC_VERSION_1,
  ): boolean {
    const content = this.#newTokenKey.open(token)
    if (content?.length !== this.#newTokenLength) return false
    if (this.#home !== undefined && content[FIXED_LENGTH] !== this.#home.index) return false
    const isFresh = isWithin(content, now, NEW_TOKEN_LIFETIME) && this.#isOfThisLife(content)
    const isHere = isOf(content, scopeOf(remote, version))
    return isFresh && isHere && this.#usedNewTokens.claim(boxNonce(token), now)
  }

  #isOfThisLife(content: Uint8Array): boolean {
    return this.#home === undefined || issuedAtOf(content) >= Math.floor(this.#home.since)
  }
}

/** RFC 9369 section 5: a token is good for the version of the connection that it came from. */
function scopeOf({ address }: RemoteAddress, version: number): Uint8Array {
  return hashOf(`${address} ${version}`)
}

function hashOf(text: string): Uint8Array {
  return digest('sha256', Buffer.from(text)).subarray(0, ADDRESS_LENGTH)
}

function writeFixed(content: Uint8Array, now: number, address: Uint8Array): void {
  let time = Math.floor(now)
  for (let i = TIME_LENGTH - 1; i >= 0; i--) {
    content[i] = time % 256
    time = Math.floor(time / 256)
  }
  content.set(address, TIME_LENGTH)
}

function issuedAtOf(content: Uint8Array): number {
  let issuedAt = 0
  for (let i = 0; i < TIME_LENGTH; i++) issuedAt = issuedAt * 256 + content[i]
  return issuedAt
}

function isWithin(content: Uint8Array, now: number, lifetime: number): boolean {
  const issuedAt = issuedAtOf(content)
  return now - issuedAt <= lifetime && now - issuedAt >= -TOKEN_CLOCK_SKEW
}

function isOf(content: Uint8Array, address: Uint8Array): boolean {
  return equalSecret(content.subarray(TIME_LENGTH, FIXED_LENGTH), address)
}
