import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { PacketKeys } from '../../../../src/transport/crypto/index.ts'
import {
  AES_128_GCM_SHA256,
  CHACHA20_POLY1305_SHA256,
  hkdfExpandLabel,
  hkdfExtract,
  initialKeys,
  initialSecrets,
  nextPacketKeys,
  nextSecret,
  packetKeys,
  protectPacket,
  QUIC_VERSION_1,
  QUIC_VERSION_2,
  retryIntegrityTag,
  selectBackends,
  unprotectHeader,
  verifyRetryIntegrityTag,
} from '../../../../src/transport/crypto/index.ts'
import { bytes, hex } from './vectors.ts'

const file = JSON.parse(readFileSync(new URL('rfc-vectors.json', import.meta.url), 'utf8'))
const EMPTY = new Uint8Array(0)
const LABELS = [
  { version: QUIC_VERSION_1, vectors: file.rfc9001, prefix: 'quic', rfc: 'RFC 9001 appendix A' },
  { version: QUIC_VERSION_2, vectors: file.rfc9369, prefix: 'quicv2', rfc: 'RFC 9369 appendix A' },
]
const SETS = [
  selectBackends(),
  selectBackends(['node']),
  selectBackends(['noble']),
  selectBackends(['wasm', 'noble']),
]

function packetFrom(header: string, payload: string, payloadLength = payload.length / 2): Uint8Array {
  const packet = new Uint8Array(header.length / 2 + payloadLength + 16)
  packet.set(bytes(header))
  packet.set(bytes(payload), header.length / 2)
  return packet
}

/** Protects, compares, then removes the protection again and compares with what was there before. */
function roundTrip(
  keys: PacketKeys,
  plain: Uint8Array,
  headerLength: number,
  packetNumberLength: number,
  packetNumber: number,
  expected: string,
): void {
  const packet = plain.slice()
  const offset = headerLength - packetNumberLength
  const end = protectPacket(keys, packet, 0, offset, packetNumberLength, packet.length - 16, packetNumber)
  expect(end).toBe(packet.length)
  expect(hex(packet)).toBe(expected)
  expect(unprotectHeader(keys, packet, 0, offset, packet.length)).toBe(packetNumberLength)
  expect(hex(packet.subarray(0, headerLength))).toBe(hex(plain.subarray(0, headerLength)))
  expect(keys.aead.open(packet, 0, headerLength, end, packetNumber)).toBe(true)
  expect(hex(packet.subarray(0, -16))).toBe(hex(plain.subarray(0, -16)))
}

describe.each(LABELS)('$rfc, key schedule', ({ version, vectors, prefix }) => {
  it('A.1: derives the Initial secrets, keys, IVs and header protection keys', () => {
    const secret = hkdfExtract('sha256', bytes(vectors.initial_salt), bytes(vectors.client_dcid))
    expect(hex(secret)).toBe(vectors.initial_secret)
    const secrets = initialSecrets(version, bytes(vectors.client_dcid))
    for (const side of ['client', 'server'] as const) {
      expect(hex(secrets[side])).toBe(vectors[side].secret)
      const derive = (label: string, length: number) =>
        hex(hkdfExpandLabel('sha256', secrets[side], `${prefix} ${label}`, EMPTY, length))
      expect(derive('key', 16)).toBe(vectors[side].key)
      expect(derive('iv', 12)).toBe(vectors[side].iv)
      expect(derive('hp', 16)).toBe(vectors[side].hp)
    }
  })

  it('A.4: computes and verifies the Retry integrity tag', () => {
    const { original_dcid, packet } = vectors.retry_packet
    const body = bytes(packet).subarray(0, -16)
    const tag = bytes(packet).subarray(-16)
    const pseudo = Buffer.concat([Uint8Array.of(original_dcid.length / 2), bytes(original_dcid), body])
    expect(hex(retryIntegrityTag(version, pseudo))).toBe(hex(tag))
    expect(verifyRetryIntegrityTag(version, pseudo, tag)).toBe(true)
    tag[15]! ^= 1
    expect(verifyRetryIntegrityTag(version, pseudo, tag)).toBe(false)
  })

  it('A.5: derives the secret of the next key phase', () => {
    const { secret, ku } = vectors.chacha20_short
    expect(hex(nextSecret(CHACHA20_POLY1305_SHA256, bytes(secret), version))).toBe(ku)
  })
})

describe.each(
  LABELS.flatMap((entry) => SETS.map((backends) => ({ ...entry, backends, set: backends.name }))),
)('$rfc, packets with $set', ({ version, vectors, backends }) => {
  it('A.2: protects and opens the client Initial', () => {
    const { client } = initialKeys(backends, version, bytes(vectors.client_dcid))
    const v = vectors.client_initial
    const plain = packetFrom(v.unprotected_header, v.crypto_frame, v.payload_len)
    roundTrip(client, plain, 22, 4, v.packet_number, v.protected_packet)
  })

  it('A.3: protects and opens the server Initial', () => {
    const { server } = initialKeys(backends, version, bytes(vectors.client_dcid))
    const v = vectors.server_initial
    const plain = packetFrom(v.unprotected_header, v.payload)
    roundTrip(server, plain, v.unprotected_header.length / 2, 2, v.packet_number, v.protected_packet)
  })

  it.runIf(backends.preferredSuites.includes(CHACHA20_POLY1305_SHA256.id))(
    'A.5: protects and opens the ChaCha20-Poly1305 short header packet',
    () => {
      const v = vectors.chacha20_short
      const keys = packetKeys(backends, CHACHA20_POLY1305_SHA256, bytes(v.secret), version)
      roundTrip(keys, packetFrom(v.unprotected_header, v.plaintext), 4, 3, v.packet_number, v.packet)
    },
  )

  it('RFC 9001 section 6.1: a key update keeps header protection and changes the rest', () => {
    const secret = bytes(vectors.chacha20_short.secret)
    const keys = packetKeys(backends, AES_128_GCM_SHA256, secret, version)
    const next = nextPacketKeys(backends, keys, version)
    expect(next.header).toBe(keys.header)
    expect(hex(next.secret)).toBe(hex(nextSecret(AES_128_GCM_SHA256, secret, version)))
    const packet = new Uint8Array(64)
    next.aead.seal(packet, 0, 20, 48, 9)
    expect(keys.aead.open(packet.slice(), 0, 20, 64, 9)).toBe(false)
    expect(next.aead.open(packet, 0, 20, 64, 9)).toBe(true)
  })
})
