// The room's door: what TLS, connections and the endpoint use of transport/crypto.
export type { Aead, AeadBackend, BackendName, HeaderProtector } from './aead.ts'
export type { BackendSet } from './backends.ts'
export { DEFAULT_BACKENDS, selectBackends } from './backends.ts'
export { equalSecret } from './constant-time.ts'
export type { Entropy } from './entropy.ts'
export type { KeyExchangeGroup, KeyShare } from './key-exchange.ts'
export {
  groupById,
  KEY_EXCHANGE_GROUPS,
  KeyExchangeError,
  secp256r1,
  x25519,
  x25519MlKem768,
} from './key-exchange.ts'
export type { PacketKeys } from './key-schedule.ts'
export {
  digest,
  hkdfExpand,
  hkdfExpandLabel,
  hkdfExtract,
  hmac,
  initialKeys,
  initialSecrets,
  nextPacketKeys,
  nextSecret,
  packetKeys,
  QUIC_VERSION_1,
  QUIC_VERSION_2,
  retryIntegrityTag,
  verifyRetryIntegrityTag,
} from './key-schedule.ts'
export { protectPacket, unprotectHeader } from './packet-protection.ts'
export { BoxKey, boxNonce } from './secret-box.ts'
export {
  MINIMUM_RSA_BITS,
  SignatureScheme,
  SUPPORTED_SCHEMES,
  schemesForKey,
  sign,
  verify,
} from './signatures.ts'
export type { CipherSuite, HashName } from './suites.ts'
export {
  AES_128_GCM_SHA256,
  AES_256_GCM_SHA384,
  CHACHA20_POLY1305_SHA256,
  CIPHER_SUITES,
  IV_LENGTH,
  suiteById,
  TAG_LENGTH,
} from './suites.ts'
