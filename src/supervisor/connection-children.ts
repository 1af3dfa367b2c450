// The registries of one connection: its stream actors, handlers and datagram channels, and the only strong references to
// them. Changed by connection-supervisor.ts alone; the inspector's feed reads them.
import type { LifeActor } from '../machines/index.ts'
import type { QuicStream } from '../transport/streams/index.ts'
import type { DatagramChannel } from './datagram-channel.ts'
import type { HandlerActor } from './handler-actor.ts'

export class ConnectionChildren {
  readonly streams = new Map<LifeActor, QuicStream>()
  /** By stream ID. */
  readonly handlers = new Map<number, HandlerActor>()
  /** By stream ID; never without the stream. */
  readonly channels = new Map<number, DatagramChannel>()
}
