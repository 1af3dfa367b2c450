// createServer(): a server with the face of node:http for frameworks that want to make or own one (Fastify's
// `serverFactory`, `app.listen`). listen() starts a quactor server instead: HTTP/3, HTTP/2 and HTTP/1.1 on one port.
import { Server } from 'node:http'
import type { AddressInfo, ListenOptions } from 'node:net'
import { MAX_LISTENER_HEADER_SIZE } from './limits.ts'
import { type NodeListener, nodeListener } from './node-listener.ts'
import { type QuactorServer, type ServeOptions, serve } from './serve.ts'

/** Options of `serve()`, without the handler, which is the listener. */
export type NodeServerOptions = Omit<ServeOptions, 'handler' | 'fetch' | 'root'>

type Callback = () => void

interface ListenRequest {
  readonly port?: number | undefined
  readonly host?: string | undefined
  readonly callback?: Callback | undefined
}

/** An http.Server whose connections come over HTTP/3, HTTP/2 and HTTP/1.1. */
export class NodeServer extends Server {
  readonly #options: NodeServerOptions
  #starting: Promise<void> | undefined
  #running: QuactorServer | undefined

  /**
   * @param options those of serve()
   * @param listener called with every request; `on('request')` adds others
   */
  constructor(options: NodeServerOptions, listener?: NodeListener) {
    super({ maxHeaderSize: MAX_LISTENER_HEADER_SIZE }, listener)
    this.#options = options
    // Defined on the prototype of net.Server by a getter that looks for a handle of its own.
    Object.defineProperty(this, 'listening', { get: () => this.#running !== undefined })
  }

  /** The server that does the work, while it listens. */
  get quactor(): QuactorServer | undefined {
    return this.#running
  }

  /**
   * Starts to listen, by (port, host?, callback?) or ({ port, host }, callback?). Emits 'listening', or 'error' when the
   * port cannot be had. Throws TypeError for paths and handles, which UDP does not have.
   */
  override listen(...parameters: readonly unknown[]): this {
    if (this.#starting !== undefined) throw new Error('the server listens already')
    const { port, host, callback } = listenRequest(parameters)
    if (callback !== undefined) this.once('listening', callback)
    this.#starting = this.#start({
      ...this.#options,
      ...(port !== undefined && { port }),
      ...(host !== undefined && { host }),
    })
    return this
  }

  async #start(options: ServeOptions): Promise<void> {
    try {
      this.#running = await serve({ ...options, handler: nodeListener(this) })
    } catch (error) {
      this.#starting = undefined
      this.emit('error', error)
      return
    }
    this.emit('listening')
  }

  override address(): AddressInfo | null {
    const server = this.#running
    if (server === undefined) return null
    return {
      address: server.address,
      port: server.port,
      family: server.address.includes(':') ? 'IPv6' : 'IPv4',
    }
  }

  /** Drains and stops; emits 'close'. The callback gets an error when the server did not listen. */
  override close(callback?: (error?: Error) => void): this {
    this.#stop().then(
      () => {
        callback?.()
        this.emit('close')
      },
      (error: Error) => callback?.(error),
    )
    return this
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    if (this.#starting !== undefined) await this.#stop()
  }

  async #stop(): Promise<void> {
    await this.#starting
    const server = this.#running
    if (server === undefined)
      throw Object.assign(new Error('Server is not running.'), { code: 'ERR_SERVER_NOT_RUNNING' })
    this.#running = undefined
    this.#starting = undefined
    await server.close()
  }
}

/**
 * Makes a server with the face of node:http.
 * @param options as of serve(); the port is listen()'s
 * @param listener called with each request, like that of http.createServer()
 */
export function createServer(options: NodeServerOptions = {}, listener?: NodeListener): NodeServer {
  return new NodeServer(options, listener)
}

function listenRequest(parameters: readonly unknown[]): ListenRequest {
  const callback = parameters.find((value): value is Callback => typeof value === 'function')
  const [first, second] = parameters
  if (typeof first === 'object' && first !== null) {
    const { port, host, path, signal } = first as ListenOptions
    if (path !== undefined || signal !== undefined || 'fd' in first)
      throw new TypeError('listen() takes a port and a host')
    return { port, host, callback }
  }
  if (typeof first === 'string' && !/^\d+$/.test(first))
    throw new TypeError('listen() takes a port and a host')
  const port = first === undefined || typeof first === 'function' ? undefined : Number(first)
  return { port, host: typeof second === 'string' ? second : undefined, callback }
}
