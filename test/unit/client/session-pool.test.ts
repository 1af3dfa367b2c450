// The pool of connections with sessions that are none: who opens, who waits, what is closed when.
import { describe, expect, it } from 'vitest'
import { ClientError } from '../../../src/client/client-error.ts'
import { MAX_SESSIONS } from '../../../src/client/limits.ts'
import type { Liveness } from '../../../src/client/liveness.ts'
import type { ClientSession } from '../../../src/client/session.ts'
import { type DialOptions, type Place, SessionPool } from '../../../src/client/session-pool.ts'
import { settle, VirtualClock } from '../../sim/virtual-clock.ts'

const IDLE = 1_000

/** What the pool sees of a session. */
class SessionDouble {
  holds = 0
  isUsable = true
  isEnded = false
  onActivity: (() => void) | undefined
  readonly opened = Promise.resolve()
  readonly #closed = Promise.withResolvers<ClientError>()
  readonly closed = this.#closed.promise

  hold(count: number): void {
    this.holds = count
    this.onActivity?.()
  }

  async end(): Promise<void> {
    this.isEnded = true
    this.isUsable = false
    this.#closed.resolve(new ClientError('aborted', 'ended'))
  }
}

class Scene {
  readonly clock = new VirtualClock()
  readonly dialled: { place: Place; options: DialOptions }[] = []
  readonly sessions: SessionDouble[] = []
  /** Held handshakes. */
  gate: Promise<void> | undefined
  readonly pool = new SessionPool({
    clock: this.clock,
    idleTimeout: IDLE,
    dial: async (place, options) => {
      this.dialled.push({ place, options })
      const aborted = new Promise<never>((_, reject) => {
        options.signal.addEventListener('abort', () => reject(options.signal.reason))
      })
      aborted.catch(() => {})
      await Promise.race([this.gate, aborted])
      const session = new SessionDouble()
      this.sessions.push(session)
      return session as unknown as ClientSession
    },
  })

  get liveness(): Liveness {
    return this.dialled[0]!.options.liveness
  }

  /** Lets `ms` pass. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.now() + ms
    let isOver = false
    this.clock.setTimer(end, () => {
      isOver = true
    })
    while (!isOver) {
      this.clock.step()
      await settle()
    }
  }
}

const place = { origin: 'https://a.test' }

describe('SessionPool', () => {
  it('opens one connection per origin and place, however many ask at once', async () => {
    const { pool, dialled } = new Scene()
    const alternative = { host: 'b.test', port: 1 }
    const [one, two, other] = await Promise.all([
      pool.acquire(place),
      pool.acquire({ ...place }),
      pool.acquire({ ...place, alternative }),
    ])
    expect([one === two, one === other, dialled.length, pool.size]).toEqual([true, false, 2, 2])
  })

  it('keeps the process alive while somebody waits or holds, and closes what was idle for long enough', async () => {
    const scene = new Scene()
    const opening = scene.pool.acquire(place)
    expect(scene.liveness.isRef).toBe(true)
    await opening
    expect(scene.liveness.isRef).toBe(false)
    const [session] = scene.sessions
    session!.hold(1)
    expect(scene.liveness.isRef).toBe(true)
    await scene.pass(5 * IDLE)
    session!.hold(0)
    expect(scene.liveness.isRef).toBe(false)
    await scene.pass(IDLE - 1)
    expect(session!.isEnded).toBe(false)
    await scene.pass(1)
    expect([session!.isEnded, scene.pool.size, scene.clock.armed]).toEqual([true, 0, 0])
  })

  it('gives a handshake up with the last who waits for it, and not before', async () => {
    const scene = new Scene()
    scene.gate = new Promise(() => {})
    const [first, second] = [new AbortController(), new AbortController()]
    const waits = [first, second].map(({ signal }) => scene.pool.acquire(place, signal))
    first.abort(new Error('first'))
    await expect(waits[0]).rejects.toThrow('first')
    const { signal } = scene.dialled[0]!.options
    expect(signal.aborted).toBe(false)
    second.abort(new Error('second'))
    await expect(waits[1]).rejects.toThrow('second')
    expect([signal.aborted, scene.pool.size, scene.liveness.isRef]).toEqual([true, 0, false])
  })

  it('goes on with one that is prepared, without keeping the process for it', async () => {
    const scene = new Scene()
    const gate = Promise.withResolvers<void>()
    scene.gate = gate.promise
    const controller = new AbortController()
    const waiting = scene.pool.acquire(place, controller.signal)
    const prepared = scene.pool.prepare(place)
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect([scene.dialled[0]!.options.signal.aborted, scene.liveness.isRef]).toEqual([false, false])
    gate.resolve()
    await prepared
    expect([await scene.pool.acquire(place), scene.dialled.length]).toEqual([scene.sessions[0], 1])
  })

  it('replaces one that is going away, and closes it when nothing is left on it', async () => {
    const scene = new Scene()
    await scene.pool.acquire(place)
    const [old] = scene.sessions
    old!.hold(2)
    old!.isUsable = false
    old!.onActivity?.()
    expect(await scene.pool.acquire(place)).toBe(scene.sessions[1])
    expect([old!.isEnded, scene.pool.size]).toEqual([false, 2])
    old!.hold(0)
    await settle()
    expect([old!.isEnded, scene.pool.size]).toEqual([true, 1])
  })

  it('keeps a bounded number of them: idle ones go first, in the order of their last use', async () => {
    const scene = new Scene()
    const at = (index: number) => scene.pool.acquire({ origin: `https://${index}.test` })
    await at(0)
    scene.sessions[0]!.hold(1)
    for (let i = 1; i < MAX_SESSIONS; i++) await at(i)
    await at(1)
    await at(MAX_SESSIONS)
    const ended = scene.sessions.flatMap(({ isEnded }, index) => (isEnded ? [index] : []))
    expect([ended, scene.pool.size]).toEqual([[2], MAX_SESSIONS])
  })

  it('closes everything at once, what is being opened, too, and opens nothing any more', async () => {
    const scene = new Scene()
    await scene.pool.acquire(place)
    scene.gate = new Promise(() => {})
    const waiting = scene.pool.acquire({ origin: 'https://b.test' })
    const closing = scene.pool.close()
    await expect(waiting).rejects.toMatchObject({ kind: 'aborted' })
    await closing
    expect([scene.sessions[0]!.isEnded, scene.pool.size, scene.clock.armed]).toEqual([true, 0, 0])
    await expect(scene.pool.acquire(place)).rejects.toMatchObject({ kind: 'aborted' })
  })
})
