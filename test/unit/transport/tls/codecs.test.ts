// The small parts under the messages: readers, writers, assembler, names, identity table, ALPN and SNI bodies.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../../../src/transport/tls/byte-reader.ts'
import { ByteWriter } from '../../../../src/transport/tls/byte-writer.ts'
import { Alert, alertError, canonicalName, isAddressLiteral } from '../../../../src/transport/tls/index.ts'
import { MessageAssembler } from '../../../../src/transport/tls/message-assembler.ts'
import { wildcardFor } from '../../../../src/transport/tls/server-name.ts'
import { Transcript } from '../../../../src/transport/tls/transcript.ts'
import { QuicError } from '../../../../src/transport/wire/errors.ts'
import { CryptoAlert, codeOf } from './endpoints.ts'
import { concat, message, u8 } from './raw-hello.ts'

describe('an alert (RFC 9001 section 4.8)', () => {
  it('is CRYPTO_ERROR 0x0100 + its number, caused by a CRYPTO frame', () => {
    const error = alertError(Alert.handshakeFailure, 'words')
    expect(error).toBeInstanceOf(QuicError)
    expect([error.code, error.frameType, error.reason]).toEqual([0x128, 0x06, 'words'])
  })
})

describe('numbers and vectors (RFC 8446 section 3)', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(
        fc.nat(0xff),
        fc.nat(0xffff),
        fc.nat(0xffffff),
        fc.nat(0xffffffff),
        fc.uint8Array({ maxLength: 255 }),
        (a, b, c, d, bytes) => {
          const writer = new ByteWriter(1)
          writer.writeUint8(a)
          writer.writeUint16(b)
          writer.writeUint24(c)
          writer.writeUint32(d)
          writer.writeVector8(bytes)
          writer.writeVector16(bytes)
          writer.writeVector24(bytes)
          const reader = new ByteReader(writer.finish())
          expect([reader.readUint8(), reader.readUint16(), reader.readUint24(), reader.readUint32()]).toEqual(
            [a, b, c, d],
          )
          expect([reader.readVector8(), reader.readVector16(), reader.readVector24()]).toEqual([
            bytes,
            bytes,
            bytes,
          ])
          reader.expectEnd()
        },
      ),
    )
  })

  it.each([
    ['past the end', () => new ByteReader(u8(1)).readUint16()],
    ['a vector past the end', () => new ByteReader(u8(2, 1)).readVector8()],
    ['a vector below its lower bound', () => new ByteReader(u8(0, 0)).readVector16(1)],
    ['a list of odd length', () => new ByteReader(u8(1, 2, 3)).readUint16List(3)],
    ['less than all', () => new ByteReader(u8(1)).expectEnd()],
  ])('are not read %s: decode_error', (_what, read) => {
    expect(codeOf(read)).toBe(CryptoAlert.decodeError)
  })

  it('do not fit a prefix that is too short: a mistake of ours', () => {
    const writer = new ByteWriter()
    expect(() => writer.writeVector8(new Uint8Array(256))).toThrow(RangeError)
  })
})

describe('the assembler (RFC 9001 section 4.1.3)', () => {
  it('gives the same messages however the bytes are cut', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 })
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (list, cuts) => {
        const sent = list.map((body, i) => message(i, body))
        const all = concat(...sent)
        const assembler = new MessageAssembler()
        const received: Uint8Array[] = []
        for (let start = 0, i = 0; start < all.length; start += cuts[i++ % cuts.length]) {
          const piece = all.slice(start, start + cuts[i % cuts.length])
          assembler.lend(piece)
          for (let next = assembler.next(100); next; next = assembler.next(100)) received.push(next.slice())
          assembler.release()
          piece.fill(0xee)
        }
        expect(received).toEqual(sent)
        expect(assembler.pendingBytes).toBe(0)
      }),
    )
  })

  it('keeps several whole messages that nobody has taken yet', () => {
    const assembler = new MessageAssembler()
    const bytes = concat(message(1, u8(1)), message(2, u8(2)), message(3))
    assembler.lend(bytes)
    assembler.release()
    bytes.fill(0)
    expect(assembler.pendingType).toBe(1)
    expect([assembler.next(9), assembler.next(9), assembler.next(9), assembler.next(9)]).toEqual([
      message(1, u8(1)),
      message(2, u8(2)),
      message(3),
      undefined,
    ])
  })

  it('refuses a declared length above the cap at once, whole header or in pieces', () => {
    const assembler = new MessageAssembler()
    assembler.lend(u8(1, 0, 1, 1))
    expect(codeOf(() => assembler.next(256))).toBe(CryptoAlert.decodeError)
    const other = new MessageAssembler()
    for (const byte of [1, 0, 1]) {
      other.lend(u8(byte))
      expect(other.next(256)).toBeUndefined()
      other.release()
    }
    other.lend(u8(1))
    expect(codeOf(() => other.next(256))).toBe(CryptoAlert.decodeError)
  })
})

describe('the transcript (RFC 8446 section 4.4.1)', () => {
  it('is the same whether the hash is known before or after the messages', () => {
    const [early, late] = [new Transcript(), new Transcript()]
    early.start('sha384')
    for (const transcript of [early, late]) transcript.add(u8(1, 2, 3))
    late.start('sha384')
    late.start('sha384')
    expect(early.current()).toEqual(late.current())
    expect(early.current()).toHaveLength(48)
  })
})

describe('names', () => {
  it.each([
    ['WWW.Example.Test.', 'www.example.test'],
    ['[2001:DB8:0:0::1]', '2001:db8::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['192.0.2.1', '192.0.2.1'],
    ['not:an:address', 'not:an:address'],
  ])('%s is written %s', (name, canonical) => {
    expect(canonicalName(name)).toBe(canonical)
  })

  it.each([
    ['a.b.c', '*.b.c'],
    ['a.b', '*.b'],
    ['localhost', undefined],
    ['.b', undefined],
    ['a.', undefined],
  ])('%s may match the wildcard %s (RFC 6125 section 6.4.3)', (name, wildcard) => {
    expect(wildcardFor(name)).toBe(wildcard)
  })

  it('address literals are told from host names (RFC 6066 section 3)', () => {
    expect(['1.2.3.4', '::1', 'fe80::1'].every(isAddressLiteral)).toBe(true)
    expect(['1.2.3.4.example', 'a.b', '1234'].some(isAddressLiteral)).toBe(false)
  })
})
