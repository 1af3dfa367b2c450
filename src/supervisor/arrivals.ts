// What arrives: whose datagram it is, by its connection ID, and what happens to what is nobody's: a new connection, an
// answer without one, a hand-over to another worker, or nothing. A part of endpoint.ts.
//
//   socket -> receive() -> route by connection ID -> Endpoint.deliver()
//                       -> unknown: hand over, accept, version negotiation, stateless reset, or drop
import { QUIC_VERSIONS, type RemoteAddress } from '../transport/connection/index.ts'
import type { DatagramSocket } from '../transport/io/datagram-socket.ts'
import { PacketHeader, PacketType, parsePacketHeader, TransportErrorCode } from '../transport/wire/index.ts'
import { AddressValidation } from './address-validation.ts'
import type { ConnectionEntry } from './connection-entry.ts'
import { acceptConnection } from './connection-factory.ts'
import { ConnectionIds, ResetTokens } from './connection-ids.ts'
import { EarlyPackets } from './early-packets.ts'
import type { Endpoint } from './endpoint.ts'
import { secretOf } from './endpoint-secret.ts'
import { HalfOpen } from './half-open.ts'
import { HandOver } from './hand-over.ts'
import * as limits from './limits.ts'
import { StatelessResponder } from './stateless-responder.ts'
import { WorkerIds } from './worker-ids.ts'

const FIXED_BIT = 0x40

/** Long header up to the shortest destination ID that we could have issued. */
const LONG_HEADER_PREFIX = 6 + limits.CONNECTION_ID_LENGTH

export class Arrivals {
  readonly ids: ConnectionIds<ConnectionEntry>
  readonly #endpoint: Endpoint
  readonly #responder: StatelessResponder
  readonly #addresses: AddressValidation
  readonly #header = new PacketHeader()
  readonly #versions: readonly number[]
  readonly #halfOpen = new HalfOpen()
  readonly #early = new EarlyPackets()
  readonly #handOver: HandOver | undefined
  #isAccepting = true

  constructor(endpoint: Endpoint) {
    const { options, counters } = endpoint
    const { entropy, backends, worker } = options
    this.#endpoint = endpoint
    this.#versions = options.versions ?? QUIC_VERSIONS
    this.#header.allowsClearFixedBit = options.transport?.greaseQuicBit !== false
    const secret = secretOf(options.secret, entropy)
    const tokens = new ResetTokens(secret)
    this.#handOver =
      worker && new HandOver(worker, new WorkerIds(secret, worker.index, backends, entropy), counters)
    const idSource = this.#handOver?.ids ?? entropy
    this.ids = new ConnectionIds(idSource, tokens)
    this.#responder = new StatelessResponder(this.#versions, backends, entropy, tokens, counters)
    this.#addresses = new AddressValidation(options, secret, this.#responder, counters, idSource)
  }

  /** No new connections from now on. */
  stopAccepting(): void {
    this.#isAccepting = false
    this.#early.clear()
  }

  /** The connection is no handshake under way any more. */
  forget(entry: ConnectionEntry): void {
    this.#halfOpen.delete(entry)
    if (entry.isServer) this.ids.removeFirstFlight(entry.firstConnectionId)
  }

  /** One datagram from a socket, with the ECN field of its IP header. The buffer is borrowed. */
  receive(
    socket: DatagramSocket,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    ecn = 0,
  ): void {
    this.#endpoint.counters.datagramsReceived++
    this.#endpoint.counters.bytesReceived += end - start
    const entry = this.#route(buffer, start, end)
    if (entry === undefined) {
      this.#handleUnrouted(socket, buffer, start, end, remote, ecn)
      return
    }
    this.#endpoint.deliver(entry, socket, buffer, start, end, remote, ecn)
  }

  /** A datagram that another worker got, by its socket of this number. The buffer is borrowed. */
  takeOver(
    socket: number,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    ecn: number,
  ): void {
    const ours = this.#endpoint.sockets.at(socket)
    const handOver = this.#handOver
    if (ours === undefined || handOver === undefined) return
    handOver.begin()
    try {
      this.receive(ours, buffer, start, end, remote, ecn)
    } finally {
      handOver.end()
    }
  }

