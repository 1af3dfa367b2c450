// RFC 8448 section 4, resumed 0-RTT handshake: the ticket's key, binder and early secret against bytes that nobody
// here made.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { AES_128_GCM_SHA256, digest } from '../../../../src/transport/crypto/index.ts'
import { ByteReader } from '../../../../src/transport/tls/byte-reader.ts'
import { EarlyStage, ticketPsk } from '../../../../src/transport/tls/key-schedule-stages.ts'
import { parseNewSessionTicket } from '../../../../src/transport/tls/messages/finished.ts'
import { readPskOffer } from '../../../../src/transport/tls/messages/pre-shared-key.ts'
import { parseServerHello } from '../../../../src/transport/tls/messages/server-hello.ts'
import { conformancePath } from '../../../conformance.ts'

interface Step {
  by: string
  step: string
  fields: Record<string, string>
}
interface Vectors {
  rfc8448_s3: Record<string, string>
  rfc8448_s4_key_schedule: Record<string, string>
  tls13_traces: Record<string, Step[]>
}

const path = conformancePath('vectors.json')
const vectors = path ? (JSON.parse(readFileSync(path, 'utf8')) as Vectors) : undefined
if (vectors === undefined)
  console.log('no conformance data: the vectors of RFC 8448 section 4 are not checked')
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')
const suite = AES_128_GCM_SHA256

describe.skipIf(vectors === undefined)('RFC 8448 section 4', () => {
  const s4 = (name: string) => vectors!.rfc8448_s4_key_schedule[name]!
  const ticketMessage = (): Uint8Array => {
    const step = 'construct a NewSessionTicket handshake message'
    const found = vectors!.tls13_traces.simple_1rtt!.find((entry) => entry.step === step)
    return bytes(found!.fields.NewSessionTicket!)
  }

  it('the key of the ticket of section 3 (RFC 8446 section 4.6.1)', () => {
    const ticket = ticketMessage()
    // Section 3 allows 1,024 bytes of early data, which QUIC forbids to say.
    ticket.fill(0xff, -4)
    const { nonce } = parseNewSessionTicket(ticket)
    expect(hex(ticketPsk(suite, bytes(vectors!.rfc8448_s3.resumption_master!), nonce))).toBe(s4('psk'))
  })

  it('the binder from the hash of the ClientHello without binders (section 4.2.11.2)', () => {
    const stage = new EarlyStage(suite, bytes(s4('psk')))
    expect(hex(stage.binder(bytes(s4('truncated_client_hello_hash'))))).toBe(s4('binder'))
  })
})

// The same handshake as its authors' draft has it, message by message, with other keys.
describe.skipIf(vectors === undefined)('a recorded 0-RTT handshake', () => {
  const field = (step: string, name: string): Uint8Array => {
    const found = vectors!.tls13_traces.resumed_0rtt!.find((entry) => entry.step === step)
    return bytes(found!.fields[name]!)
  }
  const covered = () => field('calculate PSK binder', 'ClientHello prefix')
  const binder = () => hex(field('calculate PSK binder', 'finished'))
  const hello = () => Buffer.concat([covered(), bytes(`002120${binder()}`)])
  const early = () => new EarlyStage(suite, field('extract secret "early"', 'IKM'))

  it('the binder over the ClientHello without binders (section 4.2.11.2)', () => {
    expect(hex(early().binder(digest('sha256', covered())))).toBe(binder())
  })

  it('pre_shared_key is read; what its binders do not cover is found', () => {
    const message = hello()
    const at = message.indexOf(bytes('002900dd'))
    const offer = readPskOffer(new ByteReader(message, at + 4))
    expect(offer.identities).toHaveLength(1)
    expect(offer.binders.map(hex)).toEqual([binder()])
    expect(message.length - offer.bindersLength).toBe(covered().length)
  })

  it('client_early_traffic_secret (section 7.1)', () => {
    const secret = early().clientEarlyTraffic(digest('sha256', hello()))
    expect(hex(secret)).toBe(hex(field('derive secret "tls13 c e traffic"', 'expanded')))
  })

  it('the ServerHello takes the first ticket, and the secrets follow from its key', () => {
    const message = field('construct a ServerHello handshake message', 'ServerHello')
    expect(parseServerHello(message).selectedIdentity).toBe(0)
    const shared = field('extract secret "handshake"', 'IKM')
    const stage = early().enterHandshake(suite, shared, digest('sha256', hello(), message))
    expect(hex(stage.clientTraffic)).toBe(hex(field('derive secret "tls13 c hs traffic"', 'expanded')))
  })
})
