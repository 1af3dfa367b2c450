// The surface of the machines room: charts, tables, the actor that runs them, and the numbers of both planes.
export type { ActorOwner, ActorSubject, LifeStatus } from './actor-contract.ts'
export { bidiStreamMachine } from './bidi-stream-machine.ts'
export { clientHandshakeMachine } from './client-handshake-machine.ts'
export { type CompiledMachine, compile, declaredOutcome, Outcome, type PartCodes } from './compile.ts'
export * from './connection-events.ts'
export { connectionMachine } from './connection-machine.ts'
export { deadlinesOf, type StateDeadline, WAITING_REASONS, type WaitingReason } from './deadlines.ts'
export * from './handshake-events.ts'
export {
  InspectionHub,
  type InspectionSink,
  type TransitionTap,
  type WatchableActor,
} from './inspection.ts'
export { createLifeActor, type Interpreter, setInterpreter } from './interpreter.ts'
export { LifeActor, StreamActor } from './life-actor.ts'
export * from './path-events.ts'
export { pathMachine } from './path-machine.ts'
export { receiveStreamMachine } from './receive-stream-machine.ts'
export { sendStreamMachine } from './send-stream-machine.ts'
export { serverHandshakeMachine } from './server-handshake-machine.ts'
export * from './stream-events.ts'
export * from './tables.ts'
export * from './webtransport-session-events.ts'
export { webtransportSessionMachine } from './webtransport-session-machine.ts'
export * from './worker-events.ts'
export { workerMachine } from './worker-machine.ts'
