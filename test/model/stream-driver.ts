// Walks a path of a stream machine on a real connection: each event of the path becomes what a peer sends or withholds,
// or what our application does. After each step four views are compared: the stream's machine, the registry of its
// supervisor, the frames on the wire, and in the end the peer's own two machines.
import { ReceivePhase } from '../../src/machines/index.ts'
import type { GraphEdge, GraphState, MachinePath, PathDriver } from '../../src/testing/index.ts'
import { FrameType } from '../../src/transport/wire/index.ts'
import * as frame from '../rfc/frame-bytes.ts'
import { compareEnds, Mirror } from './mirror.ts'
import { isStreamPathFeasible, partsOf, planOf, type StreamPlan } from './stream-parts.ts'
import { StreamPeer } from './stream-peer.ts'
import { Wire } from './wire.ts'

export { isStreamPathFeasible }

const OUR_CODE = 0x33
const PEER_CODE = 0x44
const OURS = Buffer.from('hello')
const PEERS = Buffer.from('abcd')
/** Of both RESET_STREAM_AT frames. */
const RELIABLE_SIZE = 2
/** Longer than any PTO of a path without delay, ms. */
const PTO = 200
/** Losses of one path; the rest pass without. */
const MAX_LOSSES = 5
/** Longer than the idle timeout and three PTOs after it, ms. */
const IDLE = 60_000

export interface StreamDriverOptions {
  /** Who opens the stream; only bidirectional ones leave the choice. */
  readonly opener: 'peer' | 'us'
  /** The peer grants less than we write, until it is time for the FIN. */
  readonly withholdsCredit: boolean
  /** How the connection ends when the path says so. */
  readonly closing: 'local' | 'peer' | 'vanish' | 'abandon'
}

export class StreamDriver implements PathDriver {
  readonly peer: StreamPeer
  readonly mirror = new Mirror()
  readonly wire: Wire
  readonly #machine: string
  readonly #plan: StreamPlan
  readonly #options: StreamDriverOptions
  readonly #id: number
  /** Steps up to this one were done inside of a callback. */
  #done = -1
  #failure: unknown
  #isClosed = false
  #losses = 0
  /** The packet with the newest of what the peer has sent, and whether nothing before it is missing. */
  #lastSent = -1
  #isWhole = false

