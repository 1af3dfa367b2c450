// Connections and bodies as Observables: server.connections$ and what it emits, observeBody(), observeDatagrams().
import { from, Observable, Subject, share } from 'rxjs'
import type { ConnectionFeed } from '../supervisor/connection-feed.ts'
import { type ConnectionReport, reportOf } from '../supervisor/connection-report.ts'
import type { ConnectionSupervisor } from '../supervisor/connection-supervisor.ts'
import { Cursor } from '../transport/wire/index.ts'
import type { Exchange } from './exchange.ts'

/** An HTTP datagram as it came in (RFC 9297 section 2.1). */
export interface ReceivedDatagram {
  /** Request stream that it belongs to. */
  readonly streamId: number
  /** What the datagram carries; belongs to whoever gets it. */
  readonly payload: Uint8Array
}

/** A connection that is open. */
export interface LiveConnection {
  /** Name for the connection's whole life; that of reports, logs and the inspector. */
  readonly id: string
  /** Emits nothing, and completes when the connection is gone. */
  readonly closed$: Observable<never>
  /**
   * Every HTTP datagram that comes in, beside its way to its stream. Hot and shared: what comes while nobody listens is
   * not kept, and a slow listener holds nothing back. Completes with the connection.
   */
  readonly datagrams$: Observable<ReceivedDatagram>
  /** The connection's numbers now. */
  report(): ConnectionReport
}

class ObservedConnection implements LiveConnection {
  readonly id: string
  readonly closed = new Subject<never>()
  readonly closed$ = this.closed.asObservable()
  readonly datagrams$: Observable<ReceivedDatagram>
  readonly #supervisor: ConnectionSupervisor

  constructor(supervisor: ConnectionSupervisor) {
    this.#supervisor = supervisor
    this.id = supervisor.name
    this.datagrams$ = new Observable<ReceivedDatagram>((subscriber) => {
      subscriber.add(this.closed.subscribe({ complete: () => subscriber.complete() }))
      return this.#tap((datagram) => subscriber.next(datagram))
    }).pipe(share())
  }

  report(): ConnectionReport {
    return reportOf(this.#supervisor)
  }

  /** Looks at each datagram on its way to the application; nothing is looked at while nobody listens. */
  #tap(listener: (datagram: ReceivedDatagram) => void): () => void {
    const supervisor = this.#supervisor
    const deliver = supervisor.handleDatagramFrame
    if (deliver === undefined) return () => {}
    const cursor = new Cursor()
    supervisor.handleDatagramFrame = (frame) => {
      const payload = new Uint8Array(frame)
      deliver(frame)
      // A frame without a whole quarter stream ID has just closed the connection (RFC 9297 section 2.1).
      if (payload.length === 0 || payload.length < 1 << (payload[0] >>> 6)) return
      const streamId = cursor.reset(payload, 0, payload.length).readVarint() * 4
      listener({ streamId, payload: payload.subarray(cursor.offset) })
    }
    return () => {
      supervisor.handleDatagramFrame = deliver
    }
  }
}

/**
 * Each connection whose handshake completes from now on. Hot and shared: one look at the server for all subscribers, none
 * while there are none. The subscriber's code runs while packets are processed: what takes long belongs elsewhere.
 */
export function connectionsOf(feed: ConnectionFeed): Observable<LiveConnection> {
  return new Observable<LiveConnection>((subscriber) => {
    const open = new Map<ConnectionSupervisor, ObservedConnection>()
    return feed.subscribe({
      handleOpened: (supervisor) => {
        const connection = new ObservedConnection(supervisor)
        open.set(supervisor, connection)
        subscriber.next(connection)
      },
      handleClosed: (supervisor) => {
        open.get(supervisor)?.closed.complete()
        open.delete(supervisor)
      },
    })
  }).pipe(share())
}

/**
 * The body of a request as an Observable of its chunks. Cold: subscribing begins to read, once. Backpressure: the next
 * chunk is taken when the observer has returned, so an observer that works synchronously is never overrun; with
 * operators that buffer (`concatMap`) the buffer is yours to bound. Unsubscribing stops reading, which closes the
 * client's window. Errors with CancelledError when the client gives up.
 */
export function observeBody(exchange: Exchange): Observable<Uint8Array> {
  return from(exchange.body)
}

/** The HTTP datagrams of a request. Cold, read once; what is not read soon gives way to newer ones. Ends with the stream. */
export function observeDatagrams(exchange: Exchange): Observable<Uint8Array> {
  return from(exchange.datagrams ?? [])
}
