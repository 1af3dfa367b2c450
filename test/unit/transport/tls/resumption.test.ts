// Session tickets, resumption and the part of 0-RTT that is TLS's: RFC 8446 sections 2.2, 2.3, 4.2.10, 4.2.11, 4.6.1.
import { describe, expect, it } from 'vitest'
import {
  type ClientTlsConfig,
  type ServerTlsConfig,
  type SessionTicket,
  type SessionTicketOptions,
  SessionTickets,
} from '../../../../src/transport/tls/index.ts'
import { CryptoAlert } from './endpoints.ts'
import { codeOf, Pair, seededEntropy } from './loopback.ts'

const SUITES = [0x1301, 0x1302, 0x1303]
const HOUR = 3_600_000

/** A server with a clock of its own, and clients that come to it. */
class Resumption {
  now = 1_700_000_000_000
  readonly entropy = seededEntropy(4711)
  tickets: SessionTickets
  seed = 1

  constructor(options: Partial<SessionTicketOptions> = {}) {
    this.tickets = this.newTickets(options)
  }

  newTickets(options: Partial<SessionTicketOptions> = {}): SessionTickets {
    return new SessionTickets({ entropy: this.entropy, now: () => this.now, ...options })
  }

  /** A connection that has been joined but not run. */
  pair(
    ticket: SessionTicket | undefined,
    client: Partial<ClientTlsConfig> = {},
    server: Partial<ServerTlsConfig> = {},
    earlyData = false,
  ): Pair {
    return new Pair({
      seed: this.seed++,
      client: { resumption: { now: () => this.now, ticket, earlyData }, ...client },
      server: { resumption: this.tickets, ...server },
      verdict: true,
    })
  }

  connect(...parameters: Parameters<Resumption['pair']>): Pair {
    return this.pair(...parameters).run()
  }

  /** The tickets of a first connection. */
  first(client: Partial<ClientTlsConfig> = {}, server: Partial<ServerTlsConfig> = {}): SessionTicket[] {
    const pair = this.connect(undefined, client, server)
    expect(pair.client.isResumed || pair.server.isResumed).toBe(false)
    return pair.toServer.tickets
  }
}

function expectResumed(pair: Pair, isResumed: boolean): void {
  expect(pair.isComplete).toBe(true)
  expect([pair.client.isResumed, pair.server.isResumed]).toEqual([isResumed, isResumed])
  expect(pair.client.peerCertificates.length > 0).toBe(!isResumed)
  expect(pair.owner.missed).toEqual([])
}

function expectSameSecrets({ toClient, toServer, client, server }: Pair): void {
  for (const level of ['1', '2']) {
    expect(toServer.secrets.get(`write${level}`)).toBe(toClient.secrets.get(`read${level}`))
    expect(toServer.secrets.get(`read${level}`)).toBe(toClient.secrets.get(`write${level}`))
  }
  const context = Uint8Array.of(1)
  expect(client.exportKeyingMaterial('x', context, 32)).toEqual(server.exportKeyingMaterial('x', context, 32))
}

describe.each(SUITES)('suite 0x%s', (suite) => {
  it('a ticket resumes without certificates (RFC 8446 section 2.2)', () => {
    const world = new Resumption()
    const [ticket] = world.first({ suites: [suite] })
    expect(ticket).toMatchObject({ suite, serverName: 'server.test', alpn: 'h3', allowsEarlyData: false })
    const pair = world.connect(ticket, { suites: [suite] })
    expectResumed(pair, true)
    expectSameSecrets(pair)
    expect(pair.toServer.tickets).toHaveLength(1)
    expectResumed(world.connect(pair.toServer.tickets[0], { suites: [suite] }), true)
  })

  it('early data: both have the same secret, once (section 2.3)', () => {
    const world = new Resumption({ earlyData: true })
    const [ticket] = world.first({ suites: [suite] })
    const pair = world.connect(ticket, { suites: [suite] }, {}, true)
    expectResumed(pair, true)
    expectSameSecrets(pair)
    expect(pair.toServer.earlyDataVerdicts).toEqual([true])
    expect(pair.toServer.secrets.get('write early')).toBe(pair.toClient.secrets.get('read early'))
    expect(pair.toClient.order[0]).toBe('read early')
  })
})

