// Whole handshakes between our server and our client: RFC 8446 section 2, RFC 9001 section 4.
import { describe, expect, it } from 'vitest'
import {
  AES_128_GCM_SHA256,
  AES_256_GCM_SHA384,
  CHACHA20_POLY1305_SHA256,
  secp256r1,
  x25519,
  x25519MlKem768,
} from '../../../../src/transport/crypto/index.ts'
import { loadIdentity } from '../../../../src/transport/tls/index.ts'
import { issue, type KeyKind, keyPem } from './certificates.ts'
import { CLIENT_PARAMETERS, Pair, SERVER_PARAMETERS } from './loopback.ts'

const suites = [AES_128_GCM_SHA256, AES_256_GCM_SHA384, CHACHA20_POLY1305_SHA256]
const groups = [x25519, secp256r1, x25519MlKem768]
const kinds: KeyKind[] = ['p256', 'p384', 'ed25519', 'rsa', 'rsaPss']

const combinations = suites.flatMap((suite) =>
  groups.flatMap((group) => kinds.map((kind) => [suite.name, group.name, kind, suite, group] as const)),
)

describe('a handshake (RFC 8446 section 2)', () => {
  const identities = new Map(
    kinds.map((key) => {
      // RSA-PSS keys cannot sign with the algorithm of the fixture, so an authority signs every leaf.
      const issuer = issue({ subject: 'authority', isAuthority: true })
      const certificate = issue({ subject: 'server', names: ['server.test'], key, issuer })
      return [key, loadIdentity(certificate.pem, keyPem(certificate))] as const
    }),
  )

  it.each(combinations)(
    'completes with %s, %s and a %s certificate',
    (_suite, _group, kind, suite, group) => {
      const pair = new Pair({
        server: { suites: [suite.id], groups: [group.id], identities: [identities.get(kind)!] },
        client: { suites: [suite.id], groups: [group.id] },
      }).run()
      expect(pair.isComplete).toBe(true)
      expect(pair.server.cipherSuite).toBe(suite)
      expect(pair.client.alpn).toBe('h3')
      expect(pair.server.serverName).toBe('server.test')
      const [server, client] = [pair.toClient.secrets, pair.toServer.secrets]
      for (const level of [1, 2]) {
        expect(client.get(`read${level}`)).toBe(server.get(`write${level}`))
        expect(client.get(`write${level}`)).toBe(server.get(`read${level}`))
      }
      expect(pair.owner.missed).toEqual([])
      expect(pair.owner.finals.map((actor) => actor.getSnapshot().output)).toEqual(['connected', 'connected'])
    },
  )

  it('gives each side the transport parameters of the other (RFC 9001 section 8.2)', () => {
    const pair = new Pair().run()
    expect(pair.toClient.peerParameters).toEqual(CLIENT_PARAMETERS)
    expect(pair.toServer.peerParameters).toEqual(SERVER_PARAMETERS)
  })
})
