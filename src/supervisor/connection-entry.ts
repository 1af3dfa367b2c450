// What the endpoint keeps per connection: where its output goes, whether it waits for a turn, and its one timer.
// Used inside endpoint.ts.
import type { RemoteAddress } from '../transport/connection/index.ts'
import type { TimerHandle } from '../transport/io/clock.ts'
import type { DatagramSocket } from '../transport/io/datagram-socket.ts'
import type { ConnectionSupervisor } from './connection-supervisor.ts'
import { MAX_BACKLOG } from './limits.ts'

interface WaitingDatagram {
  readonly bytes: Uint8Array
  readonly remote: RemoteAddress
  readonly ecn: number
  readonly socket: DatagramSocket
}

export class ConnectionEntry {
  supervisor!: ConnectionSupervisor
  /** Where the handshake began. */
  readonly socket: DatagramSocket
  readonly isServer: boolean
  /** The client's first destination ID, under which the first flight is found; empty for our own connections. */
  readonly firstConnectionId: Uint8Array
  retireIds: () => void = () => {}
  isDirty = false
  isGone = false
  /** Datagrams read since the last turn. */
  readThisTurn = 0
  timer: TimerHandle | undefined
  #backlog: WaitingDatagram[] = []

  constructor(socket: DatagramSocket, isServer: boolean, firstConnectionId: Uint8Array) {
    this.socket = socket
    this.isServer = isServer
    this.firstConnectionId = firstConnectionId
  }

  get backlogLength(): number {
    return this.#backlog.length
  }

  get hasBacklog(): boolean {
    return this.#backlog.length > 0
  }

  /** Where output goes now: a path that the peer has moved to may end at another socket (RFC 9000 section 9). */
  get outputSocket(): DatagramSocket {
    return (this.supervisor.connection.path.local as DatagramSocket | undefined) ?? this.socket
  }

  /** Keeps a copy for the next turn; false when too many wait already. */
  defer(
    buffer: Uint8Array,
    start: number,
    end: number,
    remote: RemoteAddress,
    ecn: number,
    socket: DatagramSocket,
  ): boolean {
    if (this.#backlog.length >= MAX_BACKLOG) return false
    this.#backlog.push({ bytes: new Uint8Array(buffer.subarray(start, end)), remote, ecn, socket })
    return true
  }

  /** Takes what waited for this turn. */
  takeBacklog(most: number): readonly WaitingDatagram[] {
    return this.#backlog.splice(0, most)
  }
}
