// The cases of the interop runner by name, with how often each is worth repeating. Used by interop-runner.test.ts and by
// `npm run sim -- --runner`.
import * as handshakes from './handshake-cases.ts'
import * as paths from './path-cases.ts'
import * as transfers from './transfer-cases.ts'

/** Runs a case once with a seed; what is wrong is thrown. */
export type RunnerCase = (seed: number) => Promise<void>

export const RUNNER_CASES: Readonly<Record<string, RunnerCase>> = {
  handshake: transfers.handshake,
  transfer: transfers.transfer,
  longrtt: transfers.longRtt,
  chacha20: transfers.chacha20,
  multiplexing: transfers.multiplexing,
  retry: handshakes.retry,
  resumption: handshakes.resumption,
  zerortt: handshakes.zeroRtt,
  http3: transfers.http3,
  blackhole: transfers.blackhole,
  keyupdate: transfers.keyUpdate,
  amplificationlimit: handshakes.amplificationLimit,
  handshakeloss: handshakes.handshakeLoss,
  transferloss: transfers.transferLoss,
  handshakecorruption: handshakes.handshakeCorruption,
  transfercorruption: transfers.transferCorruption,
  ipv6: transfers.ipv6,
  v2: handshakes.version2,
  'rebind-port': paths.rebindPort,
  'rebind-addr': paths.rebindAddress,
  connectionmigration: paths.connectionMigration,
}

/** Runs a case; the text says what was wrong and how to see it again, undefined = nothing. */
export async function runCase(name: string, seed: number): Promise<string | undefined> {
  try {
    await RUNNER_CASES[name]!(seed)
    return undefined
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return `${name}, seed ${seed}: ${reason}\nreplay it: npm run sim -- --runner --case ${name} --seed ${seed}`
  }
}
