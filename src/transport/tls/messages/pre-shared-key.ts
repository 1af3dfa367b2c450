// pre_shared_key and psk_key_exchange_modes, RFC 8446 sections 4.2.9 and 4.2.11. Used by the codecs of ClientHello and
// ServerHello.
import { Alert, alertError } from '../alerts.ts'
import { ByteReader } from '../byte-reader.ts'
import type { ByteWriter } from '../byte-writer.ts'
import { MAX_PSK_IDENTITIES } from '../limits.ts'

/** psk_dhe_ke: the key is mixed with a key exchange. The only mode here: without it there is no forward secrecy. */
const PSK_WITH_KEY_EXCHANGE = 1
const MIN_BINDER = 32

export interface PskIdentity {
  ticket: Uint8Array
  obfuscatedAge: number
}

/** A ClientHello's pre_shared_key; views into the message. */
export interface PskOffer {
  identities: PskIdentity[]
  binders: Uint8Array[]
  /** Bytes of the list of binders with its length field: the end of the message, which the binders do not cover. */
  bindersLength: number
}

/** @throws illegal_parameter, decode_error */
export function readPskOffer(reader: ByteReader): PskOffer {
  const list = new ByteReader(reader.readVector16(7))
  const identities: PskIdentity[] = []
  while (list.remaining > 0) {
    if (identities.length === MAX_PSK_IDENTITIES) {
      throw alertError(Alert.illegalParameter, 'too many pre-shared keys')
    }
    identities.push({ ticket: list.readVector16(1), obfuscatedAge: list.readUint32() })
  }
  const bindersLength = reader.remaining
  const binderList = new ByteReader(reader.readVector16(MIN_BINDER + 1))
  reader.expectEnd()
  const binders: Uint8Array[] = []
  while (binderList.remaining > 0) binders.push(binderList.readVector8(MIN_BINDER))
  // RFC 8446 section 4.2.11: one binder per identity, in the same order.
  if (binders.length !== identities.length) {
    throw alertError(Alert.illegalParameter, 'as many binders as identities are needed')
  }
  return { identities, binders, bindersLength }
}

/** One identity, with zeros where its binder will stand. */
export function writePskOffer(
  writer: ByteWriter,
  ticket: Uint8Array,
  obfuscatedAge: number,
  hashLength: number,
): void {
  const identities = writer.open(2)
  writer.writeVector16(ticket)
  writer.writeUint32(obfuscatedAge)
  writer.close(2, identities)
  const binders = writer.open(2)
  writer.writeVector8(new Uint8Array(hashLength))
  writer.close(2, binders)
}

/** Bytes at the end of a ClientHello with one binder that the binder does not cover. */
export function bindersLengthOf(hashLength: number): number {
  return 2 + 1 + hashLength
}

/** Whether psk_key_exchange_modes has the mode with a key exchange. */
export function readPskModes(reader: ByteReader): boolean {
  const modes = reader.readVector8(1)
  reader.expectEnd()
  return modes.includes(PSK_WITH_KEY_EXCHANGE)
}

export function writePskModes(writer: ByteWriter): void {
  writer.writeVector8(Uint8Array.of(PSK_WITH_KEY_EXCHANGE))
}
