// What is said about an actor that is past its deadline: to subscribers of server.stuck$, on the admin port, in logs.
// Made by stuck-streams.ts.
import type { WaitingReason } from '../machines/index.ts'

/** `nothing`: the data plane has done its part and only the machine stands still. That is a bug of ours. */
export type StuckCause = WaitingReason | 'nothing'

/** What a stuck actor waits for, found from the data plane at this moment. */
export interface StuckFinding {
  /** Who or what it waits for. */
  readonly waitingFor: StuckCause
  /** For people: one line with numbers. */
  readonly reason: string
}

/** An actor that is past the deadline of its state. */
export interface StuckReport extends StuckFinding {
  /** A handler is stuck when it goes on although its AbortSignal fired and its stream was reset. */
  readonly kind: 'stream' | 'session' | 'handler' | 'handshake' | 'connection'
  /** Name of the connection for its whole life: the client's first destination connection ID, in hex. */
  readonly connection: string
  /** Stream ID of a stream or a handler. */
  readonly stream: number | undefined
  /** Name of its machine. */
  readonly machine: string
  /** Name of the state, e.g. `send.dataSent|receive.dataRead`. */
  readonly state: string
  /** ms, exact to the second in which a handler acted outside of any turn (see turn-time.ts). */
  readonly timeInState: number
  /** ms that the state may last. */
  readonly deadline: number
}

/** One line for a log. */
export function describeStuck(report: StuckReport): string {
  const { kind, connection, stream, state, timeInState, deadline, waitingFor, reason } = report
  const who = stream === undefined ? kind : `${kind} ${stream}`
  const times = `for ${seconds(timeInState)} (deadline ${seconds(deadline)})`
  return `stuck ${who} of connection ${connection}: ${state} ${times}, waiting for ${waitingFor}: ${reason}`
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
