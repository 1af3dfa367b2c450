// Handshake bytes cut anywhere and changed anywhere: RFC 9001 section 4.1.3, RFC 8446 sections 4 and 6.2.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadIdentity } from '../../../../src/transport/tls/index.ts'
import { issue, keyPem } from './certificates.ts'
import { CryptoAlert, codeOf, newClient, newServer } from './endpoints.ts'
import { Pair, type PairOptions } from './loopback.ts'
import { message, rawClientHello } from './raw-hello.ts'

const certificate = issue({ subject: 'client' })
const identity = loadIdentity(certificate.pem, keyPem(certificate))

/** Every message there is: retry, request, client certificate. */
const everything: PairOptions = {
  server: { groups: [0x0017], clientAuthentication: 'require', suites: [0x1301] },
  client: { groups: [0x001d, 0x0017], identity, verifyCertificate: true },
  verdict: true,
}

describe('a handshake in pieces', () => {
  it.each([1, 2, 3, 5, 7, 64, 500])('of %i bytes completes', (pieceLength) => {
    const pair = new Pair(everything)
    pair.pieceLength = pieceLength
    expect(pair.run().isComplete).toBe(true)
    expect(pair.owner.missed).toEqual([])
  })

  it('completes with the ClientHello cut in two at any byte', () => {
    const hello = rawClientHello()
    for (let cut = 1; cut < hello.length; cut++) {
      const { server, output } = newServer()
      server.handleCrypto(0, hello.slice(0, cut))
      expect(output.sent).toEqual([])
      server.handleCrypto(0, hello.slice(cut))
      expect(output.sent.length).toBe(5)
    }
  })

  it('completes with a post-quantum share, larger than a datagram', () => {
    const pair = new Pair({ client: { groups: [0x11ec] } })
    pair.pieceLength = 1100
    expect(pair.run().isComplete).toBe(true)
  })
})

/** Runs a handshake in which one byte of the n-th message of one side is changed. */
function withChangedByte(from: 'client' | 'server', index: number, offset: number, mask: number) {
  const pair = new Pair(everything)
  let count = 0
  pair.tamper = (sender, flight) => {
    if (sender !== from || count++ !== index) return flight
    const bytes = flight.bytes.slice()
    // ECDSA signatures differ in length by a byte or two from run to run.
    bytes[offset % bytes.length] ^= mask
    return { ...flight, bytes }
  }
  const code = codeOf(() => pair.run())
  return { pair, code }
}

/** Lengths of the messages of a whole handshake. */
function lengthsOf(from: 'client' | 'server'): number[] {
  const lengths: number[] = []
  const pair = new Pair(everything)
  pair.tamper = (sender, flight) => {
    if (sender === from) lengths.push(flight.bytes.length)
    return flight
  }
  pair.run()
  return lengths
}

const alerts = new Set<number | undefined>([...Object.values(CryptoAlert), 0x0a, undefined])
alerts.delete(CryptoAlert.internalError)

describe('a message with one byte changed', () => {
  const messages = (['client', 'server'] as const).flatMap((from) =>
    lengthsOf(from).map((length, index) => [from, index, length] as const),
  )

  it.each(messages)(
    'of the %s, number %i (%i bytes), ends in an alert or in silence',
    (from, index, length) => {
      for (let offset = 0; offset < length; offset++) {
        const { pair, code } = withChangedByte(from, index, offset, offset % 2 === 0 ? 0x01 : 0x80)
        expect(alerts, `byte ${offset}: code ${code}`).toContain(code)
        expect(pair.isComplete, `byte ${offset}`).toBe(false)
        expect(pair.owner.missed).toEqual([])
      }
    },
  )

  it('is silence only while more bytes are waited for: the first byte of the length', () => {
    const { code } = withChangedByte('server', 0, 3, 0x80)
    expect(code).toBeUndefined()
  })
})

describe('arbitrary bytes', () => {
  const types = fc.constantFrom(1, 2, 4, 5, 8, 11, 13, 15, 20, 24, 99)

  it('as any message never raise anything but a connection error', () => {
    fc.assert(
      fc.property(types, fc.uint8Array({ maxLength: 300 }), (type, body) => {
        const bytes = message(type, body)
        for (const work of [
          () => newServer().server.handleCrypto(0, bytes),
          () => newClient().client.handleCrypto(0, bytes),
        ]) {
          expect(alerts).toContain(codeOf(work))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('in place of any later message neither', () => {
    fc.assert(
      fc.property(types, fc.uint8Array({ maxLength: 200 }), fc.nat(9), (type, body, at) => {
        const pair = new Pair(everything)
        let count = 0
        pair.tamper = (_from, flight) => (count++ === at ? { ...flight, bytes: message(type, body) } : flight)
        expect(alerts).toContain(codeOf(() => pair.run()))
        expect(pair.isComplete).toBe(false)
      }),
      { numRuns: 100 },
    )
  })
})
