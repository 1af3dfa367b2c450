// The machine is the model: every event in every state of it is tried on a real server, by a real client.
import { type ClientSession, connect, machineService, type QuactorServer, serve } from 'quactor'
import { edgeCover, graphOf, type PathDriver, replay } from 'quactor/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MOST_BYTES, wordsMachine } from '../src/words.ts'

const graph = graphOf(wordsMachine, {
  events: [
    { type: 'body.chunk', chunk: new TextEncoder().encode('one two') },
    { type: 'body.chunk', chunk: new Uint8Array(MOST_BYTES + 1) },
    { type: 'body.end' },
  ],
  stateKey: ({ value }) => String(value),
})

/** What a client sees of each final state. */
const STATUS: Record<string, number> = { counted: 200, tooLong: 413 }

let server: QuactorServer
let client: ClientSession

beforeAll(async () => {
  server = await serve({
    port: 0,
    host: '127.0.0.1',
    tcp: false,
    inspector: false,
    handler: machineService(wordsMachine),
  })
  client = await connect(`https://127.0.0.1:${server.port}`, { insecure: true })
})

afterAll(async () => {
  await client.end()
  await server.close()
})

/** Brings each event of a path about with one request, and looks at its response. */
function requestDriver(): PathDriver {
  const body = new TransformStream<Uint8Array, Uint8Array>()
  const writer = body.writable.getWriter()
  const response = client.request({ method: 'POST', path: '/', body: body.readable })
  return {
    async apply({ event }) {
      if (event.type === 'body.end') await writer.close()
      else await writer.write(event.chunk)
    },
    async check({ value, isFinal }) {
      if (isFinal) expect((await response).status).toBe(STATUS[String(value)])
    },
  }
}

describe('words', () => {
  const { paths, unreached } = edgeCover(graph)

  it.each(paths.map((path) => [`${path.name}: ${path.end.value}`, path] as const))(
    '%s',
    async (_name, path) => {
      await replay(path, requestDriver())
    },
  )

  it('has no transition that a client cannot bring about', () => {
    expect(unreached).toEqual([])
    expect(paths.length).toBeGreaterThanOrEqual(3)
  })

  it('counts', async () => {
    const response = await client.request({ method: 'POST', path: '/', body: ' to be  or\nnot to be ' })
    expect(await response.text()).toBe('6 words\n')
  })
})
