// Header compression alone: ns and bytes per field section, encoded and decoded, for peers without and with a dynamic
// table. `node bench/qpack.ts`, about 5 s. No sockets; every section is acknowledged at once.
import { MessageHead, SectionKind } from '../src/http3/message-head.ts'
import { MessageWriter } from '../src/http3/message-writer.ts'
import { qpackLimitsOf } from '../src/http3/qpack/announced-limits.ts'
import { QpackDecoder } from '../src/http3/qpack/decoder.ts'
import { EncoderStreamReader } from '../src/http3/qpack/encoder-stream.ts'
import { initialSettings } from '../src/http3/settings.ts'
import type { QuicStream } from '../src/transport/streams/index.ts'

const ROUNDS = 200_000
const HEADER_BYTES = 3

const DATE = 'Sun, 22 Nov 2026 13:00:00 GMT'
const small = ['content-type', 'application/json', 'content-length', '59', 'date', DATE]
const page = [
  ...[
    'content-type',
    'text/html; charset=utf-8',
    'server',
    'quactor',
    'cache-control',
    'private, max-age=30',
  ],
  ...['vary', 'accept, origin', 'x-frame-options', 'SAMEORIGIN', 'date', DATE],
]
const browser = [
  ...[':method', 'GET', ':scheme', 'https', ':authority', 'www.example.org', ':path', '/'],
  ...[
    'user-agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  ],
  ...[
    'accept',
    '*/*',
    'accept-language',
    'de,en-US;q=0.7,en;q=0.3',
    'accept-encoding',
    'gzip, deflate, br, zstd',
  ],
  ...['referer', 'https://www.example.org/', 'sec-fetch-dest', 'empty', 'sec-fetch-mode', 'cors'],
]

/** Heads by the number of the round. */
const heads: Record<string, (round: number) => readonly string[]> = {
  'small response, repeated': () => small,
  'page of 7 fields, repeated': () => page,
  'page with an ETag of its own': (round) => [...page, 'etag', `"${round}"`],
}

/** A stream that takes everything and gives it to `reader`. */
function sink(reader?: { push(bytes: Uint8Array): void }): QuicStream {
  const stream = {
    bufferedBytes: 0,
    sendRoom: 1_000_000,
    write(bytes: Uint8Array): boolean {
      reader?.push(bytes)
      return true
    },
  }
  return stream as unknown as QuicStream
}

function writerFor(isDynamic: boolean, reader?: EncoderStreamReader): MessageWriter {
  const writer = new MessageWriter()
  const table = isDynamic ? { qpackMaxTableCapacity: 4_096, qpackBlockedStreams: 16 } : {}
  writer.applySettings({ ...initialSettings, ...table })
  writer.encoder.output.attach(sink(reader))
  return writer
}

/** CPU time of `run` in ns per round, the best of three. */
function measure(run: (round: number) => void): number {
  let best = Number.POSITIVE_INFINITY
  let round = 0
  for (let attempt = 0; attempt < 3; attempt++) {
    const start = process.cpuUsage()
    for (const end = round + ROUNDS; round < end; round++) run(round)
    const { user, system } = process.cpuUsage(start)
    best = Math.min(best, ((user + system) * 1_000) / ROUNDS)
  }
  return best
}

function encodeRow(name: string, isDynamic: boolean): void {
  const writer = writerFor(isDynamic)
  const { encoder } = writer
  let bytes = 0
  const time = measure((round) => {
    const fields = heads[name](round)
    writer.scan(fields, 'response', 200)
    bytes = writer.writeHead(4 * round, 200, fields, false, -1, undefined).length - HEADER_BYTES
    if (encoder.outstandingSections > 0) encoder.handleAcknowledgment(4 * round)
  })
  print(`encode ${name}`, isDynamic, time, bytes)
}

function decodeRow(isDynamic: boolean): void {
  const decoder = new QpackDecoder(qpackLimitsOf(), { maxSize: 65_536, maxCount: 256 }, () => {})
  const writer = writerFor(isDynamic, new EncoderStreamReader(decoder))
  const head = new MessageHead()
  decoder.output.attach(sink())
  let section: Uint8Array = new Uint8Array(0)
  for (let id = 0; id < 16; id += 4) {
    writer.scan(browser, 'request', 0)
    section = writer.writeHead(id, 0, browser, false, -1, undefined).subarray(HEADER_BYTES)
  }
  const time = measure((round) => {
    head.begin(SectionKind.request)
    decoder.decode(4 * round, section, 0, section.length, head)
    head.finish(false)
  })
  print('decode a request of 11 fields', isDynamic, time, section.length)
}

function print(what: string, isDynamic: boolean, time: number, bytes: number): void {
  const peer = isDynamic ? 'dynamic' : 'static'
  console.log(
    `${what.padEnd(40)} ${peer.padEnd(8)} ${time.toFixed(0).padStart(6)} ns ${String(bytes).padStart(5)} bytes`,
  )
}

for (const name of Object.keys(heads)) {
  encodeRow(name, false)
  encodeRow(name, true)
}
decodeRow(false)
decodeRow(true)
