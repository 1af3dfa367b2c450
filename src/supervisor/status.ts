// The state of a server in one object of plain numbers: what /status returns and tests look at. Every `live` is
// zero once the last connection is gone. Built from an endpoint's counters.
import type { Endpoint } from './endpoint.ts'

/** One of several processes that serve the port. */
export interface WorkerStatus {
  /** Number of the worker, from 0. */
  readonly id: number
  /** Of the process; null while there is none. */
  readonly pid: number | null
  /** `waiting` for its restart, `starting`, `running`, `closing` or `closed`. */
  readonly state: string
  /** Its connections. */
  readonly connections: { readonly live: number }
  /** Processes that have ended here without being told to. */
  readonly restarts: number
  /** Datagrams that the kernel gave to it and that belonged to another one; those that this one could not take. */
  readonly handedOver: number
  /** Datagrams for another worker that it could not take. */
  readonly handOverDropped: number
}

/**
 * The state of a server in plain numbers, as at /status; every `live` is zero when the last connection is
 * gone.
 */
export interface ServerStatus {
  /** Connections from their first packet on. */
  readonly connections: { readonly live: number; readonly opened: number; readonly closed: number }
  /** Streams of QUIC, of both directions. */
  readonly streams: {
    readonly live: number
    readonly opened: number
    readonly closed: number
    /** Streams past the deadline of their state, and those whose handler goes on after its AbortSignal. */
    readonly stuck: number
  }
  /** Actors of streams, sessions and handlers. */
  readonly actors: {
    readonly live: number
    readonly started: number
    readonly stopped: number
    /** Handlers that threw, rejected, or ended without a whole response. */
    readonly crashed: number
    /** Events that reached a machine where they are impossible: each is a bug. */
    readonly missedTransitions: number
  }
  /** Handlers that have not ended. */
  readonly handlers: { readonly live: number }
  /** Queues of HTTP datagrams. */
  readonly datagramChannels: { readonly live: number }
  /** Timers that are set. */
  readonly timers: { readonly armed: number }
  /** Bytes that wait to be read by handlers, and to be acknowledged by peers. */
  readonly buffers: { readonly receiveBytes: number; readonly sendBytes: number }
  /** Which implementations are in use. */
  readonly backends: { readonly udp: string; readonly aead: string }
  /** rss in bytes, lag in ms. */
  readonly process: { readonly rss: number; readonly eventLoopLagP99Ms: number }
  /** With `workers` only: all numbers above are then sums, the lag is the greatest. */
  readonly workers?: readonly WorkerStatus[]
}

/** What only the process knows. */
export interface ProcessNumbers {
  rss(): number
  eventLoopLagP99Ms(): number
}

/** Takes the numbers of this moment. */
export function statusOf(endpoint: Endpoint, process: ProcessNumbers): ServerStatus {
  const { counters, options } = endpoint
  let receiveBytes = 0
  let sendBytes = 0
  for (const { supervisor } of endpoint.entries) {
    receiveBytes += supervisor.connection.receiveBufferedBytes
    sendBytes += supervisor.connection.sendBufferedBytes
  }
  return {
    connections: {
      live: counters.connectionsLive,
      opened: counters.connectionsOpened,
      closed: counters.connectionsClosed,
    },
    streams: {
      live: counters.streamsLive,
      opened: counters.streamsOpened,
      closed: counters.streamsClosed,
      stuck: endpoint.stuckStreams,
    },
    actors: {
      live: counters.actorsLive,
      started: counters.actorsStarted,
      stopped: counters.actorsStopped,
      crashed: counters.crashed,
      missedTransitions: counters.missedTransitions,
    },
    handlers: { live: counters.handlersLive },
    datagramChannels: { live: counters.channelsLive },
    timers: { armed: counters.timersArmed },
    buffers: { receiveBytes, sendBytes },
    backends: { udp: options.sockets[0]?.name ?? 'none', aead: options.backends.name },
    process: { rss: process.rss(), eventLoopLagP99Ms: process.eventLoopLagP99Ms() },
  }
}
