// Priorities of responses, RFC 9218: what the two parameters mean, how a field says them, and what a request's response
// gets of all the signals about it. Used by RequestStream, H3Connection and everything that shows a priority.

import { type Member, parseDictionary, StructuredFieldError } from './structured-fields.ts'

/** How a response is to be sent beside others (RFC 9218 section 4). */
export interface Priority {
  /** 0 (first) to 7 (background); responses of a lower number go first. */
  readonly urgency: number
  /** The client can use it piece by piece: it takes turns with others of its urgency, instead of one after the other. */
  readonly incremental: boolean
}

const LEVELS = 8
const all: readonly Priority[] = Array.from({ length: 2 * LEVELS }, (_, index) =>
  Object.freeze({ urgency: index >>> 1, incremental: (index & 1) === 1 }),
)

/**
 * The one object for these parameters.
 * @param urgency 0 to 7
 * @throws RangeError for another urgency
 */
export function priorityOf(urgency: number, incremental: boolean): Priority {
  if (!Number.isInteger(urgency) || urgency < 0 || urgency >= LEVELS) {
    throw new RangeError(`urgency ${urgency} is not a whole number from 0 to ${LEVELS - 1}`)
  }
  return all[2 * urgency + (incremental ? 1 : 0)]
}

/** RFC 9218 sections 4.1 and 4.2 */
export const DEFAULT_PRIORITY: Priority = priorityOf(3, false)

/** Value of a priority field or of a PRIORITY_UPDATE; defaults are left out. */
export function priorityText({ urgency, incremental }: Priority): string {
  const text = urgency === DEFAULT_PRIORITY.urgency ? '' : `u=${urgency}`
  return incremental ? (text === '' ? 'i' : `${text}, i`) : text
}

/** What nearly every field says, so that no parser has to be asked. */
const usual: ReadonlyMap<string, Priority> = new Map(
  all.flatMap((priority) => {
    const { urgency, incremental } = priority
    const spelled = incremental ? [`u=${urgency}, i`, `u=${urgency},i`] : [`u=${urgency}`]
    return [...spelled, priorityText(priority)].map((text) => [text, priority] as const)
  }),
)

/**
 * A client's signal: the request's field, or a PRIORITY_UPDATE. What is absent has its default, and so has what RFC 9218
 * section 4 tells to ignore: unknown parameters, wrong types, urgencies out of range, and text that does not parse.
 */
export function parsePriority(text: string): Priority {
  const known = usual.get(text)
  if (known !== undefined) return known
  const { urgency = DEFAULT_PRIORITY.urgency, incremental = DEFAULT_PRIORITY.incremental } =
    parseOverride(text)
  return priorityOf(urgency, incremental)
}

/** A response's field: only what it says replaces what the client said (RFC 9218 section 8). */
export function parseOverride(text: string): Partial<Priority> {
  const members = dictionaryOf(text)
  const urgency = bareValue(members.get('u'), 'integer') as number | undefined
  const incremental = bareValue(members.get('i'), 'boolean') as boolean | undefined
  const isInRange = urgency !== undefined && urgency >= 0 && urgency < LEVELS
  return { ...(isInRange && { urgency }), ...(incremental !== undefined && { incremental }) }
}

function dictionaryOf(text: string): ReadonlyMap<string, Member> {
  try {
    return parseDictionary(text)
  } catch (error) {
    if (error instanceof StructuredFieldError) return new Map()
    throw error
  }
}

function bareValue(member: Member | undefined, type: 'integer' | 'boolean'): unknown {
  return member !== undefined && 'item' in member && member.item.type === type ? member.item.value : undefined
}

/** What a stream is asked to do with its priority. */
export interface PrioritizedStream {
  setPriority(urgency: number, incremental: boolean): void
}

/**
 * All signals about one response, and what follows from them for its stream. A response about which nobody says anything
 * shares with others of its urgency: RFC 9218 section 10 would have the defaults send one after the other, but they
 * are the client's view, and one that has none is better off with a bit of everything.
 */
export class ResponsePriority {
  readonly #stream: PrioritizedStream
  #client: Priority | undefined
  #isUpdated = false
  #override: Partial<Priority> | undefined

  constructor(stream: PrioritizedStream) {
    this.#stream = stream
  }

  /** What holds now: the server's word before the client's. */
  get value(): Priority {
    const client = this.#client ?? DEFAULT_PRIORITY
    if (this.#override === undefined) return client
    const { urgency = client.urgency, incremental = client.incremental } = this.#override
    return priorityOf(urgency, incremental)
  }

  /** The request's field, if it has one; a PRIORITY_UPDATE that came before it counts more (RFC 9218 section 7). */
  takeField(text: string | undefined): void {
    if (this.#isUpdated) return
    if (text !== undefined) this.#client = parsePriority(text)
    this.#apply()
  }

  /** PRIORITY_UPDATE of the client. */
  update(priority: Priority): void {
    this.#isUpdated = true
    this.#client = priority
    this.#apply()
  }

  /** The server knows better, from a field of the response or from its handler. */
  override(part: Partial<Priority>): void {
    this.#override = { ...this.#override, ...part }
    this.#apply()
  }

  #apply(): void {
    const { urgency, incremental } = this.value
    const isUnsaid = this.#client === undefined && this.#override?.incremental === undefined
    this.#stream.setPriority(urgency, incremental || isUnsaid)
  }
}
