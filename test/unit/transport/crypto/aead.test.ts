import { describe, expect, it } from 'vitest'
import { checkKeyMaterial, writeNonce } from '../../../../src/transport/crypto/aead.ts'
import { nobleBackend } from '../../../../src/transport/crypto/noble-backend.ts'
import { AEAD_PAIRS, HEADER_PAIRS } from './backends-under-test.ts'
import { chachaBlock, poly1305, sealWithTwin } from './chacha-twin.ts'
import { bytes, hex, seededEntropy } from './vectors.ts'

function random(seed: number, length: number): Uint8Array {
  const data = new Uint8Array(length)
  seededEntropy(seed).fill(data)
  return data
}

describe('RFC 8439: the plain twin is right itself', () => {
  it('section 2.3.2: a key stream block', () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => i)
    const block = chachaBlock(key, 1, bytes('000000090000004a00000000'))
    expect(hex(block.subarray(0, 16))).toBe('10f1e7e4d13b5915500fdd1fa32071c4')
  })

  it('section 2.5.2: an authenticator', () => {
    const key = bytes('85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b')
    const tag = poly1305(key, Buffer.from('Cryptographic Forum Research Group'))
    expect(hex(tag)).toBe('a8061dc1305136c6c22b8baf0c0127a9')
  })
})

describe('RFC 9001 section 5.3: the nonce', () => {
  it('is the IV xored with the packet number in network byte order', () => {
    const nonce = new Uint8Array(12)
    writeNonce(bytes('e0459b3474bdd0e44a41c144'), 654360564, nonce)
    expect(hex(nonce)).toBe('e0459b3474bdd0e46d417eb0')
    writeNonce(new Uint8Array(12), 2 ** 53 - 1, nonce)
    expect(hex(nonce)).toBe('00000000001fffffffffffff')
  })
})

describe.each(AEAD_PAIRS)('AEAD: $title', ({ backend, suite }) => {
  const key = random(1, suite.keyLength)
  const iv = random(2, 12)
  const aead = backend.createAead(suite, key, iv)
  const reference = nobleBackend.createAead(suite, key, iv)

  it('agrees with the reference for every length up to 640 bytes and opens what it has sealed', () => {
    for (let length = 0; length <= 640; length++) {
      const header = length % 67
      const plain = random(length, header + length + 16)
      const packet = plain.slice()
      const expected = plain.slice()
      const packetNumber = length * 7_000_000_000_000
      aead.seal(packet, 0, header, header + length, packetNumber)
      reference.seal(expected, 0, header, header + length, packetNumber)
      expect(hex(packet)).toBe(hex(expected))
      expect(aead.open(packet, 0, header, packet.length, packetNumber)).toBe(true)
      expect(hex(packet.subarray(0, -16))).toBe(hex(plain.subarray(0, -16)))
    }
  })

  it('agrees with the reference on the largest datagram', () => {
    const packet = random(3, 65_535)
    const expected = packet.slice()
    aead.seal(packet, 0, 1, 65_519, 1)
    reference.seal(expected, 0, 1, 65_519, 1)
    expect(Buffer.compare(packet, expected)).toBe(0)
  })

  it('works at any place of a buffer and touches nothing around the packet', () => {
    const plain = random(4, 2000)
    const packet = plain.slice()
    aead.seal(packet, 333, 350, 1533, 5)
    expect(Buffer.compare(packet.subarray(0, 350), plain.subarray(0, 350))).toBe(0)
    expect(Buffer.compare(packet.subarray(1549), plain.subarray(1549))).toBe(0)
    expect(aead.open(packet, 333, 350, 1549, 5)).toBe(true)
    expect(Buffer.compare(packet.subarray(0, 1533), plain.subarray(0, 1533))).toBe(0)
    expect(Buffer.compare(packet.subarray(1549), plain.subarray(1549))).toBe(0)
  })

  it('refuses a changed bit anywhere, another packet number, and less than a tag', () => {
    const packet = random(5, 96)
    aead.seal(packet, 0, 16, 80, 77)
    for (let bit = 0; bit < packet.length * 8; bit++) {
      const forged = packet.slice()
      forged[bit >>> 3]! ^= 1 << (bit & 7)
      expect(aead.open(forged, 0, 16, 96, 77), `bit ${bit}`).toBe(false)
    }
    expect(aead.open(packet.slice(), 0, 16, 96, 78)).toBe(false)
    expect(aead.open(packet.slice(), 0, 16, 96, 77 + 2 ** 32)).toBe(false)
    expect(aead.open(packet.slice(), 0, 16, 31, 77)).toBe(false)
    expect(aead.open(packet.slice(), 0, 16, 97, 77)).toBe(false)
    expect(aead.open(packet, 0, 16, 96, 77)).toBe(true)
  })

  it('keeps its own copy of key and IV, and several instances apart', () => {
    const ownKey = key.slice()
    const ownIv = iv.slice()
    const first = backend.createAead(suite, ownKey, ownIv)
    ownKey.fill(0)
    ownIv.fill(0)
    const other = backend.createAead(suite, ownKey, ownIv)
    const packet = random(6, 100)
    const otherPacket = packet.slice()
    first.seal(packet, 0, 20, 84, 1)
    other.seal(otherPacket, 0, 20, 84, 1)
    expect(other.open(packet.slice(), 0, 20, 100, 1)).toBe(false)
    expect(aead.open(packet, 0, 20, 100, 1)).toBe(true)
    expect(other.open(otherPacket, 0, 20, 100, 1)).toBe(true)
  })

  it('refuses wrong key lengths and a buffer without room for the tag', () => {
    expect(() => backend.createAead(suite, new Uint8Array(suite.keyLength - 1), iv)).toThrow(RangeError)
    expect(() => backend.createAead(suite, key, new Uint8Array(11))).toThrow(RangeError)
    expect(() => aead.seal(new Uint8Array(63), 0, 16, 48, 1)).toThrow(RangeError)
    expect(() => checkKeyMaterial(suite, key, iv)).not.toThrow()
  })
})

