// HKDF with TLS 1.3 labels (RFC 8446 section 7.1) and the QUIC keys made with it (RFC 9001 sections 5.1,
// 5.2, 5.8 and 6.1; for QUIC version 2 RFC 9369 section 3.3). Called by TLS, connections and Retry.
import { createCipheriv, createHash, createHmac } from 'node:crypto'
import type { Aead, HeaderProtector } from './aead.ts'
import type { BackendSet } from './backends.ts'
import { equalSecret } from './constant-time.ts'
import type { CipherSuite, HashName } from './suites.ts'
import { AES_128_GCM_SHA256, IV_LENGTH, TAG_LENGTH } from './suites.ts'

export const QUIC_VERSION_1 = 0x0000_0001
export const QUIC_VERSION_2 = 0x6b33_43cf

/** The keys of one direction at one encryption level. */
export interface PacketKeys {
  readonly suite: CipherSuite
  readonly secret: Uint8Array
  readonly aead: Aead
  readonly header: HeaderProtector
}

interface VersionConstants {
  readonly salt: Uint8Array
  readonly keyLabel: string
  readonly ivLabel: string
  readonly headerLabel: string
  readonly updateLabel: string
  readonly retryKey: Uint8Array
  readonly retryNonce: Uint8Array
}

// RFC 9001 sections 5.1, 5.2, 5.8 and 6.1.
const VERSION_1: VersionConstants = {
  salt: Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex'),
  keyLabel: 'quic key',
  ivLabel: 'quic iv',
  headerLabel: 'quic hp',
  updateLabel: 'quic ku',
  retryKey: Buffer.from('be0c690b9f66575a1d766b54e368c84e', 'hex'),
  retryNonce: Buffer.from('461599d35d632bf2239825bb', 'hex'),
}

// RFC 9369 section 3.3.
const VERSION_2: VersionConstants = {
  salt: Buffer.from('0dede3def700a6db819381be6e269dcbf9bd2ed9', 'hex'),
  keyLabel: 'quicv2 key',
  ivLabel: 'quicv2 iv',
  headerLabel: 'quicv2 hp',
  updateLabel: 'quicv2 ku',
  retryKey: Buffer.from('8fb4b01b56ac48e260fbcbcead7ccc92', 'hex'),
  retryNonce: Buffer.from('d86969bc2d7c6d9990efb04a', 'hex'),
}

function constantsOf(version: number): VersionConstants {
  if (version === QUIC_VERSION_1) return VERSION_1
  if (version === QUIC_VERSION_2) return VERSION_2
  throw new RangeError(`QUIC version 0x${version.toString(16)} has no key schedule here`)
}

const EMPTY = new Uint8Array(0)

/** The hash of the concatenated parts. */
export function digest(hash: HashName, ...parts: readonly Uint8Array[]): Uint8Array {
  const state = createHash(hash)
  for (const part of parts) state.update(part)
  return state.digest()
}

/** HMAC of the data (RFC 2104). */
export function hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac(hash, key).update(data).digest()
}

/** HKDF-Extract (RFC 5869 section 2.2). An empty salt stands for hash-length zeros. */
export function hkdfExtract(hash: HashName, salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  return hmac(hash, salt, ikm)
}

/**
 * HKDF-Expand (RFC 5869 section 2.3).
 * @param length bytes wanted, at most 255 times the hash length
 * @throws RangeError beyond that
 */
export function hkdfExpand(hash: HashName, key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const hashLength = hash === 'sha256' ? 32 : 48
  if (length > 255 * hashLength) throw new RangeError('HKDF-Expand: too many bytes asked for')
  const output = new Uint8Array(length)
  let previous: Uint8Array = EMPTY
  for (let offset = 0, counter = 1; offset < length; offset += hashLength, counter++) {
    previous = createHmac(hash, key).update(previous).update(info).update(Uint8Array.of(counter)).digest()
    output.set(previous.subarray(0, Math.min(hashLength, length - offset)), offset)
  }
  return output
}

/**
 * HKDF-Expand-Label (RFC 8446 section 7.1).
 * @param label without the prefix "tls13 "
 * @param context at most 255 bytes
 * @param length bytes wanted
 */
export function hkdfExpandLabel(
  hash: HashName,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  return hkdfExpand(hash, secret, hkdfLabel(label, context, length), length)
}

