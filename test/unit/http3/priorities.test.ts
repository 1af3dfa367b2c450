// Priorities of responses, RFC 9218: parameters, fields, PRIORITY_UPDATE at any split, bounds, who wins.
import { describe, expect, it } from 'vitest'
import { MAX_EARLY_PRIORITIES } from '../../../src/http3/limits.ts'
import { encodePriorityUpdate } from '../../../src/http3/message-writer.ts'
import {
  DEFAULT_PRIORITY,
  parseOverride,
  parsePriority,
  priorityOf,
  priorityText,
} from '../../../src/http3/priorities.ts'
import { H3Log } from '../../../src/http3/qlog.ts'
import { frame, getFields, headers, Session, varint } from './session.ts'
import type { StreamDouble } from './stream-double.ts'

const withPriority = (value: string): Buffer => headers([...getFields, 'priority', value])

function update(id: number, value: string): Buffer {
  return frame(0xf0700, Buffer.concat([varint(id), Buffer.from(value, 'latin1')]))
}

function scheduled({ urgency, incremental }: StreamDouble): string {
  return `${urgency}${incremental ? ' shared' : ''}`
}

describe('field values (RFC 9218 sections 4 and 5)', () => {
  it.each([
    ['u=0', 0, false],
    ['u=7, i', 7, true],
    ['u=5,i', 5, true],
    ['i', 3, true],
    ['i=?0', 3, false],
    ['i, u=2', 2, true],
    ['u=2;x=1, i;y', 2, true],
    ['u=1, u=4', 4, false],
    ['', 3, false],
    [' u=1 ', 1, false],
    // Section 4: unknown parameters, values out of range and of another type are ignored.
    ['u=1, x=(a b);c, y', 1, false],
    ['u=8', 3, false],
    ['u=-1, i', 3, true],
    ['u=1.0', 3, false],
    ['u="1"', 3, false],
    ['u', 3, false],
    ['u=(1)', 3, false],
    ['i=1', 3, false],
    ['i=true', 3, false],
    // What does not parse says nothing at all.
    ['u=1,', 3, false],
    ['u=1, i;', 3, false],
    ['U=1', 3, false],
    ['u=1\u00ff', 3, false],
    ['u=9999999999999999', 3, false],
  ])('%j', (text, urgency, incremental) => {
    expect(parsePriority(text)).toEqual({ urgency, incremental })
  })

  it('the text of every priority says the same when it is read', () => {
    for (let urgency = 0; urgency < 8; urgency++) {
      for (const incremental of [false, true]) {
        const priority = priorityOf(urgency, incremental)
        expect(parsePriority(priorityText(priority))).toBe(priority)
      }
    }
    expect(priorityText(DEFAULT_PRIORITY)).toBe('')
  })

  it('a response says only what it changes (section 8)', () => {
    expect(parseOverride('u=1')).toEqual({ urgency: 1 })
    expect(parseOverride('i=?0')).toEqual({ incremental: false })
    expect(parseOverride('u=9, i=2')).toEqual({})
  })

  it('there are eight urgencies', () => {
    for (const urgency of [-1, 8, 1.5, Number.NaN])
      expect(() => priorityOf(urgency, false)).toThrow(RangeError)
  })
})

describe('requests', () => {
  it('the field of a request decides, several lines are one field', () => {
    const session = new Session('server')
    const plain = session.request(withPriority('u=1'), true, 0)
    const lines = session.request(headers([...getFields, 'priority', 'u=5', 'priority', 'i']), true, 4)
    expect([scheduled(plain), scheduled(lines)]).toEqual(['1', '5 shared'])
    expect(session.requests[1].stream.priority).toEqual({ urgency: 5, incremental: true })
  })

  it('a request that says nothing shares with others, although its priority reads as the default', () => {
    const session = new Session('server')
    const stream = session.request(headers(getFields))
    expect(scheduled(stream)).toBe('3 shared')
    expect(session.requests[0].stream.priority).toEqual(DEFAULT_PRIORITY)
    session.requests[0].stream.setPriority({ urgency: 6 })
    expect(scheduled(stream)).toBe('6 shared')
  })

  it('a field that does not parse is no error, and means the defaults', () => {
    const session = new Session('server')
    expect(scheduled(session.request(withPriority('high!')))).toBe('3')
    expect([session.error, session.requests.length]).toEqual([undefined, 1])
  })

  it("the server's word counts more than the client's, before and after it (section 8)", () => {
    const session = new Session('server')
    const stream = session.request(withPriority('u=5, i'))
    const { stream: request } = session.requests[0]
    request.respond(200, ['priority', 'u=1'])
    expect(scheduled(stream)).toBe('1 shared')
    session.control(update(0, 'u=7'))
    expect(scheduled(stream)).toBe('1')
    request.setPriority({ incremental: true })
    expect(request.priority).toEqual({ urgency: 1, incremental: true })
  })
})

