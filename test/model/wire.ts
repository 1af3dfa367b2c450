// The frames of one stream as they come from the connection under test, against those that are due. What comes is also
// told to the peer's own machines (mirror.ts).
import { FrameType } from '../../src/transport/wire/index.ts'
import type { ReceivedFrame } from '../rfc/received-frames.ts'
import type { Mirror } from './mirror.ts'
import type { StreamPeer } from './stream-peer.ts'

/** Frames that say something about the life of a stream; limits and their complaints do not. */
const LIFE = new Set<number>([
  FrameType.stream,
  FrameType.resetStream,
  FrameType.resetStreamAt,
  FrameType.stopSending,
])

export function describeFrame({
  type,
  offset,
  data,
  fin,
  code,
  finalSize,
  reliableSize,
}: ReceivedFrame): string {
  if (type === FrameType.stream) return `STREAM ${offset} '${Buffer.from(data!)}'${fin ? ' FIN' : ''}`
  if (type === FrameType.resetStream) return `RESET_STREAM ${code} ${finalSize}`
  if (type === FrameType.resetStreamAt) return `RESET_STREAM_AT ${code} ${finalSize} ${reliableSize}`
  return `STOP_SENDING ${code}`
}

export class Wire {
  /** Bytes of the stream that have been sent at least once. */
  sentBytes = 0
  readonly #peer: StreamPeer
  readonly #id: number
  readonly #mirror: Mirror
  #due: string[] = []
  #came: string[] = []
  /** Everything that came before, for what is sent again. */
  readonly #known = new Set<string>()
  #seen = 0
  #isRepetitionDue = false
  /** Something was not acknowledged in time: it may come again whenever a packet is declared lost. */
  #hasLost = false
  #isClosed = false

  constructor(peer: StreamPeer, id: number, mirror: Mirror) {
    this.#peer = peer
    this.#id = id
    this.#mirror = mirror
  }

  expectData(data: Uint8Array): void {
    this.#due.push(`STREAM ${this.sentBytes} '${Buffer.from(data)}'`)
  }

  expectFin(data: Uint8Array): void {
    this.#due.push(`STREAM ${this.sentBytes} '${Buffer.from(data)}' FIN`)
  }

  expectResetAt(code: number, reliableSize: number): void {
    this.#due.push(`RESET_STREAM_AT ${code} ${Math.max(this.sentBytes, reliableSize)} ${reliableSize}`)
  }

  /** Data that has not left yet never will: the reset takes its place. */
  expectReset(code: number): void {
    this.#due = this.#due.filter((text) => !text.startsWith('STREAM'))
    this.#due.push(`RESET_STREAM ${code} ${this.sentBytes}`)
  }

  expectStop(code: number): void {
    this.#due.push(`STOP_SENDING ${code}`)
  }

  /** The end has come before STOP_SENDING could leave: it is not needed any more (RFC 9000 section 3.5). */
  forgetStop(): void {
    this.#due = this.#due.filter((text) => !text.startsWith('STOP'))
  }

  expectNothing(): void {
    this.take()
    this.compare()
  }

  /** Something is due again that has come before, and nothing new. */
  expectRepeats(): void {
    this.#isRepetitionDue = true
    this.#hasLost = true
  }

  /** RFC 9000 section 10.2: nothing but CONNECTION_CLOSE is sent from now on. */
  close(): void {
    this.take()
    this.#isClosed = true
    this.#due = []
    this.#came = []
  }

  /** Takes what has arrived since the last call. */
  take(): void {
    const { packets } = this.#peer
    for (; this.#seen < packets.length; this.#seen++) {
      for (const frame of packets[this.#seen]!.frames) {
        if (LIFE.has(frame.type) && frame.streamId === this.#id) this.#takeFrame(frame)
      }
    }
  }

  #takeFrame(frame: ReceivedFrame): void {
    const mirror = this.#mirror
    this.#came.push(describeFrame(frame))
    if (this.#isClosed) return
    if (frame.type === FrameType.stream) {
      this.sentBytes = Math.max(this.sentBytes, frame.offset! + frame.data!.length)
      mirror.takeData(frame.offset!, frame.data!, frame.fin!)
    } else if (frame.type === FrameType.resetStream) mirror.takeReset(frame.finalSize!)
    else if (frame.type === FrameType.resetStreamAt) mirror.takeResetAt(frame.finalSize!, frame.reliableSize!)
    else mirror.takeStop()
  }

  /** @throws Error when other frames came than were due */
  compare(): void {
    const came = this.#came
    const due = this.#due
    this.#came = []
    this.#due = []
    // With more on the way, a probe may have had an older packet to stand for, of which nothing was left to repeat.
    if (this.#isRepetitionDue && came.length === 0 && this.#known.size === 1)
      throw new Error('a repetition is due, nothing came')
    this.#isRepetitionDue = false
    if (this.#hasLost) {
      this.#compareAfterLoss(came, due)
      return
    }
    for (const text of came) this.#known.add(text)
    if (came.toSorted().join() !== due.toSorted().join())
      throw new Error(`frames [${came.join(', ')}] instead of [${due.join(', ')}]`)
  }
  /** Lost data may come again together with what is new; its bytes are compared by the mirror. */
  #compareAfterLoss(came: readonly string[], due: readonly string[]): void {
    const kindOf = (text: string): string =>
      text.startsWith('STREAM') ? (text.endsWith('FIN') ? 'FIN' : 'DATA') : text
    const allowed = new Set([...this.#known, ...due].map(kindOf))
    const kinds = new Set(came.map(kindOf))
    for (const text of came) this.#known.add(text)
    const odd = came.filter((text) => !allowed.has(kindOf(text)))
    const missing = due.filter(
      (text) => !kinds.has(kindOf(text)) && !(kindOf(text) === 'DATA' && kinds.has('FIN')),
    )
    if (odd.length + missing.length > 0)
      throw new Error(`frames [${came.join(', ')}] instead of [${due.join(', ')}] and repetitions`)
  }
}
