// sessionService(): WebTransport sessions as machines. Each session gets an actor of its own, which is given what the
// session's client does and whose emitted events the session obeys. Used with serve({ webtransport }).

import type { WritableStreamDefaultWriter } from 'node:stream/web'
import type { AnyActorLogic, InputFrom } from 'xstate'
import { StateMachine } from 'xstate'
import type { WebTransportHandler, WebTransportServerSession } from '../webtransport-session.ts'
import { boundedLogic } from './hosted-actor.ts'
import { SessionActor } from './session-actor.ts'
import type { SessionCommand, SessionEvent, SessionInput } from './session-events.ts'

/** Options of {@link sessionService}. */
export interface SessionServiceOptions<Logic extends AnyActorLogic> {
  /** Name of the actor in the inspector. */
  readonly id?: string
  /** Makes the actor's input; default {@link SessionInput}. */
  readonly input?: (input: SessionInput) => InputFrom<Logic>
}

/**
 * Makes a handler for WebTransport sessions of a machine. The session is accepted when the actor starts (a machine that
 * wants to say no calls `input.session.reject()` first), and closed with code 0 when the machine is done.
 */
export function sessionService<Logic extends AnyActorLogic>(
  logic: Logic,
  options: SessionServiceOptions<Logic> = {},
): WebTransportHandler {
  const bounded = boundedLogic(logic)
  const events: readonly string[] = logic instanceof StateMachine ? logic.events : ['*']
  return async (session) => {
    const outlet = new SessionOutlet(session)
    const actor = new SessionActor({
      logic: bounded,
      id: options.id,
      input: options.input === undefined ? { session } : options.input({ session }),
      host: session.host,
      obey: (command) => outlet.obey(command as SessionCommand),
    })
    outlet.actor = actor
    const feed = new SessionFeed(session, actor)
    if (!session.isDecided) session.accept()
    feed.start((type) => events.some((event) => event === type || event === '*' || event === 'stream.*'))
    // One that crashes ends its session as every handler's crash does.
    await actor.ended
    session.close()
  }
}

/** Datagrams that may wait for the transport before new ones are dropped: nobody misses an old one. */
const MAX_WAITING_DATAGRAMS = 256

/** What the machine emits, as deeds. */
class SessionOutlet {
  actor: SessionActor | undefined
  readonly #session: WebTransportServerSession
  #datagrams: WritableStreamDefaultWriter | undefined

  constructor(session: WebTransportServerSession) {
    this.#session = session
  }

  obey(command: SessionCommand): void {
    if (command.type === 'session.close') this.#session.close(command)
    else if (command.type === 'datagram.send') this.#sendDatagram(command.payload)
    else if (command.type === 'message.send') void this.#sendMessage(command.data)
  }

  #sendDatagram(payload: Uint8Array): void {
    this.#datagrams ??= this.#session.datagrams.writable.getWriter()
    const { desiredSize } = this.#datagrams
    if (desiredSize === null || desiredSize < -MAX_WAITING_DATAGRAMS) return
    // A session that is over takes none; its machine hears of that by another event.
    this.#datagrams.write(payload).catch(() => {})
  }

  async #sendMessage(data: Uint8Array | string): Promise<void> {
    try {
      const stream = await this.#session.createUnidirectionalStream({ waitUntilAvailable: true })
      const writer = stream.getWriter()
      writer.closed.catch(() => {})
      await writer.write(typeof data === 'string' ? new TextEncoder().encode(data) : data)
      await writer.close()
    } catch (error) {
      if (this.actor?.isActive === true) this.actor.send({ type: 'message.failed', data, error })
    }
  }
}

/** What the client does, as events. */
class SessionFeed {
  readonly #session: WebTransportServerSession
  readonly #actor: SessionActor

  constructor(session: WebTransportServerSession, actor: SessionActor) {
    this.#session = session
    this.#actor = actor
  }

  /** @param takes whether the machine wants events of a type */
  start(takes: (type: SessionEvent['type']) => boolean): void {
    const session = this.#session
    if (takes('stream.bidirectional')) {
      this.#pump(session.incomingBidirectionalStreams, (stream) => ({ type: 'stream.bidirectional', stream }))
    }
    if (takes('stream.unidirectional')) {
      this.#pump(session.incomingUnidirectionalStreams, (stream) => ({
        type: 'stream.unidirectional',
        stream,
      }))
    }
    if (takes('datagram')) {
      this.#pump(session.datagrams.readable, (payload) => ({ type: 'datagram', payload }))
    }
    session.draining.then(
      () => this.#send({ type: 'session.draining' }),
      () => {},
    )
    session.closed.then(
      ({ closeCode, reason }) => this.#actor.finish({ type: 'session.closed', closeCode, reason }),
      (error: unknown) => this.#actor.finish({ type: 'session.lost', error }),
    )
  }

  #send(event: SessionEvent): void {
    if (this.#actor.isActive) this.#actor.send(event)
  }

  #pump<Item>(items: AsyncIterable<Item>, eventOf: (item: Item) => SessionEvent): void {
    const run = async (): Promise<void> => {
      for await (const item of items) this.#send(eventOf(item))
    }
    // How a session ends is told by `closed`.
    run().catch(() => {})
  }
}