describe('PRIORITY_UPDATE (RFC 9218 section 7)', () => {
  it('changes a response in flight, and tells its owner', () => {
    const session = new Session('server')
    const stream = session.request(withPriority('u=1'))
    let told = 0
    Object.assign(session.requests[0], { handlePriority: () => void told++ })
    session.control(update(0, 'u=6, i'))
    expect([scheduled(stream), told]).toEqual(['6 shared', 1])
  })

  it('leaves out what has its default', () => {
    const session = new Session('server')
    const stream = session.request(withPriority('u=1, i'))
    session.control(update(0, ''))
    expect(scheduled(stream)).toBe('3')
  })

  it('before its request counts more than the field that the request brings', () => {
    const session = new Session('server')
    session.control(Buffer.concat([update(8, 'u=0'), update(8, 'u=2, i')]))
    const stream = session.request(withPriority('u=7'), true, 8)
    expect(scheduled(stream)).toBe('2 shared')
  })

  it('between the first byte and the end of the head too', () => {
    const session = new Session('server')
    const stream = session.accept(0)
    const head = withPriority('u=7')
    stream.receive(head.subarray(0, 5))
    session.control(update(0, 'u=2'))
    stream.receive(head.subarray(5), true)
    expect([scheduled(stream), session.requests.length]).toEqual(['2', 1])
  })

  it('is read at every split', () => {
    const bytes = Buffer.concat([
      varint(0),
      frame(0x04, Buffer.alloc(0)),
      update(0, 'u=6, i'),
      update(4, 'u=1'),
    ])
    for (let at = 1; at < bytes.length; at++) {
      const session = new Session('server')
      const streams = [0, 4].map((id) => session.request(headers(getFields), true, id))
      const control = session.accept(2)
      control.receive(bytes.subarray(0, at))
      control.receive(bytes.subarray(at))
      expect(streams.map(scheduled)).toEqual(['6 shared', '1'])
    }
  })

  it('for a request that is over is dropped', () => {
    const session = new Session('server')
    session.request(headers(getFields), true, 8)
    session.transport.streams.delete(8)
    session.control(update(8, 'u=1'))
    expect(session.error).toBeUndefined()
  })

  it('beyond the stream limit is H3_ID_ERROR (section 7.2)', () => {
    for (const [id, error] of [
      [4 * 99, undefined],
      [4 * 100, 0x108],
      [2 ** 60, 0x108],
    ] as const) {
      const session = new Session('server')
      session.control(update(id, 'u=1'))
      expect([id, session.error]).toEqual([id, error])
    }
  })

  it('a flood for requests that never come is bounded and ends with H3_EXCESSIVE_LOAD', () => {
    const session = new Session('server')
    session.transport.host.table.peer[0].advertised = 100_000
    const control = session.control()
    const updates = Reflect.get(session.h3, 'priorityUpdates') as { readonly waiting: number }
    let most = 0
    let sent = 0
    for (; session.error === undefined && sent < 10_000; sent++) {
      control.receive(update(sent * 4, 'u=1'))
      most = Math.max(most, updates.waiting)
    }
    expect([session.error, most]).toEqual([0x107, MAX_EARLY_PRIORITIES])
    expect(sent).toBeLessThan(1_100)
  })

  it('stands in the log of both sides (draft-ietf-quic-qlog-h3-events section 5)', () => {
    const events: unknown[] = []
    const log = new H3Log({ write: (name, _category, data) => events.push([name, data]) })
    const client = new Session('client')
    const server = new Session('server')
    for (const { h3 } of [client, server]) Reflect.set(h3, 'log', log)
    const request = client.h3.openRequest(getFields, false)!
    events.length = 0
    request.setPriority({ urgency: 1 })
    server.control(update(0, 'u=1'))
    const frame = { frame_type: 'priority_update', stream_id: 0, priority_field_value: 'u=1' }
    expect(events).toContainEqual(['http3:frame_created', { stream_id: 2, frame }])
    expect(events).toContainEqual(['http3:frame_parsed', { stream_id: 2, frame }])
  })

  it('of a client goes out on the control stream in its shortest form', () => {
    expect(Buffer.from(encodePriorityUpdate(4, 'u=1, i')).toString('hex')).toBe(
      '800f0700' + '07' + '04' + '753d312c2069',
    )
    const client = new Session('client')
    const request = client.h3.openRequest([...getFields, 'priority', 'u=5'], false)!
    expect(scheduled(client.transport.streams.get(0)!)).toBe('5')
    request.setPriority({ incremental: true })
    const control = client.transport.streams.get(2)!
    expect(control.written.at(-1)).toEqual(new Uint8Array(encodePriorityUpdate(0, 'u=5, i')))
    expect(() => request.setPriority({ urgency: 9 })).toThrow(RangeError)
  })
})
