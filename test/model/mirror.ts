// The peer's view of a stream: its own sending and receiving part, run by XState from the charts, so that what is
// wrong in a compiled table is not wrong here, too. Fed with what the peer sends and with the frames that reach it.
import { initialTransition, transition } from 'xstate'
import {
  type CompiledMachine,
  declaredOutcome,
  Outcome,
  receiveStream,
  type StreamEventType,
  sendStream,
} from '../../src/machines/index.ts'
import type { StreamParts } from './stream-parts.ts'

/** One part of the peer. An event that its chart calls impossible is a fault of one of the two ends. */
class MirrorPart {
  readonly #machine: CompiledMachine['machine']
  #snapshot: ReturnType<typeof initialTransition>[0]

  constructor(table: CompiledMachine) {
    this.#machine = table.machine
    this.#snapshot = initialTransition(table.machine)[0]
  }

  get state(): string {
    return this.#snapshot.value as string
  }

  raise(type: StreamEventType): void {
    if (declaredOutcome(this.#machine, this.#snapshot, type) === Outcome.impossible) {
      throw new Error(`the peer's ${this.#machine.id} in ${this.state} cannot take ${type}`)
    }
    this.#snapshot = transition(this.#machine, this.#snapshot, { type })[0]
  }
}

/** What arrived of our data at the peer. */
interface Arrived {
  bytes: Uint8Array
  finalSize: number
  reliableSize: number
}

export class Mirror {
  /** The peer's receiving part: what it makes of our sending part. */
  readonly receive = new MirrorPart(receiveStream)
  /** The peer's sending part. */
  readonly send = new MirrorPart(sendStream)
  readonly arrived: Arrived = { bytes: new Uint8Array(0), finalSize: -1, reliableSize: -1 }
  #isStopDue = false
  #isEndDecided = false
  #isClosed = false

  /** STREAM of ours has arrived, in order. */
  takeData(offset: number, data: Uint8Array, fin: boolean): void {
    const { arrived } = this
    if (offset > arrived.bytes.length) throw new Error(`a gap before ${offset}`)
    if (
      this.receive.state !== 'recv' &&
      this.receive.state !== 'sizeKnown' &&
      this.receive.state !== 'stopped'
    )
      return
    const known = arrived.bytes.subarray(offset, offset + data.length)
    if (Buffer.compare(known, data.subarray(0, known.length)) !== 0)
      throw new Error('sent again, bytes differ')
    arrived.bytes = Buffer.concat([arrived.bytes, data.subarray(known.length)])
    if (fin) this.#takeSize(offset + data.length, offset + data.length)
    this.#settle()
  }

  takeResetAt(finalSize: number, reliableSize: number): void {
    this.#takeSize(finalSize, reliableSize)
    this.#settle()
  }

  takeReset(finalSize: number): void {
    const { arrived } = this
    if (arrived.finalSize >= 0 && arrived.finalSize !== finalSize)
      throw new Error('the final size has changed')
    if (finalSize < arrived.bytes.length) throw new Error('a final size below what has arrived')
    this.receive.raise('recv.resetStream')
    if (this.receive.state === 'resetRecvd') this.receive.raise('app.readReset')
  }

  #takeSize(finalSize: number, reliableSize: number): void {
    const { arrived } = this
    if (arrived.finalSize >= 0 && arrived.finalSize !== finalSize)
      throw new Error('the final size has changed')
    if (arrived.finalSize >= 0) return
    arrived.finalSize = finalSize
    arrived.reliableSize = reliableSize
    this.receive.raise('recv.fin')
  }

  #settle(): void {
    const { arrived, receive } = this
    if (receive.state !== 'sizeKnown' || arrived.bytes.length < arrived.reliableSize) return
    receive.raise('recv.allData')
    receive.raise(arrived.reliableSize < arrived.finalSize ? 'app.readReset' : 'app.readAll')
  }

  /** The peer's application wants nothing more: it sends STOP_SENDING. */
  stop(): void {
    if (this.#isClosed) return
    this.receive.raise('app.stop')
  }

  /** The peer sends data, or its end. What it sent before a reset may arrive after it. */
  sendData(fin: boolean): void {
    const { send } = this
    if (this.#isEndDecided || this.#isClosed) return
    if (send.state === 'ready') send.raise('send.stream')
    if (fin && send.state === 'send') send.raise('send.fin')
  }

  /** The peer sends RESET_STREAM, after its application's wish or as the answer to STOP_SENDING. */
  sendReset(): void {
    const { send } = this
    if (this.#isEndDecided || this.#isClosed) return
    this.#isEndDecided = true
    send.raise(this.#isStopDue ? 'recv.stopSending' : 'app.reset')
    send.raise('send.resetStream')
  }

  /** STOP_SENDING of ours has arrived; the peer answers when the path says so. */
  takeStop(): void {
    this.#isStopDue = true
  }

  /** What arrived is taken up: nothing of it is on the way any more. */
  settle(isAcked: boolean): void {
    const { send } = this
    if (this.#isStopDue && !this.#isEndDecided) send.raise('recv.stopSending')
    if (!isAcked) return
    if (send.state === 'dataSent') send.raise('send.allAcked')
    else if (send.state === 'resetSent') send.raise('send.resetAcked')
  }

  close(): void {
    this.#isClosed = true
    this.receive.raise('connection.closed')
    this.send.raise('connection.closed')
  }
}

/** Our sending part -> what the peer's receiving part may be once everything has arrived. */
const PEER_RECEIVES: Readonly<Record<string, readonly string[]>> = {
  ready: ['recv'],
  send: ['recv'],
  dataSent: ['dataRead', 'resetRead'],
  dataRecvd: ['dataRead'],
  resetQueued: ['recv', 'stopped', 'dataRead', 'resetRead'],
  resetSent: ['resetRead', 'dataRead'],
  resetRecvd: ['resetRead', 'dataRead'],
  connectionClosed: ['connectionClosed', 'dataRead', 'resetRead'],
}

/** Our receiving part -> what the peer's sending part may be. */
const PEER_SENDS: Readonly<Record<string, readonly string[]>> = {
  recv: ['ready', 'send'],
  sizeKnown: ['dataSent'],
  dataRecvd: ['dataSent', 'dataRecvd', 'resetSent', 'resetRecvd'],
  dataRead: ['dataSent', 'dataRecvd', 'resetSent', 'resetRecvd', 'connectionClosed'],
  resetRecvd: ['resetSent'],
  resetRead: ['dataSent', 'resetSent', 'dataRecvd', 'resetRecvd', 'resetQueued', 'connectionClosed'],
  stopped: ['ready', 'send', 'resetQueued'],
  connectionClosed: ['connectionClosed', 'dataRecvd', 'resetRecvd'],
}

/** @throws Error when the two ends cannot be in these states at the same time */
export function compareEnds({ send, receive }: StreamParts, mirror: Mirror): void {
  if (send !== undefined && !PEER_RECEIVES[send]!.includes(mirror.receive.state))
    throw new Error(`we send in ${send}, the peer receives in ${mirror.receive.state}`)
  if (receive !== undefined && !PEER_SENDS[receive]!.includes(mirror.send.state))
    throw new Error(`we receive in ${receive}, the peer sends in ${mirror.send.state}`)
}
