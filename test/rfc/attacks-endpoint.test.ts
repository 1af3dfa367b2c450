// Attacks on an endpoint before there is a connection, by row of the table in docs/limits.md (rows 17 to 25, 36, 79).
import { describe, expect, test } from 'vitest'
import { AddressTokens } from '../../src/supervisor/address-tokens.ts'
import type { RetryMode } from '../../src/supervisor/address-validation.ts'
import { Endpoint } from '../../src/supervisor/endpoint.ts'
import { MAX_HALF_OPEN, REFLECTION_PORTS, RETRY_BURST } from '../../src/supervisor/limits.ts'
import type { DatagramBatch, RemoteAddress } from '../../src/transport/connection/index.ts'
import { selectBackends } from '../../src/transport/crypto/index.ts'
import type { DatagramReceiver, DatagramSocket } from '../../src/transport/io/datagram-socket.ts'
import { loadIdentity } from '../../src/transport/tls/index.ts'
import { PacketHeader, PacketType, parsePacketHeader } from '../../src/transport/wire/index.ts'
import { SIM_CERTIFICATE, SIM_KEY } from '../sim/identity.ts'
import { Random, seededEntropy } from '../sim/random.ts'
import { VirtualClock } from '../sim/virtual-clock.ts'
import { bytesOf, varint } from './frame-bytes.ts'

const PEER: RemoteAddress = { address: '192.0.2.1', port: 40_000, family: 4 }
const SECRET = new Uint8Array(32).fill(9)
const MODES: readonly RetryMode[] = ['always', 'never', 'auto']
const identity = loadIdentity(SIM_CERTIFICATE, SIM_KEY)

class Attacked implements DatagramSocket {
  readonly name = 'attacked'
  readonly localAddress = '10.0.0.1'
  readonly localPort = 4433
  readonly isBlocked = false
  readonly sent: Uint8Array[] = []
  readonly clock = new VirtualClock()
  readonly endpoint: Endpoint
  #receiver: DatagramReceiver = () => {}

  constructor(retry: RetryMode) {
    this.endpoint = new Endpoint({
      clock: this.clock,
      entropy: seededEntropy(new Random(3)),
      sockets: [this],
      backends: selectBackends(),
      secret: SECRET,
      retry,
      server: {
        tls: { identities: [identity], alpn: ['h3'] },
        application: () => {
          throw new Error('no handshake of this test gets so far')
        },
      },
    })
    this.endpoint.start()
  }

  start(receiver: DatagramReceiver): void {
    this.#receiver = receiver
  }

