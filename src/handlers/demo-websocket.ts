// The demo route /ws of `npm start`: every message back, at the speed at which the client reads.
import type { WebSocketConnection } from '../tunnels/websocket-connection.ts'
import type { WebSocketService } from './websocket-handler.ts'

export const demoWebSocket: WebSocketService = {
  accept: ({ path }) => (/^\/ws(\?|$)/.test(path) ? true : 404),
  protocols: ['echo'],
  open: (socket) => {
    socket.on('message', (data, isBinary) => {
      socket.send(isBinary ? data : data.toString())
      if (socket.bufferedAmount > 0) void holdBack(socket)
    })
  },
}

async function holdBack(socket: WebSocketConnection): Promise<void> {
  socket.pause()
  await socket.drained()
  socket.resume()
}
