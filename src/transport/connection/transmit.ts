// What goes out, in which order, and how much of it: acknowledgements, CRYPTO, control frames, stream data, coalesced
// into datagrams (RFC 9000 sections 12.2, 13 and 14; RFC 9002 section 7). Called by QuicConnection.pollTransmit.
import { ConnectionPhase } from '../../machines/index.ts'
import type { Entropy, PacketKeys } from '../crypto/index.ts'
import { EntryKind } from '../streams/index.ts'
import { FrameType, TransportErrorCode, writeBareFrame, writeConnectionClose } from '../wire/index.ts'
import type { QuicConnection } from './connection.ts'
import type { DatagramBatch } from './datagram-batch.ts'
import { MAX_DATAGRAMS_PER_POLL, MIN_DATAGRAM_SIZE, MIN_PACKET_ROOM } from './limits.ts'
import { type PacketSpace, Space } from './packet-space.ts'
import { PacketWriter } from './packet-writer.ts'
import { MtuProbe } from './path-control.ts'
import { PathProbes } from './path-probes.ts'
import { TimerKind } from './timers.ts'

/** Room that an ACK frame with a few ranges needs; a fuller one is cut to what fits. */
const ACK_ROOM = 64

export class Transmitter {
  readonly #connection: QuicConnection
  readonly #writers: readonly PacketWriter[]
  readonly #open: PacketWriter[] = []
  readonly #mtuProbe: MtuProbe
  readonly #probes: PathProbes
  /** Congestion control or pacing held something back in this poll. */
  #isBlocked = false

  constructor(connection: QuicConnection, entropy: Entropy) {
    this.#connection = connection
    this.#probes = new PathProbes(connection, (bytes) => entropy.fill(bytes))
    this.#mtuProbe = new MtuProbe(connection)
    this.#writers = connection.spaces.map((space) => new PacketWriter(connection, space))
  }

