// The benchmark's measure: node:http2 over TLS, written the way its documentation shows.
import { createSecureServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { answerCalls, usage } from './control.ts'
import { LARGE_TYPE, largeLength, PIECE, SMALL_BODY, SMALL_TYPE } from './responses.ts'

function sendLarge(stream: ServerHttp2Stream, length: number): void {
  stream.respond({ ':status': 200, 'content-type': LARGE_TYPE, 'content-length': length })
  let left = length
  const pump = (): void => {
    while (left > 0) {
      const piece = left >= PIECE.length ? PIECE : PIECE.subarray(0, left)
      left -= piece.length
      if (!stream.write(piece)) {
        stream.once('drain', pump)
        return
      }
    }
    stream.end()
  }
  pump()
}

answerCalls({
  usage,
  start: ({ cert, key }: { cert: string; key: string }): Promise<number> => {
    const server = createSecureServer({ cert, key })
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const large = largeLength(headers[':path'] ?? '/')
      if (large !== undefined) return sendLarge(stream, large)
      stream.respond({ ':status': 200, 'content-type': SMALL_TYPE, 'content-length': SMALL_BODY.length })
      stream.end(SMALL_BODY)
    })
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
    })
  },
})
