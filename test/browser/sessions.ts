/**
 * What the server does with WebTransport sessions in these checks, by path; the echo at /wt is the demo's. The paths take
 * up the behaviours that the web-platform-tests of WebTransport want of their server. What the server's side saw is kept
 * for the run: `heard`.
 */
import { demoWebTransport } from '../../src/handlers/demo-webtransport.ts'
import { WebTransportError, type WebTransportServerSession } from '../../src/index.ts'

/** One thing that happened to a session at the server. */
export interface Heard {
  readonly path: string
  readonly what: string
  readonly value: unknown
}

type Note = (what: string, value: unknown) => void
type Route = (session: WebTransportServerSession, query: URLSearchParams, note: Note) => void | Promise<void>

const HEARD_TIMEOUT = 5_000

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function coded(code: number): WebTransportError {
  return new WebTransportError('as asked', { streamErrorCode: code })
}

/** The code of a stream's error, or the error's words. */
function codeIn(error: unknown): unknown {
  return error instanceof WebTransportError && error.source === 'stream'
    ? error.streamErrorCode
    : String(error)
}

async function length(readable: AsyncIterable<Uint8Array>): Promise<number> {
  let total = 0
  for await (const chunk of readable) total += chunk.length
  return total
}

const codeOf = (query: URLSearchParams): number => Number(query.get('code') ?? 0)

const ROUTES: Readonly<Record<string, Route>> = {
  '/wt': (session) => demoWebTransport(session) as Promise<void>,

  '/datagram-length': async ({ datagrams }) => {
    const writer = datagrams.createWritable().getWriter()
    for await (const datagram of datagrams.readable) await writer.write(bytes(String(datagram.length)))
  },

  '/custom-response': (session, query) => {
    const status = Number(query.get('status'))
    if (status < 300) session.accept({ headers: { 'x-custom': 'yes' } })
    else session.reject(status, { headers: { location: '/wt' } })
  },

  '/client-close': async (session, _query, note) => {
    await session.ready
    const streams = watchStreams(session, note)
    await session.closed.then(
      (info) => note('closed', info),
      (error: unknown) => note('failed', String(error)),
    )
    await streams
  },

  '/server-close': async (session, query) => {
    await session.ready
    const isBare = !query.has('code')
    session.close(isBare ? {} : { closeCode: codeOf(query), reason: query.get('reason') ?? '' })
  },

  '/server-connection-close': async (session) => {
    await session.ready
    for await (const datagram of session.datagrams.readable) if (datagram.length > 0) break
    session.closeConnection()
  },

  '/abort-stream': async (session, query) => {
    for await (const { readable, writable } of session.incomingBidirectionalStreams) {
      if (query.get('how') === 'stop') await readable.cancel(coded(codeOf(query)))
      else await writable.abort(coded(codeOf(query)))
    }
  },

  '/server-streams': async (session, query, note) => {
    const code = codeOf(query)
    const bidi = await session.createBidirectionalStream()
    const uni = await session.createUnidirectionalStream()
    const writers = [bidi.writable.getWriter(), uni.getWriter()]
    for (const writer of writers) await writer.write(bytes('from the server'))
    if (query.get('how') === 'reset') {
      for await (const datagram of session.datagrams.readable) if (datagram.length > 0) break
      for (const writer of writers) await writer.abort(coded(code))
      return
    }
    await Promise.allSettled([
      writers[0].closed.catch((error: unknown) => note('bidi stopped', codeIn(error))),
      writers[1].closed.catch((error: unknown) => note('uni stopped', codeIn(error))),
      length(bidi.readable).catch((error: unknown) => note('bidi reset', codeIn(error))),
    ])
  },

  '/sink': async (session, _query, note) => {
    for await (const readable of session.incomingUnidirectionalStreams) {
      length(readable).then(
        (total) => note('uni read', total),
        (error: unknown) => note('uni reset', codeIn(error)),
      )
    }
  },

  '/stats': async (session, _query, note) => {
    for await (const { readable, writable } of session.incomingBidirectionalStreams) {
      await readable.pipeTo(writable)
      note('stats', await session.getStats())
    }
  },

  '/drain': async (session) => {
    await session.ready
    for await (const { readable, writable } of session.incomingBidirectionalStreams) {
      session.drain()
      await readable.pipeTo(writable)
    }
  },
}

/** How streams end that a client gives up. */
async function watchStreams(session: WebTransportServerSession, note: Note): Promise<void> {
  const uni = async (): Promise<void> => {
    for await (const readable of session.incomingUnidirectionalStreams) {
      await length(readable).catch((error: unknown) => note('uni reset', codeIn(error)))
    }
  }
  const bidi = async (): Promise<void> => {
    for await (const { readable, writable } of session.incomingBidirectionalStreams) {
      writable.getWriter().closed.catch((error: unknown) => note('bidi stopped', codeIn(error)))
      await length(readable).catch((error: unknown) => note('bidi reset', codeIn(error)))
    }
  }
  await Promise.allSettled([uni(), bidi()])
}

export class Sessions {
  #heard: Heard[] = []
  #wake: (() => void) | undefined

  async handle(session: WebTransportServerSession): Promise<void> {
    const { pathname, searchParams } = new URL(session.url)
    const route = ROUTES[pathname]
    if (route === undefined) return session.reject(404)
    const note: Note = (what, value) => {
      this.#heard.push({ path: pathname, what, value })
      this.#wake?.()
    }
    try {
      await route(session, searchParams, note)
    } catch (error) {
      // The session's end ends whatever a route waits for.
      const isOver = await Promise.race([session.closed.then(always, always), Promise.resolve(false)])
      if (!isOver) throw error
    }
  }

  /** All that was heard on a path so far. */
  heard(path: string): readonly Heard[] {
    return this.#heard.filter((event) => event.path === path)
  }

  forget(): void {
    this.#heard = []
  }

  /** Value of an event on a path, waiting for it. @throws Error when it does not come */
  async hear(path: string, what: string): Promise<unknown> {
    await this.hearAll(path, what, 1)
    return this.heard(path).find((event) => event.what === what)?.value
  }

  /** Waits until an event has happened so many times. @throws Error when it does not */
  async hearAll(path: string, what: string, count: number): Promise<void> {
    const end = performance.now() + HEARD_TIMEOUT
    while (this.heard(path).filter((event) => event.what === what).length < count) {
      if (performance.now() > end) {
        throw new Error(`the server has not heard "${what}" on ${path}, only ${JSON.stringify(this.#heard)}`)
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        setTimeout(resolve, 200)
      })
    }
  }
}

const always = (): boolean => true
