// Things that go wrong in the middle of a run, on purpose. Each says how requests may fail because of it; that
// everything is at zero afterwards holds for all of them. Used by faults.test.ts.
import type { SimNetwork } from './network.ts'
import type { Fault } from './run-seed.ts'
import type { World } from './world.ts'

const SERVER = '10.0.0.1:4433'
const CLIENT = '10.0.0.2:50000'

function setSilence(network: SimNetwork, isSilent: boolean): void {
  network.setBlackhole(CLIENT, SERVER, isSilent)
  network.setBlackhole(SERVER, CLIENT, isSilent)
}

function restoreAfter(world: World, time: number): void {
  world.clock.setTimer(world.clock.now() + time, () => setSilence(world.network, false))
}

/** Both sides lose each other for good: no CONNECTION_CLOSE, no reset, nothing. */
export const vanish: Fault = {
  name: 'the client vanishes',
  tolerates: ['timeout', 'closed'],
  strike: (world) => setSilence(world.network, true),
}

/** Nothing passes for three seconds; everything has to go on afterwards as if nothing had been. */
export const blackhole: Fault = {
  name: 'nothing passes for three seconds',
  tolerates: [],
  strike: (world) => {
    setSilence(world.network, true)
    restoreAfter(world, 3_000)
  },
}

/** Only acknowledgements get lost for two seconds. */
export const deafServer: Fault = {
  name: 'the way to the server is dead for two seconds',
  tolerates: [],
  strike: (world) => {
    world.network.setBlackhole(CLIENT, SERVER, true)
    restoreAfter(world, 2_000)
  },
}

export const clientCloses: Fault = {
  name: 'the client closes the connection',
  tolerates: ['aborted'],
  strike: (_world, session) => session.close(),
}

export const serverDrains: Fault = {
  name: 'the server drains',
  tolerates: ['rejected', 'closed'],
  strike: (world) => void world.server.drain(),
}

export const serverStopsHard: Fault = {
  name: 'the server stops without waiting',
  tolerates: ['rejected', 'closed', 'timeout'],
  strike: (world) => void world.server.drain(0),
}

/** A new process on the same port with the same secret: it answers with stateless resets. */
export const serverRestarts: Fault = {
  name: 'the server forgets its connections',
  tolerates: ['closed', 'timeout'],
  strike: (world) => void world.startServer(),
}

export const FAULTS: readonly Fault[] = [
  vanish,
  blackhole,
  deafServer,
  clientCloses,
  serverDrains,
  serverStopsHard,
  serverRestarts,
]
