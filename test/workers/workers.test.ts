// Several processes behind one port, over real sockets: where connections land, what happens when a client's address
// changes or a process dies, and what is left at the end.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { WORKER_CRASH_LIMIT } from '../../src/handlers/workers/limits.ts'
import { type ClientSession, connect, MemorySessionStore, TokenStore } from '../../src/index.ts'
import { MovingProxy } from './moving-proxy.ts'
import { isAlive, startWorkers, type WorkerServer, whenGone } from './worker-server.ts'

const insecure = { insecure: true } as const

async function health(session: ClientSession): Promise<string> {
  return (await session.request({ path: '/health' })).text()
}

async function readAll(session: ClientSession, path: string): Promise<number> {
  let received = 0
  for await (const chunk of await session.request({ path })) received += chunk.length
  return received
}

describe('two workers', { timeout: 90_000 }, () => {
  let server: WorkerServer
  const sessions: ClientSession[] = []

  beforeAll(async () => {
    server = await startWorkers(2)
  }, 60_000)

  afterAll(async () => {
    await Promise.all(sessions.map((session) => session.close()))
    await server?.stop()
  }, 30_000)

  it('40 connections land on both, and /status has them all, and none when they are gone', async () => {
    for (let count = 0; count < 40; count++) sessions.push(await connect(server.url, insecure))
    for (const session of sessions) expect(await health(session)).toBe('ok')
    const status = await server.status()
    expect(status.connections).toMatchObject({ live: 40, opened: 40, closed: 0 })
    expect(status.streams.opened).toBeGreaterThanOrEqual(40)
    const live = status.workers!.map(({ connections }) => connections.live)
    expect(live).toHaveLength(2)
    expect(live[0] + live[1]).toBe(40)
    // Each misses all 40 by chance once in a trillion times.
    for (const count of live) expect(count).toBeGreaterThan(0)
    expect(await server.metrics()).toMatch(/^quactor_connections_live 40$/m)
    await Promise.all(sessions.splice(0).map((session) => session.close()))
    const quiet = await server.statusWhen(({ connections }) => connections.live === 0)
    expect(quiet.connections).toMatchObject({ live: 0, opened: 40, closed: 40 })
    expect(quiet.streams).toMatchObject({ live: 0, stuck: 0 })
    expect(quiet.streams.opened).toBe(quiet.streams.closed)
    expect(quiet.actors).toMatchObject({ live: 0, crashed: 0, missedTransitions: 0 })
    expect([quiet.handlers.live, quiet.datagramChannels.live, quiet.timers.armed]).toEqual([0, 0, 0])
  })

  it('a download goes on while the address of its client changes again and again', async () => {
    const proxy = await MovingProxy.to(server.ready.port)
    const session = await connect(`https://127.0.0.1:${proxy.port}`, insecure)
    sessions.push(session)
    const before = (await server.status()).workers!.map(({ handedOver }) => handedOver)
    try {
      const download = readAll(session, '/bytes/12000000')
      for (let move = 0; move < 5; move++) {
        await delay(100)
        proxy.move()
        // A client that says nothing after its address has changed cannot be found by any server.
        expect(await health(session)).toBe('ok')
      }
      expect(await download).toBe(12_000_000)
      // As many more as it takes until the kernel has chosen the other one: each is even odds.
      for (let more = 0; more < 20; more++) {
        proxy.move()
        expect(await health(session)).toBe('ok')
      }
    } finally {
      await session.close()
      // The proxy still has to carry the end to the server.
      await server.statusWhen(({ connections }) => connections.live === 0).finally(() => proxy.close())
    }
    const after = await server.status()
    const handed = after.workers!.map(({ handedOver }, index) => handedOver - before[index])
    expect(Math.max(...handed)).toBeGreaterThan(0)
    expect(after.actors.missedTransitions).toBe(0)
  })

  it('a worker that is killed comes back, its clients learn at once that their connection is gone', async () => {
    const lost = await connect(server.url, insecure)
    sessions.push(lost)
    const before = await server.status()
    const home = before.workers!.find(({ connections }) => connections.live === 1)!
    const other = before.workers!.find(({ id }) => id !== home.id)!
    process.kill(home.pid!, 'SIGKILL')
    const after = await server.statusWhen(({ workers }) => {
      const now = workers!.find(({ id }) => id === home.id)!
      return now.state === 'running' && now.pid !== home.pid
    })
    expect(after.workers!.find(({ id }) => id === home.id)).toMatchObject({ restarts: 1 })
    expect(after.workers!.find(({ id }) => id === other.id)).toMatchObject({ pid: other.pid, restarts: 0 })
    // The totals of the process that died stay, and what it had open is closed.
    expect(after.connections.opened).toBe(before.connections.opened)
    expect(after.connections.live).toBe(0)
    expect(server.lines.filter((line) => line.includes('ended by SIGKILL'))).toHaveLength(1)

    const begin = performance.now()
    await expect(health(lost)).rejects.toThrow()
    // By a stateless reset; the idle timeout is 30 s.
    expect(performance.now() - begin).toBeLessThan(5_000)
    expect(await server.metrics()).toMatch(/^quactor_stateless_resets_total [1-9]/m)
    const again = await connect(server.url, insecure)
    sessions.push(again)
    expect(await health(again)).toBe('ok')
  })

  it('their port is not to be had by other workers: an error in one line', async () => {
    const second = startWorkers(2, ['--port', String(server.ready.port)])
    await expect(second).rejects.toThrow(
      /^ended with 2: quactor serve: 127\.0\.0\.1 port \d+ is in use[^\n]*$/,
    )
  })

  it('HTTP over TCP is served too', async () => {
    const { get } = await import('node:https')
    const status = await new Promise((resolve, reject) => {
      get(`${server.url}/health`, { rejectUnauthorized: false, agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).on('error', reject)
    })
    expect(status).toBe(200)
  })
})

describe('a worker that dies again and again', { timeout: 90_000 }, () => {
  it('pauses, while the other one serves, and does not keep the server from its end', async () => {
    const server = await startWorkers(2)
    try {
      const [{ pid: dying }, steady] = server.ready.workers
      let last = dying
      process.kill(last, 'SIGKILL')
      for (let death = 2; death <= WORKER_CRASH_LIMIT + 1; death++) {
        const { workers } = await server.statusWhen(
          (status) => ![null, last].includes(status.workers![0].pid),
        )
        last = workers![0].pid!
        process.kill(last, 'SIGKILL')
      }
      const { workers } = await server.statusWhen(
        (status) => status.workers![0].restarts > WORKER_CRASH_LIMIT,
      )
      expect(workers![0]).toMatchObject({ state: 'waiting', pid: null, restarts: WORKER_CRASH_LIMIT + 1 })
      expect(workers![1]).toMatchObject({ pid: steady.pid, state: 'running', restarts: 0 })
      expect(server.lines.filter((line) => line.includes('too often'))).toHaveLength(1)
      const session = await connect(server.url, insecure)
      expect(await health(session)).toBe('ok')
      await session.close()
    } finally {
      expect(await server.stop('SIGTERM')).toBe(0)
    }
  })
})

describe('single use of what was issued', { timeout: 90_000 }, () => {
  it('a client with a Retry token is let in, wherever the kernel sends it', async () => {
    const server = await startWorkers(2, ['--retry', 'always'])
    try {
      for (let count = 0; count < 10; count++) {
        const session = await connect(server.url, insecure)
        expect(await health(session)).toBe('ok')
        await session.close()
      }
      const metrics = await server.metrics()
      // One for each datagram of a first flight.
      expect(metrics).toMatch(/^quactor_retries_total [12]0$/m)
      expect(metrics).toMatch(/^quactor_tokens_accepted_total 10$/m)
    } finally {
      await server.stop()
    }
  })

  it('early data is accepted wherever the kernel sends it', async () => {
    const server = await startWorkers(2, ['--early-data'])
    try {
      const store = { sessions: new MemorySessionStore(), tokens: new TokenStore() }
      const results: (string | undefined)[] = []
      for (let count = 0; count < 9; count++) {
        const session = await connect(server.url, { ...insecure, ...store, earlyData: true })
        expect(await health(session)).toBe('ok')
        // Tickets and tokens come after the handshake.
        for (let wait = 0; wait < 40 && (store.sessions.size === 0 || store.tokens.size === 0); wait++) {
          await delay(25)
        }
        results.push(session.earlyData)
        await session.close()
      }
      expect(results[0]).toBeUndefined()
      expect(results.slice(1)).toEqual(new Array(8).fill('accepted'))
    } finally {
      await server.stop()
    }
  })
})

describe('the end', { timeout: 90_000 }, () => {
  it('SIGINT lets requests finish, and leaves nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'quactor-test-'))
    try {
      const server = await startWorkers(2, [], folder)
      const pids = server.ready.workers.map(({ pid }) => pid)
      onTestFinished(() => server.stop().then(() => {}))
      expect(readdirSync(folder)).toHaveLength(1)
      const session = await connect(server.url, insecure)
      const slow = session.request({ path: '/slow/700' }).then((response) => response.text())
      await delay(200)
      // A terminal sends it to all of them.
      for (const pid of pids) process.kill(pid, 'SIGINT')
      const exit = server.stop('SIGINT')
      expect((await slow).length).toBeGreaterThan(0)
      await session.end()
      expect(await exit).toBe(0)
      expect(pids.filter(isAlive)).toEqual([])
      expect(readdirSync(folder)).toEqual([])
      expect(server.lines.filter((line) => line.includes('"ready"'))).toHaveLength(1)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('workers do not outlive the process that was started', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'quactor-test-'))
    const server = await startWorkers(2, [], folder)
    const pids = server.ready.workers.map(({ pid }) => pid)
    await server.stop('SIGKILL')
    await whenGone(pids)
    expect(readdirSync(folder)).toEqual([])
    rmSync(folder, { recursive: true, force: true })
  })
})