it('a full handshake brings two different tickets (appendix C.4)', () => {
  const [one, two, ...others] = new Resumption().first()
  expect(others).toEqual([])
  expect(one!.psk).not.toEqual(two!.psk)
  expect(one!.ticket).not.toEqual(two!.ticket)
  expect(one!.ageAdd).not.toBe(two!.ageAdd)
})

it('no ticket goes to a client that offers no psk_dhe_ke (section 4.2.9)', () => {
  const world = new Resumption()
  const pair = new Pair({ server: { resumption: world.tickets } }).run()
  expect(pair.isComplete).toBe(true)
  expect(pair.toServer.tickets).toEqual([])
})

describe('the server makes a full handshake instead when', () => {
  const alpn = ['h3', 'other']

  it.each<[string, (world: Resumption, ticket: SessionTicket) => Pair]>([
    [
      'the server name is another one',
      (world, ticket) =>
        world.connect({ ...ticket, serverName: 'b.test' }, { serverName: 'b.test' }, { alpn }),
    ],
    [
      'the protocol is another one',
      (world, ticket) => world.connect({ ...ticket, alpn: 'other' }, { alpn: ['other'] }, { alpn }),
    ],
    [
      'the QUIC version is another one (RFC 9369)',
      (world, ticket) => world.connect({ ...ticket, version: 2 }, { version: 2 }, { alpn, version: 2 }),
    ],
    [
      'client certificates are asked for now',
      (world, ticket) => world.connect(ticket, {}, { alpn, clientAuthentication: 'request' }),
    ],
    [
      'its lifetime is over by the clock of the server, whatever the client says',
      (world, ticket) => {
        world.now += 25 * HOUR
        return world.connect({ ...ticket, receivedAt: world.now - 1000 }, {}, { alpn })
      },
    ],
    [
      'its key has been rotated out',
      (world, ticket) => {
        for (let turn = 0; turn < 3; turn++) {
          world.now += 13 * HOUR
          world.first({}, { alpn })
        }
        return world.connect({ ...ticket, receivedAt: world.now }, {}, { alpn })
      },
    ],
    [
      'it was sealed by somebody else',
      (world, ticket) => {
        world.tickets = world.newTickets()
        return world.connect(ticket, {}, { alpn })
      },
    ],
    [
      'a bit of it has changed',
      (world, ticket) => {
        const changed = new Uint8Array(ticket.ticket)
        changed[40]! ^= 1
        return world.connect({ ...ticket, ticket: changed }, {}, { alpn })
      },
    ],
    [
      'no suite with its hash is left (RFC 8446 section 4.2.11)',
      (world, ticket) => world.connect(ticket, {}, { alpn, suites: [0x1302] }),
    ],
  ])('%s', (_what, connect) => {
    const world = new Resumption()
    const [ticket] = world.first({ suites: [0x1301, 0x1302] }, { alpn })
    expectResumed(connect(world, ticket!), false)
  })
})

it('processes that share a key ring resume for each other; one that was rotated in stays known', () => {
  const old = new Uint8Array(32).fill(1)
  const fresh = new Uint8Array(32).fill(2)
  let ring = [old]
  const world = new Resumption({ keys: () => ring })
  const [ticket] = world.first()
  world.tickets = world.newTickets({ keys: [fresh, old] })
  expectResumed(world.connect(ticket), true)
  ring = [fresh]
  world.tickets = world.newTickets({ keys: () => ring })
  expectResumed(world.connect(ticket), false)
})

it('no tickets where clients authenticate themselves: a resumed handshake shows no certificate', () => {
  expect(new Resumption().first({}, { clientAuthentication: 'request' })).toEqual([])
})

it('a wrong binder is decrypt_error (section 4.2.11)', () => {
  const world = new Resumption()
  const [ticket] = world.first()
  const psk = new Uint8Array(ticket!.psk)
  psk[0]! ^= 1
  const pair = world.pair({ ...ticket!, psk })
  expect(codeOf(() => pair.run())).toBe(CryptoAlert.decryptError)
})

it('the binder covers the hello: a changed one is decrypt_error (section 4.2.11.2)', () => {
  const world = new Resumption()
  const [ticket] = world.first()
  const pair = world.pair(ticket)
  pair.tamper = (from, flight) => {
    if (from === 'client' && flight.bytes[0] === 1) flight.bytes[20]! ^= 1
    return flight
  }
  expect(codeOf(() => pair.run())).toBe(CryptoAlert.decryptError)
})

