// The requests of one simulated run, drawn from a seed: what is asked, how it is sent, and what has to come
// back. Pure data; client-side.ts sends it, server-side.ts answers what the path says.
import type { Random } from './random.ts'

/** What a request exercises. */
export const REQUEST_KINDS = [
  /** GET with a body of a known length. */
  'get',
  /** GET whose response comes without content-length, in small writes with pauses. */
  'dribble',
  /** POST whose body comes back while it is still being sent. */
  'echo',
  /** POST from a streamed source with pauses; the server answers with what it counted. */
  'upload',
  'head',
  /** 204: a response without a body. */
  'empty',
  /** 103 before the final response. */
  'hints',
  /** Trailers after the body, in both directions where there is a request body. */
  'trailers',
  /** The server answers completely without reading the request body. */
  'earlyAnswer',
  /** We abort before the response can have come. */
  'cancelEarly',
  /** We abort in the middle of the response body. */
  'cancelMiddle',
  /** We give up the response body by leaving the loop that reads it. */
  'discard',
  /** The response would never end; we stop it. The server has to notice. */
  'endless',
  /** The server's handler throws before, or in the middle of, the response. */
  'crash',
] as const

export type RequestKind = (typeof REQUEST_KINDS)[number]

/** One request and everything random about it. */
export interface PlannedRequest {
  readonly index: number
  readonly kind: RequestKind
  /** Names the pattern of the bodies, see pattern.ts. */
  readonly key: number
  /** Bytes of request and response body. */
  readonly requestBytes: number
  readonly responseBytes: number
  /** Size of the writes of streamed bodies, bytes. */
  readonly piece: number
  /** Pause between those writes, ms. */
  readonly pause: number
  /** When the request is made, ms after the handshake. */
  readonly startAfter: number
  /** When it is aborted (`cancelEarly`), ms after it was made. */
  readonly cancelAfter: number
  /** How long the client waits before it reads each chunk, ms: backpressure. */
  readonly readPause: number
  /** Whether the fetch handler answers instead of the exchange handler. */
  readonly isFetch: boolean
}

/** Kinds that a web-standard Request and Response can express. */
const FETCH_KINDS: ReadonlySet<RequestKind> = new Set([
  'get',
  'dribble',
  'echo',
  'upload',
  'head',
  'empty',
  'earlyAnswer',
  'cancelEarly',
  'cancelMiddle',
  'discard',
  'endless',
  'crash',
])

/** A streamed body has at most so many pieces, so that pauses between them do not outlast the deadlines. */
const MAX_PIECES = 40

/** Kinds that are drawn more often than the others. */
const COMMON: readonly RequestKind[] = ['get', 'get', 'get', 'echo', 'echo', 'upload', 'dribble']

/** Draws a workload. @param count requests in it */
export function planRequests(random: Random, count: number): PlannedRequest[] {
  const spacing = random.pick([0, 0, 5, 40])
  return Array.from({ length: count }, (_, index) => planRequest(random, index, spacing))
}

function planRequest(random: Random, index: number, spacing: number): PlannedRequest {
  const kind = random.chance(0.45) ? random.pick(COMMON) : random.pick(REQUEST_KINDS)
  const isLarge = random.chance(0.1)
  const isSlow = random.chance(0.15)
  const requestBytes = random.chance(0.1) ? 0 : random.logarithmic(1, isLarge ? 100_000 : 8_000)
  const responseBytes = random.chance(0.1) ? 0 : random.logarithmic(1, isLarge ? 200_000 : 16_000)
  const smallestPiece = Math.ceil(Math.max(requestBytes, responseBytes) / MAX_PIECES)
  return {
    index,
    kind,
    key: random.below(60_000),
    requestBytes,
    responseBytes,
    piece: Math.max(smallestPiece, random.logarithmic(100, 20_000)),
    pause: isSlow ? random.between(1, 50) : 0,
    startAfter: index * spacing * random.float(),
    cancelAfter: random.between(0, 300),
    readPause: random.chance(0.1) ? random.between(1, 30) : 0,
    isFetch: random.chance(0.3) && FETCH_KINDS.has(kind),
  }
}

/** The path that tells the server what to do. */
export function pathOf(request: PlannedRequest): string {
  const { kind, key, responseBytes, piece, pause, index, isFetch } = request
  const api = isFetch ? 'fetch' : 'exchange'
  return `/${api}/${kind}?key=${key}&bytes=${responseBytes}&piece=${piece}&pause=${pause.toFixed(2)}&index=${index}`
}
