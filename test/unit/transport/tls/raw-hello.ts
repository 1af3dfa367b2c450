// Builds ClientHello and ServerHello messages byte by byte, right or wrong in any field, for tests of what the other
// side answers. Written apart from the encoders of src, so that both do not share a mistake.
import { x25519 } from '../../../../src/transport/crypto/index.ts'
import { CLIENT_PARAMETERS, seededEntropy } from './loopback.ts'

export type RawExtension = readonly [type: number, body: Uint8Array]

export interface RawHello {
  legacyVersion?: number
  sessionId?: Uint8Array
  suites?: readonly number[]
  compression?: readonly number[]
  /** Replaces, by type; undefined removes. */
  replace?: Readonly<Record<number, Uint8Array | undefined>>
  /** Added at the end, repeats allowed. */
  add?: readonly RawExtension[]
  withoutExtensions?: boolean
  trailing?: Uint8Array
}

export const u8 = (...values: number[]): Uint8Array => Uint8Array.from(values)
export const u16 = (...values: number[]): Uint8Array =>
  Uint8Array.from(values.flatMap((v) => [v >> 8, v & 0xff]))

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** A vector with a length of `prefix` bytes. */
export function vector(prefix: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts)
  const length = new Uint8Array(prefix)
  for (let i = 0; i < prefix; i++) length[prefix - 1 - i] = body.length >> (8 * i)
  return concat(length, body)
}

export function message(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return concat(u8(type), vector(3, ...parts))
}

export const share = x25519.generate(seededEntropy(99))

export const keyShares = (...entries: readonly (readonly [number, Uint8Array])[]): Uint8Array =>
  vector(2, ...entries.map(([group, key]) => concat(u16(group), vector(2, key))))

export const protocols = (...names: readonly string[]): Uint8Array =>
  vector(2, ...names.map((name) => vector(1, Buffer.from(name, 'latin1'))))

export const hostName = (name: string): Uint8Array => concat(u8(0), vector(2, Buffer.from(name, 'latin1')))

/** pre_shared_key of a ClientHello, RFC 8446 section 4.2.11. */
export const pskOffer = (tickets: readonly Uint8Array[], binders: readonly Uint8Array[]): Uint8Array =>
  concat(
    vector(2, ...tickets.map((ticket) => concat(vector(2, ticket), u8(0, 0, 0, 0)))),
    vector(2, ...binders.map((binder) => vector(1, binder))),
  )

const DEFAULTS: Readonly<Record<number, Uint8Array>> = {
  0: vector(2, hostName('server.test')),
  10: vector(2, u16(0x001d, 0x0017)),
  13: vector(2, u16(0x0403, 0x0804, 0x0807)),
  16: protocols('h3'),
  43: vector(1, u16(0x0304)),
  51: keyShares([0x001d, share.publicKey]),
  57: CLIENT_PARAMETERS,
}

export function extensions(list: readonly RawExtension[]): Uint8Array {
  return vector(2, ...list.map(([type, body]) => concat(u16(type), vector(2, body))))
}

export function rawClientHello(raw: RawHello = {}): Uint8Array {
  const merged: Record<number, Uint8Array | undefined> = { ...DEFAULTS, ...raw.replace }
  const list = Object.entries(merged).flatMap(([type, body]) => (body ? [[Number(type), body] as const] : []))
  return message(
    1,
    u16(raw.legacyVersion ?? 0x0303),
    new Uint8Array(32).fill(7),
    vector(1, raw.sessionId ?? u8()),
    vector(2, u16(...(raw.suites ?? [0x1301, 0x1302, 0x1303]))),
    vector(1, u8(...(raw.compression ?? [0]))),
    raw.withoutExtensions ? u8() : extensions([...list, ...(raw.add ?? [])]),
    raw.trailing ?? u8(),
  )
}

export interface RawServerHello {
  legacyVersion?: number
  random?: Uint8Array
  sessionId?: Uint8Array
  suite?: number
  compression?: number
  extensions?: readonly RawExtension[]
  withoutExtensions?: boolean
}

export const RETRY_RANDOM = Buffer.from(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c',
  'hex',
)

export function rawServerHello(raw: RawServerHello = {}): Uint8Array {
  const defaults: RawExtension[] = [
    [43, u16(0x0304)],
    [51, concat(u16(0x001d), vector(2, share.publicKey))],
  ]
  return message(
    2,
    u16(raw.legacyVersion ?? 0x0303),
    raw.random ?? new Uint8Array(32).fill(9),
    vector(1, raw.sessionId ?? u8()),
    u16(raw.suite ?? 0x1301),
    u8(raw.compression ?? 0),
    raw.withoutExtensions ? u8() : extensions(raw.extensions ?? defaults),
  )
}
