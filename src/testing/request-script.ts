// What a client can do to a request, as data: scripts are drawn by fast-check, shrunk by it, and printed in one line.
// Played against a test server by machine-service-suite.ts.
import fc from 'fast-check'
import type { TestClient } from './test-client.ts'
import type { TestServer } from './test-server.ts'

/** One step of a client. */
export type RequestStep =
  | { readonly do: 'chunk'; readonly bytes: Uint8Array }
  /** Virtual ms; everything that is on the way arrives in 100. */
  | { readonly do: 'wait'; readonly time: number }
  | { readonly do: 'trailers' | 'end' | 'stop' | 'reset' | 'abort' | 'pause' | 'resume' }
  /** The server begins to drain. */
  | { readonly do: 'drain' }
  /** The network is gone until the end of the script. */
  | { readonly do: 'vanish' }
  /** The client closes its connection. */
  | { readonly do: 'close' }

/** The steps of one request, and the dice of its network. */
export interface RequestScript {
  /** In their order; the request's head has been sent before the first. */
  readonly steps: readonly RequestStep[]
  /** Probability that a datagram is lost, 0 to 0.3. */
  readonly loss: number
  /** Of the world that it is played in. */
  readonly seed: number
}

/** A script in one line: `chunk(3) > wait(100) > end, loss 0.1, seed 7`. */
export function describeScript({ steps, loss, seed }: RequestScript): string {
  const words = steps.map((step) => {
    if (step.do === 'chunk') return `chunk(${step.bytes.length})`
    return step.do === 'wait' ? `wait(${step.time})` : step.do
  })
  return `${words.join(' > ') || 'nothing'}, loss ${loss}, seed ${seed}`
}

/** @param chunks what the bodies are made of; drawn at random when absent */
export function requestScripts(chunks?: readonly Uint8Array[], maxLength = 8): fc.Arbitrary<RequestScript> {
  const bytes = chunks === undefined ? fc.uint8Array({ maxLength: 2_000 }) : fc.constantFrom(...chunks)
  const chunk = bytes.map((piece): RequestStep => ({ do: 'chunk', bytes: piece }))
  const wait = fc.constantFrom(0, 1, 20, 100, 1_500).map((time): RequestStep => ({ do: 'wait', time }))
  const polite = fc.constantFrom<RequestStep>(
    { do: 'trailers' },
    { do: 'end' },
    { do: 'pause' },
    { do: 'resume' },
  )
  const rude = fc.constantFrom<RequestStep>({ do: 'stop' }, { do: 'reset' }, { do: 'abort' }, { do: 'drain' })
  const gone = fc.constantFrom<RequestStep>({ do: 'vanish' }, { do: 'close' })
  const step = fc.oneof(
    { arbitrary: chunk, weight: 5 },
    { arbitrary: wait, weight: 4 },
    { arbitrary: polite, weight: 3 },
    { arbitrary: rude, weight: 2 },
    { arbitrary: gone, weight: 1 },
  )
  const script = fc.record({
    steps: fc.array(step, { maxLength, size: 'max' }),
    loss: fc.constantFrom(0, 0, 0.05, 0.3),
    seed: fc.nat({ max: 9_999 }),
  })
  return script.map((drawn) => Object.assign(drawn, { [fc.toStringMethod]: () => describeScript(drawn) }))
}

/** How a request ended, as its client saw it. */
export interface RequestResult {
  /** The status of the response, if its head came. */
  readonly status: number | undefined
  /** What came of the body. */
  readonly body: Uint8Array
  /** The response is complete. */
  readonly isComplete: boolean
  /** The code with which the server reset the response. */
  readonly resetCode: number | undefined
}

/** Plays a script on a request of its own, and waits until nothing more happens to it. */
export async function play(
  server: TestServer,
  client: TestClient,
  script: RequestScript,
  head: { readonly method: string; readonly path: string; readonly fields: readonly string[] },
): Promise<RequestResult> {
  const request = client.begin(head.method, head.path, head.fields)
  for (const step of script.steps) {
    if (step.do === 'chunk') request.send(step.bytes)
    else if (step.do === 'wait') await server.pass(step.time)
    else if (step.do === 'trailers') request.trailers(['x-checked', 'yes']).end()
    else if (step.do === 'pause' || step.do === 'resume') request.read(step.do === 'resume')
    else if (step.do === 'drain') server.drain()
    else if (step.do === 'vanish') server.cut(true)
    else if (step.do === 'close') client.close()
    else request[step.do]()
  }
  request.read(true)
  await server.pass(SETTLE)
  // Whoever has asked politely gets an answer, if only that the handler hangs.
  if (isPolite(script) && !request.isOver) await server.pass(DEADLINE)
  // Nobody can answer a request that never ends.
  if (!request.isOver) request.abort()
  await server.pass(SETTLE)
  const { status, body, isComplete, resetCode } = request
  return { status, body, isComplete, resetCode }
}

const RUDE = new Set<RequestStep['do']>(['stop', 'reset', 'abort', 'vanish', 'close'])

function isPolite({ steps }: RequestScript): boolean {
  return (
    steps.some((step) => step.do === 'end' || step.do === 'trailers') &&
    !steps.some((step) => RUDE.has(step.do))
  )
}

/** Longer than a handler's deadline and its grace time, virtual ms. */
const DEADLINE = 40_000

/** Time in which a lossy network carries what is on its way, virtual ms. */
const SETTLE = 5_000
