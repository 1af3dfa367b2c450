// socketService(): WebSockets as machines. Each socket gets an actor of its own. Used with serve({ websocket }).
import type { AnyActorLogic, InputFrom } from 'xstate'
import type { WebSocketConnection } from '../../tunnels/websocket-connection.ts'
import type { WebSocketOpenHandler } from '../websocket-handler.ts'
import { boundedLogic } from './hosted-actor.ts'
import { SessionActor } from './session-actor.ts'
import type { SocketCommand, SocketInput } from './session-events.ts'

/** Options of {@link socketService}. */
export interface SocketServiceOptions<Logic extends AnyActorLogic> {
  /** Name of the actor in the inspector. */
  readonly id?: string
  /** Makes the actor's input; default {@link SocketInput}. */
  readonly input?: (input: SocketInput) => InputFrom<Logic>
}

/** RFC 6455 section 7.4.1 */
const NORMAL_CLOSURE = 1000

/** Makes a handler for WebSockets of a machine. The socket is closed with code 1000 when the machine is done. */
export function socketService<Logic extends AnyActorLogic>(
  logic: Logic,
  options: SocketServiceOptions<Logic> = {},
): WebSocketOpenHandler {
  const bounded = boundedLogic(logic)
  return async (socket, request) => {
    const input = { socket, request }
    const pace = new Pace(socket)
    const actor = new SessionActor({
      logic: bounded,
      id: options.id,
      input: options.input === undefined ? input : options.input(input),
      host: request.host,
      obey: (command) => obey(socket, command as SocketCommand, pace),
    })
    pace.actor = actor
    socket.on('message', (data, isBinary) => {
      if (actor.isActive) actor.send({ type: 'message', data: isBinary ? data : data.toString() })
    })
    socket.on('close', (code, reason) => {
      actor.finish({ type: 'socket.closed', code, reason: reason.toString() })
    })
    try {
      await actor.ended
    } catch (error) {
      socket.terminate()
      throw error
    }
    socket.close(NORMAL_CLOSURE)
  }
}

function obey(socket: WebSocketConnection, command: SocketCommand, pace: Pace): void {
  if (command.type === 'message.send') {
    socket.send(command.data)
    pace.check()
  } else if (command.type === 'socket.close') socket.close(command.code ?? NORMAL_CLOSURE, command.reason)
}

/** Bytes that may wait before the machine is told to pause. */
const HIGH_WATER = 65_536

/** Tells the machine when the client is behind, and when it has caught up. */
class Pace {
  actor: SessionActor | undefined
  readonly #socket: WebSocketConnection
  #isPaused = false

  constructor(socket: WebSocketConnection) {
    this.#socket = socket
  }

  check(): void {
    if (this.#isPaused || this.#socket.bufferedAmount <= HIGH_WATER) return
    this.#isPaused = true
    this.#tell('socket.pause')
    void this.#socket.drained().then(() => {
      this.#isPaused = false
      this.#tell('socket.resume')
    })
  }

  #tell(type: 'socket.pause' | 'socket.resume'): void {
    if (this.actor?.isActive === true) this.actor.send({ type })
  }
}
