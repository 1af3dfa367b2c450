import { describe, expect, it } from 'vitest'
import {
  sumCounters,
  sumMissed,
  sumStatus,
  totalsOf,
  type WorkerReport,
} from '../../../../src/handlers/workers/worker-report.ts'

function report(factor: number, live = 1): WorkerReport {
  return {
    status: {
      connections: { live, opened: 10 * factor, closed: 10 * factor - live },
      streams: { live, opened: 20 * factor, closed: 20 * factor - live, stuck: live },
      actors: {
        live,
        started: 20 * factor,
        stopped: 20 * factor - live,
        crashed: factor,
        missedTransitions: 0,
      },
      handlers: { live },
      datagramChannels: { live },
      timers: { armed: 2 * live },
      buffers: { receiveBytes: 100 * live, sendBytes: 1_000 * live },
      backends: { udp: 'node', aead: 'aes:node' },
      process: { rss: 50, eventLoopLagP99Ms: factor },
    },
    counters: {
      connectionsOpened: 10 * factor,
      connectionsClosed: 10 * factor - live,
      handlersStarted: 7 * factor,
      handlersEnded: 7 * factor - live,
      timersArmed: 2 * live,
      handedOver: factor,
    },
    connections: [],
    stuck: [],
    missed: {
      counts: [{ machine: 'sendStream', state: 'send', event: 'send.allAcked', count: factor }],
      latest: [{ connection: 'a', machine: 'sendStream', actor: '0', state: 'send', event: 'send.allAcked' }],
    },
    invariants: { mode: 'count', latest: [] },
  }
}

describe('one status for all workers', () => {
  it('adds up every number; memory with that of the supervising process, the lag of the latest loop', () => {
    const status = sumStatus([report(1), report(3, 2)], [], 5)
    expect(status).toEqual({
      connections: { live: 3, opened: 40, closed: 37 },
      streams: { live: 3, opened: 80, closed: 77, stuck: 3 },
      actors: { live: 3, started: 80, stopped: 77, crashed: 4, missedTransitions: 0 },
      handlers: { live: 3 },
      datagramChannels: { live: 3 },
      timers: { armed: 6 },
      buffers: { receiveBytes: 300, sendBytes: 3_000 },
      backends: { udp: 'node', aead: 'aes:node' },
      process: { rss: 105, eventLoopLagP99Ms: 3 },
      workers: [],
    })
  })

  it('does not change what it adds up', () => {
    const first = report(1)
    sumStatus([first, report(2)], [], 0)
    totalsOf(first, totalsOf(report(2)))
    expect(first).toEqual(report(1))
  })

  it('keeps the totals of a process that has ended, and closes what it had open', () => {
    const { status, counters } = totalsOf(report(3, 2))
    expect(status).toMatchObject({
      connections: { live: 0, opened: 30, closed: 30 },
      streams: { live: 0, opened: 60, closed: 60, stuck: 0 },
      actors: { live: 0, started: 60, stopped: 60, crashed: 3 },
      handlers: { live: 0 },
      timers: { armed: 0 },
      buffers: { receiveBytes: 0, sendBytes: 0 },
      process: { rss: 0, eventLoopLagP99Ms: 0 },
    })
    expect(counters).toMatchObject({
      connectionsOpened: 30,
      connectionsClosed: 30,
      handlersStarted: 21,
      handlersEnded: 21,
      timersArmed: 0,
      handedOver: 3,
    })
  })

  it('keeps one report for any number of processes that have ended', () => {
    const left = totalsOf(report(2), totalsOf(report(1)))
    expect(left.status.connections).toEqual({ live: 0, opened: 30, closed: 30 })
    expect(left.counters.handedOver).toBe(3)
    expect(left.missed.counts).toEqual([expect.objectContaining({ count: 3 })])
    expect(left.missed.latest).toHaveLength(1)
  })

  it('adds up the counters for /metrics and the missed transitions', () => {
    const counters = sumCounters([report(1), report(2)])
    expect(counters.connectionsLive).toBe(2)
    expect(counters.handedOver).toBe(3)
    expect(sumMissed([report(1), report(2)]).counts).toEqual([
      { machine: 'sendStream', state: 'send', event: 'send.allAcked', count: 3 },
    ])
  })
})
