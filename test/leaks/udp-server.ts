// The demo routes in a process of their own, with short deadlines. Started by real-udp.test.ts, which asks it for its
// numbers.
import { serve } from '../../src/index.ts'

const server = await serve({
  port: 0,
  host: '127.0.0.1',
  tcp: false,
  inspector: false,
  transport: { maxIdleTimeout: 3_000 },
  supervision: { handlerDeadline: 1_000, handlerGrace: 200, crashLimit: 1_000 },
  onFault: () => {},
})

process.on('message', () => process.send!({ status: server.status(), stuck: server.stuck() }))
process.send!({ port: server.port })
