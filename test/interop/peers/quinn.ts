/** quinn with rustls and h3, as a program of its own in ../rust: what deno and impit, which have the same, do not show. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clientEnvironment, type Peer, type PeerContext, runClient } from '../peer.ts'
import { onPath, prepare, prepareOnce } from './scripted.ts'

const CRATE = fileURLToPath(new URL('../rust', import.meta.url))
const RUN_TIMEOUT = 120_000

/** Kept between runs: to build quinn takes a minute. */
const TARGET = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'quactor-interop')

/** Beginnings of the titles that are wanted where not all are. */
function wanted({ feature, only }: PeerContext): string {
  if (feature === 'rebinding') return 'POST '
  if (feature === 'earlyData') return 'a request as early data'
  if (feature === 'newToken') return 'comes back with a token'
  return only === undefined ? '' : 'GET |POST '
}

export const quinn: Peer = {
  name: 'quinn',
  isRequired: false,
  absence: () => onPath('cargo'),
  async run(context) {
    await prepareOnce('quinn', () =>
      prepare('cargo', ['build', '--quiet', '--locked', '--target-dir', TARGET], CRATE),
    )
    const { port, certificateFile } = context.server
    await runClient(context, {
      command: join(TARGET, 'debug/quactor-interop-client'),
      parameters: [`localhost:${port}`, certificateFile],
      timeout: RUN_TIMEOUT,
      env: { ...clientEnvironment(context, ''), QUACTOR_ONLY_PREFIXES: wanted(context) },
    })
  },
}
