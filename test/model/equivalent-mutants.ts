// Mutants that no test of a real connection can kill, each with the argument why it behaves as the machine does. The
// mutation check fails for a survivor that is not named here, and for one that is named but gets killed.
import { type CompiledMachine, Outcome } from '../../src/machines/index.ts'
import type { Mutation } from './mutations.ts'

interface Equivalence {
  readonly machine: string
  readonly state: RegExp
  /** What can be raised in such a state; everything else cannot, whatever the table says of it. */
  readonly possible: readonly string[]
  readonly why: string
}

export const EQUIVALENT: readonly Equivalence[] = [
  {
    machine: 'bidiStream',
    state: /\|receive\.resetRecvd$/,
    possible: ['send.stream', 'app.reset', 'app.stop', 'app.readReset', 'connection.closed'],
    why:
      'resetRecvd begins and ends within one call of ReceivingPart.handleReset, which nothing but the application ' +
      'that it calls can interrupt: no packet is read or written in it, so that nobody raises the events of packets',
  },
  {
    machine: 'connection',
    state: /^handshaking$/,
    possible: [
      'handshake.completed',
      'close.local',
      'close.silent',
      'recv.connectionClose',
      'recv.versionNegotiation',
      'timeout.idle',
      'timeout.handshake',
    ],
    why: 'a stateless reset is looked for only once the handshake is complete (RFC 9000 section 10.3.1)',
  },
  {
    machine: 'connection',
    state: /^closing$/,
    possible: ['close.local', 'close.silent', 'timeout.drain', 'handshake.completed', 'handshake.confirmed'],
    why: 'a closing connection counts packets and opens none: entering draining is a MAY (RFC 9000 section 10.2.1)',
  },
  {
    machine: 'connection',
    state: /^draining\.local$/,
    possible: [],
    why: 'it is entered from closing alone, by a packet that is not opened',
  },
]

/** Why a mutant that survives may do so; undefined when it may not. */
export function whyEquivalent(
  table: CompiledMachine,
  { state, event, partner }: Mutation,
): string | undefined {
  if (event === undefined) return undefined
  const isSilent = ({ possible }: Equivalence, index: number): boolean =>
    table.outcome[state * table.width + index] === Outcome.impossible ||
    !possible.includes(table.events[index]!)
  const found = EQUIVALENT.find(
    (entry) =>
      entry.machine === table.id &&
      entry.state.test(table.name[state]!) &&
      isSilent(entry, event) &&
      (partner === undefined || isSilent(entry, partner)),
  )
  return found?.why
}
