// What a scripted peer can be told, what it records, and what it keeps per packet-number space.
import type {
  ConnectionOptions,
  QuicConnection,
  TransportSettings,
} from '../../src/transport/connection/index.ts'
import type { PacketKeys } from '../../src/transport/crypto/index.ts'
import { ReceiveBuffer } from '../../src/transport/streams/index.ts'
import type { TransportParameters } from '../../src/transport/wire/index.ts'
import type { TestApplication } from '../unit/transport/connection/pair.ts'
import type { ReceivedFrame } from './received-frames.ts'

export const Level = { initial: 0, handshake: 1, application: 2 } as const

export interface ReceivedPacket {
  readonly level: number
  readonly packetNumber: number
  readonly frames: ReceivedFrame[]
  readonly keyPhase: number
  /** Which datagram it came in, and how large that was. */
  readonly datagram: number
  readonly datagramLength: number
  readonly at: number
}

/** The other side of a scripted peer: a connection by itself (TestEnd), or that of an endpoint. */
export interface EndUnderTest {
  readonly connection: QuicConnection
  readonly application: TestApplication
  /** Actors of streams that live, and have ever lived; events that came where they must not. */
  readonly supervisor: {
    readonly live: { readonly size: number }
    readonly started: number
    readonly missed: readonly unknown[]
  }
  /** Connection IDs of its own, oldest first. */
  readonly issued: readonly Uint8Array[]
}

export interface ScriptedOptions {
  /** What the peer plays; the connection under test has the other role. */
  readonly role?: 'client' | 'server'
  /** Settings of the connection under test. */
  readonly settings?: Partial<TransportSettings>
  /** Other options of it. */
  readonly connection?: Partial<ConnectionOptions>
  /** Changes the peer's transport parameters. */
  readonly parameters?: Partial<TransportParameters>
  /** Changes their bytes. */
  readonly encodeParameters?: (parameters: TransportParameters) => Uint8Array
  readonly alpn?: string[]
  /** Changes handshake bytes before they are sent. */
  readonly mutateCrypto?: (level: number, bytes: Uint8Array) => Uint8Array
  /** Acknowledge what arrives; true when absent. */
  readonly autoAck?: boolean
  readonly seed?: number
}

export interface PacketOptions {
  /** Bits set in the first byte before header protection. */
  readonly firstByteBits?: number
  /** Without the fixed bit (RFC 9287). */
  clearsFixedBit?: boolean
  readonly packetNumber?: number
  readonly keys?: PacketKeys
  readonly dcid?: Uint8Array
  readonly scid?: Uint8Array
  readonly token?: Uint8Array
  readonly version?: number
}

/** What the peer keeps per packet-number space. */
export class PeerSpace {
  readKeys: PacketKeys | undefined
  writeKeys: PacketKeys | undefined
  nextPacketNumber = 0
  largestReceived = -1
  readonly unacknowledged: number[] = []
  readonly cryptoReceived = new ReceiveBuffer()
  cryptoSent = 0
}
