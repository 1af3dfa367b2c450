import { describe, expect, it } from 'vitest'
import type { ConnectionOptions } from '../../../../../src/transport/connection/index.ts'
import { Pair } from '../pair.ts'
import { MemoryLog, parseSequence } from './memory-log.ts'
import { schemaFaults } from './schema.ts'

interface LoggedPair {
  readonly pair: Pair
  readonly client: MemoryLog
  readonly server: MemoryLog
}

function loggedPair(seed = 1, options: ConstructorParameters<typeof Pair>[0] = {}): LoggedPair {
  const client = new MemoryLog()
  const server = new MemoryLog()
  const clientChanges: Partial<ConnectionOptions> = { openQlog: client.open }
  const serverChanges: Partial<ConnectionOptions> = { openQlog: server.open }
  return { pair: new Pair({ seed, ...options, clientChanges, serverChanges }), client, server }
}

/** A handshake, an exchange with losses, a reset, an orderly end. */
function wholeLife(seed = 1): LoggedPair {
  const logged = loggedPair(seed)
  const { pair } = logged
  pair.handshake()
  pair.drop = (index) => index % 7 === 3
  const stream = pair.client.connection.openStream('bidi')!
  stream.application = pair.client.application
  pair.server.application.onStream = (accepted) => {
    accepted.write(new Uint8Array(60_000).fill(7))
    accepted.end()
  }
  stream.write(new Uint8Array(20_000).fill(5))
  stream.end()
  pair.run(5_000)
  pair.drop = () => false
  const second = pair.client.connection.openStream('uni')!
  second.application = pair.client.application
  second.write(new Uint8Array(2_000))
  pair.run(100)
  second.reset(77)
  pair.run(1_000)
  pair.client.connection.close(42, 'enough', { application: true })
  pair.run(20_000)
  return logged
}

