// What a packet capture with the keys would show of a run: every packet of the wire, in the order of sending, each
// with the frames that its sender logged for it. Used by the cases of this folder to check what the interop runner
// checks with tshark.
import type { OpenQlog, QlogData } from '../../../src/transport/connection/index.ts'
import { PacketHeader, PacketType, parsePacketHeader } from '../../../src/transport/wire/index.ts'
import type { World } from '../world.ts'

const CONNECTION_ID_LENGTH = 8

/** A packet as its sender logged it. */
export interface LoggedPacket {
  readonly number: number
  readonly type: string
  readonly keyPhase: boolean
  readonly frames: readonly QlogData[]
}

/** A packet on the wire, before the network did anything to it. */
export interface WirePacket {
  readonly at: number
  readonly from: string
  readonly to: string
  readonly isFromClient: boolean
  readonly type: number
  readonly version: number
  /** Connection IDs and token in hex; a short header has no source ID. */
  readonly dcid: string
  readonly scid: string
  readonly token: string
  /** Position among the packets that this side has logged. */
  readonly logged: number
}

interface Side {
  readonly log: LoggedPacket[]
  readonly parameters: QlogData[]
  onWire: number
}

export class Recorder {
  readonly packets: WirePacket[] = []
  readonly client: Side = { log: [], parameters: [], onWire: 0 }
  readonly server: Side = { log: [], parameters: [], onWire: 0 }
  /** Bytes of UDP payload that the client has received from the server and the server from the client. */
  readonly received = { client: 0, server: 0 }
  readonly #header = new PacketHeader()

  constructor() {
    this.#header.allowsClearFixedBit = true
  }

  /** Give it to the world's options. */
  readonly openQlog: OpenQlog = ({ role }) => {
    const side = this[role]
    return {
      write: (_time, name, _category, data) => {
        if (name === 'quic:packet_sent') side.log.push(loggedPacket(data))
        if (name === 'quic:parameters_set' && data.initiator === 'remote') side.parameters.push(data)
      },
      end: () => {},
    }
  }

  /** @param drop decides about the datagrams to the server by their number, from 1 */
  attach(world: World, drop: (number: number) => boolean = () => false): void {
    const servers = new Set(world.serverAddresses)
    let toServer = 0
    world.network.tap = (from, to, bytes) => {
      const isFromClient = servers.has(to)
      this.#note(world.clock.now(), from, to, isFromClient, bytes)
      return isFromClient && drop(++toServer)
    }
  }

  /** Packets of one side, all or of one type. */
  sent(side: 'client' | 'server', type?: number): WirePacket[] {
    const isFromClient = side === 'client'
    return this.packets.filter(
      (packet) => packet.isFromClient === isFromClient && (type === undefined || packet.type === type),
    )
  }

  /** Frames of a packet that was seen on the wire. */
  framesOf({ isFromClient, logged }: WirePacket): readonly QlogData[] {
    return (isFromClient ? this.client : this.server).log[logged]?.frames ?? []
  }

  /** Handshakes as the runner counts them: different source connection IDs in Initial packets of the server. */
  get handshakes(): number {
    return new Set(this.sent('server', PacketType.initial).map(({ scid }) => scid)).size
  }

  #note(at: number, from: string, to: string, isFromClient: boolean, bytes: Uint8Array): void {
    const header = this.#header
    const side = isFromClient ? this.client : this.server
    const hex = (start: number, length: number): string =>
      Buffer.from(bytes.subarray(start, start + length)).toString('hex')
    for (let offset = 0; offset < bytes.length; offset = header.end) {
      if (!parsePacketHeader(bytes, offset, bytes.length, CONNECTION_ID_LENGTH, header)) {
        // A stateless reset for a packet of 29 bytes has to be shorter than that, and than any packet.
        if (offset === 0 && bytes[0]! < 0x80) {
          side.onWire++
          return
        }
        throw new Error(`byte ${offset} begins no packet: ${hex(0, bytes.length)}`)
      }
      const { type, version } = header
      const isStateless = type === PacketType.retry || type === PacketType.versionNegotiation
      this.packets.push({
        at,
        from,
        to,
        isFromClient,
        type,
        version,
        dcid: hex(header.dcidStart, header.dcidLength),
        scid: type === PacketType.oneRtt ? '' : hex(header.scidStart, header.scidLength),
        token: header.tokenLength > 0 ? hex(header.tokenStart, header.tokenLength) : '',
        logged: isStateless ? -1 : side.onWire++,
      })
    }
  }
}

function loggedPacket({ header, frames }: QlogData): LoggedPacket {
  const { packet_number, packet_type, key_phase_bit } = header as QlogData
  return {
    number: packet_number as number,
    type: packet_type as string,
    keyPhase: key_phase_bit === true,
    frames: frames as readonly QlogData[],
  }
}
