// The numbers that the feed tells of a connection, a stream and the whole process. Part of the words of protocol.ts, which
// hands them on to the page; types only.

/** Numbers of one connection, for as long as it, or something below it, is selected. Units as in ConnectionMetrics. */
export interface ConnectionPanel {
  readonly uid: number
  readonly name: string
  readonly remote: string
  readonly version: string
  /** RTT, window, losses, ECN, ...: every number of ConnectionMetrics, and its words. */
  readonly metrics: Readonly<Record<string, number | string | boolean>>
  /** Of HTTP/3: header compression. */
  readonly application: Readonly<Record<string, number>>
  readonly flow: {
    /** Bytes that we may send, and have sent of them; bytes that the peer may send, and has. */
    readonly sendMax: number
    readonly sent: number
    readonly receiveMax: number
    readonly received: number
  }
  /** Live streams by urgency (RFC 9218), 0 to 7. */
  readonly urgencies: readonly number[]
  readonly datagramChannels: number
  readonly datagramsQueued: number
  readonly paths: readonly {
    readonly remote: string
    readonly state: string
    readonly isActive: boolean
    /** 0: not measured. */
    readonly rtt: number
    readonly bytesSent: number
    readonly bytesReceived: number
  }[]
}

/** What is known of the selected stream beside its state. */
export interface StreamPanel {
  readonly uid: number
  readonly bytesSent: number
  readonly bytesAcknowledged: number
  readonly sendMax: number
  readonly bytesReceived: number
  readonly bytesRead: number
  readonly receiveMax: number
  readonly urgency: number
  readonly isIncremental: boolean
  /** What it waits for at this moment, whether past its deadline or not. */
  readonly waitingFor: string
  readonly reason: string
}

/** The numbers of /status, once a second. */
export interface Totals {
  readonly connections: { readonly live: number; readonly opened: number; readonly closed: number }
  readonly streams: {
    readonly live: number
    readonly opened: number
    readonly closed: number
    readonly stuck: number
  }
  readonly actors: {
    readonly live: number
    readonly started: number
    readonly stopped: number
    readonly crashed: number
    readonly missedTransitions: number
  }
  readonly handlers: { readonly live: number }
  readonly datagramChannels: { readonly live: number }
  readonly timers: { readonly armed: number }
  readonly buffers: { readonly receiveBytes: number; readonly sendBytes: number }
  /** Bytes; ms. */
  readonly process: { readonly rss: number; readonly heapUsed: number; readonly eventLoopLagP99Ms: number }
}