describe.each(AEAD_PAIRS.filter(({ suite }) => suite.id === 0x1303))('ChaCha20: $title', (pair) => {
  it('RFC 8439 section 2.8: equals the plain twin', () => {
    for (let round = 0; round < 60; round++) {
      const key = random(round, 32)
      const iv = random(round + 100, 12)
      const length = (round * 31) % 700
      const packet = random(round + 200, 21 + length + 16)
      const twin = sealWithTwin(key, iv, packet.slice(0, 21), packet.slice(21, 21 + length))
      pair.backend.createAead(pair.suite, key, iv).seal(packet, 0, 21, 21 + length, 0)
      expect(hex(packet.subarray(21))).toBe(hex(twin))
    }
  })
})

describe.each(HEADER_PAIRS)('header protection: $title', ({ backend, suite }) => {
  it('RFC 9001 section 5.4: agrees with all other backends, keys used in turns', () => {
    const others = HEADER_PAIRS.filter((pair) => pair.suite === suite)
    for (let round = 0; round < 200; round++) {
      const sample = random(round, 24)
      const key = random(round >>> 2, suite.keyLength)
      const mask = new Uint8Array(5)
      const expected = new Uint8Array(5)
      const protector = backend.createHeaderProtector(suite, key)
      for (const other of others) {
        other.backend.createHeaderProtector(suite, key).mask(sample, 8, expected)
        protector.mask(sample, 8, mask)
        expect(hex(mask)).toBe(hex(expected))
      }
    }
  })

  it('refuses a key of a wrong length', () => {
    expect(() => backend.createHeaderProtector(suite, new Uint8Array(suite.keyLength + 1))).toThrow(
      RangeError,
    )
  })
})

describe.each(HEADER_PAIRS.filter(({ suite }) => suite.id === 0x1303))('ChaCha20 mask: $title', (pair) => {
  it('RFC 9001 section 5.4.4: takes the sample with the last block counter', () => {
    const key = random(9, 32)
    const sample = bytes('ffffffff000102030405060708090a0b')
    const mask = new Uint8Array(5)
    pair.backend.createHeaderProtector(pair.suite, key).mask(sample, 0, mask)
    expect(hex(mask)).toBe(hex(chachaBlock(key, 0xffff_ffff, sample.subarray(4)).subarray(0, 5)))
  })
})
