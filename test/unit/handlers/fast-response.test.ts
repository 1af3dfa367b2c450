// FastResponse beside the Response of Node: whatever one does or refuses, the other does or refuses.
import { describe, expect, it } from 'vitest'
import { FastResponse, NativeResponse, wholeResponse } from '../../../src/handlers/fast-response.ts'
import { fetchHandler, sendResponse } from '../../../src/handlers/fetch-handler.ts'
import { ExchangeDouble } from './exchange-double.ts'

type Arguments = ConstructorParameters<typeof Response>

const bytes = Uint8Array.of(1, 2, 3)
const stream = (): ReadableStream => new Blob(['streamed']).stream()

const made: [string, () => Arguments][] = [
  ['nothing', () => []],
  ['null', () => [null]],
  ['a text', () => ['text']],
  ['an empty text', () => ['']],
  ['a text beyond ASCII', () => ['grüße \ud83d\ude80']],
  ['bytes', () => [bytes]],
  ['an ArrayBuffer', () => [bytes.buffer]],
  ['a Blob', () => [new Blob(['x'], { type: 'image/png' })]],
  ['parameters', () => [new URLSearchParams({ a: 'b' })]],
  ['a stream', () => [stream()]],
  ['a number', () => [7 as unknown as string]],
  ['a status', () => ['x', { status: 404, statusText: 'Not Here' }]],
  ['a status without content', () => [null, { status: 204 }]],
  ['a field', () => ['x', { headers: { 'X-Own': 'value', 'content-type': 'text/css' } }]],
  [
    'a list of fields',
    () => [
      bytes,
      {
        headers: [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
        ],
      },
    ],
  ],
  ['Headers', () => ['x', { headers: new Headers({ vary: 'a' }) }]],
  ['one name in two spellings', () => ['x', { headers: { Vary: 'a', vary: 'b' } }]],
  ['a value with spaces around it', () => ['x', { headers: { x: ' y ' } }]],
  ['a value that is no text', () => ['x', { headers: { x: 7 as unknown as string } }]],
  ['a value of the upper half of Latin-1', () => ['x', { headers: { x: 'gr\u00fc\u00dfe' } }]],
]

const refused: [string, () => Arguments][] = [
  ['a body with 204', () => ['x', { status: 204 }]],
  ['an empty body with 304', () => ['', { status: 304 }]],
  ['status 101', () => [null, { status: 101 }]],
  ['status 600', () => [null, { status: 600 }]],
  ['a name with a space', () => ['x', { headers: { 'a b': 'c' } }]],
  ['an empty name', () => ['x', { headers: { '': 'c' } }]],
  ['a value with LF in it', () => ['x', { headers: { a: 'b\nc' } }]],
  ['a value beyond Latin-1', () => ['x', { headers: { a: '\u20ac' } }]],
  ['a reason with CR', () => ['x', { statusText: 'a\rb' }]],
]

async function described(response: Response): Promise<unknown> {
  const { status, statusText, ok, type, url, redirected } = response
  const headers = [...response.headers]
  const hasBody = response.body !== null
  const sent = new ExchangeDouble()
  await sendResponse(sent, response.clone())
  const fields = sent.fields.join('|').split('|').length
  return [
    { status, statusText, ok, type, url, redirected, headers, hasBody, fields },
    sent.text,
    await response.text(),
  ]
}

