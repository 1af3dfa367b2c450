// Random bytes where tunnels are read: capsules, context IDs, WebSocket frames, targets. Nothing but the declared errors comes
// out, and nothing is kept beyond the caps.
import { Duplex } from 'node:stream'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseUdpTarget } from '../../src/handlers/connect-udp/target.ts'
import { CapsuleReader, H3Error } from '../../src/http3/index.ts'
import { readContextId } from '../../src/tunnels/udp-payload.ts'
import { TunnelWebSocket } from '../../src/tunnels/websocket.ts'

const pieces = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 30 })

test('capsules', () => {
  fc.assert(
    fc.property(pieces, fc.nat(200), (parts, limit) => {
      const reader = new CapsuleReader({
        maxLength: (type) => (type % 3 === 0 ? limit : -1),
        handleCapsule: (type, value) => {
          expect(type % 3).toBe(0)
          expect(value.length).toBeLessThanOrEqual(limit)
        },
      })
      try {
        for (const part of parts) {
          reader.push(part)
          expect(reader.heldBytes).toBeLessThanOrEqual(limit)
        }
        reader.finish()
      } catch (error) {
        if (!(error instanceof H3Error)) throw error
        expect(error.scope).toBe('stream')
        expect(reader.heldBytes).toBe(0)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('context IDs: a payload is a view of what is behind a whole zero', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (datagram) => {
      const payload = readContextId(datagram)
      if (typeof payload === 'string') return
      expect(payload.buffer).toBe(datagram.buffer)
      const prefix = datagram.length - payload.length
      expect(prefix).toBe(1 << (datagram[0]! >>> 6))
      expect(Buffer.from(datagram.subarray(1, prefix)).every((byte) => byte === 0)).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

test('targets: what is accepted is a port and something that can be looked up', () => {
  const host = fc.oneof(fc.string({ maxLength: 20 }), fc.ipV4(), fc.ipV6(), fc.domain())
  fc.assert(
    fc.property(host, fc.string({ maxLength: 6 }), fc.boolean(), (text, port, isEncoded) => {
      const target = parseUdpTarget(
        `/.well-known/masque/udp/${isEncoded ? encodeURIComponent(text) : text}/${port}/`,
      )
      if (target === undefined) return
      expect(target.host).toMatch(/^[a-z0-9_.:-]+$/)
      expect(target.port).toBeGreaterThan(0)
      expect(target.port).toBeLessThan(65_536)
    }),
    { numRuns: 2_000 },
  )
})

class Wire extends Duplex {
  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: string, callback: () => void): void {
    callback()
  }
}

test('WebSocket frames', async () => {
  // Mostly frames that begin well, so that the parser gets behind the first byte.
  const opening = fc.constantFrom(
    [0x81, 0x85],
    [0x82, 0xfe],
    [0x01, 0x81],
    [0x88, 0x82],
    [0x89, 0x80],
    [0xc1, 0x81],
  )
  const input = fc.array(fc.tuple(opening, fc.uint8Array({ maxLength: 40 })), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(input, async (frames) => {
      const wire = new Wire()
      const thrown: unknown[] = []
      const socket = new TunnelWebSocket({
        isServer: true,
        duplex: wire,
        protocol: '',
        maxPayload: 1_000,
        contain: (run) => {
          try {
            run()
          } catch (error) {
            thrown.push(error)
          }
        },
      })
      socket.on('message', (data) => expect(data).toHaveProperty('length'))
      for (const [head, rest] of frames) wire.push(Buffer.from([...head, ...rest]))
      wire.push(null)
      const closed = new Promise((resolve) => socket.once('close', resolve))
      await closed
      expect(thrown).toEqual([])
      expect(wire.destroyed).toBe(true)
    }),
    { numRuns: 200 },
  )
})
