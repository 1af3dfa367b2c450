// What the conductor asks of a load generator, and the part of generating load that does not depend on the
// protocol: keep a fixed number of exchanges going until the time is over, then let the last ones finish.
import { LatencyHistogram, type LatencySummary } from '../src/cli/latency-histogram.ts'

/** One measured stretch of load. */
export interface LoadOrder {
  port: number
  connections: number
  /** Exchanges kept in flight on each connection. */
  streams: number
  path: string
  /** Bytes that every response body must have. */
  bodyBytes: number
  /** No new exchange starts after this time, s. */
  seconds: number
}

export interface LoadResult {
  requests: number
  bytes: number
  /** From the first request to the last response, s. */
  seconds: number
  latency: LatencySummary
  /** CPU of the load generator meanwhile, s. */
  cpuSeconds: number
}

/** One request on an open connection; resolves with the number of body bytes received. */
export type Exchange = (path: string) => Promise<number>

/** @param connections one request function per open connection */
export async function keepLoaded(order: LoadOrder, connections: readonly Exchange[]): Promise<LoadResult> {
  const latencies = new LatencyHistogram()
  let bytes = 0
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  const end = start + order.seconds * 1000
  const lane = async (exchange: Exchange): Promise<void> => {
    for (let began = start; began < end; ) {
      const received = await exchange(order.path)
      if (received !== order.bodyBytes)
        throw new Error(`${received} body bytes instead of ${order.bodyBytes}`)
      const now = performance.now()
      latencies.add(now - began)
      bytes += received
      began = now
    }
  }
  const lanes = connections.flatMap((exchange) => Array.from({ length: order.streams }, () => lane(exchange)))
  await Promise.all(lanes)
  const seconds = (performance.now() - start) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  const cpuSeconds = (cpu.user + cpu.system) / 1e6
  return { requests: latencies.count, bytes, seconds, latency: latencies.summary(), cpuSeconds }
}