describe('a FastResponse is what a Response is', () => {
  it.each(made)('of %s', async (_name, init) => {
    expect(await described(new FastResponse(...init()))).toEqual(
      await described(new NativeResponse(...init())),
    )
  })

  it.each(made)('of %s, sent without being looked at', async (_name, init) => {
    const sent = [new FastResponse(...init()), new NativeResponse(...init())].map(async (response) => {
      const exchange = new ExchangeDouble()
      await sendResponse(exchange, response)
      const fields = exchange.fields
        .map((field, index) => (index % 2 === 0 ? `\n${field}: ` : field))
        .join('')
      return [exchange.status, fields.split('\n').toSorted(), exchange.text]
    })
    const [fast, native] = await Promise.all(sent)
    expect(fast).toEqual(native)
  })

  it.each(refused)('%s is refused in the same way', (_name, init) => {
    let reason: unknown
    try {
      new NativeResponse(...init())
    } catch (error) {
      reason = error
    }
    expect(reason).toBeInstanceOf(Error)
    expect(() => new FastResponse(...init())).toThrow((reason as Error).constructor as typeof Error)
  })

  it.each(['json', 'arrayBuffer', 'bytes', 'blob', 'text'] as const)('%s() reads it once', async (method) => {
    const [fast, native] = [new FastResponse('{"a":1}'), new NativeResponse('{"a":1}')]
    expect(fast.bodyUsed).toBe(false)
    expect(await fast[method]()).toEqual(await native[method]())
    expect(fast.bodyUsed).toBe(true)
    await expect(fast[method]()).rejects.toThrow(TypeError)
    expect(() => fast.clone()).toThrow(TypeError)
  })

  it('formData() too', async () => {
    const form = await new FastResponse(new URLSearchParams({ a: 'b' })).formData()
    expect(form.get('a')).toBe('b')
  })

  it('json(), redirect() and error() of the class', async () => {
    const init = { status: 201, headers: { 'x-a': 'b' } }
    expect(await described(FastResponse.json({ a: 1 }, init))).toEqual(
      await described(NativeResponse.json({ a: 1 }, init)),
    )
    expect(() => FastResponse.json(undefined)).toThrow(TypeError)
    expect(FastResponse.redirect('https://a.example/', 303).status).toBe(303)
    expect(FastResponse.error().type).toBe('error')
  })

  it('each is an instance of both classes, and may be extended', () => {
    class Own extends FastResponse {}
    for (const response of [new FastResponse('x'), new NativeResponse('x'), new Own('x')]) {
      expect(response).toBeInstanceOf(NativeResponse)
      expect(response instanceof FastResponse).toBe(true)
    }
    expect({} instanceof FastResponse).toBe(false)
    expect(wholeResponse(new Own('x'))).toMatchObject({ status: 200, body: 'x' })
  })
})

describe('what is kept', () => {
  it('fields that are changed afterwards are sent as they are then', async () => {
    const response = new FastResponse('x')
    response.headers.set('x-late', 'yes')
    response.headers.delete('content-type')
    expect(wholeResponse(response)).toEqual({ status: 200, fields: ['x-late', 'yes'], body: 'x' })
    await response.text()
    response.headers.set('x-later', 'yes')
    expect(response.headers.get('x-later')).toBe('yes')
  })

  it('bytes that are changed afterwards are sent as they were', () => {
    const own = Uint8Array.of(1, 2, 3)
    const response = new FastResponse(own)
    own.fill(9)
    expect(wholeResponse(response)!.body).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('a response that was looked into is none of ours any more', async () => {
    const looked = new FastResponse('x')
    expect(looked.body).toBeInstanceOf(ReadableStream)
    expect(wholeResponse(looked)).toBeUndefined()
    const exchange = new ExchangeDouble()
    await fetchHandler(() => looked)(exchange)
    expect(exchange.text).toBe('x')
  })

  it('one that was read is not sent', async () => {
    const read = new FastResponse('x')
    await read.text()
    await expect(async () => fetchHandler(() => read)(new ExchangeDouble())).rejects.toThrow(TypeError)
  })

  it('a program may put it in the place of the global', async () => {
    globalThis.Response = FastResponse
    try {
      const exchange = new ExchangeDouble()
      await fetchHandler(async () => new Response('x'))(exchange)
      const other = new ExchangeDouble()
      await fetchHandler(() => new NativeResponse('y'))(other)
      expect([exchange.text, other.text]).toEqual(['x', 'y'])
      expect(new NativeResponse('y') instanceof Response).toBe(true)
    } finally {
      globalThis.Response = NativeResponse
    }
  })
})
