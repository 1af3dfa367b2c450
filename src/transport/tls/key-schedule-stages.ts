// The key schedule of RFC 8446 section 7.1, one type per stage, so that a secret cannot be used in a wrong stage:
//
//   EarlyStage --(EC)DHE, hash of ServerHello--> HandshakeStage --hash of server Finished--> ApplicationStage
//
// Used by the server and the client. Labels and the HKDF itself are in crypto/key-schedule.ts.

import { digest, hkdfExpandLabel, hkdfExtract, hmac } from '../crypto/key-schedule.ts'
import type { CipherSuite, HashName } from '../crypto/suites.ts'

const EMPTY = new Uint8Array(0)

/** Derive-Secret with the transcript hash already made. */
function deriveSecret(suite: CipherSuite, secret: Uint8Array, label: string, hash: Uint8Array): Uint8Array {
  return hkdfExpandLabel(suite.hash, secret, label, hash, suite.hashLength)
}

/** The hash of nothing, per hash function. */
const emptyHashes: Record<HashName, Uint8Array> = { sha256: digest('sha256'), sha384: digest('sha384') }

/** Stage one. Without a pre-shared key it is the same for every connection, so there is one per hash function. */
export class EarlyStage {
  readonly #suite: CipherSuite
  readonly #secret: Uint8Array
  readonly #derived: Uint8Array

  /** @param psk hash-length zeros when there is no pre-shared key */
  constructor(suite: CipherSuite, psk: Uint8Array) {
    this.#suite = suite
    this.#secret = hkdfExtract(suite.hash, EMPTY, psk)
    this.#derived = deriveSecret(suite, this.#secret, 'derived', emptyHashes[suite.hash])
  }

  /**
   * The binder of a ticket, RFC 8446 section 4.2.11.2.
   * @param hash transcript up to the ClientHello without its binders
   */
  binder(hash: Uint8Array): Uint8Array {
    const { hash: name, hashLength } = this.#suite
    const key = deriveSecret(this.#suite, this.#secret, 'res binder', emptyHashes[name])
    return hmac(name, hkdfExpandLabel(name, key, 'finished', EMPTY, hashLength), hash)
  }

  /** client_early_traffic_secret: protects 0-RTT packets. @param hash of the ClientHello */
  clientEarlyTraffic(hash: Uint8Array): Uint8Array {
    return deriveSecret(this.#suite, this.#secret, 'c e traffic', hash)
  }

  /**
   * @param sharedSecret of the key exchange
   * @param hash transcript up to and with ServerHello
   */
  enterHandshake(suite: CipherSuite, sharedSecret: Uint8Array, hash: Uint8Array): HandshakeStage {
    return new HandshakeStage(suite, hkdfExtract(suite.hash, this.#derived, sharedSecret), hash)
  }
}

const withoutPsk = new Map<HashName, EarlyStage>()

export function earlyStageWithoutPsk(suite: CipherSuite): EarlyStage {
  let stage = withoutPsk.get(suite.hash)
  if (stage === undefined) {
    stage = new EarlyStage(suite, new Uint8Array(suite.hashLength))
    withoutPsk.set(suite.hash, stage)
  }
  return stage
}

/** The key of one ticket, RFC 8446 section 4.6.1. @param secret resumption_master_secret */
export function ticketPsk(suite: CipherSuite, secret: Uint8Array, nonce: Uint8Array): Uint8Array {
  return hkdfExpandLabel(suite.hash, secret, 'resumption', nonce, suite.hashLength)
}

/** Stage two: handshake traffic secrets and Finished. */
export class HandshakeStage {
  readonly clientTraffic: Uint8Array
  readonly serverTraffic: Uint8Array
  readonly #suite: CipherSuite
  readonly #secret: Uint8Array

  constructor(suite: CipherSuite, secret: Uint8Array, hash: Uint8Array) {
    this.#suite = suite
    this.#secret = secret
    this.clientTraffic = deriveSecret(suite, secret, 'c hs traffic', hash)
    this.serverTraffic = deriveSecret(suite, secret, 's hs traffic', hash)
  }

  /**
   * verify_data of a Finished, section 4.4.4.
   * @param hash transcript up to before that Finished
   */
  finishedData(sender: 'client' | 'server', hash: Uint8Array): Uint8Array {
    const { hash: name, hashLength } = this.#suite
    const base = sender === 'client' ? this.clientTraffic : this.serverTraffic
    return hmac(name, hkdfExpandLabel(name, base, 'finished', EMPTY, hashLength), hash)
  }

  /** @param hash transcript up to and with the server's Finished */
  enterApplication(hash: Uint8Array): ApplicationStage {
    const suite = this.#suite
    const derived = deriveSecret(suite, this.#secret, 'derived', emptyHashes[suite.hash])
    return new ApplicationStage(
      suite,
      hkdfExtract(suite.hash, derived, new Uint8Array(suite.hashLength)),
      hash,
    )
  }
}

/** Stage three: application traffic, exporter and resumption secrets. */
export class ApplicationStage {
  readonly clientTraffic: Uint8Array
  readonly serverTraffic: Uint8Array
  readonly #suite: CipherSuite
  readonly #secret: Uint8Array
  readonly #hash: Uint8Array
  #exporter: Uint8Array | undefined

  constructor(suite: CipherSuite, secret: Uint8Array, hash: Uint8Array) {
    this.#suite = suite
    this.#secret = secret
    this.#hash = hash
    this.clientTraffic = deriveSecret(suite, secret, 'c ap traffic', hash)
    this.serverTraffic = deriveSecret(suite, secret, 's ap traffic', hash)
  }

  /** exporter_master_secret; most connections never ask, so it is made when somebody does. */
  get exporterSecret(): Uint8Array {
    this.#exporter ??= deriveSecret(this.#suite, this.#secret, 'exp master', this.#hash)
    return this.#exporter
  }

  /** resumption_master_secret. @param hash transcript up to and with the client's Finished */
  resumptionSecret(hash: Uint8Array): Uint8Array {
    return deriveSecret(this.#suite, this.#secret, 'res master', hash)
  }

  /**
   * TLS-Exporter, RFC 8446 section 7.5.
   * @param length bytes wanted, at most 255 times the hash length
   */
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    const { hash } = this.#suite
    const secret = deriveSecret(this.#suite, this.exporterSecret, label, emptyHashes[hash])
    return hkdfExpandLabel(hash, secret, 'exporter', digest(hash, context), length)
  }
}
