// The state of a server in one object of plain numbers: what /status returns and tests look at. Every `live` is
// zero once the last connection is gone. Built from an endpoint's counters.
import type { Endpoint } from './endpoint.ts'

/** One of several processes that serve the port. */
export interface WorkerStatus {
  readonly id: number
  /** Of the process; null while there is none. */
  readonly pid: number | null
  /** `waiting` for its restart, `starting`, `running`, `closing` or `closed`. */
  readonly state: string
  readonly connections: { readonly live: number }
  /** Processes that have ended here without being told to. */
  readonly restarts: number
  /** Datagrams that the kernel gave to it and that belonged to another one; those that this one could not take. */
  readonly handedOver: number
  readonly handOverDropped: number
}

export interface ServerStatus {
  readonly connections: { readonly live: number; readonly opened: number; readonly closed: number }
  readonly streams: {
    readonly live: number
    readonly opened: number
    readonly closed: number
    /** Streams past the deadline of their state, and those whose handler goes on after its AbortSignal. */
    readonly stuck: number
  }
  readonly actors: {
    readonly live: number
    readonly started: number
    readonly stopped: number
    /** Handlers that threw, rejected, or ended without a whole response. */
    readonly crashed: number
    /** Events that reached a machine where they are impossible: each is a bug. */
    readonly missedTransitions: number
  }
  readonly handlers: { readonly live: number }
  readonly datagramChannels: { readonly live: number }
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
