// server.stuck$ and the paths of the admin port behind the numbers that should be zero, over real sockets.
import { firstValueFrom } from 'rxjs'
import { expect, it } from 'vitest'
import { connect } from '../../../src/client/connect.ts'
import { describeStuck, type StuckReport, serve } from '../../../src/index.ts'

const SUPERVISION = { handlerDeadline: 200, handlerGrace: 200 }

it('a handler that hangs comes out of stuck$, /stuck, stuck() and /status, and leaves them when it ends', async () => {
  let release = (): void => {}
  const server = await serve({
    port: 0,
    host: '127.0.0.1',
    tcp: false,
    inspector: { port: 0 },
    supervision: SUPERVISION,
    onFault: () => {},
    handler: () =>
      new Promise<void>((resolve) => {
        release = resolve
      }),
  })
  const detail = async (path: string): Promise<unknown> => (await fetch(`${server.inspector}${path}`)).json()
  try {
    const reported: Promise<StuckReport> = firstValueFrom(server.stuck$)
    const session = await connect(server.url, { insecure: true })
    session.request({ path: '/never' }).catch(() => {})
    const report = await reported
    expect(report).toMatchObject({ kind: 'handler', stream: 0, deadline: 200, waitingFor: 'handler' })
    expect(describeStuck(report)).toContain('the handler of GET /never goes on after its AbortSignal')
    expect(server.stuck()).toMatchObject([{ kind: 'handler', stream: 0 }])
    expect(await detail('/stuck')).toMatchObject([{ kind: 'handler', connection: report.connection }])
    expect(await detail('/status')).toMatchObject({ streams: { stuck: 1 } })
    release()
    await session.close()
    expect(await detail('/stuck')).toEqual([])
    expect(await detail('/status')).toMatchObject({ streams: { stuck: 0 }, handlers: { live: 0 } })
    expect(await detail('/missed')).toEqual({ counts: [], latest: [] })
    expect(server.missedTransitions()).toEqual([])
    expect(await detail('/invariants')).toEqual({ mode: 'count', latest: [] })
  } finally {
    await server.close({ timeout: 50 })
  }
})