  send(batch: DatagramBatch): void {
    for (let i = 0; i < batch.count; i++) {
      this.sent.push(
        Uint8Array.from(batch.buffer.subarray(batch.starts[i], batch.starts[i] + batch.lengths[i])),
      )
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  deliver(bytes: Uint8Array, remote = PEER): void {
    const buffer = Uint8Array.from(bytes)
    this.#receiver(buffer, 0, buffer.length, remote)
    buffer.fill(0xee)
  }

  /** Types of the packets that were sent. */
  get answers(): number[] {
    return this.sent.map((bytes) => {
      const header = new PacketHeader()
      return parsePacketHeader(bytes, 0, bytes.length, 8, header) ? header.type : -1
    })
  }
}

/** An Initial packet that looks right from outside and is garbage inside, in a datagram of 1,200 bytes. */
function initial(dcid: Uint8Array, token = new Uint8Array(0), size = 1_200): Uint8Array {
  const head = bytesOf(
    Uint8Array.of(0xc3, 0, 0, 0, 1, dcid.length),
    dcid,
    Uint8Array.of(8),
    new Uint8Array(8).fill(5),
  )
  const prefix = bytesOf(head, varint(token.length), token)
  const rest = size - prefix.length - 2
  return bytesOf(prefix, varint(rest, 2), new Uint8Array(Math.max(0, rest)).fill(0x3c))
}

/** A server whose application is never made: connections cannot be accepted, only answered without one. */
function answersTo(retry: RetryMode, ...datagrams: Uint8Array[]): Attacked {
  const attacked = new Attacked(retry)
  for (const bytes of datagrams) attacked.deliver(bytes)
  return attacked
}

describe('connection IDs of the first packet (rows 17 and 18: CVE-2026-94450, CVE-2024-25678)', () => {
  test.each([0, 1, 4, 7, 21, 60, 255])('of %i bytes get no answer and leave no state', (length) => {
    for (const mode of MODES) {
      const { sent, endpoint } = answersTo(mode, initial(new Uint8Array(length).fill(1)))
      expect(sent).toEqual([])
      expect([endpoint.entries.size, endpoint.ids.size]).toEqual([0, 0])
    }
  })

  test.each([8, 9, 18, 20])('of %i bytes come back in the token of a Retry', (length) => {
    const dcid = new Uint8Array(length).fill(1)
    const attacked = answersTo('always', initial(dcid))
    expect(attacked.answers).toEqual([PacketType.retry])
    const header = new PacketHeader()
    parsePacketHeader(attacked.sent[0], 0, attacked.sent[0].length, 8, header)
    const token = attacked.sent[0].subarray(header.tokenStart, header.tokenStart + header.tokenLength)
    const id = attacked.sent[0].subarray(header.scidStart, header.scidStart + header.scidLength)
    const tokens = new AddressTokens(SECRET, seededEntropy(new Random(1)))
    expect(tokens.claimRetry(token, PEER, id, attacked.clock.wallTime())).toEqual(dcid)
  })

  test('a datagram below 1,200 bytes gets no Retry', () => {
    expect(answersTo('always', initial(new Uint8Array(8), undefined, 1_199)).sent).toEqual([])
  })
})

describe('tokens of the first packet (rows 16, 19 to 21 and 25)', () => {
  /** Tokens of both kinds, whole and damaged, and bytes that never were one. */
  function hostileTokens(): Uint8Array[] {
    const random = new Random(11)
    const tokens = new AddressTokens(SECRET, seededEntropy(new Random(2)))
    const now = new VirtualClock().wallTime()
    const real = [
      tokens.sealRetry(PEER, new Uint8Array(8), new Uint8Array(8).fill(2), now),
      tokens.sealRetry({ ...PEER, port: 1 }, new Uint8Array(8), new Uint8Array(8).fill(1), now),
      tokens.sealNewToken({ ...PEER, address: '192.0.2.9' }, now),
    ]
    const hostile: Uint8Array[] = [...real]
    for (let i = 0; i < 300; i++) {
      const token = Uint8Array.from(real[i % real.length])
      token[random.below(token.length)] ^= 1 << random.below(8)
      hostile.push(i % 3 === 0 ? token.subarray(0, random.below(token.length)) : token)
    }
    for (const length of [1, 7, 8, 20, 35, 36, 37, 300, 1_100])
      hostile.push(new Uint8Array(length).fill(length))
    return hostile
  }

  test('prove nothing unless they are ours and whole: in "always", each gets a Retry or INVALID_TOKEN', () => {
    const attacked = new Attacked('always')
    const hostile = hostileTokens()
    let at = 0
    for (const token of hostile) {
      attacked.deliver(initial(new Uint8Array(8).fill(1), new Uint8Array(token)))
      attacked.clock.step()
      at++
    }
    expect(at).toBe(hostile.length)
    const { endpoint, answers } = attacked
    expect([endpoint.entries.size, endpoint.ids.size]).toEqual([0, 0])
    expect(endpoint.counters).toMatchObject({ tokensAccepted: 0, internalErrors: 0, connectionsOpened: 0 })
    expect(endpoint.counters.tokensRejected).toBeGreaterThan(300)
    for (const answer of answers) expect([PacketType.retry, PacketType.initial]).toContain(answer)
    expect(answers).toContain(PacketType.retry)
    expect(answers).toContain(PacketType.initial)
  })

  test('a flood is answered by a bounded number of Retry packets, each smaller than its trigger', () => {
    const attacked = new Attacked('always')
    for (let i = 0; i < 3 * RETRY_BURST; i++) {
      const dcid = new Uint8Array(8)
      new DataView(dcid.buffer).setUint32(0, i)
      attacked.deliver(initial(dcid))
    }
    expect(attacked.sent.length).toBe(RETRY_BURST)
    expect(Math.max(...attacked.sent.map(({ length }) => length))).toBeLessThan(200)
    expect(attacked.endpoint.counters.refused).toBe(2 * RETRY_BURST)
    expect(attacked.endpoint.ids.size).toBe(0)
    expect(RETRY_BURST).toBeGreaterThanOrEqual(MAX_HALF_OPEN)
  })
})

describe('reflection (row 24: RFC 9000 section 21, RFC 9308 section 8.1)', () => {
  test.each([...REFLECTION_PORTS])('a datagram from port %i gets no answer of any kind', (port) => {
    const from = { ...PEER, port }
    const attacked = new Attacked('always')
    attacked.deliver(initial(new Uint8Array(8).fill(1)), from)
    const unknownVersion = initial(new Uint8Array(8).fill(1))
    unknownVersion[4] = 0x77
    attacked.deliver(unknownVersion, from)
    attacked.deliver(new Uint8Array(100).fill(0x41), from)
    expect(attacked.sent).toEqual([])
    expect(attacked.endpoint.counters.unroutable).toBe(3)
    expect(attacked.endpoint.entries.size).toBe(0)
  })

  test('from an ordinary port all three are answered', () => {
    const attacked = new Attacked('always')
    attacked.deliver(initial(new Uint8Array(8).fill(1)))
    const unknownVersion = initial(new Uint8Array(8).fill(1))
    unknownVersion[4] = 0x77
    attacked.deliver(unknownVersion)
    attacked.deliver(new Uint8Array(100).fill(0x41))
    expect(attacked.answers).toEqual([PacketType.retry, PacketType.versionNegotiation, PacketType.oneRtt])
  })
})

test('datagrams without content are counted and cost nothing (row 79: CVE-2026-11352)', () => {
  const attacked = new Attacked('auto')
  for (let i = 0; i < 10_000; i++) attacked.deliver(new Uint8Array(i % 3))
  expect(attacked.sent).toEqual([])
  expect(attacked.endpoint.counters).toMatchObject({
    datagramsReceived: 10_000,
    unroutable: 10_000,
    internalErrors: 0,
  })
})
