// What each capsule means to a session, draft-ietf-webtrans-http3 sections 4.7, 5.6 and 6. A part of session.ts.

import { type CapsuleSink, CapsuleType, UNKNOWN_CAPSULE } from '../capsules.ts'
import { malformed } from '../errors.ts'
import { decodeClose, decodeInteger, WtCapsule } from './capsules.ts'
import { flowControlError, type OutgoingCredit } from './flow-control.ts'
import {
  MAX_CLOSE_MESSAGE,
  MAX_DATAGRAM_CAPSULE,
  MAX_INTEGER_CAPSULE,
  MAX_STREAMS_VALUE,
  SKIPPED_BYTES_PER_GLITCH,
} from './limits.ts'
import type { WebTransportSession } from './session.ts'

/** Longest value of each type that means something, bytes. */
const lengths: ReadonlyMap<number, number> = new Map<number, number>([
  [CapsuleType.datagram, MAX_DATAGRAM_CAPSULE],
  [WtCapsule.closeSession, 4 + MAX_CLOSE_MESSAGE],
  [WtCapsule.drainSession, 0],
  [WtCapsule.maxData, MAX_INTEGER_CAPSULE],
  [WtCapsule.maxStreamsBidi, MAX_INTEGER_CAPSULE],
  [WtCapsule.maxStreamsUni, MAX_INTEGER_CAPSULE],
  [WtCapsule.dataBlocked, MAX_INTEGER_CAPSULE],
  [WtCapsule.streamsBlockedBidi, MAX_INTEGER_CAPSULE],
  [WtCapsule.streamsBlockedUni, MAX_INTEGER_CAPSULE],
])

export class SessionCapsules implements CapsuleSink {
  readonly #session: WebTransportSession

  constructor(session: WebTransportSession) {
    this.#session = session
  }

  maxLength(type: number): number {
    // Section 6: nothing follows WT_CLOSE_SESSION, not even in the same piece.
    if (!this.#session.isEstablished) throw malformed('capsule after WT_CLOSE_SESSION')
    if (type === WtCapsule.maxStreamData || type === WtCapsule.streamDataBlocked) {
      // Section 5.4: "MUST treat receipt of a WT_MAX_STREAM_DATA or a WT_STREAM_DATA_BLOCKED capsule as a session error".
      throw malformed('flow control of a stream in a capsule')
    }
    return lengths.get(type) ?? UNKNOWN_CAPSULE
  }

  handleSkipped(_type: number, length: number): void {
    this.#session.request.connection.charge(1 + Math.floor(length / SKIPPED_BYTES_PER_GLITCH))
  }

  handleCapsule(type: number, value: Uint8Array): void {
    const session = this.#session
    switch (type) {
      case CapsuleType.datagram:
        session.events?.handleDatagram(value)
        break
      case WtCapsule.closeSession:
        session.handleClose(decodeClose(value))
        break
      case WtCapsule.drainSession:
        session.request.connection.charge(1)
        session.handleDrain()
        break
      default:
        this.#handleFlowControl(type, decodeInteger(value))
    }
  }

  #handleFlowControl(type: number, max: number): void {
    const { credit, events } = this.#session
    // Section 5.1: without flow control "an endpoint MUST ignore receipt of any flow control capsules".
    if (!credit.isEnabled) {
      this.#session.request.connection.charge(1)
      return
    }
    if (type === WtCapsule.maxData) {
      credit.data.raise(max)
      this.#session.handleDataCredit()
    } else if (type === WtCapsule.maxStreamsBidi || type === WtCapsule.maxStreamsUni) {
      this.#raiseStreams(type === WtCapsule.maxStreamsBidi ? credit.bidi : credit.uni, max)
      events?.handleStreamCredit()
    } else {
      this.#session.request.connection.charge(1)
      const isOfStreams = type !== WtCapsule.dataBlocked
      if (isOfStreams && max > MAX_STREAMS_VALUE) throw flowControlError('more streams than there are')
    }
  }

  #raiseStreams(credit: OutgoingCredit, max: number): void {
    if (max > MAX_STREAMS_VALUE) throw flowControlError('more streams than there are')
    credit.raise(max)
  }
}
