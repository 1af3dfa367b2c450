// The server: HTTP/3 on UDP, HTTP/2 and HTTP/1.1 on TCP, and the inspector for you on this machine.
import { machineService, serve } from 'quactor'
import { wordsMachine } from './words.ts'

const { PORT = '4433', INSPECTOR_PORT = '4434' } = process.env

const server = await serve({
  port: Number(PORT),
  tls: 'self-signed', // for development; { cert, key } as PEM for everybody else
  handler: machineService(wordsMachine),
  inspector: { port: Number(INSPECTOR_PORT) },
})
console.log(`${server.url} is ready, inspector: ${server.inspector}`)

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close())
