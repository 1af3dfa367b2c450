// A QUIC peer that does what a test says: packets of any level with any frames, headers and transport parameters.
// It speaks TLS through our TlsClient and TlsServer, everything else is its own: no retransmission, no congestion
// control, no checks. What the connection under test answers is opened and recorded.
import type { LifeActor } from '../../src/machines/index.ts'
import { DatagramBatch } from '../../src/transport/connection/index.ts'
import {
  type CipherSuite,
  initialKeys,
  nextPacketKeys,
  type PacketKeys,
  packetKeys,
  protectPacket,
  selectBackends,
  unprotectHeader,
} from '../../src/transport/crypto/index.ts'
import { TlsClient, type TlsOutput, TlsServer } from '../../src/transport/tls/index.ts'
import {
  decodePacketNumber,
  defaultTransportParameters,
  encodeLongHeader,
  encodeShortHeader,
  encodeTransportParameters,
  FrameType,
  PacketHeader,
  PacketType,
  parsePacketHeader,
  patchLength,
  readPacketNumber,
  type TransportParameters,
} from '../../src/transport/wire/index.ts'
import { ed25519Identity } from '../unit/transport/connection/identity.ts'
import { CLIENT_ADDRESS, SERVER_ADDRESS, TestEnd, TestEntropy } from '../unit/transport/connection/pair.ts'
import { ack, crypto } from './frame-bytes.ts'
import { type ReceivedFrame, readFrames } from './received-frames.ts'
import {
  type EndUnderTest,
  Level,
  type PacketOptions,
  PeerSpace,
  type ReceivedPacket,
  type ScriptedOptions,
} from './scripted-options.ts'

export { Level, type ScriptedOptions } from './scripted-options.ts'

const backends = selectBackends()

/** Timers that may fire in one call of `advance`. */
const MAX_TURNS = 10_000

export class ScriptedPeer implements TlsOutput {
  readonly role: 'client' | 'server'
  /** The connection under test, with its supervisor and its application. */
  readonly end: EndUnderTest
  readonly spaces = [new PeerSpace(), new PeerSpace(), new PeerSpace()]
  readonly packets: ReceivedPacket[] = []
  readonly scid: Uint8Array
  readonly originalId: Uint8Array
  dcid: Uint8Array
  now = 0
  isComplete = false
  autoAck: boolean
  keyPhase = 0
  bytesReceived = 0
  bytesSent = 0
  datagramsReceived = 0
  readonly tls: TlsClient | TlsServer
  readonly #options: ScriptedOptions
  readonly #batch = new DatagramBatch()
  readonly #header = new PacketHeader()
  #queuedCrypto: { level: number; bytes: Uint8Array }[] = []

  constructor(options: ScriptedOptions = {}, end?: EndUnderTest) {
    this.#options = options
    this.role = options.role ?? 'client'
    this.autoAck = options.autoAck ?? true
    const entropy = new TestEntropy((options.seed ?? 1) + 77)
    this.scid = new Uint8Array(8)
    this.originalId = new Uint8Array(8)
    entropy.fill(this.scid)
    entropy.fill(this.originalId)
    const isClient = this.role === 'client'
    const seed = options.seed ?? 1
    const roleOfEnd = isClient ? 'server' : 'client'
    const idOfEnd = isClient ? this.originalId : undefined
    this.end = end ?? new TestEnd(roleOfEnd, idOfEnd, seed, options.settings ?? {}, options.connection)
    if (!isClient) this.originalId = this.end.connection.originalDestinationConnectionId
    this.dcid = isClient ? this.originalId : this.end.issued[0]
    this.#installInitialKeys()
    const config = { alpn: options.alpn ?? ['test'], backends, quicTransportParameters: this.#parameters() }
    const owner = {
      inspector: undefined,
      time: 0,
      handleFinal: (_actor: LifeActor) => {},
      handleMissed: () => {},
    }
    this.tls = isClient
      ? new TlsClient({ ...config, serverName: 'localhost', verifyCertificate: false }, this, entropy, owner)
      : new TlsServer({ ...config, identities: [ed25519Identity] }, this, entropy, owner)
  }

  #installInitialKeys(): void {
    const keys = initialKeys(backends, 1, this.originalId)
    const [client, server] = [keys.client, keys.server]
    this.spaces[0].writeKeys = this.role === 'client' ? client : server
    this.spaces[0].readKeys = this.role === 'client' ? server : client
  }

