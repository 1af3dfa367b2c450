// Load generator for HTTP/2: node:http2's own client with windows as wide as the HTTP/3 one's.
import { type ClientHttp2Session, connect } from 'node:http2'
import { answerCalls } from './control.ts'
import { type Exchange, keepLoaded, type LoadOrder, type LoadResult } from './load.ts'

/** Per-stream and connection receive window, bytes. */
const WINDOW = 16_777_216

function open(port: number): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(`https://127.0.0.1:${port}`, {
      rejectUnauthorized: false,
      settings: { initialWindowSize: WINDOW, enablePush: false },
    })
    session.once('error', reject)
    session.once('connect', () => {
      session.setLocalWindowSize(WINDOW)
      resolve(session)
    })
  })
}

function exchangeOn(session: ClientHttp2Session): Exchange {
  return (path) =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ':path': path, ':method': 'GET' })
      let bytes = 0
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      stream.on('error', reject)
      stream.on('end', () => resolve(bytes))
    })
}

answerCalls({
  run: async (order: LoadOrder): Promise<LoadResult> => {
    const sessions = await Promise.all(Array.from({ length: order.connections }, () => open(order.port)))
    try {
      return await keepLoaded(order, sessions.map(exchangeOn))
    } finally {
      for (const session of sessions) session.close()
    }
  },
})
