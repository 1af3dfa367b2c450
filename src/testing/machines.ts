// quactor's own charts by name, as tests of recorded lives replay them. Part of `quactor/testing`.
import type { AnyStateMachine } from 'xstate'
import {
  bidiStreamMachine,
  clientHandshakeMachine,
  connectionMachine,
  pathMachine,
  receiveStreamMachine,
  sendStreamMachine,
  serverHandshakeMachine,
  webtransportSessionMachine,
} from '../machines/index.ts'

const all: readonly AnyStateMachine[] = [
  bidiStreamMachine,
  sendStreamMachine,
  receiveStreamMachine,
  connectionMachine,
  serverHandshakeMachine,
  clientHandshakeMachine,
  pathMachine,
  webtransportSessionMachine,
]

/**
 * The statecharts that quactor runs: of streams, connections, handshakes, paths and WebTransport sessions, by their ID. The
 * tests that the inspector writes replay recorded events against them.
 */
export const machines: Readonly<Record<string, AnyStateMachine>> = Object.fromEntries(
  all.map((machine) => [machine.id, machine]),
)
