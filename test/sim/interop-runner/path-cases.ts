// The cases of the interop runner in which addresses change: a NAT that forgets the client every five seconds, and a
// server that prefers another address.
import assert from 'node:assert/strict'
import type { QlogData } from '../../../src/transport/connection/index.ts'
import { PacketType } from '../../../src/transport/wire/index.ts'
import type { Recorder, WirePacket } from './recorder.ts'
import { MB, RunnerRun } from './runner-run.ts'

const FIRST_REBIND = 1_000
const REBIND_INTERVAL = 5_000
const REBINDS = 4

function frameData(recorder: Recorder, packet: WirePacket, type: string): unknown[] {
  const isWanted = (frame: QlogData): boolean => frame.frame_type === type
  return recorder
    .framesOf(packet)
    .filter(isWanted)
    .map(({ data }) => data)
}

/** The first packet that the server sends on each new path has a PATH_CHALLENGE, and the client answers it. */
function checkPaths(recorder: Recorder): string[] {
  const responses = recorder.sent('client').flatMap((packet) => frameData(recorder, packet, 'path_response'))
  const seen = new Set<string>()
  for (const packet of recorder.sent('server')) {
    const path = `${packet.from} ${packet.to}`
    if (seen.has(path)) continue
    seen.add(path)
    if (seen.size === 1) continue
    const [challenge] = frameData(recorder, packet, 'path_challenge')
    assert.ok(challenge !== undefined, `the first packet on path ${path} has no PATH_CHALLENGE`)
    assert.ok(responses.includes(challenge), `nobody answers the first PATH_CHALLENGE on path ${path}`)
  }
  assert.ok(seen.size > 1, 'there was one path only')
  return [...seen]
}

async function rebinding(seed: number, addressAfter: (rebinding: number) => string): Promise<void> {
  const run = new RunnerRun(seed)
  const { world } = run
  for (let i = 0; i < REBINDS; i++) {
    const at = world.clock.now() + FIRST_REBIND + i * REBIND_INTERVAL
    world.clock.setTimer(at, () => {
      world.network.rebind(world.clientSocket, addressAfter(i), 51_000 + i)
    })
  }
  await run.visit([10 * MB])
  assert.ok(checkPaths(run.recorder).length >= 3)
  await run.finish(1)
}

export function rebindPort(seed: number): Promise<void> {
  return rebinding(seed, () => '10.0.0.2')
}

export function rebindAddress(seed: number): Promise<void> {
  return rebinding(seed, (i) => `10.0.0.${100 + i}`)
}

/** The client moves to the address that the server prefers, with another connection ID. */
export async function connectionMigration(seed: number): Promise<void> {
  const preferredAddress = { address: '10.0.0.7', port: 4_434, family: 4 } as const
  const run = new RunnerRun(seed, { world: { preferredAddress } })
  await run.visit([2 * MB])
  const { recorder } = run
  assert.deepEqual(checkPaths(recorder), ['10.0.0.1:4433 10.0.0.2:50000', '10.0.0.7:4434 10.0.0.2:50000'])
  const idsTo = (port: number): Set<string> =>
    new Set(
      recorder
        .sent('client', PacketType.oneRtt)
        .filter(({ to }) => to.endsWith(`:${port}`))
        .map(({ dcid }) => dcid),
    )
  assert.ok(idsTo(4_434).size > 0)
  const before = idsTo(4_433)
  for (const id of idsTo(4_434)) assert.ok(!before.has(id), `connection ID ${id} was used on both paths`)
  await run.finish(1)
}
