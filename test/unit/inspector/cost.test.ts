// What the feed does not do: nothing at all while nobody looks, no inspection events ever, not more than a viewer takes.
import { describe, expect, it, vi } from 'vitest'
import type { Viewer } from '../../../src/inspector/feed.ts'
import { VIEWER_BACKLOG } from '../../../src/inspector/limits.ts'
import { LocalFeed } from '../../../src/inspector/local-feed.ts'
import type { ServerMessage, Tick } from '../../../src/inspector/protocol.ts'
import { statusOf } from '../../../src/supervisor/status.ts'
import { PERFECT_LINK } from '../../sim/link-profile.ts'
import { World } from '../../sim/world.ts'

class TestViewer implements Viewer {
  backlog = 0
  readonly messages: ServerMessage[] = []

  send(text: string): void {
    this.messages.push(JSON.parse(text) as ServerMessage)
  }

  get ticks(): Tick[] {
    return this.messages.filter((message) => message.type === 'tick')
  }
}

async function startWorld(): Promise<{ world: World; feed: LocalFeed; request(): Promise<unknown> }> {
  const world = new World({
    seed: 1,
    handler: () => (exchange) => exchange.respond(200, [], 'ok'),
    toServer: PERFECT_LINK,
    toClient: PERFECT_LINK,
  })
  const session = world.open()
  await world.run(session.opened, 5_000)
  const feed = new LocalFeed(world.server, {
    worker: 0,
    url: '',
    qlog: undefined,
    status: () => statusOf(world.server, { rss: () => 0, eventLoopLagP99Ms: () => 0 }),
    close: () => {},
  })
  const request = async (): Promise<unknown> => {
    const response = session.request({ path: '/' }).then((answer) => answer.text())
    return world.run(response, 5_000)
  }
  return { world, feed, request }
}

/** Ticks come in real time. */
function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1_000))
}

describe('the feed', () => {
  it('does not exist while nobody looks: no tap, no timer; and builds no inspection event even while somebody does', async () => {
    const { world, feed, request } = await startWorld()
    const { inspection } = world.server
    const next = vi.spyOn(inspection, 'next')
    const timers = vi.spyOn(globalThis, 'setInterval')
    const handled = vi.spyOn(feed.population, 'handleTransition')
    await request()
    expect([inspection.active, inspection.tap]).toEqual([undefined, undefined])
    expect(handled).not.toHaveBeenCalled()
    expect(timers).not.toHaveBeenCalled()
    const link = feed.open(new TestViewer())
    expect(inspection.tap).toBe(feed.population)
    await request()
    expect(handled).toHaveBeenCalled()
    link.close()
    const calls = handled.mock.calls.length
    await request()
    expect([inspection.active, inspection.tap]).toEqual([undefined, undefined])
    expect(handled.mock.calls.length).toBe(calls)
    expect(timers).toHaveBeenCalledTimes(1)
    expect(next).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })

  it('leaves ticks out for a viewer that does not take them, counts them, and loses no row', async () => {
    const { feed, request } = await startWorld()
    const slow = new TestViewer()
    const quick = new TestViewer()
    feed.open(slow)
    feed.open(quick)
    slow.backlog = VIEWER_BACKLOG + 1
    await request()
    await seconds(0.5)
    expect(slow.ticks).toHaveLength(0)
    expect(quick.ticks.length).toBeGreaterThan(2)
    slow.backlog = 0
    await seconds(0.4)
    expect(slow.ticks[0]).toMatchObject({ isFresh: true })
    expect(slow.ticks[0]!.dropped).toBeGreaterThan(2)
    const uids = ({ ticks }: TestViewer): unknown =>
      new Set(ticks.flatMap(({ rows = [] }) => rows.map(([uid]) => uid)))
    const gone = new Set(quick.ticks.flatMap(({ gone: list = [] }) => list))
    const live = [...(uids(quick) as Set<number>)].filter((uid) => !gone.has(uid))
    expect(uids(slow)).toEqual(new Set(live))
    feed.close()
  })

  it('counts transitions and how often each pair of state and event occurs', async () => {
    const { feed, request } = await startWorld()
    const viewer = new TestViewer()
    feed.open(viewer)
    for (let count = 0; count < 5; count++) await request()
    await seconds(0.3)
    const bidi = feed.catalogue.all.find(({ id }) => id === 'bidiStream')!
    const pair = bidi.events.indexOf('recv.fin')
    const heat = viewer.ticks.flatMap(({ heat: list = [] }) => list)
    const times = heat
      .filter(([machine, at]) => machine === bidi.index && at === pair)
      .map(([, , count]) => count)
    expect(times.reduce((sum, count) => sum + count, 0)).toBe(5)
    expect(viewer.ticks.reduce((sum, { transitions }) => sum + transitions, 0)).toBeGreaterThanOrEqual(30)
    feed.close()
  })
})
