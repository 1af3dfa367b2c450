// A state of the three stream machines as its parts, and which paths through them a real connection can walk. Used by
// stream-driver.ts and by the tests.
import type { GraphEdge, GraphState, MachinePath } from '../../src/testing/index.ts'

export interface StreamParts {
  readonly send: string | undefined
  readonly receive: string | undefined
}

const SENDING = new Set(['sendStream', 'bidiStream'])

/** The parts of a state; undefined for a part that this kind of stream does not have. */
export function partsOf(machine: string, { value }: GraphState): StreamParts {
  if (typeof value === 'object') {
    const { send, receive } = value.open as Record<'send' | 'receive', string>
    return { send, receive }
  }
  const [first, second] = value.split('|')
  if (second !== undefined) return { send: first, receive: second }
  return SENDING.has(machine) ? { send: value, receive: undefined } : { send: undefined, receive: value }
}

/** What a path says of how its own earlier steps have to be done. */
export interface StreamPlan {
  /** The end of our data is told by RESET_STREAM_AT, that of the peer's too. */
  readonly sendsResetAt: boolean
  readonly receivesResetAt: boolean
}

export function planOf(machine: string, path: MachinePath): StreamPlan {
  const has = (type: string, part: keyof StreamParts): boolean =>
    path.steps.some(({ event, from }) => event.type === type && partsOf(machine, from)[part] === DUE[type])
  return {
    sendsResetAt: has('send.resetAcked', 'send'),
    receivesResetAt: has('app.readReset', 'receive'),
  }
}

/** draft-ietf-quic-reliable-stream-reset: where these events end a part that has not been reset outright. */
const DUE: Readonly<Record<string, string>> = { 'send.resetAcked': 'dataSent', 'app.readReset': 'dataRecvd' }

/** What can happen inside of the call that tells the application of a reset: what the application itself does. */
const INSIDE_CALLBACK = new Set([
  'send.stream',
  'app.reset',
  'app.stop',
  'app.readReset',
  'app.readAll',
  'connection.closed',
])

/**
 * `resetRecvd` lasts exactly as long as StreamApplication.handleReset: whatever is to happen in it has to be done by
 * the application in that call. And only what was written can be promised by a RESET_STREAM_AT.
 */
export function isStreamPathFeasible(machine: string, path: MachinePath): boolean {
  const { sendsResetAt } = planOf(machine, path)
  return path.steps.every((edge) => {
    const { send, receive } = partsOf(machine, edge.from)
    if (receive === 'resetRecvd' && !INSIDE_CALLBACK.has(edge.event.type)) return false
    if (sendsResetAt && edge.event.type === 'send.fin') return send === 'send' || send === 'dataSent'
    return true
  })
}

/** Why an edge cannot be brought about, for the list of what is not reached; undefined when it should be. */
export function whyUnreachable(machine: string, edge: GraphEdge): string | undefined {
  const { receive } = partsOf(machine, edge.from)
  if (receive === 'resetRecvd' && !INSIDE_CALLBACK.has(edge.event.type)) {
    return 'resetRecvd ends in the call in which it begins (ReceivingPart.handleReset): no packet comes or goes in it'
  }
  return undefined
}