describe('qlog of a connection (draft-ietf-quic-qlog-quic-events)', () => {
  const { client, server } = wholeLife()

  it('has the fields that the drafts require in every event', () => {
    expect([...client.events, ...server.events].flatMap(schemaFaults)).toEqual([])
    expect(client.events.length).toBeGreaterThan(100)
  })

  it('begins with the head of QlogFileSeq, its schema within the first 256 characters (main-schema)', () => {
    const [head, ...events] = parseSequence(client.text)
    expect(head).toMatchObject({
      file_schema: 'urn:ietf:params:qlog:file:sequential',
      serialization_format: 'application/qlog+json-seq',
      trace: { vantage_point: { type: 'client' } },
    })
    expect(client.text.indexOf('qlog+json-seq')).toBeLessThan(256)
    expect(events).toHaveLength(client.events.length)
    const group = (head as { trace: { common_fields: { group_id: string } } }).trace.common_fields.group_id
    expect(server.text).toContain(`"group_id":"${group}"`)
  })

  it('has what qvis asks for: version, format, and categories by which it finds events', () => {
    const [head] = parseSequence(client.text)
    expect(head).toMatchObject({ qlog_version: '0.3', qlog_format: 'JSON-SEQ' })
    const categories = new Map(client.events.map(({ name, category }) => [name, category]))
    expect(categories.get('quic:packet_sent')).toBe('transport')
    expect(categories.get('quic:connection_started')).toBe('connectivity')
    expect(categories.get('quic:packet_lost')).toBe('recovery')
    expect(categories.get('quic:key_updated')).toBe('security')
    expect(client.named('recovery:metrics_updated').length).toBeGreaterThan(0)
  })

  it('is in strictly ascending order of time', () => {
    for (const { events } of [client, server]) {
      const times = events.map(({ time }) => time)
      expect(times).toEqual([...times].sort((a, b) => a - b))
    }
  })

  it('follows the connection machine from attempt to closed', () => {
    const states = client.named('quic:connection_state_updated').map(({ data }) => data.new)
    expect(states).toEqual(['attempted', 'handshake_complete', 'handshake_confirmed', 'closing', 'closed'])
    const [closed] = client.named('quic:connection_closed')
    expect(closed.data).toMatchObject({ initiator: 'local', application_error: 'unknown', error_code: 42 })
    const [seen] = server.named('quic:connection_closed')
    expect(seen.data).toMatchObject({ initiator: 'remote', error_code: 42, reason: 'enough' })
    expect([client.isEnded, server.isEnded]).toEqual([true, true])
  })

  it('follows both sides of a stream through the states of RFC 9000 section 3', () => {
    const of = (log: MemoryLog, id: number, side: string): string[] =>
      log
        .named('quic:stream_state_updated')
        .filter(({ data }) => data.stream_id === id && data.stream_side === side)
        .map(({ data }) => data.new)
    expect(of(client, 0, 'sending')).toEqual(['ready', 'send', 'data_sent', 'data_received'])
    expect(of(client, 0, 'receiving')).toEqual(['receive', 'size_known', 'data_received', 'data_read'])
    expect(of(client, 2, 'sending').at(-1)).toBe('reset_received')
    expect(of(server, 2, 'receiving')).toEqual(['receive', 'reset_received', 'reset_read'])
  })

  it('logs the transport parameters of both sides and the cipher', () => {
    const sides = client.named('quic:parameters_set').map(({ data }) => data.initiator ?? data.tls_cipher)
    expect(sides.slice(0, 2)).toEqual(['local', 'remote'])
    expect(sides[2]).toMatch(/^TLS_|AES|CHACHA/)
    const theirs = server.named('quic:parameters_set').find(({ data }) => data.initiator === 'remote')!
    const ours = client.named('quic:parameters_set').find(({ data }) => data.initiator === 'local')!
    expect(theirs.data.initial_max_data).toBe(ours.data.initial_max_data)
  })

  it('logs each packet that arrives as it was sent: header, number, frames', () => {
    const key = ({ packet_type, packet_number }: { packet_type: string; packet_number: number }): string =>
      `${packet_type} ${packet_number}`
    const sent = new Map(client.named('quic:packet_sent').map(({ data }) => [key(data.header), data]))
    const received = server.named('quic:packet_received')
    expect(received.length).toBeGreaterThan(20)
    for (const { data } of received) {
      const origin = sent.get(key(data.header))
      expect(origin?.frames).toEqual(data.frames)
      expect(origin?.header).toEqual(data.header)
      expect(origin?.raw).toEqual(data.raw)
    }
  })

  it('adds up the stream bytes that the frames say', () => {
    const bytes = new Set<number>()
    for (const frame of server.frames('quic:packet_received', 'stream')) {
      if (frame.stream_id !== 0) continue
      const { offset, raw } = frame as unknown as { offset: number; raw: { length: number } }
      for (let i = 0; i < raw.length; i++) bytes.add(offset + i)
    }
    expect(bytes.size).toBe(20_000)
  })

  it('tells losses, what recovery makes of them, and timers', () => {
    expect(server.named('quic:packet_lost').length).toBeGreaterThan(0)
    expect(server.named('quic:congestion_state_updated').length).toBeGreaterThan(1)
    const timers = server.named('quic:timer_updated').map(({ data }) => data.event_type)
    expect(timers).toContain('set')
    const reported = server.named('quic:recovery_metrics_updated').map(({ data }) => data)
    for (const [index, data] of reported.entries()) {
      expect(Object.keys(data).length).toBeGreaterThan(0)
      // Only what has changed.
      for (const field of Object.keys(data)) {
        const before = reported.slice(0, index).findLast((earlier) => earlier[field] !== undefined)
        expect(data[field]).not.toBe(before?.[field])
      }
    }
  })

  it('tells when keys come and go, without the keys', () => {
    const updated = client.named('quic:key_updated').map(({ data }) => data.key_type)
    expect(updated).toEqual([
      'server_initial_secret',
      'client_initial_secret',
      'server_handshake_secret',
      'client_handshake_secret',
      'server_1rtt_secret',
      'client_1rtt_secret',
    ])
    const discarded = client.named('quic:key_discarded').map(({ data }) => data.key_type)
    expect(discarded.slice(0, 2)).toEqual(['server_initial_secret', 'client_initial_secret'])
    expect(client.text).not.toContain('stateless_reset_token')
  })

  it('is the same for the same seed, byte for byte', () => {
    const again = wholeLife()
    expect(again.client.text).toBe(client.text)
    expect(again.server.text).toBe(server.text)
    expect(wholeLife(2).client.text).not.toBe(client.text)
  })

  it('does not change what the connections do', () => {
    const unlogged = new Pair({ seed: 1 }).handshake()
    const { pair } = loggedPair(1)
    pair.handshake()
    expect(pair.bytesSent).toEqual(unlogged.bytesSent)
  })
})

describe('packets that are not processed', () => {
  it('are logged with the reason', () => {
    const { pair, server } = loggedPair(3)
    const seen: Uint8Array[] = []
    pair.drop = (_index, toServer, bytes) => {
      if (toServer) seen.push(new Uint8Array(bytes))
      return false
    }
    pair.handshake()
    const last = seen.at(-1)!
    pair.inject(pair.server, new Uint8Array(last))
    const broken = new Uint8Array(last)
    broken[broken.length - 1] ^= 1
    pair.inject(pair.server, broken)
    pair.inject(pair.server, new Uint8Array(seen[0]))
    const otherVersion = new Uint8Array(seen[0])
    otherVersion[4] = 3
    pair.inject(pair.server, otherVersion)
    const triggers = server.named('quic:packet_dropped').map(({ data }) => data.trigger)
    expect(triggers).toEqual(['duplicate', 'decryption_failure', 'key_unavailable', 'unsupported'])
    expect(server.events.flatMap(schemaFaults)).toEqual([])
  })

  it('are logged as buffered while their keys are missing, and when they are read after all', () => {
    const { pair, client } = loggedPair(4)
    // The server's Initial is lost: its Handshake packets come first.
    pair.drop = (index, toServer) => !toServer && index === 0
    pair.handshake()
    const buffered = client.named('quic:packet_buffered').map(({ data }) => data.header.packet_type)
    const replayed = client
      .named('quic:packet_received')
      .filter(({ data }) => data.trigger === 'keys_available')
    expect(buffered).toContain('handshake')
    expect(replayed.map(({ data }) => data.header.packet_type)).toContain('handshake')
  })
})
