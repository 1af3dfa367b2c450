// The traces of RFC 8448: key schedule, transcript, Finished, CertificateVerify, tickets and message codecs against
// bytes that nobody here made. TLS without QUIC: a hello of these traces has no transport parameters.

import { constants, verify, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { AES_128_GCM_SHA256, secp256r1, x25519 } from '../../../../src/transport/crypto/index.ts'
import { earlyStageWithoutPsk } from '../../../../src/transport/tls/key-schedule-stages.ts'
import {
  parseCertificate,
  parseCertificateRequest,
  parseCertificateVerify,
  signedContent,
} from '../../../../src/transport/tls/messages/certificate.ts'
import { parseFinished, parseNewSessionTicket } from '../../../../src/transport/tls/messages/finished.ts'
import {
  isHelloRetryRequest,
  parseHelloRetryRequest,
  parseServerHello,
} from '../../../../src/transport/tls/messages/server-hello.ts'
import { Transcript } from '../../../../src/transport/tls/transcript.ts'
import { conformancePath } from '../../../conformance.ts'
import { CryptoAlert, codeOf, newServer } from './endpoints.ts'

interface Step {
  by: string
  step: string
  fields: Record<string, string>
}
interface Vectors {
  rfc8448_s3: Record<string, string>
  tls13_traces: Record<string, Step[]>
}

const path = conformancePath('vectors.json')
const vectors = path ? (JSON.parse(readFileSync(path, 'utf8')) as Vectors) : undefined
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')
const suite = AES_128_GCM_SHA256

describe.skipIf(vectors === undefined)('RFC 8448 section 3, values', () => {
  const at = (name: string) => vectors!.rfc8448_s3[name]
  const message = (name: string) => bytes(at(name))

  function stages() {
    const transcript = new Transcript()
    transcript.add(message('client_hello'))
    transcript.start(suite.hash)
    transcript.add(message('server_hello'))
    const handshake = earlyStageWithoutPsk(suite).enterHandshake(
      suite,
      bytes(at('ecdhe_shared')),
      transcript.current(),
    )
    return { transcript, handshake }
  }

  it('handshake traffic secrets (RFC 8446 section 7.1)', () => {
    const { handshake } = stages()
    expect(hex(handshake.clientTraffic)).toBe(at('client_handshake_traffic'))
    expect(hex(handshake.serverTraffic)).toBe(at('server_handshake_traffic'))
  })

  it('CertificateVerify signs the transcript (section 4.4.3)', () => {
    const { transcript } = stages()
    transcript.add(message('encrypted_extensions'))
    transcript.add(message('certificate'))
    const { scheme, signature } = parseCertificateVerify(message('certificate_verify'))
    expect(scheme).toBe(0x0804)
    const key = new X509Certificate(parseCertificate(message('certificate'))[0]).publicKey
    // The key has 1,024 bits, which our own verify refuses.
    const options = {
      key,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }
    expect(verify('sha256', signedContent('server', transcript.current()), options, signature)).toBe(true)
  })

  it('both Finished, application, exporter and resumption secrets', () => {
    const { transcript, handshake } = stages()
    for (const name of ['encrypted_extensions', 'certificate', 'certificate_verify'])
      transcript.add(message(name))
    const serverFinished = message('server_finished')
    expect(handshake.finishedData('server', transcript.current())).toEqual(
      Buffer.from(parseFinished(serverFinished, 32)),
    )
    transcript.add(serverFinished)
    const application = handshake.enterApplication(transcript.current())
    expect(hex(application.clientTraffic)).toBe(at('client_application_traffic'))
    expect(hex(application.serverTraffic)).toBe(at('server_application_traffic'))
    expect(hex(application.exporterSecret)).toBe(at('exporter_master'))
    const clientFinished = message('client_finished')
    expect(handshake.finishedData('client', transcript.current())).toEqual(
      Buffer.from(parseFinished(clientFinished, 32)),
    )
    transcript.add(clientFinished)
    expect(hex(application.resumptionSecret(transcript.current()))).toBe(at('resumption_master'))
  })
})

describe.skipIf(vectors === undefined)('RFC 8448 traces', () => {
  /** A field of the n-th step whose title begins so and that has the field. */
  const fieldOf = (trace: string, title: string, field: string, nth = 0): string =>
    vectors!.tls13_traces[trace].filter(({ step, fields }) => step.startsWith(title) && field in fields)[nth]
      .fields[field]
  const messageOf = (trace: string, name: string, nth = 0) =>
    bytes(fieldOf(trace, `construct a ${name}`, name, nth))

  it('a ServerHello is read (section 3)', () => {
    const hello = parseServerHello(messageOf('simple_1rtt', 'ServerHello'))
    expect(hello.cipherSuite).toBe(0x1301)
    expect(hello.keyShare?.group).toBe(x25519.id)
    expect(hello.keyShare?.keyExchange).toHaveLength(x25519.shareLength.server)
  })

  it('a ticket is read; its max_early_data_size of 1024 is what QUIC forbids (RFC 9001 section 4.6.1)', () => {
    const ticket = messageOf('simple_1rtt', 'NewSessionTicket')
    expect(codeOf(() => parseNewSessionTicket(ticket))).toBe(0x0a)
    const at = Buffer.from(ticket).indexOf('002a000400000400', 'hex')
    ticket.fill(0xff, at + 4, at + 8)
    expect(parseNewSessionTicket(ticket)).toMatchObject({ lifetime: 30, allowsEarlyData: true })
  })

  it('a HelloRetryRequest is told apart and read, with its cookie (section 5)', () => {
    const retry = messageOf('hello_retry_request', 'ServerHello')
    expect(isHelloRetryRequest(retry)).toBe(true)
    expect(isHelloRetryRequest(messageOf('hello_retry_request', 'ServerHello', 1))).toBe(false)
    const request = parseHelloRetryRequest(retry)
    expect(request.group).toBe(secp256r1.id)
    expect(request.cookie!.length).toBeGreaterThan(0)
  })

  it('the transcript around a HelloRetryRequest gives the secrets of section 5 (RFC 8446 section 4.4.1)', () => {
    const trace = 'hello_retry_request'
    const transcript = new Transcript()
    transcript.add(messageOf(trace, 'ClientHello'))
    transcript.start('sha256')
    transcript.replaceByMessageHash()
    transcript.add(messageOf(trace, 'ServerHello'))
    transcript.add(messageOf(trace, 'ClientHello', 1))
    transcript.add(messageOf(trace, 'ServerHello', 1))
    const shared = bytes(fieldOf(trace, 'extract secret "handshake"', 'IKM'))
    const stage = earlyStageWithoutPsk(suite).enterHandshake(suite, shared, transcript.current())
    expect(hex(stage.clientTraffic)).toBe(fieldOf(trace, 'derive secret "tls13 c hs traffic"', 'expanded'))
    expect(hex(stage.serverTraffic)).toBe(fieldOf(trace, 'derive secret "tls13 s hs traffic"', 'expanded'))
  })

  it('a CertificateRequest and a client’s Certificate are read (section 6)', () => {
    expect(parseCertificateRequest(messageOf('client_auth', 'CertificateRequest'))).toContain(0x0804)
    expect(parseCertificate(messageOf('client_auth', 'Certificate', 1))).toHaveLength(1)
  })

  it.each(['simple_1rtt', 'client_auth'])(
    'the ClientHello of %s is refused for want of transport parameters',
    (trace) => {
      const { server } = newServer()
      expect(codeOf(() => server.handleCrypto(0, messageOf(trace, 'ClientHello')))).toBe(
        CryptoAlert.missingExtension,
      )
    },
  )

  it('the ClientHello of section 7, compatibility mode, is PROTOCOL_VIOLATION (RFC 9001 section 8.4)', () => {
    const { server } = newServer()
    expect(codeOf(() => server.handleCrypto(0, messageOf('compat_mode', 'ClientHello')))).toBe(0x0a)
  })
})
