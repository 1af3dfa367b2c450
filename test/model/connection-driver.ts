// Walks a path of the connection machine (RFC 9000 section 10) on a real client connection before a scripted server:
// timers by time that passes, packets by the server, the rest by the application. Compared after each step: the machine,
// the streams that the connection has, what its application was told, and whether CONNECTION_CLOSE was sent.
import {
  type GraphEdge,
  type GraphState,
  type MachinePath,
  type PathDriver,
  textOf,
} from '../../src/testing/index.ts'
import * as frame from '../rfc/frame-bytes.ts'
import { Level, ScriptedPeer } from '../rfc/scripted-peer.ts'

const TOKEN = new Uint8Array(16).fill(0x5a)
const IDLE = 3_000
/** Longer than three PTOs, ms. */
const DRAIN = 10_000
/** Less than Finished, bytes: all but this is sent at first, so that the transport parameters are known. */
const HELD_BACK = 20

const LIVE = new Set(['handshaking', 'established', 'confirmed'])

export class ConnectionDriver implements PathDriver {
  readonly peer: ScriptedPeer
  /** States since the last comparison, and whether the actor has said that it is over. */
  #met: string[] = []
  #isComplete = false
  #hasClosedLocally = false
  #packetsAtEnd = -1
  /** The rest of the server's handshake flight. */
  #heldBack: Uint8Array | undefined

  constructor(path: MachinePath) {
    const isHandshakeTimeout = path.steps.some(({ event }) => event.type === 'timeout.handshake')
    const settings = isHandshakeTimeout ? { handshakeTimeout: 1_000 } : { maxIdleTimeout: IDLE }
    this.peer = new ScriptedPeer({ role: 'server', settings, parameters: { statelessResetToken: TOKEN } })
    this.peer.connection.actor.subscribe({
      next: ({ value }) => this.#met.push(textOf(value)),
      complete: () => {
        this.#isComplete = true
      },
    })
    this.peer.start()
    const first = path.steps[0]?.event.type
    // The answer to the first flight; it would make a Version Negotiation packet too late.
    if (first !== 'recv.versionNegotiation') this.#answerInPart()
  }

  get #connection() {
    return this.peer.connection
  }

  #answerInPart(): void {
    const { peer } = this
    const queued = peer.takeCrypto()
    for (const { level, bytes } of queued) if (level === Level.initial) peer.sendCrypto(level, bytes)
    const flight = Buffer.concat(
      queued.filter(({ level }) => level === Level.handshake).map(({ bytes }) => bytes),
    )
    this.#heldBack = flight.subarray(flight.length - HELD_BACK)
    peer.sendCrypto(Level.handshake, flight.subarray(0, flight.length - HELD_BACK))
  }

  apply({ event, from }: GraphEdge): void {
    const { peer } = this
    const connection = this.#connection
    switch (event.type) {
      case 'handshake.completed':
        if (this.#heldBack !== undefined) peer.sendCrypto(Level.handshake, this.#heldBack)
        peer.flush()
        connection.openStream('bidi')?.write(Buffer.from('x'))
        peer.collect()
        return
      case 'handshake.confirmed':
        peer.send(Level.application, frame.handshakeDone())
        return
      case 'close.local':
        connection.close(0, '', { application: false })
        peer.collect()
        this.#hasClosedLocally ||= LIVE.has(from.key)
        return
      case 'recv.connectionClose':
        peer.send(from.key === 'handshaking' ? Level.handshake : this.#level, frame.connectionClose(0))
        return
      case 'recv.statelessReset':
        peer.sendDatagram(Buffer.concat([Uint8Array.of(0x40), new Uint8Array(40).fill(0x11), TOKEN]))
        return
      case 'recv.versionNegotiation':
        this.#negotiate()
        return
      case 'close.silent':
        connection.abandon()
        return
      case 'timeout.drain':
        peer.autoAck = false
        peer.advance(DRAIN)
        return
      default:
        peer.autoAck = false
        peer.advance(20_000)
    }
  }

  get #level(): number {
    return this.peer.isComplete ? Level.application : Level.handshake
  }

  #negotiate(): void {
    const { peer } = this
    const client = this.#connection.localIds.first
    this.peer.sendDatagram(
      frame.bytesOf(
        Uint8Array.of(0xc0, 0, 0, 0, 0, client.length),
        client,
        Uint8Array.of(peer.originalId.length),
        peer.originalId,
        Uint8Array.of(0x1a, 0x2a, 0x3a, 0x4a),
      ),
    )
  }

  check(state: GraphState, edge?: GraphEdge): void {
    const { application, supervisor } = this.peer.end
    const { actor } = this.#connection
    const due = actor.table.name[actor.table.stateOf(state.value)]
    const is = actor.table.name[actor.state]
    if (is !== due) throw new Error(`the connection is in ${is}, the model in ${due}`)
    const others = this.#met.splice(0).filter((key) => key !== state.key && key !== edge?.from.key)
    if (others.length > 0) throw new Error(`the connection was in ${others[0]} on the way`)
    if (this.#isComplete !== state.isFinal) throw new Error('the actor is not over when its machine is')
    const isLive = LIVE.has(state.key)
    if (!isLive && supervisor.live.size > 0) throw new Error('streams outlive their connection')
    if ((application.closing === undefined) !== isLive)
      throw new Error('the application was not told of the end')
    if (application.isClosed !== state.isFinal) throw new Error('told of the last moment at another one')
    if (supervisor.missed.length > 0) throw new Error(`missed transition: ${supervisor.missed[0]}`)
    if (this.#hasClosedLocally && this.peer.close === undefined)
      throw new Error('CONNECTION_CLOSE was not sent')
    this.#checkSilence(state)
  }

  /** RFC 9000 section 10.2.2: no packet leaves in the draining state, and none after the end. */
  #checkSilence(state: GraphState): void {
    const isSilent = state.isFinal || state.key.startsWith('draining')
    const count = this.peer.datagramsReceived
    if (this.#packetsAtEnd >= 0 && count !== this.#packetsAtEnd)
      throw new Error('a packet of a drained connection')
    if (isSilent) this.#packetsAtEnd = count
  }

  /** Whatever state it is in, time ends it. */
  finish(): void {
    this.peer.autoAck = false
    this.peer.advance(60_000)
    if (!this.peer.end.application.isClosed) throw new Error('the connection does not end')
    if (this.#connection.nextTimeout() !== Number.POSITIVE_INFINITY) throw new Error('a timer is left')
  }
}
