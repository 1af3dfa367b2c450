/** What the interoperability run calls a leftover in /status. */
import { createServer } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { leftovers, type Status, waitUntilQuiet } from '../../interop/status.ts'

const QUIET: Status = {
  connections: { live: 0, opened: 3, closed: 3 },
  streams: { live: 0, opened: 30, closed: 30, stuck: 0 },
  actors: { live: 0, started: 33, stopped: 33, crashed: 0, missedTransitions: 0 },
  handlers: { live: 0 },
  datagramChannels: { live: 0 },
  buffers: { receiveBytes: 0, sendBytes: 0 },
  backends: { udp: 'node', aead: 'wasm' },
}

const server = createServer()
afterEach(() => server.close().removeAllListeners('request'))

async function serveStatus(answers: Status[]): Promise<string> {
  server.on('request', (_, response) => {
    const status = answers.length > 1 ? answers.shift() : answers[0]
    response.setHeader('connection', 'close').end(JSON.stringify(status))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

describe('leftovers', () => {
  it('a quiet server has none', () => {
    expect(leftovers(QUIET)).toEqual([])
  })

  it.each<[string, Partial<Status>]>([
    ['connections.live = 1', { connections: { ...QUIET.connections, live: 1 } }],
    ['streams.live = 1', { streams: { ...QUIET.streams, live: 1 } }],
    ['streams.stuck = 1', { streams: { ...QUIET.streams, stuck: 1 } }],
    ['actors.live = 1', { actors: { ...QUIET.actors, live: 1 } }],
    ['actors.crashed = 1', { actors: { ...QUIET.actors, crashed: 1 } }],
    ['actors.missedTransitions = 1', { actors: { ...QUIET.actors, missedTransitions: 1 } }],
    ['handlers.live = 1', { handlers: { live: 1 } }],
    ['datagramChannels.live = 1', { datagramChannels: { live: 1 } }],
    ['buffers.receiveBytes = 1', { buffers: { receiveBytes: 1, sendBytes: 0 } }],
    ['buffers.sendBytes = 1', { buffers: { receiveBytes: 0, sendBytes: 1 } }],
    ['streams.opened - closed = 1', { streams: { ...QUIET.streams, opened: 31 } }],
    ['actors.started - stopped = 1', { actors: { ...QUIET.actors, started: 34 } }],
  ])('names %s', (name, change) => {
    expect(leftovers({ ...QUIET, ...change })).toEqual([name])
  })

  it('waits for numbers that are still going down', async () => {
    const busy = { ...QUIET, streams: { ...QUIET.streams, live: 2, closed: 28 } }
    const status = await waitUntilQuiet(await serveStatus([busy, busy, QUIET]))
    expect(status.streams.live).toBe(0)
  })

  it('does not wait after a missed transition', async () => {
    const missed = { ...QUIET, actors: { ...QUIET.actors, missedTransitions: 1 } }
    await expect(waitUntilQuiet(await serveStatus([missed]))).rejects.toThrow('actors.missedTransitions = 1')
  })
})