  #route(buffer: Uint8Array, start: number, end: number): ConnectionEntry | undefined {
    const isLong = (buffer[start] & 0x80) !== 0
    if (!isLong) {
      return end - start > limits.CONNECTION_ID_LENGTH ? this.ids.find(buffer, start + 1) : undefined
    }
    if (end - start < LONG_HEADER_PREFIX) return undefined
    const length = buffer[start + 5]
    if (length === limits.CONNECTION_ID_LENGTH) {
      const known = this.ids.find(buffer, start + 6)
      if (known !== undefined) return known
    }
    if (start + 6 + length > end) return undefined
    return this.ids.findFirstFlight(buffer, start + 6, length)
  }

  #handleUnrouted(
    socket: DatagramSocket,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    ecn: number,
  ): void {
    const now = this.#endpoint.turn.read()
    if (this.#handOver?.take(buffer, start, end, remote, this.#endpoint.sockets.indexOf(socket), ecn)) return
    const header = this.#header
    const isReflected =
      this.#endpoint.options.server !== undefined && limits.REFLECTION_PORTS.has(remote.port)
    if (isReflected || !parsePacketHeader(buffer, start, end, limits.CONNECTION_ID_LENGTH, header)) {
      // RFC 9000 section 10.3: a reset may be shorter than any packet with an ID of ours.
      const mayBeReset = this.#endpoint.options.server === undefined && (buffer[start] & 0xc0) === FIXED_BIT
      if (mayBeReset) this.#handleUnknownConnection(socket, buffer, start, end, remote, ecn, now)
      else this.#endpoint.counters.unroutable++
      return
    }
    if (header.type === PacketType.oneRtt) {
      // RFC 9287 holds on connections: without one, this may be another protocol.
      if ((header.firstByte & FIXED_BIT) === 0) this.#endpoint.counters.unroutable++
      else this.#handleUnknownConnection(socket, buffer, start, end, remote, ecn, now)
    } else if (this.#endpoint.options.server === undefined || header.type === PacketType.versionNegotiation) {
      this.#endpoint.counters.unroutable++
    } else if (!this.#versions.includes(header.version)) {
      const answered = this.#responder.negotiateVersion(header, buffer, end - start, socket, remote, now)
      if (!answered) this.#endpoint.counters.unroutable++
    } else this.#accept(socket, buffer, start, end, remote, ecn)
  }

  /** A short header with an ID that is not ours: a stateless reset for one of our connections, or an old peer. */
  #handleUnknownConnection(
    socket: DatagramSocket,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    ecn: number,
    now: number,
  ): void {
    if (this.#endpoint.options.server === undefined) {
      // RFC 9000 section 10.3.1: a reset has a random ID; only the address and the token at its end tell whose it is.
      for (const entry of this.#endpoint.entries) {
        const peer = entry.supervisor.connection.remote
        if (peer.port !== remote.port || peer.address !== remote.address) continue
        this.#endpoint.deliver(entry, socket, buffer, start, end, remote, ecn)
        return
      }
    } else if (this.#responder.reset(buffer, start, end - start, socket, remote, now)) return
    this.#endpoint.counters.unroutable++
  }

  #accept(
    socket: DatagramSocket,
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    ecn: number,
  ): void {
    const header = this.#header
    const { type, dcidStart, dcidLength } = header
    // RFC 9000 section 14.1: "A server MUST discard an Initial packet that is carried in a UDP datagram with a
    // payload that is smaller than the smallest allowed maximum datagram size of 1200 bytes."
    const isFirst =
      type === PacketType.initial &&
      end - start >= limits.MIN_INITIAL_DATAGRAM &&
      dcidLength >= limits.MIN_FIRST_CONNECTION_ID
    if (!isFirst) {
      const isHeld = type === PacketType.zeroRtt && this.#holdEarly(buffer, start, end, remote, ecn)
      if (!isHeld) this.#endpoint.counters.unroutable++
      return
    }
    const { maxConnections, maxHalfOpen, maxHalfOpenPerSource } = this.#endpoint.services.settings
    const halfOpen = this.#countHalfOpen()
    if (!this.#isAccepting || this.#endpoint.entries.size >= maxConnections || halfOpen >= maxHalfOpen) {
      this.#endpoint.counters.refused++
      const { CONNECTION_REFUSED } = TransportErrorCode
      this.#responder.refuse(header, buffer, CONNECTION_REFUSED, socket, remote, this.#endpoint.turn.now)
      return
    }
    // No answer: who is in good faith begins again, and finds room when earlier handshakes are done.
    if (this.#halfOpen.isFull(remote, maxHalfOpenPerSource, this.#endpoint.turn.now)) {
      this.#endpoint.counters.refused++
      return
    }
    const destination = new Uint8Array(buffer.subarray(dcidStart, dcidStart + dcidLength))
    const admitted = this.#addresses.admit(header, buffer, socket, remote, halfOpen, this.#endpoint.turn.now)
    if (admitted === undefined) return
    const entry = acceptConnection(this.#endpoint, socket, destination, remote, admitted, header.version)
    this.ids.addFirstFlight(destination, entry)
    this.#halfOpen.add(entry, remote)
    this.#endpoint.register(entry)
    this.#endpoint.deliver(entry, socket, buffer, start, end, remote, ecn)
    for (const { bytes, remote: from, ecn: mark } of this.#early.take(destination, this.#endpoint.turn.now)) {
      this.#endpoint.deliver(entry, socket, bytes, 0, bytes.length, from, mark)
    }
  }

  /** A 0-RTT packet before its Initial packet; kept only where early data can be accepted at all. */
  #holdEarly(buffer: Uint8Array, start: number, end: number, remote: RemoteAddress, ecn: number): boolean {
    const { dcidStart, dcidLength } = this.#header
    const isWanted =
      this.#isAccepting && this.#endpoint.options.server?.tls.resumption?.allowsEarlyData === true
    if (!isWanted || dcidLength < limits.MIN_FIRST_CONNECTION_ID) return false
    const destination = buffer.subarray(dcidStart, dcidStart + dcidLength)
    return this.#early.hold(destination, buffer.subarray(start, end), remote, this.#endpoint.turn.now, ecn)
  }

  #countHalfOpen(): number {
    const { size } = this.#halfOpen
    const isMany = size >= this.#endpoint.services.settings.maxHalfOpen || this.#addresses.isCrowded(size)
    return isMany ? this.#halfOpen.settle(this.#endpoint.turn.now) : size
  }
}
