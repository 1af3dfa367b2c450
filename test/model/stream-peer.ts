// A scripted client before a whole server endpoint whose application does on its streams what a path says. What
// happens to which stream is decided by stream-driver.ts.
import type { ConnectionSupervisor } from '../../src/supervisor/connection-supervisor.ts'
import type { SupervisedApplication, SupervisionSettings } from '../../src/supervisor/supervision.ts'
import type { QuicConnection } from '../../src/transport/connection/index.ts'
import type { QuicStream, StreamApplication } from '../../src/transport/streams/index.ts'
import { FrameType } from '../../src/transport/wire/index.ts'
import { EndpointPeer } from '../rfc/endpoint-peer.ts'
import { ack, ping } from '../rfc/frame-bytes.ts'
import type { ReceivedFrame } from '../rfc/received-frames.ts'
import { Level, type ReceivedPacket } from '../rfc/scripted-options.ts'

/** Reads nothing unless it is told to. */
class ModelStream implements StreamApplication {
  onReset: (() => void) | undefined
  outcome: 'closed' | 'reset' | undefined
  handleReadable(): void {}
  handleWritable(): void {}
  handleStopSending(): void {}

  handleReset(): void {
    const { onReset } = this
    this.onReset = undefined
    onReset?.()
  }

  handleClosed(_stream: QuicStream, outcome: 'closed' | 'reset'): void {
    this.outcome = outcome
  }
}

class ModelApplication implements SupervisedApplication {
  supervisor: ConnectionSupervisor | undefined
  readonly streams = new Map<number, { stream: QuicStream; application: ModelStream }>()

  adopt(stream: QuicStream): ModelStream {
    const application = new ModelStream()
    stream.application = application
    this.streams.set(stream.id, { stream, application })
    return application
  }

  acceptStream(stream: QuicStream): StreamApplication {
    return this.adopt(stream)
  }

  handleHandshakeComplete(): void {}
  handleStreamCredit(): void {}
  handleClosing(): void {}
  handleClosed(): void {}
}

export interface StreamPeerOptions {
  /** What the client allows on each stream at first, bytes. */
  readonly streamCredit: number
  readonly supervision?: Partial<SupervisionSettings>
}

export class StreamPeer extends EndpointPeer {
  readonly application: ModelApplication
  /** The connection has ended: what still comes, as a stateless reset, is of no stream. */
  isOver = false

  constructor({ streamCredit, supervision }: StreamPeerOptions) {
    const application = new ModelApplication()
    super({
      application: (_connection: QuicConnection, supervisor: ConnectionSupervisor) => {
        application.supervisor = supervisor
        return application
      },
      ...(supervision && { supervision }),
      settings: { resetStreamAt: true },
      parameters: {
        resetStreamAt: true,
        initialMaxStreamDataBidiLocal: streamCredit,
        initialMaxStreamDataBidiRemote: streamCredit,
        initialMaxStreamDataUni: streamCredit,
      },
    })
    this.application = application
  }

  get supervisor(): ConnectionSupervisor {
    return this.application.supervisor!
  }

  /** The frames that begin to arrive now are those of the path; nothing is acknowledged by itself any more. */
  begin(): this {
    this.handshake()
    this.advance(1)
    this.acknowledge()
    this.autoAck = false
    this.packets.length = 0
    return this
  }

  protected override receive(datagram: Uint8Array): void {
    if (!this.isOver) super.receive(datagram)
  }

  /** Hands frames over in one packet; what the server has to say stays with it. Returns the packet's number. */
  tell(...frames: Uint8Array[]): number {
    const number = this.spaces[Level.application]!.nextPacketNumber
    this.deliver(this.packet(Level.application, Buffer.concat(frames)))
    return number
  }

  /** Lets the endpoint look at what its application has read, and nothing else. */
  nudge(): void {
    this.tell(ping())
  }

  /** Acknowledges the packets that `chosen` names, all that have come unless it says otherwise. */
  acknowledgeSome(chosen: (packet: ReceivedPacket) => boolean): void {
    const numbers = this.packets.filter((packet) => packet.level === Level.application && chosen(packet))
    for (const { packetNumber } of numbers) this.tell(ack(packetNumber))
  }

  /** Whether the server has acknowledged our packet. */
  isAcked(number: number): boolean {
    return this.frames(FrameType.ack).some(({ ranges }: ReceivedFrame) =>
      ranges!.some(([first, last]) => number >= first && number <= last),
    )
  }
}
