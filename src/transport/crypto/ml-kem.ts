// ML-KEM-768 (FIPS 203) under one interface: by node:crypto where Node has it (since 24.7), by
// @noble/post-quantum elsewhere. Called by key-exchange.ts for the hybrid group.
import * as crypto from 'node:crypto'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import type { Entropy } from './entropy.ts'

export const ML_KEM_PUBLIC_LENGTH = 1184
export const ML_KEM_CIPHERTEXT_LENGTH = 1088
const SEED_LENGTH = 64
const MESSAGE_LENGTH = 32

export interface MlKem {
  readonly name: 'node' | 'noble'
  generate(entropy: Entropy): { publicKey: Uint8Array; secretKey: unknown }
  /** @throws Error when the public key fails the modulus check of FIPS 203 section 7.2 */
  encapsulate(publicKey: Uint8Array, entropy: Entropy): { ciphertext: Uint8Array; secret: Uint8Array }
  /** @throws Error when the ciphertext has a wrong length */
  decapsulate(secretKey: unknown, ciphertext: Uint8Array): Uint8Array
}

function draw(entropy: Entropy, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  entropy.fill(bytes)
  return bytes
}

/** In JavaScript; every random byte comes from the given entropy. */
export const nobleMlKem: MlKem = {
  name: 'noble',
  generate: (entropy) => ml_kem768.keygen(draw(entropy, SEED_LENGTH)),
  encapsulate(publicKey, entropy) {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, draw(entropy, MESSAGE_LENGTH))
    return { ciphertext: cipherText, secret: sharedSecret }
  },
  decapsulate: (secretKey, ciphertext) => ml_kem768.decapsulate(ciphertext, secretKey as Uint8Array),
}

/** By OpenSSL. Key pairs come from the given entropy; encapsulation draws from OpenSSL's own generator. */
export const nodeMlKem: MlKem = {
  name: 'node',
  generate(entropy) {
    const secretKey = crypto.createPrivateKey({
      key: Buffer.from(draw(entropy, SEED_LENGTH)),
      format: 'raw-seed',
      asymmetricKeyType: 'ml-kem-768',
    })
    return { publicKey: crypto.createPublicKey(secretKey).export({ format: 'raw-public' }), secretKey }
  },
  encapsulate(publicKey) {
    const key = crypto.createPublicKey({
      key: Buffer.from(publicKey),
      format: 'raw-public',
      asymmetricKeyType: 'ml-kem-768',
    })
    const { ciphertext, sharedKey } = crypto.encapsulate(key)
    return { ciphertext, secret: sharedKey }
  },
  decapsulate: (secretKey, ciphertext) => crypto.decapsulate(secretKey as crypto.KeyObject, ciphertext),
}

/** Whether this Node has ML-KEM with raw keys: checked by one whole exchange, not by a version number. */
export function hasNodeMlKem(): boolean {
  try {
    const pair = nodeMlKem.generate({ fill: (bytes) => bytes.fill(1) })
    const { ciphertext, secret } = nodeMlKem.encapsulate(pair.publicKey, { fill: () => undefined })
    return Buffer.compare(nodeMlKem.decapsulate(pair.secretKey, ciphertext), secret) === 0
  } catch {
    return false
  }
}

let chosen: MlKem | undefined

/** The faster of the two on this Node; decided at the first call. */
export function mlKem(): MlKem {
  chosen ??= hasNodeMlKem() ? nodeMlKem : nobleMlKem
  return chosen
}