  #parameters(): Uint8Array {
    const isServer = this.role === 'server'
    const parameters: TransportParameters = {
      ...defaultTransportParameters(),
      initialMaxData: 1_000_000,
      initialMaxStreamDataBidiLocal: 100_000,
      initialMaxStreamDataBidiRemote: 100_000,
      initialMaxStreamDataUni: 100_000,
      initialMaxStreamsBidi: 10,
      initialMaxStreamsUni: 10,
      initialSourceConnectionId: this.scid,
      originalDestinationConnectionId: isServer ? this.originalId : undefined,
      ...this.#options.parameters,
    }
    const encode = this.#options.encodeParameters
    return encode === undefined ? encodeTransportParameters(parameters, this.role) : encode(parameters)
  }

  get connection() {
    return this.end.connection
  }

  /** The CONNECTION_CLOSE that has arrived, if any. */
  get close(): ReceivedFrame | undefined {
    return this.frames(FrameType.connectionClose)[0] ?? this.frames(FrameType.connectionCloseApplication)[0]
  }

  /** Frames of a type that have arrived, oldest first. */
  frames(type: number, level?: number): ReceivedFrame[] {
    const packets =
      level === undefined ? this.packets : this.packets.filter((packet) => packet.level === level)
    return packets.flatMap((packet) => packet.frames).filter((frame) => frame.type === type)
  }

  // --- Sending ---

  /** Builds a protected packet. */
  packet(level: number, payload: Uint8Array, options: PacketOptions = {}): Uint8Array {
    const space = this.spaces[level]
    const number = options.packetNumber ?? space.nextPacketNumber
    if (options.packetNumber === undefined) space.nextPacketNumber++
    const keys = options.keys ?? space.writeKeys
    if (keys === undefined) throw new Error(`no keys for level ${level}`)
    const buffer = new Uint8Array(1_500 + payload.length)
    const dcid = options.dcid ?? this.dcid
    const version = options.version ?? 1
    const offset =
      level === Level.application
        ? encodeShortHeader(buffer, 0, dcid, number, 4, this.keyPhase, 0)
        : encodeLongHeader(
            buffer,
            0,
            level === Level.initial ? PacketType.initial : PacketType.handshake,
            version,
            dcid,
            options.scid ?? this.scid,
            options.token,
            number,
            4,
          )
    buffer[0] |= options.firstByteBits ?? 0
    if (options.clearsFixedBit === true) buffer[0] &= 0xbf
    buffer.set(payload, offset)
    const end = offset + payload.length
    if (level !== Level.application) patchLength(buffer, offset - 6, payload.length + 4 + 16)
    return buffer.subarray(0, protectPacket(keys, buffer, 0, offset - 4, 4, end, number))
  }

  /** Sends one packet with these frames in a datagram of its own; Initial packets are padded to 1,200 bytes. */
  send(level: number, ...frames: Uint8Array[]): void {
    const payload = Buffer.concat(frames)
    const missing = level === Level.initial ? 1_200 - payload.length - 46 : 0
    this.sendDatagram(this.packet(level, Buffer.concat([payload, new Uint8Array(Math.max(0, missing))])))
  }

  /** Hands packets to the connection as one datagram, then takes what it answers. */
  sendDatagram(...packets: Uint8Array[]): void {
    this.deliver(...packets)
    this.collect()
  }

  /** Hands packets to the connection without asking for an answer. */
  deliver(...packets: Uint8Array[]): void {
    const bytes = Buffer.concat(packets)
    const from = this.role === 'client' ? CLIENT_ADDRESS : SERVER_ADDRESS
    this.bytesSent += bytes.length
    this.connection.handleDatagram(bytes, 0, bytes.length, from, this.now)
    // Nothing of a datagram may be read after the call that brought it.
    bytes.fill(0xee)
  }

  // --- The handshake ---

  /** Starts the handshake and carries it to its end, or to the close of the connection. */
  handshake(): this {
    this.start()
    for (let turn = 0; turn < 10 && !this.connection.isEnding; turn++) {
      this.flush()
      this.advance(1)
    }
    return this
  }

  /** Makes the first flight of a client, without sending it; a server waits. */
  start(): void {
    if (this.tls instanceof TlsClient) this.tls.start(this.now)
    else this.collect()
  }

  /** Takes handshake bytes that wait to be sent. */
  takeCrypto(): { level: number; bytes: Uint8Array }[] {
    const queued = this.#queuedCrypto
    this.#queuedCrypto = []
    return queued
  }

  /** Sends handshake bytes and acknowledgements that wait. */
  flush(): void {
    for (const { level, bytes } of this.takeCrypto()) this.sendCrypto(level, bytes)
    if (this.autoAck) this.acknowledge()
    this.collect()
  }

  /** Sends handshake bytes after those sent before, 1,000 to a packet. */
  sendCrypto(level: number, bytes: Uint8Array): void {
    const space = this.spaces[level]
    for (let from = 0; from < bytes.length; from += 1_000) {
      const part = bytes.subarray(from, from + 1_000)
      this.send(level, crypto(space.cryptoSent, part))
      space.cryptoSent += part.length
    }
  }

  /** Acknowledges everything that has arrived and is not acknowledged. */
  acknowledge(): void {
    for (const [level, space] of this.spaces.entries()) {
      if (space.unacknowledged.length === 0 || space.writeKeys === undefined) continue
      if (this.connection.spaces[level].isDiscarded) continue
      const numbers = space.unacknowledged.splice(0).toSorted((a, b) => a - b)
      // One ACK per run of numbers, oldest first: in the other order the older ones would be declared lost.
      for (let from = 0; from < numbers.length; ) {
        let to = from
        while (numbers[to + 1] === numbers[to] + 1) to++
        this.send(level, ack(numbers[to], to - from))
        from = to + 1
      }
    }
  }

  /** Lets time pass: timers of the connection fire, its packets are taken and acknowledged. */
  advance(milliseconds: number): void {
    const end = this.now + milliseconds
    for (let turn = 0; ; turn++) {
      if (turn > MAX_TURNS) throw new Error('time stands still: a timer is due again and again')
      this.collect()
      if (this.autoAck) this.acknowledge()
      const next = this.connection.nextTimeout()
      if (next > end) break
      this.now = Math.max(this.now, next)
      this.connection.handleTimeout(this.now)
    }
    this.now = end
  }

  // --- Receiving ---

  /** Takes what the connection has to send. */
  collect(): void {
    const batch = this.#batch
    while (this.connection.pollTransmit(batch, this.now) > 0) {
      for (let i = 0; i < batch.count; i++) {
        const start = batch.starts[i]
        this.receive(new Uint8Array(batch.buffer.subarray(start, start + batch.lengths[i])))
      }
      batch.reset()
    }
  }

  /** Opens and notes one datagram of the connection. */
  protected receive(datagram: Uint8Array): void {
    this.datagramsReceived++
    this.bytesReceived += datagram.length
    const header = this.#header
    // The ID in use may be one that the test has issued, of any length.
    const idLength = this.connection.peerIds.current.length
    let offset = 0
    while (
      offset < datagram.length &&
      parsePacketHeader(datagram, offset, datagram.length, idLength, header)
    ) {
      offset = header.end
      const level = header.type === PacketType.oneRtt ? 2 : header.type === PacketType.handshake ? 1 : 0
      if (header.type !== PacketType.oneRtt && this.role === 'client') {
        this.dcid = datagram.slice(header.scidStart, header.scidStart + header.scidLength)
      }
      const space = this.spaces[level]
      if (space.readKeys !== undefined) this.#open(datagram, level, space, space.readKeys)
    }
  }

  #open(datagram: Uint8Array, level: number, space: PeerSpace, keys: PacketKeys): void {
    const { start, end, packetNumberOffset, type } = this.#header
    const length = unprotectHeader(keys, datagram, start, packetNumberOffset, end)
    const truncated = readPacketNumber(datagram, packetNumberOffset, length)
    const packetNumber = decodePacketNumber(space.largestReceived, truncated, length * 8)
    const keyPhase = type === PacketType.oneRtt ? (datagram[start] >> 2) & 1 : 0
    const payload = packetNumberOffset + length
    if (!keys.aead.open(datagram, start, payload, end, packetNumber)) {
      this.handleUnopened(datagram, `packet ${packetNumber} of level ${level}`)
      return
    }
    space.largestReceived = Math.max(space.largestReceived, packetNumber)
    const frames = readFrames(datagram, payload, end - 16)
    const datagramLength = datagram.length
    this.packets.push({
      level,
      packetNumber,
      frames,
      keyPhase,
      datagram: this.datagramsReceived,
      datagramLength,
      at: this.now,
    })
    if (frames.some((frame) => ![0x02, 0x1c, 0x1d].includes(frame.type)))
      space.unacknowledged.push(packetNumber)
    for (const frame of frames) if (frame.type === FrameType.crypto) this.#handleCrypto(level, frame)
  }

  /** No connection sends what its peer cannot open. */
  protected handleUnopened(_datagram: Uint8Array, what: string): void {
    throw new Error(`cannot open ${what}`)
  }

  #handleCrypto(level: number, frame: ReceivedFrame): void {
    const buffer = this.spaces[level].cryptoReceived
    buffer.insert(frame.offset!, frame.data!)
    for (let chunk = buffer.read(); chunk !== undefined; chunk = buffer.read())
      this.tls.handleCrypto(level, chunk)
    buffer.settle()
  }

  /** Switches the peer's sending keys to the next phase (RFC 9001 section 6.1), and its receiving keys with them. */
  updateKeys(): void {
    const space = this.spaces[Level.application]
    space.writeKeys = nextPacketKeys(backends, space.writeKeys!, 1)
    space.readKeys = nextPacketKeys(backends, space.readKeys!, 1)
    this.keyPhase ^= 1
  }

  // --- TlsOutput ---

  writeCrypto(level: number, bytes: Uint8Array): void {
    const mutate = this.#options.mutateCrypto
    this.#queuedCrypto.push({ level, bytes: mutate === undefined ? bytes : mutate(level, bytes) })
  }

  installKeys(level: number, direction: 'read' | 'write', suite: CipherSuite, secret: Uint8Array): void {
    const keys = packetKeys(backends, suite, secret, 1)
    if (direction === 'write') this.spaces[level].writeKeys = keys
    else this.spaces[level].readKeys = keys
  }

  handlePeerTransportParameters(): void {}

  handleHandshakeComplete(): void {
    this.isComplete = true
  }

  requestCertificateVerification(): void {
    this.tls.provideCertificateVerdict(true)
  }

  logKey(): void {}
}
