// What is agreed upon, and what comes of it: RFC 8446 sections 4.1.1, 4.1.4, 7.5, RFC 7301, RFC 9001 section 4.1.
import { describe, expect, it } from 'vitest'
import { createLifeActor, HandshakeEvent, serverHandshake } from '../../../../src/machines/index.ts'
import { chooseGroup } from '../../../../src/transport/tls/negotiation.ts'
import { CryptoAlert, codeOf } from './endpoints.ts'
import { Pair, RecordingOwner } from './loopback.ts'
import { keyShares, rawClientHello, u16, vector } from './raw-hello.ts'

describe('negotiation', () => {
  it('follows the server’s order of suites (RFC 8446 section 4.1.1)', () => {
    const pair = new Pair({
      server: { suites: [0x1303, 0x1301] },
      client: { suites: [0x1301, 0x1303] },
    }).run()
    expect(pair.client.cipherSuite?.id).toBe(0x1303)
  })

  it('follows the server’s order of protocols (RFC 7301 section 3.2)', () => {
    const pair = new Pair({ server: { alpn: ['b', 'a'] }, client: { alpn: ['a', 'b'] } }).run()
    expect([pair.client.alpn, pair.server.alpn]).toEqual(['b', 'b'])
  })

  it('fails with no_application_protocol, 0x178 (RFC 9001 section 8.1)', () => {
    expect(codeOf(() => new Pair({ client: { alpn: ['h2'] } }).run())).toBe(0x178)
  })

  it('prefers a group that it has a share for to a round trip', () => {
    const share = { group: 0x0017, keyExchange: new Uint8Array(1) }
    expect(chooseGroup([0x11ec, 0x0017], [0x11ec, 0x0017], [share]).share).toBe(share)
  })

  it('passes over a share for a group that is ours by number only', () => {
    const share = { group: 0x0018, keyExchange: new Uint8Array(1) }
    expect(chooseGroup([0x0018, 0x001d], [0x0018, 0x001d], [share])).toMatchObject({ share: undefined })
  })
})

describe('HelloRetryRequest (RFC 8446 section 4.1.4)', () => {
  const options = {
    server: { groups: [0x0017] },
    client: { groups: [0x001d, 0x0017], offerGroups: [0x001d] },
  }

  it.each([0x1301, 0x1302, 0x1303])('leads to a handshake with suite 0x%s', (suite) => {
    const pair = new Pair({ server: { ...options.server, suites: [suite] }, client: options.client })
    const types: number[] = []
    pair.tamper = (_from, flight) => {
      types.push(flight.bytes[0])
      return flight
    }
    pair.run()
    expect(pair.isComplete).toBe(true)
    expect(types.slice(0, 4)).toEqual([1, 2, 1, 2])
    expect(pair.owner.missed).toEqual([])
  })

  it('asks for the post-quantum group when that is the only one', () => {
    const pair = new Pair({ server: { groups: [0x11ec] }, client: { groups: [0x001d, 0x11ec] } }).run()
    expect(pair.isComplete).toBe(true)
  })

  it('works when the client sends no share at all', () => {
    expect(new Pair({ client: { offerGroups: [] } }).run().isComplete).toBe(true)
  })

  it.each([
    ['another random', (hello: Uint8Array) => hello.fill(1, 6, 38), CryptoAlert.illegalParameter],
    ['the first share again', (_hello: Uint8Array) => undefined, CryptoAlert.illegalParameter],
  ])('is not obeyed by %s (section 4.1.2)', (_what, change, code) => {
    const pair = new Pair(options)
    let first: Uint8Array | undefined
    pair.tamper = (from, flight) => {
      if (from !== 'client' || flight.bytes[0] !== 1) return flight
      if (first === undefined) {
        first = flight.bytes.slice()
        return flight
      }
      return { ...flight, bytes: change(flight.bytes.slice()) ?? first }
    }
    expect(codeOf(() => pair.run())).toBe(code)
  })

  it.each([
    ['other cipher suites', { suites: [0x1301] }],
    ['one extension more', { add: [[0x1234, new Uint8Array(0)] as const] }],
    ['another list of groups', { replace: { 10: vector(2, u16(0x0017)) } }],
    ['early data', { add: [[42, new Uint8Array(0)] as const] }],
  ])('must not be followed by %s (section 4.1.2)', (_what, raw) => {
    const { server, toClient } = new Pair(options)
    const point = new Pair({ client: { groups: [0x0017] } })
    point.client.start(0)
    const shareAt = Buffer.from(point.toServer.sent[0].bytes).indexOf(Buffer.from('00170041', 'hex')) + 4
    const shares = keyShares([0x0017, point.toServer.sent[0].bytes.slice(shareAt, shareAt + 65)])
    server.handleCrypto(0, rawClientHello())
    expect(toClient.sent).toHaveLength(1)
    const second = rawClientHello({
      ...raw,
      replace: { 51: shares, ...('replace' in raw ? raw.replace : {}) },
    })
    expect(codeOf(() => server.handleCrypto(0, second))).toBe(CryptoAlert.illegalParameter)
  })
})