it('around a HelloRetryRequest a ticket still resumes, and early data is rejected (section 4.2.10)', () => {
  const world = new Resumption({ earlyData: true })
  const [ticket] = world.first()
  const client = { groups: [0x001d, 0x0017], offerGroups: [0x001d] }
  const pair = world.connect(ticket, client, { groups: [0x0017] }, true)
  expectResumed(pair, true)
  expectSameSecrets(pair)
  expect(pair.toServer.earlyDataVerdicts).toEqual([false])
  expect(pair.toClient.secrets.has('read early')).toBe(false)
})

it('the next ClientHello has a share of the group that the server chose, so that no HelloRetryRequest rejects early data', () => {
  const world = new Resumption({ earlyData: true })
  const client = { groups: [0x001d, 0x0017] }
  const [ticket] = world.first(client, { groups: [0x0017] })
  expect(ticket!.group).toBe(0x0017)
  const pair = world.connect(ticket, client, { groups: [0x0017] }, true)
  expectResumed(pair, true)
  expect(pair.toServer.earlyDataVerdicts).toEqual([true])
  // A group that is not wanted any more is not offered.
  const other = world.connect(world.first(client, { groups: [0x0017] })[0], { groups: [0x001d] }, {}, true)
  expectResumed(other, true)
})

it('another suite with the same hash resumes, without early data (section 4.2.10)', () => {
  const world = new Resumption({ earlyData: true })
  const [ticket] = world.first({ suites: [0x1301] })
  const pair = world.connect(ticket, { suites: [0x1301, 0x1303] }, { suites: [0x1303] }, true)
  expectResumed(pair, true)
  expect(pair.client.cipherSuite?.id).toBe(0x1303)
  expect(pair.toServer.earlyDataVerdicts).toEqual([false])
})

describe('early data is rejected, and the handshake resumes all the same, when', () => {
  it.each<[string, (world: Resumption, ticket: SessionTicket) => Pair]>([
    [
      'the ticket was used before (RFC 8446 section 8.1)',
      (world, ticket) => {
        expect(world.connect(ticket, {}, {}, true).toServer.earlyDataVerdicts).toEqual([true])
        return world.connect(ticket, {}, {}, true)
      },
    ],
    [
      'the age of the ticket is more than ten seconds off (section 8.3)',
      (world, ticket) => world.connect({ ...ticket, receivedAt: ticket.receivedAt - 10_001 }, {}, {}, true),
    ],
    [
      'the server allows it no more',
      (world, ticket) => {
        world.tickets = world.newTickets({ keys: [KEY], antiReplay: world.tickets.antiReplay })
        return world.connect(ticket, {}, {}, true)
      },
    ],
    [
      'another process with the same keys is asked, which does not know the used tickets',
      (world, ticket) => {
        world.tickets = world.newTickets({ keys: [KEY], earlyData: true })
        return world.connect(ticket, {}, {}, true)
      },
    ],
    [
      'the application promises something else now (RFC 9114 section 7.2.4.2)',
      (world, ticket) => {
        const { antiReplay } = world.tickets
        const applicationState = Uint8Array.of(9)
        world.tickets = world.newTickets({ keys: [KEY], earlyData: true, antiReplay, applicationState })
        return world.connect(ticket, {}, {}, true)
      },
    ],
    [
      'the transport does not keep what it promised (RFC 9000 section 7.4.1)',
      (world, ticket) => {
        const pair = world.pair(ticket, {}, {}, true)
        pair.toClient.transportState = Uint8Array.of(7)
        return pair.run()
      },
    ],
    [
      'the memory of used tickets is full (fail closed)',
      (world, ticket) => {
        world.tickets.antiReplay.claim = () => false
        return world.connect(ticket, {}, {}, true)
      },
    ],
  ])('%s', (_what, connect) => {
    const world = new Resumption({ keys: [KEY], earlyData: true })
    const [ticket] = world.first()
    const pair = connect(world, ticket!)
    expectResumed(pair, true)
    expectSameSecrets(pair)
    expect(pair.toServer.earlyDataVerdicts).toEqual([false])
    expect(pair.toClient.secrets.has('read early')).toBe(false)
  })
})

const KEY = new Uint8Array(32).fill(3)

