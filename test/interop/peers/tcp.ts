/** Node's own HTTP/1.1 and HTTP/2 clients on the TCP port: how a browser first meets the server. */
import { once } from 'node:events'
import { connect } from 'node:http2'
import type { Peer, PeerContext } from '../peer.ts'
import { fetchOverTcp } from '../server.ts'

const TIMEOUT = 10_000

function expectAltSvc(value: string | undefined, port: number): void {
  if (value !== `h3=":${port}"; ma=86400`) throw new Error(`alt-svc is ${value}`)
}

async function overHttp1(context: PeerContext): Promise<void> {
  const { status, altSvc, body } = await fetchOverTcp(context.server, '/health')
  if (status !== 200 || !body.toString('utf8').startsWith('ok'))
    throw new Error(`status ${status}, body ${body}`)
  expectAltSvc(altSvc, context.server.port)
}

async function overHttp2(context: PeerContext): Promise<void> {
  const session = connect(context.server.origin, { rejectUnauthorized: false })
  session.setTimeout(TIMEOUT, () => session.destroy(new Error('no answer')))
  try {
    const stream = session.request({ ':path': '/health' })
    const [headers] = await once(stream, 'response')
    stream.resume()
    await once(stream, 'end')
    if (headers[':status'] !== 200) throw new Error(`status ${headers[':status']}`)
    expectAltSvc(headers['alt-svc'], context.server.port)
  } finally {
    session.destroy()
  }
}

export const tcp: Peer = {
  name: 'node over TCP',
  isRequired: true,
  absence: () => undefined,
  async run(context) {
    await context.check('HTTP/1.1 answers and names HTTP/3 in Alt-Svc', () => overHttp1(context))
    await context.check('HTTP/2 answers and names HTTP/3 in Alt-Svc', () => overHttp2(context))
  },
}
