// What an endpoint may choose about a connection, with the defaults and their reasons (RFC 9000 section 18.2).
import type { CongestionAlgorithm } from '../recovery/index.ts'
import { MAX_CONNECTION_WINDOW, MAX_STREAM_WINDOW } from '../streams/index.ts'
import { ACTIVE_CONNECTION_ID_LIMIT, HANDSHAKE_TIMEOUT } from './limits.ts'

/** What an endpoint may choose about its connections (RFC 9000 section 18.2). */
export interface TransportSettings {
  /** Silence after which the connection is dropped, milliseconds; 0 turns our own limit off. */
  maxIdleTimeout: number
  /** After so long a handshake is given up, milliseconds: by a server for its memory, by a client for its user. */
  handshakeTimeout: number
  /**
   * Sends a PING when so long nothing was heard or sent that the peer answers, milliseconds, so that neither side's idle
   * timeout nor a NAT on the way forgets the connection (RFC 9000 section 10.1.2); 0 for never. At most half of the idle
   * timeout that holds.
   */
  keepAlive: number
  /** Window of the connection, bytes. */
  initialMaxData: number
  /** Windows of a stream, bytes. */
  initialMaxStreamDataBidiLocal: number
  /** Window of a bidirectional stream that the peer opens, bytes; default 262,144. */
  initialMaxStreamDataBidiRemote: number
  /** Window of a unidirectional stream of the peer, bytes; default 262,144. */
  initialMaxStreamDataUni: number
  /** What the windows of the connection and of a stream may grow to by themselves, bytes. */
  maxReceiveWindow: number
  /** What the window of a stream may grow to, bytes. */
  maxStreamReceiveWindow: number
  /** Streams that the peer may have open at a time. */
  initialMaxStreamsBidi: number
  /** Unidirectional streams that the peer may have open at a time; default 100. */
  initialMaxStreamsUni: number
  /** Longest time an acknowledgement is held back, milliseconds. */
  maxAckDelay: number
  /** Connection IDs of the peer that are kept in store. */
  activeConnectionIdLimit: number
  /** Largest DATAGRAM frame we take, bytes; 0 takes none (RFC 9221 section 3). */
  maxDatagramFrameSize: number
  /** 1-RTT packets sent with one key before the keys are updated; the limits of the cipher hold in any case. */
  packetsPerKey: number
  /**
   * Whether the fixed bit of packets varies, both ways, when the peer agrees (RFC 9287). Off for a port that is shared
   * with other protocols.
   */
  greaseQuicBit: boolean
  /** Whether the path may measure round trips by the spin bit (RFC 9000 section 17.4). */
  spinBit: boolean
  /** Congestion control: `cubic` (the default), `newReno` or `bbr`. */
  congestion: CongestionAlgorithm
  /** Tells the peer not to change its address at will (RFC 9000 section 18.2); rebinding of a NAT works all the same. */
  disableActiveMigration: boolean
  /** Client: moves to the address that the server prefers (section 9.6). */
  followPreferredAddress: boolean
  /** Whether to look for larger datagrams than 1,200 bytes (RFC 8899); only for sockets that forbid fragmentation. */
  pathMtuDiscovery: boolean
  /**
   * Whether acknowledgements become rarer as windows grow (draft-ietf-quic-ack-frequency), where the peer supports it.
   * Off as long as it is a draft.
   */
  ackFrequency: boolean
  /**
   * Whether the peer may reset a stream and have its beginning delivered all the same
   * (draft-ietf-quic-reliable-stream-reset); what we may do depends on the peer alone.
   */
  resetStreamAt: boolean
  /** Whether datagrams are marked for ECN (RFC 9000 section 13.4); only for sockets that can. */
  ecn: boolean
  /** Largest datagram that path MTU discovery tries, bytes of UDP payload; 1,500 at most. */
  maxDatagramSize: number
}

/** A megabyte in flight per connection serves 80 Mbit/s at 100 ms; a quarter of it per stream keeps four going. */
export const DEFAULT_TRANSPORT_SETTINGS: TransportSettings = {
  maxIdleTimeout: 30_000,
  keepAlive: 0,
  handshakeTimeout: HANDSHAKE_TIMEOUT,
  initialMaxData: 1_048_576,
  initialMaxStreamDataBidiLocal: 262_144,
  initialMaxStreamDataBidiRemote: 262_144,
  initialMaxStreamDataUni: 262_144,
  maxReceiveWindow: MAX_CONNECTION_WINDOW,
  maxStreamReceiveWindow: MAX_STREAM_WINDOW,
  initialMaxStreamsBidi: 100,
  initialMaxStreamsUni: 100,
  maxAckDelay: 25,
  activeConnectionIdLimit: ACTIVE_CONNECTION_ID_LIMIT,
  maxDatagramFrameSize: 0,
  packetsPerKey: Number.POSITIVE_INFINITY,
  greaseQuicBit: true,
  spinBit: false,
  congestion: 'cubic',
  disableActiveMigration: false,
  followPreferredAddress: true,
  pathMtuDiscovery: false,
  ecn: false,
  ackFrequency: false,
  resetStreamAt: true,
  // Ethernet's 1,500 bytes less the headers of IPv6 and UDP.
  maxDatagramSize: 1_452,
}
