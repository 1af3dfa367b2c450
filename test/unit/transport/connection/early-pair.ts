// Pairs of connections that resume sessions: one memory of tickets, a wall clock, and clients that come again.
import { expect } from 'vitest'
import type { ResumableSession, TransportSettings } from '../../../../src/transport/connection/index.ts'
import { type SessionTicketOptions, SessionTickets } from '../../../../src/transport/tls/index.ts'
import { ed25519Identity } from './identity.ts'
import { Pair, TestEntropy } from './pair.ts'

export interface EarlyOptions {
  seed?: number
  session?: ResumableSession | undefined
  earlyData?: boolean
  client?: Partial<TransportSettings>
  server?: Partial<TransportSettings>
  /** Of both sides; the client's are `clientAlpn` when given. */
  alpn?: string[]
  clientAlpn?: string[]
  groups?: number[]
}

/** One server, as far as it outlives its connections. */
export class Returning {
  /** Wall-clock time, ms. */
  now = 1_700_000_000_000
  tickets: SessionTickets
  sessions: ResumableSession[] = []
  #seed: number

  constructor(options: Partial<SessionTicketOptions> = {}, seed = 1) {
    this.#seed = seed
    const entropy = new TestEntropy(seed + 999)
    this.tickets = new SessionTickets({ entropy, now: () => this.now, earlyData: true, ...options })
  }

  /** A connection about to begin. */
  pair(options: EarlyOptions = {}): Pair {
    const { session, earlyData = session !== undefined, alpn = ['test'], client = {}, server = {} } = options
    const onSession = (received: ResumableSession) => this.sessions.push(received)
    const groups = options.groups === undefined ? {} : { groups: options.groups }
    const pair = new Pair({
      seed: options.seed ?? this.#seed++,
      client,
      server,
      clientChanges: {
        tls: { alpn: options.clientAlpn ?? alpn, serverName: 'localhost', verifyCertificate: false },
        resumption: { now: () => this.now, session, earlyData, onSession },
      },
      serverChanges: { tls: { alpn, identities: [ed25519Identity], resumption: this.tickets, ...groups } },
    })
    return pair
  }

  /** A first connection, which is given tickets. */
  first(options: EarlyOptions = {}): ResumableSession {
    const pair = this.pair(options).handshake()
    expectClean(pair)
    expect(this.sessions).toHaveLength(2)
    return this.sessions.shift()!
  }
}

/** Sends what it reads back, on the server. */
export function echo(pair: Pair): void {
  pair.server.application.onReadable = (stream) => {
    for (let chunk = stream.read(); chunk !== undefined; chunk = stream.read())
      stream.write(new Uint8Array(chunk))
    if (stream.isReadComplete) stream.end()
  }
}

/** Opens a stream of the client with these bytes and a FIN. */
export function send(pair: Pair, bytes: Uint8Array): number {
  const stream = pair.client.connection.openStream('bidi')
  expect(stream).toBeDefined()
  stream!.application = pair.client.application
  stream!.write(bytes)
  stream!.end()
  return stream!.id
}

/** No missed transition, no defect, and a live or properly ended connection. */
export function expectClean(pair: Pair): void {
  for (const { connection, supervisor, application } of [pair.client, pair.server]) {
    expect(application.closing).toBeUndefined()
    expect(supervisor.missed).toEqual([])
    expect(connection.stats.internalErrors).toBe(0)
  }
}

/** Everything has been released on both sides. */
export function expectEmpty(pair: Pair): void {
  for (const { connection, supervisor } of [pair.client, pair.server]) {
    expect(supervisor.live.size).toBe(0)
    expect(connection.receiveBufferedBytes + connection.sendBufferedBytes).toBe(0)
  }
}