describe('what a handshake yields', () => {
  it('keys in the order of RFC 9001 section 4.1.4, 1-RTT read keys only at its end (section 5.7)', () => {
    const pair = new Pair().run()
    expect(pair.toClient.order).toEqual(['write1', 'read1', 'write2', 'read2', 'complete'])
    expect(pair.toServer.order).toEqual(['write1', 'read1', 'write2', 'read2', 'complete'])
  })

  it('the same keying material on both sides (RFC 8446 section 7.5)', () => {
    const { server, client } = new Pair().run()
    const context = Uint8Array.of(1, 2, 3)
    const ours = server.exportKeyingMaterial('EXPORTER-test', context, 77)
    expect(ours).toHaveLength(77)
    expect(client.exportKeyingMaterial('EXPORTER-test', context, 77)).toEqual(ours)
    expect(client.exportKeyingMaterial('EXPORTER-other', context, 77)).not.toEqual(ours)
    expect(client.exportKeyingMaterial('EXPORTER-test', new Uint8Array(0), 77)).not.toEqual(ours)
  })

  it('no keying material before it and after discard', () => {
    const { server, client } = new Pair()
    expect(() => server.exportKeyingMaterial('x', new Uint8Array(0), 16)).toThrow(RangeError)
    client.discard()
    expect(() => client.exportKeyingMaterial('x', new Uint8Array(0), 16)).toThrow(RangeError)
  })

  it('a key log in the NSS format, the same on both sides', () => {
    const pair = new Pair({ server: { keyLog: true }, client: { keyLog: true } }).run()
    expect(pair.toClient.keyLog).toEqual(pair.toServer.keyLog)
    const labels = pair.toClient.keyLog.map(
      (line) => /^([A-Z_0-9]+) [0-9a-f]{64} [0-9a-f]{64,96}$/.exec(line)?.[1],
    )
    expect(labels).toEqual([
      'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
      'SERVER_HANDSHAKE_TRAFFIC_SECRET',
      'CLIENT_TRAFFIC_SECRET_0',
      'SERVER_TRAFFIC_SECRET_0',
      'EXPORTER_SECRET',
    ])
    expect(pair.toClient.keyLog[3].split(' ')[2]).toBe(pair.toServer.secrets.get('read2'))
  })

  it('no key log unless asked for', () => {
    expect(new Pair().run().toClient.keyLog).toEqual([])
  })

  it('the same secrets for the same entropy, others for other entropy', () => {
    // Signatures and ML-KEM encapsulation are OpenSSL's own draws; these secrets come before the first and
    // without the second.
    const secretOf = (seed: number) =>
      new Pair({ seed, server: { groups: [0x001d] }, client: { groups: [0x001d] } })
        .run()
        .toClient.secrets.get('write1')
    expect(secretOf(3)).toBe(secretOf(3))
    expect(secretOf(3)).not.toBe(secretOf(4))
  })
})

const CALLBACKS = [
  'handlePeerTransportParameters',
  'installKeys',
  'writeCrypto',
  'handleHandshakeComplete',
] as const

describe('discard', () => {
  it('ends an unfinished handshake as abandoned, once, and silences it', () => {
    const pair = new Pair()
    pair.client.start(0)
    pair.client.discard()
    pair.client.discard()
    expect(pair.client.actor.getSnapshot().output).toBe('abandoned')
    expect(pair.owner.finals).toHaveLength(1)
    pair.client.handleCrypto(0, Uint8Array.of(99))
    pair.client.provideCertificateVerdict(true)
    expect(pair.owner.missed).toEqual([])
  })

  it.each(CALLBACKS)('may come from within %s: nothing more is said, nothing is missed', (callback) => {
    for (const side of ['server', 'client'] as const) {
      const pair = new Pair({ server: { clientAuthentication: 'request' } })
      const output = side === 'server' ? pair.toClient : pair.toServer
      const late: string[] = []
      let isDiscarded = false
      for (const name of CALLBACKS) {
        const original = output[name].bind(output) as (...values: unknown[]) => void
        output[name] = ((...values: unknown[]) => {
          if (isDiscarded) late.push(name)
          original(...values)
          if (name !== callback) return
          isDiscarded = true
          pair[side].discard()
        }) as never
      }
      expect(codeOf(() => pair.run())).toBeUndefined()
      expect(isDiscarded).toBe(true)
      expect(late).toEqual([])
      expect(pair.owner.missed).toEqual([])
    }
  })

  it('leaves a finished handshake connected', () => {
    const { server } = new Pair().run()
    server.discard()
    expect(server.actor.getSnapshot().output).toBe('connected')
  })
})

describe('the machine behind it', () => {
  it('is the chart of the machines room: its table knows the events that TLS raises', () => {
    const actor = createLifeActor(serverHandshake, 'x', new RecordingOwner())
    actor.start()
    actor.raise(HandshakeEvent.recvClientHello)
    expect(actor.getSnapshot().value).toBe('recvdCh')
  })
})