  /** Appends datagrams to the batch until nothing may or need be sent. Returns how many. */
  poll(batch: DatagramBatch, now: number): number {
    const { recovery, timers, mtu, control } = this.#connection
    let sent = 0
    this.#isBlocked = false
    timers.clear(TimerKind.pacing)
    if (!this.#connection.isEnding) sent += this.#probes.send(batch, now)
    if (control.ackFrequency.update(now)) control.queueAckFrequency()
    if (mtu.probeSize > 0 && this.#sendMtuProbe(batch, now)) sent++
    while (sent < MAX_DATAGRAMS_PER_POLL && !batch.isFull) {
      if (!this.#datagram(batch, now)) {
        // RFC 9002 section 7.8: idle because nothing is left to send, not because the window is full.
        recovery.flight.setApplicationLimited(!this.#isBlocked)
        break
      }
      sent++
    }
    this.#connection.log?.settle()
    return sent
  }

  #datagram(batch: DatagramBatch, now: number): boolean {
    const connection = this.#connection
    const { path } = connection
    // What answers a probe timeout must arrive, whatever has become of the path's MTU.
    const isProbe = connection.spaces[Space.application].probes > 0
    const size = isProbe ? MIN_DATAGRAM_SIZE : path.maxDatagramSize
    if (!path.canSend) {
      connection.recovery.setAntiAmplificationBlocked(true, now)
      return false
    }
    if (!batch.accepts(path.local)) {
      this.#isBlocked = true
      return false
    }
    connection.recovery.ecn.beginDatagram()
    const start = batch.used
    const limit = start + size
    const isClosing = connection.isEnding
    if (isClosing && !connection.closing.isPending) return false
    let end = start
    for (const writer of this.#writers) {
      if (limit - end < MIN_PACKET_ROOM) break
      if (this.#packet(writer, batch.buffer, end, limit, now, isClosing)) {
        this.#open.push(writer)
        end = writer.sealedEnd
      }
    }
    if (this.#open.length === 0) return false
    connection.closing.isPending = false
    const length = this.#seal(start, now) - start
    this.#commit(batch, length)
    if (length >= size - FULL_SLACK) connection.mtu.onFullDatagram(now)
    return true
  }

  #commit(batch: DatagramBatch, length: number): void {
    const { path } = this.#connection
    batch.commit(length, path.remote, this.#connection.recovery.ecn.mark)
    path.bytesSent += length
    this.#connection.stats.noteSent(length)
  }

  /** RFC 9000 section 14.4: PING and PADDING, so that nothing is missing when the path does not carry it. */
  #sendMtuProbe(batch: DatagramBatch, now: number): boolean {
    const connection = this.#connection
    const { mtu, recovery, path } = connection
    const size = mtu.probeSize
    const writer = this.#writers[Space.application]
    const keys = this.#writeKeys(writer.space)
    if (
      batch.isFull ||
      !batch.accepts(path.local) ||
      keys === undefined ||
      connection.isEnding ||
      !path.isValidated
    )
      return false
    if (connection.actor.phase < ConnectionPhase.confirmed || !recovery.flight.canSend(size, now))
      return false
    recovery.ecn.beginDatagram()
    const start = batch.used
    writer.begin(keys, batch.buffer, start, start + size, recovery.pool.acquire())
    writer.offset = writeBareFrame(writer.buffer, writer.offset, FrameType.ping)
    writer.ackEliciting = true
    writer.padTo(start + size)
    writer.packet.isMtuProbe = true
    writer.packet.addEntry(EntryKind.mtuProbe, this.#mtuProbe, size)
    mtu.onProbeSent(size)
    const length = writer.seal(now) - start
    connection.lifetime.handleAckElicitingSent(now)
    this.#commit(batch, length)
    return true
  }

  /** Pads where it must be, seals all packets of the datagram, returns its end. */
  #seal(start: number, now: number): number {
    const open = this.#open
    const last = open[open.length - 1]
    if (this.#needsFullSize()) last.padTo(start + MIN_DATAGRAM_SIZE)
    let end = start
    let elicits = false
    let sentHandshake = false
    for (const writer of open) {
      end = writer.seal(now)
      if (writer.ackEliciting) elicits = true
      if (writer.space.index === Space.handshake) sentHandshake = true
    }
    open.length = 0
    if (elicits) this.#connection.lifetime.handleAckElicitingSent(now)
    // RFC 9001 section 4.9.1: "a client MUST discard Initial keys when it first sends a Handshake packet".
    if (sentHandshake && !this.#connection.isServer) this.#connection.discardSpace(Space.initial)
    return end
  }

  /** RFC 9000 section 14.1: Initial packets travel in full-sized datagrams. */
  #needsFullSize(): boolean {
    for (const writer of this.#open) {
      if (writer.space.index === Space.initial && (writer.ackEliciting || !this.#connection.isServer))
        return true
    }
    return false
  }

  /** Fills one packet. Returns false when there is nothing for this space. */
  #packet(
    writer: PacketWriter,
    buffer: Uint8Array,
    start: number,
    limit: number,
    now: number,
    isClosing: boolean,
  ): boolean {
    const { space } = writer
    const keys = this.#writeKeys(space)
    if (keys === undefined) return false
    const mayElicit = !isClosing && this.#mayElicit(space, limit - start, now)
    const wantsAck = !isClosing && space.acks.shouldAckNow(now)
    if (!isClosing && !wantsAck && !mayElicit) return false
    const { recovery } = this.#connection
    writer.begin(keys, buffer, start, limit, recovery.pool.acquire())
    if (isClosing) this.#writeClose(writer)
    else {
      if (wantsAck || space.acks.hasPendingAck) this.#writeAck(writer, now)
      if (mayElicit) this.#writeEliciting(writer)
    }
    if (!writer.isEmpty) return true
    recovery.pool.release(writer.packet)
    return false
  }

  #writeKeys(space: PacketSpace): PacketKeys | undefined {
    if (space.index !== Space.application) return space.writeKeys
    const { applicationKeys, handshake } = this.#connection
    return applicationKeys?.write ?? space.writeKeys ?? handshake.early.writeKeys
  }

  /** Whether the space has ack-eliciting frames and may send them now: probes pass the congestion window. */
  #mayElicit(space: PacketSpace, bytes: number, now: number): boolean {
    if (space.probes > 0) return true
    if (!this.#hasEliciting(space)) return false
    const { recovery, timers } = this.#connection
    if (recovery.flight.canSend(bytes, now)) return true
    this.#isBlocked = true
    if (recovery.flight.isCongestionBlocked(bytes)) {
      if (space.index !== Space.application) recovery.holdBack(space.index, now)
    } else timers.set(TimerKind.pacing, recovery.flight.nextPacedTime(now, bytes))
    return false
  }

  #hasEliciting(space: PacketSpace): boolean {
    if (space.crypto.hasOutput) return true
    if (space.index !== Space.application) return false
    const { control, datagrams, host } = this.#connection
    return control.hasOutput || datagrams.hasOutput || host.sendQueue.size > 0
  }

  #writeAck(writer: PacketWriter, now: number): void {
    const { acks } = writer.space
    const end = Math.min(writer.end, writer.offset + Math.max(ACK_ROOM, (writer.end - writer.offset) >>> 1))
    const offset = acks.writeAck(writer.buffer, writer.offset, end, now, this.#connection.ackDelayExponent)
    if (offset === writer.offset) return
    writer.offset = offset
    writer.packet.addEntry(EntryKind.ack, writer.space, acks.largest, 0)
    if (writer.space.index === Space.application) this.#connection.applicationKeys?.noteAckSent()
  }

  #writeEliciting(writer: PacketWriter): void {
    const { space, packet, buffer, end } = writer
    const before = writer.offset
    while (space.crypto.hasOutput) {
      const offset = space.crypto.writeFrame(buffer, writer.offset, end, packet)
      if (offset === writer.offset) break
      writer.offset = offset
    }
    if (space.index === Space.application) this.#writeApplication(writer)
    if (space.probes > 0) {
      if (writer.offset === before) {
        const isAsking = space.index === Space.application && this.#connection.control.ackFrequency.isActive
        const type = isAsking ? FrameType.immediateAck : FrameType.ping
        writer.offset = writeBareFrame(buffer, writer.offset, type)
      }
      space.probes--
    }
    if (writer.offset > before) writer.ackEliciting = true
  }

  #writeApplication(writer: PacketWriter): void {
    const connection = this.#connection
    const { control, datagrams, host } = connection
    const { sendQueue } = host
    const { packet, buffer, end } = writer
    writer.offset = control.writeFrames(buffer, writer.offset, end, packet)
    if (datagrams.hasOutput) writer.offset = datagrams.writeFrames(buffer, writer.offset, end, packet)
    while (end - writer.offset > MIN_STREAM_ROOM) {
      const stream = sendQueue.choose()
      if (stream === undefined) break
      const before = writer.offset
      writer.offset = stream.writeFrames(buffer, before, end, packet)
      host.endTurn(stream)
      // It has something that does not fit: the packet is as good as full.
      if (writer.offset === before && stream.isQueued) break
    }
  }

  #writeClose(writer: PacketWriter): void {
    const { info, reasonBytes } = this.#connection.closing
    if (info === undefined) return
    const { buffer, offset, space } = writer
    // RFC 9000 section 10.2.3: an application's error must not be shown before the handshake protects it.
    const isHidden = info.isApplication && space.index !== Space.application
    const isApplication = info.isApplication && !isHidden
    const code = isHidden ? TransportErrorCode.APPLICATION_ERROR : info.code
    const reason = isHidden ? NO_REASON : reasonBytes
    writer.offset = writeConnectionClose(buffer, offset, isApplication, code, info.frameType, reason)
  }
}

/** A datagram with less room left than this counts as full, bytes. */
const FULL_SLACK = 24
const NO_REASON = new Uint8Array(0)
/** Below this a STREAM frame would carry next to nothing: header and a few bytes. */
const MIN_STREAM_ROOM = 24