describe('the client', () => {
  it.each<[string, Partial<SessionTicket>, Partial<ClientTlsConfig>]>([
    ['that has expired', { receivedAt: 0 }, {}],
    ['from the future', { receivedAt: 2e12 }, {}],
    [
      'that lives longer than a week, after a week (section 4.6.1)',
      { receivedAt: 1_700_000_000_000 - 169 * HOUR, lifetime: 1e7 },
      {},
    ],
    ['of another server', { serverName: 'other.test' }, {}],
    ['of a protocol that it does not offer', { alpn: 'hq' }, {}],
    ['of another QUIC version', { version: 5 }, {}],
    ['of a suite that is not known', { suite: 0x1399 }, {}],
    ['of a suite with a hash that it does not offer', {}, { suites: [0x1302] }],
    [
      'of a server that was not verified, when it verifies',
      { isVerified: false },
      { verifyCertificate: true },
    ],
  ])('does not offer a ticket %s', (_what, changes, config) => {
    const world = new Resumption()
    const [ticket] = world.first({ suites: [0x1301] })
    const pair = world.connect({ ...ticket!, ...changes }, { suites: [0x1301, 0x1303], ...config })
    expectResumed(pair, false)
  })

  it('remembers whether the certificate was verified, also over a resumption', () => {
    const world = new Resumption()
    const verifying = { verifyCertificate: true }
    const [checked] = world.first(verifying)
    expect(checked!.isVerified).toBe(true)
    const pair = world.connect(checked, verifying)
    expectResumed(pair, true)
    expect(pair.toServer.tickets[0]!.isVerified).toBe(true)
    const [unchecked] = world.first()
    expect(unchecked!.isVerified).toBe(false)
  })

  it('does not send early data unless it is told to', () => {
    const world = new Resumption({ earlyData: true })
    const [ticket] = world.first()
    expect(ticket!.allowsEarlyData).toBe(true)
    const pair = world.connect(ticket)
    expectResumed(pair, true)
    expect(pair.toServer.earlyDataVerdicts).toEqual([])
    expect(pair.toServer.secrets.has('write early')).toBe(false)
  })

  it('writes the early secret into the key log', () => {
    const world = new Resumption({ earlyData: true })
    const [ticket] = world.first()
    const pair = world.connect(ticket, { keyLog: true }, {}, true)
    expect(pair.toServer.keyLog[0]).toMatch(/^CLIENT_EARLY_TRAFFIC_SECRET [0-9a-f]{64} [0-9a-f]{64}$/)
  })
})

describe('a server that answers an offered ticket wrongly', () => {
  /** The client's end of a handshake whose server flight is rewritten. */
  function against(rewrite: (message: Buffer) => Buffer, earlyData = false): number | undefined {
    const world = new Resumption({ earlyData: true })
    const [ticket] = world.first()
    const pair = world.pair(ticket, {}, {}, earlyData)
    pair.tamper = (from, flight) =>
      from === 'server' ? { ...flight, bytes: rewrite(Buffer.from(flight.bytes)) } : flight
    return codeOf(() => pair.run())
  }

  it('another identity than the one offered is illegal_parameter (section 4.2.11)', () => {
    const code = against((message) => {
      if (message[0] === 2) message[message.length - 1] = 1
      return message
    })
    expect(code).toBe(CryptoAlert.illegalParameter)
  })

  it('early_data that was not offered is unsupported_extension (section 4.2)', () => {
    expect(against(withEarlyData)).toBe(CryptoAlert.unsupportedExtension)
  })

  it('early_data without the ticket is illegal_parameter (section 4.2.10)', () => {
    const world = new Resumption({ earlyData: true })
    const [ticket] = world.first()
    world.tickets = world.newTickets()
    const pair = world.pair(ticket, {}, {}, true)
    pair.tamper = (from, flight) =>
      from === 'server' ? { ...flight, bytes: withEarlyData(Buffer.from(flight.bytes)) } : flight
    expect(codeOf(() => pair.run())).toBe(CryptoAlert.illegalParameter)
  })
})

/** Adds early_data to an EncryptedExtensions; other messages stay. */
function withEarlyData(message: Buffer): Buffer {
  if (message[0] !== 8) return message
  const longer = Buffer.concat([message, Uint8Array.of(0, 42, 0, 0)])
  longer.writeUIntBE(longer.length - 4, 1, 3)
  longer.writeUInt16BE(longer.length - 6, 4)
  return longer
}
