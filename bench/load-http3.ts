// Load generator for HTTP/3: quactor's own client, with windows as wide as the HTTP/2 one's.
import { LoadRun } from '../src/cli/load-run.ts'
import { connect } from '../src/client/connect.ts'
import { answerCalls } from './control.ts'
import type { LoadOrder, LoadResult } from './load.ts'

/** Per-stream and connection receive window, bytes. */
const WINDOW = 16_777_216

answerCalls({
  run: async (order: LoadOrder): Promise<LoadResult> => {
    const authority = `127.0.0.1:${order.port}`
    const transport = { initialMaxData: WINDOW, initialMaxStreamDataBidiLocal: WINDOW }
    const opening = Array.from({ length: order.connections }, () =>
      connect(`https://${authority}/`, { insecure: true, transport }),
    )
    const sessions = await Promise.all(opening)
    const plan = {
      fields: [':method', 'GET', ':scheme', 'https', ':authority', authority, ':path', order.path],
      body: undefined,
      streams: order.streams,
      requests: Number.POSITIVE_INFINITY,
      duration: order.seconds * 1000,
    }
    const cpuBefore = process.cpuUsage()
    const outcome = await new LoadRun(plan, () => performance.now()).start(sessions)
    const cpu = process.cpuUsage(cpuBefore)
    await Promise.all(sessions.map((session) => session.end()))
    const { succeeded, failed, bodyBytes, elapsed, latencies, errors } = outcome
    if (failed > 0 || bodyBytes !== succeeded * order.bodyBytes) {
      throw new Error(`${failed} requests failed (${JSON.stringify(errors)}), ${bodyBytes} body bytes`)
    }
    const cpuSeconds = (cpu.user + cpu.system) / 1e6
    return {
      requests: succeeded,
      bytes: bodyBytes,
      seconds: elapsed / 1000,
      latency: latencies.summary(),
      cpuSeconds,
    }
  },
})
