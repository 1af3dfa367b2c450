// Where the events of one connection go, and nothing of how they get there: no files, no clock (draft-ietf-quic-qlog).
// Implemented by transport/io for files and by tests in memory; called by ConnectionLog and by HTTP/3.

/** What JSON can say. */
export type QlogValue = string | number | boolean | undefined | readonly QlogValue[] | QlogData
export interface QlogData {
  readonly [field: string]: QlogValue
}

/** Category of an event in the older drafts, by which qvis finds it: the namespaces of today are wider. */
export type QlogCategory = 'connectivity' | 'transport' | 'security' | 'recovery' | 'http'

/** Takes the events of one connection, in order. Must not throw. */
export interface QlogSink {
  /**
   * @param time ms of the connection's clock, never decreasing
   * @param name namespace and type, e.g. `quic:packet_sent`
   * @param data read during the call only
   */
  write(time: number, name: string, category: QlogCategory, data: QlogData): void
  /** The connection is over; called once. */
  end(): void
}

/** What a log is named by. */
export interface QlogTrace {
  readonly role: 'client' | 'server'
  /** Destination connection ID of the client's first packet. */
  readonly originalDestinationConnectionId: Uint8Array
  /** ms of the connection's clock: the first event is not earlier. */
  readonly time: number
}

/** Opens the log of a connection; undefined = this one is not logged. Must not throw. */
export type OpenQlog = (trace: QlogTrace) => QlogSink | undefined
