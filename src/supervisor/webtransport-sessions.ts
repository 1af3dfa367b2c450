// The actors of one connection's WebTransport sessions. This registry is the only strong reference to them; a session's
// datagram channel ends with it, its streams are ended by the session itself. Made by connection-supervisor.ts.
import type { SessionSupervision, WebTransportSession } from '../http3/index.ts'
import {
  type ActorOwner,
  type CompiledMachine,
  createLifeActor,
  type InspectionHub,
  type LifeActor,
} from '../machines/index.ts'
import type { ConnectionSupervisor } from './connection-supervisor.ts'
import type { DatagramChannel } from './datagram-channel.ts'
import type { SupervisionServices } from './supervision.ts'

export class SessionRegistry implements SessionSupervision, ActorOwner {
  readonly #supervisor: ConnectionSupervisor
  readonly #services: SupervisionServices
  readonly #sessions = new Map<LifeActor, WebTransportSession>()

  constructor(supervisor: ConnectionSupervisor, services: SupervisionServices) {
    this.#supervisor = supervisor
    this.#services = services
  }

  get count(): number {
    return this.#sessions.size
  }

  /** Live streams of all sessions. */
  get streamCount(): number {
    let count = 0
    for (const session of this.#sessions.values()) count += session.streams.size
    return count
  }

  get actors(): Iterable<LifeActor> {
    return this.#sessions.keys()
  }

  /** Live sessions, e.g. to be drained. */
  get all(): Iterable<WebTransportSession> {
    return this.#sessions.values()
  }

  /** What surfaces of sessions need: monotonic time in ms, and the channel of a live session. */
  now(): number {
    return this.#supervisor.now()
  }

  datagramChannel(id: number): DatagramChannel | undefined {
    return this.#supervisor.datagramChannel(id)
  }

  // --- SessionSupervision ------------------------------------------------------------------------------------------

  startSession(table: CompiledMachine, session: WebTransportSession): LifeActor {
    const { interpreter, tables } = this.#services.settings
    const { counters } = this.#services
    const name = `session ${session.id}`
    const actor = createLifeActor(tables?.get(table) ?? table, name, this, session, interpreter)
    this.#sessions.set(actor, session)
    counters.actorsStarted++
    counters.sessionsOpened++
    return actor.start()
  }

  endSessionChildren(session: WebTransportSession): void {
    this.#supervisor.closeDatagramChannel(session.id)
  }

  // --- ActorOwner --------------------------------------------------------------------------------------------------

  get time(): number {
    return this.#services.turn.now
  }

  get inspector(): ActorOwner['inspector'] {
    return this.#services.inspection.active
  }

  get inspection(): InspectionHub {
    return this.#services.inspection
  }

  handleFinal(actor: LifeActor): void {
    const session = this.#sessions.get(actor)
    if (session === undefined) return
    this.#sessions.delete(actor)
    this.#supervisor.forgetSession(actor)
    const { counters } = this.#services
    counters.actorsStopped++
    counters.sessionsClosed++
    session.release()
  }

  handleMissed(actor: LifeActor, state: number, event: number): void {
    this.#supervisor.handleMissed(actor, state, event)
  }
}
