// What of a connection is reported besides streams, what the policy `reset` does, and where a report arrives.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import type { SessionSettings } from '../../../src/client/open-session.ts'
import { H3ErrorCode } from '../../../src/http3/index.ts'
import type { StuckReport } from '../../../src/supervisor/stuck-report.ts'
import type { SupervisionSettings } from '../../../src/supervisor/supervision.ts'
import { TimerKind } from '../../../src/transport/connection/timers.ts'
import { SupervisedWorld } from './supervised-world.ts'

const never = (): Promise<void> => new Promise<void>(() => {})

/** The handler's own deadline out of the way: the stream's has to be seen. */
const PATIENT: Partial<SupervisionSettings> = { handlerDeadline: 1e9 }
const OPEN = { maxIdleTimeout: 600_000 }

function hear(world: SupervisedWorld): StuckReport[] {
  const heard: StuckReport[] = []
  world.server.stuck.subscribe((report) => heard.push(report))
  return heard
}

describe('stuck streams of a connection', () => {
  it('are reported and left alone by default', async () => {
    const world = new SupervisedWorld(never, PATIENT, OPEN)
    const heard = hear(world)
    const session = await world.connected()
    const request = session.request({ path: '/' })
    request.catch(() => {})
    await world.pass(65_000)
    expect(heard).toMatchObject([
      { kind: 'stream', stream: 0, state: 'send.ready|receive.dataRead', waitingFor: 'handler' },
    ])
    expect(world.status()).toMatchObject({ streams: { stuck: 1 }, handlers: { live: 1 } })
    expect(world.server.counters).toMatchObject({ stuckReports: 1, stuckResets: 0 })
  })

  it('are reset with H3_INTERNAL_ERROR where the policy says so, and their handler is told', async () => {
    const aborted: string[] = []
    const world = new SupervisedWorld(
      (exchange) =>
        new Promise<void>((resolve) => {
          exchange.signal.addEventListener('abort', () => {
            aborted.push(String(exchange.signal.reason.message))
            resolve()
          })
        }),
      { ...PATIENT, stuckPolicy: 'reset' },
      OPEN,
    )
    const heard = hear(world)
    const session = await world.connected()
    const failure = session.request({ path: '/' }).catch((error: unknown) => error)
    await world.pass(62_000)
    expect(heard).toHaveLength(1)
    expect(await failure).toMatchObject({ kind: 'reset', code: H3ErrorCode.H3_INTERNAL_ERROR })
    expect(aborted).toHaveLength(1)
    expect(world.status()).toMatchObject({ streams: { stuck: 0 }, handlers: { live: 0 } })
    expect(world.server.counters).toMatchObject({ stuckReports: 1, stuckResets: 1 })
    session.close()
    await world.pass(5_000)
    world.expectNothingLeft()
  })

  it('reach whoever holds no server, on a diagnostics channel; whoever has left hears nothing', async () => {
    const world = new SupervisedWorld(never, PATIENT, OPEN)
    const published: unknown[] = []
    const heard: StuckReport[] = []
    const leave = world.server.stuck.subscribe((report) => heard.push(report))
    leave()
    const listen = (message: unknown): void => void published.push(message)
    subscribe('quactor:stuck', listen)
    const session = await world.connected()
    session.request({ path: '/' }).catch(() => {})
    await world.pass(65_000)
    unsubscribe('quactor:stuck', listen)
    expect(published).toMatchObject([{ kind: 'stream', stream: 0 }])
    expect(heard).toEqual([])
  })
})

describe('the sweep', () => {
  it('ends the connection in which it throws, and goes on for the others', async () => {
    const world = new SupervisedWorld(never, PATIENT, OPEN)
    const heard = hear(world)
    const broken = await world.connected()
    const [{ supervisor }] = world.server.entries
    const other = await world.connected()
    other.request({ path: '/' }).catch(() => {})
    supervisor.application.sweep = () => {
      throw new Error('a defect')
    }
    await world.pass(65_000)
    expect(world.server.counters.internalErrors).toBe(1)
    expect(world.faults).toMatchObject([{ kind: 'internal', error: new Error('a defect') }])
    expect(supervisor.isEnded).toBe(true)
    expect(world.status().connections.live).toBe(1)
    expect(heard).toHaveLength(1)
    broken.close()
  })
})

describe('a handler that does not stop', () => {
  it('is reported once, counts as a stuck stream until it ends, and is listed once', async () => {
    let release = (): void => {}
    const world = new SupervisedWorld(() => new Promise<void>((resolve) => (release = resolve)), {}, OPEN)
    const heard = hear(world)
    const session = await world.connected()
    session.request({ path: '/hang' }).catch(() => {})
    await world.pass(25_000)
    expect(heard).toMatchObject([
      {
        kind: 'handler',
        stream: 0,
        machine: 'handler',
        state: 'cut',
        waitingFor: 'handler',
        reason: 'the handler of GET /hang goes on after its AbortSignal',
      },
    ])
    expect(heard[0].timeInState).toBeGreaterThanOrEqual(1_000)
    expect(heard[0].timeInState).toBeLessThanOrEqual(2_000)
    expect(world.status().streams.stuck).toBe(1)
    expect(world.server.listStuck()).toHaveLength(1)
    release()
    await world.pass(10)
    expect(world.status()).toMatchObject({ streams: { stuck: 0 }, handlers: { live: 0 } })
    expect(world.server.listStuck()).toEqual([])
  })
})

describe('connection and handshake', () => {
  /** The client never decides about the certificate, and its handshake timer is lost: a bug that must be seen. */
  async function lostTimer(settings: Partial<SessionSettings> = {}) {
    const world = new SupervisedWorld(never, {}, OPEN)
    const heard: StuckReport[] = []
    world.client.stuck.subscribe((report) => heard.push(report))
    const session = world.open({ verifyCertificate: () => {}, ...settings })
    session.opened.catch(() => {})
    await world.pass(1_000)
    return { world, heard, session }
  }

  it('are not reported where the handshake timeout does its work', async () => {
    const { world, heard } = await lostTimer()
    await world.pass(30_000)
    expect(heard).toEqual([])
    expect(world.client.entries.size).toBe(0)
  })

  it('are reported by their machines when it does not', async () => {
    const { world, heard, session } = await lostTimer()
    session.connection.timers.clear(TimerKind.handshake)
    await world.pass(13_000)
    expect(heard.map(({ kind, machine, state, waitingFor }) => [kind, machine, state, waitingFor])).toEqual([
      ['connection', 'connection', 'handshaking', 'peerHandshake'],
      ['handshake', 'clientHandshake', 'waitVerified', 'certificateVerification'],
    ])
    expect(heard.map(({ stream }) => stream)).toEqual([undefined, undefined])
    expect(world.client.listStuck()).toHaveLength(2)
    expect(world.client.stuckStreams).toBe(0)
  })
})
