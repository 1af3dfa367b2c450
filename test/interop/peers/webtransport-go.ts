/** webtransport-go: the current draft of WebTransport with its flow control, which no browser has. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clientEnvironment, type Peer, runClient } from '../peer.ts'
import { onPath, prepare, prepareOnce } from './scripted.ts'

const MODULE = fileURLToPath(new URL('../go-webtransport', import.meta.url))
const RUN_TIMEOUT = 120_000

export const webtransportGo: Peer = {
  name: 'webtransport-go',
  isRequired: false,
  absence: () => onPath('go'),
  async run(context) {
    const folder = await prepareOnce('webtransport-go', (path) =>
      prepare('go', ['build', '-o', join(path, 'client'), '.'], MODULE),
    )
    await runClient(context, {
      command: join(folder, 'client'),
      parameters: [context.server.origin],
      timeout: RUN_TIMEOUT,
      env: clientEnvironment(context, ''),
    })
  },
}