  constructor(machine: string, path: MachinePath, options: StreamDriverOptions) {
    this.#machine = machine
    this.#options = options
    this.#plan = planOf(machine, path)
    this.peer = new StreamPeer({ streamCredit: options.withholdsCredit ? 3 : 1_000 }).begin()
    this.#id = this.#open()
    this.wire = new Wire(this.peer, this.#id, this.mirror)
    this.peer.collect()
    this.wire.expectNothing()
  }

  /** A stream without a fact about its life (RFC 9000 section 3.2: a limit creates it as well). */
  #open(): number {
    const { peer } = this
    if (this.#machine === 'sendStream') return peer.application.adopt(peer.connection.openStream('uni')!) && 3
    if (this.#machine === 'receiveStream') {
      peer.tell(frame.streamDataBlocked(2, 0))
      return 2
    }
    if (this.#options.opener === 'us') return peer.application.adopt(peer.connection.openStream('bidi')!) && 1
    peer.tell(frame.streamDataBlocked(0, 0))
    return 0
  }

  get #stream() {
    return this.peer.application.streams.get(this.#id)!.stream
  }

  get #ours() {
    return this.peer.application.streams.get(this.#id)!.application
  }

  apply(edge: GraphEdge, step: number, path: MachinePath): void {
    if (step <= this.#done) return
    const isTransition = edge.outcome === 'transition'
    if (
      edge.event.type === 'recv.resetStream' &&
      this.#parts(edge.to).receive === 'resetRecvd' &&
      isTransition
    ) {
      this.#ours.onReset = () => this.#insideCallback(edge, step, path)
    }
    this.#perform(edge, false)
    if (this.#failure !== undefined) throw this.#failure
    if (this.#ours.onReset !== undefined) throw new Error('the application was not told of the reset')
    this.#collect(path.steps[Math.max(step, this.#done)]!)
  }

  /** What the path does while the application is being told of the reset. */
  #insideCallback(reset: GraphEdge, step: number, path: MachinePath): void {
    this.#done = step
    try {
      this.#compareState(reset.to)
      for (const [index, edge] of path.steps.entries()) {
        if (index <= step) continue
        if (this.#parts(edge.from).receive !== 'resetRecvd' || edge.event.type === 'app.readReset') return
        this.#done = index
        this.#perform(edge, true)
        this.#compareState(edge.to)
      }
    } catch (error) {
      this.#failure = error
    }
  }

  check(state: GraphState, edge: GraphEdge | undefined): void {
    // Seen inside of the callback, and over when that has returned.
    if (this.#parts(state).receive === 'resetRecvd') return
    const { peer } = this
    const isInside = edge !== undefined && this.#parts(edge.from).receive === 'resetRecvd'
    if (!isInside || this.#done < 0) this.#compareState(state)
    const live = state.isFinal ? 0 : 1
    const registered = { supervisor: peer.supervisor.streamCount, table: peer.connection.streams.size }
    if (registered.supervisor !== live || registered.table !== live)
      throw new Error(`${live} live streams are due, registered are ${JSON.stringify(registered)}`)
    const { actorsStarted, actorsStopped } = peer.endpoint.counters
    if (actorsStarted - actorsStopped !== live)
      throw new Error(`${actorsStarted - actorsStopped} actors live`)
    const missed = peer.endpoint.missed.list()
    if (missed.length > 0) throw new Error(`missed transition: ${JSON.stringify(missed[0])}`)
    if (this.#parts(state).send !== 'resetQueued') this.wire.compare()
    if (state.isFinal) {
      const outcome = state.snapshot.output as unknown
      if (this.#ours.outcome !== outcome) throw new Error(`ended as ${this.#ours.outcome}, not as ${outcome}`)
    }
  }

  #parts(state: GraphState) {
    return partsOf(this.#machine, state)
  }

  #compareState(state: GraphState): void {
    const { actor } = this.#stream
    const { table } = actor
    const due = table.name[table.stateOf(state.value)]
    const is = table.name[actor.state]
    if (is !== due) throw new Error(`the stream is in ${is}, the model in ${due}`)
  }

  /** Lets everything out that is due, unless the reset is to stay in its queue. */
  #collect({ to, event }: GraphEdge): void {
    const parts = this.#parts(to)
    if (parts.send === 'resetQueued' && event.type !== 'send.resetStream') return
    this.peer.collect()
    this.wire.take()
  }

  #perform(edge: GraphEdge, isInside: boolean): void {
    const isTransition = edge.outcome === 'transition'
    const from = this.#parts(edge.from)
    const to = this.#parts(edge.to)
    if (edge.event.type === 'connection.closed') this.#close(isInside, from.send)
    else if (SENDING[edge.event.type] !== undefined) this.#performSending(edge.event.type, isTransition)
    else this.#performReceiving(edge.event.type, isTransition && to.receive === 'stopped')
    if (from.receive === 'stopped' && to.receive !== 'stopped') this.wire.forgetStop()
    if (to.send === 'resetQueued' && isTransition && from.send !== to.send) {
      this.wire.expectReset(edge.event.type === 'app.reset' ? OUR_CODE : PEER_CODE)
    }
  }

  #performSending(type: string, isTransition: boolean): void {
    const { peer, wire, mirror } = this
    const stream = this.#stream
    switch (type) {
      case 'send.stream':
        stream.write(OURS)
        wire.expectData(OURS.subarray(0, this.#options.withholdsCredit ? 3 : OURS.length))
        return
      case 'send.fin':
        if (isTransition) this.#sendFin()
        else this.#loseAll()
        return
      case 'app.reset':
        stream.reset(OUR_CODE)
        return
      case 'recv.stopSending':
        mirror.stop()
        peer.tell(frame.stopSending(this.#id, PEER_CODE))
        return
      case 'send.resetStream':
        if (!isTransition) this.#loseAll()
        return
      case 'send.allAcked':
        // That of a reset, which would be another event, is withheld.
        peer.acknowledgeSome(({ frames }) => !frames.some(({ type: kind }) => kind === FrameType.resetStream))
        return
      default:
        peer.acknowledgeSome(() => true)
    }
  }

  #sendFin(): void {
    const { peer, wire } = this
    const stream = this.#stream
    if (this.#plan.sendsResetAt) {
      stream.reset(OUR_CODE, RELIABLE_SIZE)
      wire.expectResetAt(OUR_CODE, RELIABLE_SIZE)
      return
    }
    stream.end()
    const isShort = wire.sentBytes > 0 && wire.sentBytes < OURS.length
    if (isShort) peer.tell(frame.maxStreamData(this.#id, 1_000))
    wire.expectFin(isShort ? OURS.subarray(wire.sentBytes) : new Uint8Array(0))
  }

  /** Nothing is acknowledged until it has been sent again. */
  #loseAll(): void {
    // RFC 9002 section 6.2.1: each PTO is twice the one before; further ones would meet the idle timeout.
    if (this.#losses === MAX_LOSSES) return
    this.peer.advance(PTO * 2 ** this.#losses++)
    this.wire.expectRepeats()
  }

  #performReceiving(type: string, isStopDue: boolean): void {
    const { peer, mirror } = this
    const stream = this.#stream
    switch (type) {
      case 'recv.fin':
        this.#tellEnd()
        return
      case 'recv.allData':
        mirror.sendData(false)
        this.#isWhole = true
        this.#lastSent = peer.tell(frame.stream(this.#id, 0, PEERS.subarray(0, 1)))
        return
      case 'recv.resetStream':
        mirror.sendReset()
        this.#isWhole = true
        this.#lastSent = peer.tell(frame.resetStream(this.#id, PEER_CODE, PEERS.length))
        return
      case 'app.readAll':
        this.#readAll()
        return
      case 'app.readReset':
        // After RESET_STREAM it comes by itself; after RESET_STREAM_AT with the last byte that is read.
        if (this.#plan.receivesResetAt && !this.#isClosed) this.#readAll()
        return
      default:
        stream.stopSending(OUR_CODE)
        if (isStopDue) this.wire.expectStop(OUR_CODE)
    }
  }

  /** The end, and everything but the first byte. */
  #tellEnd(): void {
    const { peer, mirror } = this
    mirror.sendData(true)
    const id = this.#id
    this.#lastSent = this.#plan.receivesResetAt
      ? peer.tell(
          frame.stream(id, 1, PEERS.subarray(1, RELIABLE_SIZE)),
          frame.resetStreamAt(id, PEER_CODE, PEERS.length, RELIABLE_SIZE),
        )
      : peer.tell(frame.stream(id, 1, PEERS.subarray(1), true))
  }

  #readAll(): void {
    const chunks: Buffer[] = []
    for (let chunk = this.#stream.read(); chunk !== undefined; chunk = this.#stream.read())
      chunks.push(Buffer.from(chunk))
    const due = PEERS.subarray(0, this.#plan.receivesResetAt ? RELIABLE_SIZE : PEERS.length).toString()
    const read = Buffer.concat(chunks).toString()
    if (read !== '' && read !== due) throw new Error(`the application has read '${read}'`)
    this.peer.nudge()
  }

  #close(isInside: boolean, send: string | undefined): void {
    const { peer, mirror, wire } = this
    const isFirst = !this.#isClosed
    this.#isClosed = true
    const { closing } = this.#options
    const vanishes = closing === 'vanish' && !isInside && send !== 'resetQueued' && isFirst
    if (vanishes) peer.advance(IDLE)
    wire.close()
    if (!isFirst) return
    mirror.close()
    peer.isOver = true
    if (vanishes) return
    if (isInside || closing === 'local') peer.connection.close(0x10, '', { application: true })
    else if (closing === 'peer') peer.tell(frame.applicationClose(0x10))
    else peer.supervisor.kill()
  }

  /** After the last step: the two ends agree, and when the connection has gone nothing is left of it. */
  finish(path: MachinePath): void {
    const { peer, mirror } = this
    const parts = this.#parts(path.end)
    // Being told of it was all that was missing.
    if (parts.receive === 'resetRecvd' && this.#stream.actor.receivePhase !== ReceivePhase.resetRead)
      throw new Error('the reset has been told, and the receiving part goes on')
    if (parts.send !== 'resetQueued' && parts.receive !== 'resetRecvd') {
      peer.collect()
      if (!this.#isClosed) mirror.settle(this.#isWhole && peer.isAcked(this.#lastSent))
      compareEnds(parts, mirror)
    }
    if (!this.#isClosed) peer.connection.close(0x10, '', { application: true })
    peer.advance(IDLE)
    const { leftovers } = peer
    if (leftovers.length > 0) throw new Error(`left over: ${leftovers.join(', ')}`)
    const missed = peer.endpoint.missed.list()
    if (missed.length > 0) throw new Error(`missed transition: ${JSON.stringify(missed[0])}`)
    if (peer.endpoint.counters.internalErrors > 0) throw new Error('an error of our own')
  }
}

const SENDING: Readonly<Record<string, true>> = Object.fromEntries(
  [
    'send.stream',
    'send.fin',
    'send.allAcked',
    'app.reset',
    'recv.stopSending',
    'send.resetStream',
    'send.resetAcked',
  ].map((type) => [type, true]),
)
