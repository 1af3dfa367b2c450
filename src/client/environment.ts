// What an HttpClient stands on: time, connections, TCP. Tests put a simulated world under it; everybody else gets the
// machine's. Used by http-client.ts.
import { type Clock, systemClock } from '../transport/io/clock.ts'
import type { ClientResponse } from './client-response.ts'
import { type ConnectOptions, connect } from './connect.ts'
import { CONNECT_TIMEOUT } from './limits.ts'
import type { RequestInput } from './request-input.ts'
import type { Dial } from './session-pool.ts'
import { TcpTransport } from './tcp-transport.ts'

export interface ClientEnvironment {
  readonly clock: Clock
  readonly dial: Dial
  /** Requests over TCP. */
  readonly tcp: { request(url: URL, input: RequestInput): Promise<ClientResponse> }
  /** Called once, when the client is closed. */
  close(): void
}

export function systemEnvironment(options: ConnectOptions): ClientEnvironment {
  const clock = systemClock()
  // Idle connections do not keep the process alive, so their timers must not either.
  clock.unref()
  const tcp = new TcpTransport({ ...options, timeout: options.timeout ?? CONNECT_TIMEOUT })
  const dial: Dial = ({ origin, alternative }, { signal, liveness, mayUseEarlyData }) =>
    connect(origin, {
      ...options,
      signal,
      liveness,
      alternative,
      earlyData: mayUseEarlyData && options.earlyData,
    })
  return { clock, dial, tcp, close: () => tcp.close() }
}