function hkdfLabel(label: string, context: Uint8Array, length: number): Uint8Array {
  const name = Buffer.from(`tls13 ${label}`, 'latin1')
  if (name.length > 255 || context.length > 255) throw new RangeError('HKDF label or context too long')
  const info = new Uint8Array(4 + name.length + context.length)
  info[0] = length >>> 8
  info[1] = length
  info[2] = name.length
  info.set(name, 3)
  info[3 + name.length] = context.length
  info.set(context, 4 + name.length)
  return info
}

/**
 * The secrets that protect Initial packets (RFC 9001 section 5.2).
 * @param destinationConnectionId of the client's first Initial packet
 */
export function initialSecrets(
  version: number,
  destinationConnectionId: Uint8Array,
): { client: Uint8Array; server: Uint8Array } {
  const secret = hkdfExtract('sha256', constantsOf(version).salt, destinationConnectionId)
  return {
    client: hkdfExpandLabel('sha256', secret, 'client in', EMPTY, 32),
    server: hkdfExpandLabel('sha256', secret, 'server in', EMPTY, 32),
  }
}

/** AEAD and header protection made from a traffic secret (RFC 9001 section 5.1). */
export function packetKeys(
  backends: BackendSet,
  suite: CipherSuite,
  secret: Uint8Array,
  version: number,
): PacketKeys {
  const key = hkdfExpandLabel(suite.hash, secret, constantsOf(version).headerLabel, EMPTY, suite.keyLength)
  const header = backends.headerProtectorFor(suite, key)
  return { suite, secret, aead: aeadFromSecret(backends, suite, secret, version), header }
}

function aeadFromSecret(backends: BackendSet, suite: CipherSuite, secret: Uint8Array, version: number): Aead {
  const { keyLabel, ivLabel } = constantsOf(version)
  const key = hkdfExpandLabel(suite.hash, secret, keyLabel, EMPTY, suite.keyLength)
  const iv = hkdfExpandLabel(suite.hash, secret, ivLabel, EMPTY, IV_LENGTH)
  return backends.aeadFor(suite).createAead(suite, key, iv)
}

/** Both directions' Initial keys (RFC 9001 section 5.2: AEAD_AES_128_GCM, whatever is negotiated later). */
export function initialKeys(
  backends: BackendSet,
  version: number,
  destinationConnectionId: Uint8Array,
): { client: PacketKeys; server: PacketKeys } {
  const secrets = initialSecrets(version, destinationConnectionId)
  return {
    client: packetKeys(backends, AES_128_GCM_SHA256, secrets.client, version),
    server: packetKeys(backends, AES_128_GCM_SHA256, secrets.server, version),
  }
}

/** The traffic secret of the next key phase (RFC 9001 section 6.1). */
export function nextSecret(suite: CipherSuite, secret: Uint8Array, version: number): Uint8Array {
  return hkdfExpandLabel(suite.hash, secret, constantsOf(version).updateLabel, EMPTY, suite.hashLength)
}

/** The keys of the next key phase. RFC 9001 section 6.1: "The header protection key is not updated." */
export function nextPacketKeys(backends: BackendSet, keys: PacketKeys, version: number): PacketKeys {
  const secret = nextSecret(keys.suite, keys.secret, version)
  const aead = aeadFromSecret(backends, keys.suite, secret, version)
  return { suite: keys.suite, secret, aead, header: keys.header }
}

/**
 * The Retry Integrity Tag (RFC 9001 section 5.8).
 * @param pseudoPacket original destination connection ID with its length byte, then the Retry packet
 *   without its tag
 */
export function retryIntegrityTag(version: number, pseudoPacket: Uint8Array): Uint8Array {
  const { retryKey, retryNonce } = constantsOf(version)
  const cipher = createCipheriv('aes-128-gcm', retryKey, retryNonce, { authTagLength: TAG_LENGTH })
  cipher.setAAD(pseudoPacket)
  cipher.final()
  return cipher.getAuthTag()
}

/** Whether a received Retry Integrity Tag is right; compares in constant time. */
export function verifyRetryIntegrityTag(version: number, pseudoPacket: Uint8Array, tag: Uint8Array): boolean {
  return equalSecret(retryIntegrityTag(version, pseudoPacket), tag)
}
