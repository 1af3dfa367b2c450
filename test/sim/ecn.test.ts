// ECN from socket to socket: what the network marks reaches the congestion controller of the other end, through two
// endpoints (RFC 9000 section 13.4, RFC 9002 section 7.1).
import { describe, expect, it } from 'vitest'
import { EcnMark } from '../../src/transport/recovery/index.ts'
import { leftovers } from './leftovers.ts'
import { PERFECT_LINK } from './link-profile.ts'
import { ServerSide } from './server-side.ts'
import { World } from './world.ts'

const BYTES = 600_000
const LINK = { ...PERFECT_LINK, delay: 10 }

class EcnWorld extends World {
  /** ECN fields of the datagrams that the server sent. */
  readonly sent: number[] = []

  constructor(remark: (ecn: number, index: number) => number, retry?: 'always') {
    super({
      seed: 3,
      handler: (clock) => new ServerSide(clock).handle,
      toServer: LINK,
      toClient: LINK,
      ...(retry && { retry }),
    })
    this.serverSocket.supportsEcn = true
    this.clientSocket.supportsEcn = true
    const server = this.serverSocket.key
    this.network.remark = (ecn, from) => {
      if (from !== server) return ecn
      this.sent.push(ecn)
      return remark(ecn, this.sent.length - 1)
    }
  }

  /** Downloads, and tells what the server's connection made of the marks. */
  async download() {
    const session = this.open()
    await this.run(session.opened, 10_000)
    const path = `/exchange/get?key=1&bytes=${BYTES}&piece=65536&pause=0&index=0`
    const body = session.request({ path }).then((response) => response.bytes())
    expect(await this.run(body, 120_000)).toHaveLength(BYTES)
    const [entry] = this.server.entries
    const metrics = entry!.supervisor.connection.metrics()
    session.close()
    await this.pass(60_000)
    expect(leftovers(this)).toEqual([])
    return metrics
  }
}

describe('ECN through two endpoints (RFC 9000 section 13.4.2)', () => {
  it('a path that carries the marks is validated, and goes on being marked', async () => {
    const world = new EcnWorld((ecn) => ecn)
    const metrics = await world.download()
    expect([metrics.ecnState, metrics.congestionMarks, metrics.packetsLost]).toEqual(['capable', 0, 0])
    expect(world.sent.slice(-50).every((ecn) => ecn === EcnMark.ect0)).toBe(true)
  })

  it('a router that marks CE slows the sender down without any loss', async () => {
    const world = new EcnWorld((ecn, index) => (ecn === EcnMark.ect0 && index === 60 ? EcnMark.ce : ecn))
    const metrics = await world.download()
    expect([metrics.ecnState, metrics.congestionMarks, metrics.packetsLost]).toEqual(['capable', 1, 0])
    expect(metrics.slowStartThreshold).toBeLessThan(Number.POSITIVE_INFINITY)
  })

  it('a router that clears the field is found out, and nothing is marked any more', async () => {
    const world = new EcnWorld(() => EcnMark.notEct)
    const metrics = await world.download()
    expect(metrics.ecnState).toBe('failed')
    expect(world.sent.slice(-50).every((ecn) => ecn === EcnMark.notEct)).toBe(true)
  })

  it('what the client sends is marked and counted as well, also after a Retry', async () => {
    const world = new EcnWorld((ecn) => ecn, 'always')
    const session = world.open()
    await world.run(session.opened, 10_000)
    const path = '/exchange/echo?key=1'
    const upload = session.request({ method: 'POST', path, body: Buffer.alloc(BYTES) })
    await world.run(
      upload.then((response) => response.bytes()),
      120_000,
    )
    const connection = session.connection
    expect(connection.metrics().ecnState).toBe('capable')
    session.close()
    await world.pass(60_000)
  })
})
