// A chat room: WebSockets over HTTP/3, HTTP/2 and HTTP/1.1 from one handler.
//
//   node --conditions=quactor-source examples/websocket-server.ts
//
// In a project of your own, import from 'quactor' instead.
import { serve, type WebSocketConnection } from 'quactor'

/** What may wait for somebody who does not read, bytes; later messages are not for them. */
const PATIENCE = 100_000

const room = new Set<WebSocketConnection>()

function enter(socket: WebSocketConnection): void {
  room.add(socket)
  socket.on('close', () => room.delete(socket))
  socket.on('message', (data) => {
    for (const other of room) if (other.bufferedAmount < PATIENCE) other.send(data.toString())
  })
}

const PAGE = `<!doctype html><title>chat</title><form><input autofocus></form><pre></pre><script>
  const socket = new WebSocket('wss://' + location.host + '/chat', 'chat')
  const [input, log] = [document.querySelector('input'), document.querySelector('pre')]
  socket.onmessage = ({ data }) => log.append(data + '\\n')
  document.forms[0].onsubmit = () => { socket.send(input.value); input.value = ''; return false }
</script>`

const server = await serve({
  port: 4433,
  tls: 'self-signed',
  fetch: () => new Response(PAGE, { headers: { 'content-type': 'text/html' } }),
  websocket: {
    protocols: ['chat'],
    // A page of somebody else has no business here.
    accept: ({ origin, authority }) => origin === undefined || origin === `https://${authority}`,
    maxPayload: 4_096,
    pingInterval: 30_000,
    open: enter,
  },
})
console.log(`listening on ${server.url}`)
