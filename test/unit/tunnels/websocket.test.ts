// What this package relies on in the library `ws`, and what it adds: attached to any Duplex, bounded, contained.
import { Duplex } from 'node:stream'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { HandshakeError } from '../../../src/tunnels/handshake-error.ts'
import { WEBSOCKET_CLOSE_TIMEOUT } from '../../../src/tunnels/limits.ts'
import { TunnelWebSocket, type TunnelWebSocketOptions } from '../../../src/tunnels/websocket.ts'
import {
  acceptDeflate,
  acceptProtocol,
  agreeOnDeflate,
  offerDeflate,
  offeredProtocols,
} from '../../../src/tunnels/websocket-handshake.ts'

/** A Duplex whose other end is the test. */
class Wire extends Duplex {
  readonly written: Buffer[] = []
  /** Writes are not taken while this is set. */
  isFull = false

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.written.push(chunk)
    if (!this.isFull) callback()
  }
}

function socketOn(wire: Wire, more: Partial<TunnelWebSocketOptions> = {}): TunnelWebSocket {
  return new TunnelWebSocket({ isServer: true, duplex: wire, protocol: '', contain: (run) => run(), ...more })
}

/** A frame of a client, masked with zeros (RFC 6455 section 5.2). */
function frame(opcode: number, payload: string): Buffer {
  return Buffer.concat([
    Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]),
    Buffer.from(payload),
  ])
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

afterEach(() => vi.useRealTimers())

test('frames go out unmasked from a server and masked from a client', () => {
  const server = new Wire()
  socketOn(server).send('hi')
  expect(Buffer.concat(server.written)).toEqual(Buffer.from([0x81, 2, 0x68, 0x69]))
  const client = new Wire()
  socketOn(client, { isServer: false }).send('hi')
  expect(Buffer.concat(client.written)[1]).toBe(0x82)
})

test('bytes that came before the socket was made are read', async () => {
  const wire = new Wire()
  const messages: string[] = []
  socketOn(wire, { head: frame(1, 'early') }).on('message', (data) => messages.push(String(data)))
  await turn()
  expect(messages).toEqual(['early'])
})

test('a client that sends unmasked frames breaks the protocol (RFC 6455 section 5.1): 1002', async () => {
  const wire = new Wire()
  socketOn(wire)
  wire.push(Buffer.from([0x81, 2, 0x68, 0x69]))
  await turn()
  expect(Buffer.concat(wire.written)).toEqual(Buffer.from([0x88, 2, 0x03, 0xea]))
})

test('text that is no UTF-8 closes with 1007 (RFC 6455 section 8.1)', async () => {
  const wire = new Wire()
  socketOn(wire)
  wire.push(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]))
  await turn()
  expect(Buffer.concat(wire.written)).toEqual(Buffer.from([0x88, 2, 0x03, 0xef]))
})

test('a closing handshake that is never answered ends with the tunnel', () => {
  vi.useFakeTimers()
  const wire = new Wire()
  const socket = socketOn(wire)
  socket.close(1_000)
  vi.advanceTimersByTime(WEBSOCKET_CLOSE_TIMEOUT - 1)
  expect(wire.destroyed).toBe(false)
  vi.advanceTimersByTime(2)
  expect(wire.destroyed).toBe(true)
})

test('every listener runs contained', async () => {
  const wire = new Wire()
  const caught: unknown[] = []
  const socket = socketOn(wire, {
    contain: (run) => {
      try {
        run()
      } catch (error) {
        caught.push(error)
      }
    },
  })
  for (const event of ['message', 'ping', 'close'] as const) {
    socket.on(event, () => {
      throw new Error(event)
    })
  }
  wire.push(frame(1, 'x'))
  wire.push(frame(9, 'x'))
  wire.push(null)
  await turn()
  await turn()
  expect(caught.map(String)).toEqual(['Error: message', 'Error: ping', 'Error: close'])
})

test('drained() waits while the peer does not read, and ends with the socket', async () => {
  const wire = new Wire()
  wire.isFull = true
  const socket = socketOn(wire)
  await socket.drained()
  socket.send(new Uint8Array(200_000))
  let isOver = false
  const drained = socket.drained().then(() => {
    isOver = true
  })
  await turn()
  expect(isOver).toBe(false)
  socket.terminate()
  await drained
  expect(isOver).toBe(true)
})

test('after the cap nothing is kept, and the sender hears of it', async () => {
  const wire = new Wire()
  wire.isFull = true
  const socket = socketOn(wire, { maxBuffered: 1_000 })
  const errors: unknown[] = []
  socket.send(new Uint8Array(2_000))
  socket.send(new Uint8Array(2_000), (error: unknown) => errors.push(error))
  expect(errors).toHaveLength(1)
  expect(wire.destroyed).toBe(true)
  socket.ping()
  socket.pong()
  await turn()
})

describe('the opening handshake', () => {
  test('subprotocols are tokens without repetition (RFC 6455 section 4.1)', () => {
    expect(offeredProtocols(undefined)).toEqual([])
    expect(offeredProtocols('a, b')).toEqual(['a', 'b'])
    expect(offeredProtocols(Array.from({ length: 50 }, (_, index) => `p${index}`).join())).toHaveLength(32)
    for (const bad of ['', 'a,', 'a, a', 'a b', '"a"'])
      expect(() => offeredProtocols(bad)).toThrow(HandshakeError)
  })

  test('compression only when both sides want it (RFC 7692 section 5)', () => {
    const offer = 'permessage-deflate; client_max_window_bits'
    expect(agreeOnDeflate(offer, {})).toBeUndefined()
    expect(agreeOnDeflate(undefined, { perMessageDeflate: true })).toBeUndefined()
    expect(agreeOnDeflate('x-other', { perMessageDeflate: true })).toBeUndefined()
    expect(agreeOnDeflate(offer, { perMessageDeflate: true })?.field).toContain('permessage-deflate')
    expect(() => agreeOnDeflate('permessage-deflate; nonsense', { perMessageDeflate: true })).toThrow()
    expect(() => agreeOnDeflate(';', { perMessageDeflate: true })).toThrow(HandshakeError)
  })

  test('a client takes no answer to what it has not offered (RFC 6455 section 4.1)', () => {
    expect(acceptProtocol(undefined, ['a'])).toBe('')
    expect(acceptProtocol('a', ['a'])).toBe('a')
    expect(() => acceptProtocol('b', ['a'])).toThrow(HandshakeError)
    expect(acceptDeflate(undefined, undefined)).toBeUndefined()
    expect(() => acceptDeflate('permessage-deflate', undefined)).toThrow(HandshakeError)
    const offer = offerDeflate({ perMessageDeflate: true })
    expect(() => acceptDeflate('x-other', offer)).toThrow(HandshakeError)
    expect(acceptDeflate('permessage-deflate', offer)).toBe(offer?.deflate)
  })
})
