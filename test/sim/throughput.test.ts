// How much of a path one download uses: congestion control, pacing, flow control and the send buffer together.
// The bounds are theory (a loss-based controller at 1 % loss) or a fifth of the capacity for slow start and recovery.
import { describe, expect, it } from 'vitest'
import type { CongestionAlgorithm } from '../../src/transport/recovery/index.ts'
import { RUNNER_LINK } from './interop-runner/runner-run.ts'
import { leftovers } from './leftovers.ts'
import { type LinkProfile, PERFECT_LINK } from './link-profile.ts'
import { ServerSide } from './server-side.ts'
import { World } from './world.ts'

const BODY_BYTES = 5_000_000
const WIDE_WINDOW = 16_000_000

/** Share of the bottleneck's capacity that a download used, 0 to 1. */
async function utilisation(
  congestion: CongestionAlgorithm,
  link: Partial<LinkProfile>,
  bytes = BODY_BYTES,
): Promise<number> {
  const toClient = { ...PERFECT_LINK, ...link }
  const world = new World({
    seed: 1,
    handler: (clock) => new ServerSide(clock).handle,
    toServer: { ...PERFECT_LINK, delay: toClient.delay },
    toClient,
    transport: { congestion, initialMaxData: WIDE_WINDOW, initialMaxStreamDataBidiLocal: WIDE_WINDOW },
  })
  const session = world.open()
  await world.run(session.opened, 10_000)
  const start = world.clock.now()
  const path = `/exchange/get?key=1&bytes=${bytes}&piece=65536&pause=0&index=0`
  const download = session.request({ path }).then((response) => response.bytes())
  expect(await world.run(download, 120_000)).toHaveLength(bytes)
  const elapsed = world.clock.now() - start
  session.close()
  await world.pass(60_000)
  expect(leftovers(world)).toEqual([])
  return bytes / elapsed / toClient.rate
}

describe.each(['cubic', 'newReno', 'bbr'] as const)('a download under %s', (congestion) => {
  it('fills 10 Mbit/s at 50 ms although the queue overflows (RFC 9002 section 7)', async () => {
    expect(await utilisation(congestion, { rate: 1_250, delay: 25, queue: 62_500 })).toBeGreaterThan(0.8)
  })

  it('fills 50 Mbit/s at 40 ms: no buffer of ours caps what is in flight', async () => {
    expect(await utilisation(congestion, { rate: 6_250, delay: 20, queue: 250_000 })).toBeGreaterThan(0.7)
  })
})

describe.each(['cubic', 'newReno'] as const)('a download under %s', (congestion) => {
  it('gets what theory allows at 1 % random loss: 1.22 packets per round trip and root of the loss', async () => {
    const packet = 1_200
    const allowed = (packet * 1.22) / Math.sqrt(0.01) / 50
    const used = await utilisation(congestion, { rate: 1_250, delay: 25, loss: 0.01, queue: 62_500 })
    expect((used * 1_250) / allowed).toBeGreaterThan(0.7)
    expect((used * 1_250) / allowed).toBeLessThan(2)
  })
})

describe('10 MB at 10 Mbit/s with 15 ms delay and 25 datagrams of queue', () => {
  const link = RUNNER_LINK

  it.each(['cubic', 'bbr'] as const)('%s uses at least 92 % of the link', async (congestion) => {
    expect(await utilisation(congestion, link, 10_000_000)).toBeGreaterThan(0.92)
  })

  it('BBR keeps at least 80 % at 2 % random loss', async () => {
    expect(await utilisation('bbr', { ...link, loss: 0.02 }, 10_000_000)).toBeGreaterThan(0.8)
  })
})
