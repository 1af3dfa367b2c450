// Applications that throw: the connection ends, the endpoint above it notices nothing, and everything is released.
import { describe, expect, test } from 'vitest'
import { TransportErrorCode } from '../../../../src/transport/wire/index.ts'
import { Pair, type TestApplication } from './pair.ts'

type Callback = Exclude<
  {
    [K in keyof TestApplication]: TestApplication[K] extends (...args: never[]) => unknown ? K : never
  }[keyof TestApplication],
  'bytes' | 'readAll'
>

const CALLBACKS: Callback[] = [
  'handleHandshakeComplete',
  'acceptStream',
  'handleReadable',
  'handleWritable',
  'handleReset',
  'handleStopSending',
  'handleStreamCredit',
  'handleDatagramFrame',
  'handleClosing',
  'handleClosed',
]

/** Makes the server's application throw in one callback. */
function pairWithFault(callback: Callback): Pair {
  const pair = new Pair({
    server: { initialMaxStreamsUni: 2, maxDatagramFrameSize: 100 },
    client: { initialMaxStreamsUni: 2 },
  })
  Reflect.set(pair.server.application, callback, () => {
    throw new Error('a defect')
  })
  return pair
}

/** Something of everything, so that every callback of the server is called. */
function exercise(pair: Pair): void {
  const { client, server } = pair
  pair.run(1_000)
  if (client.connection.isEnding) return
  for (const kind of ['bidi', 'bidi', 'uni', 'bidi', 'uni'] as const) {
    const stream = client.connection.openStream(kind)
    if (stream === undefined) continue
    stream.application = client.application
    stream.write(Buffer.from('hello'))
  }
  const own = server.connection.openStream('uni')
  if (own !== undefined) own.application = server.application
  own?.write(new Uint8Array(300_000))
  client.connection.sendDatagram(new Uint8Array(10))
  pair.run(1_000)
  own?.end()
  const [first, second] = [...client.connection.streams.values()]
  first?.reset(1)
  second?.stopSending(2)
  for (const stream of client.connection.streams.values()) stream.end()
  pair.run(1_000)
}

describe('a server application that throws in', () => {
  test.each(CALLBACKS)('%s', (callback) => {
    const pair = pairWithFault(callback)
    pair.server.connection.application = pair.server.application
    expect(() => {
      exercise(pair)
      pair.client.connection.close(0, '', { application: true })
      pair.run(60_000)
    }).not.toThrow()
    const { connection, supervisor, application } = pair.server
    const isDuringLife = callback !== 'handleClosing' && callback !== 'handleClosed'
    expect(connection.stats.internalErrors).toBeGreaterThan(0)
    if (isDuringLife) expect(application.closing?.code).toBe(TransportErrorCode.INTERNAL_ERROR)
    expect(connection.isClosed).toBe(true)
    expect(connection.streams.size).toBe(0)
    expect(supervisor.live.size).toBe(0)
    expect(supervisor.missed).toEqual([])
    expect(pair.client.connection.isClosed).toBe(true)
  })
})
