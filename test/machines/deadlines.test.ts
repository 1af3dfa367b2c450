// Every non-final state of every machine has a deadline and reasons to wait; nothing else has.
import { describe, expect, it } from 'vitest'
import {
  clientHandshakeDeadlines,
  connectionDeadlines,
  pathDeadlines,
  receivingDeadlines,
  sendingDeadlines,
  serverHandshakeDeadlines,
  sessionDeadlines,
  workerDeadlines,
} from '../../src/machines/deadlines.ts'
import {
  allTables,
  bidiStream,
  clientHandshake,
  connectionLife,
  deadlinesOf,
  networkPath,
  receiveStream,
  sendStream,
  serverHandshake,
  WAITING_REASONS,
  webtransportSession,
  workerLife,
} from '../../src/machines/index.ts'

describe('deadlines', () => {
  it.each(allTables.map((table) => [table.id, table] as const))(
    '%s: every non-final state and no other',
    (_id, table) => {
      const deadlines = deadlinesOf(table)
      expect(deadlines).toHaveLength(table.stateCount)
      for (const [state, name] of table.name.entries()) {
        if (table.final[state] === 1) {
          expect(deadlines[state], name).toBeUndefined()
          continue
        }
        const { ms, waitingFor, why } = deadlines[state]!
        expect(ms, name).toBeGreaterThan(0)
        expect(why.length, name).toBeGreaterThan(10)
        expect(waitingFor.length, name).toBeGreaterThan(0)
        for (const reason of waitingFor) expect(WAITING_REASONS, name).toContain(reason)
      }
    },
  )

  it.each([
    ['sendStream', sendStream, sendingDeadlines],
    ['receiveStream', receiveStream, receivingDeadlines],
    ['connection', connectionLife, connectionDeadlines],
    ['serverHandshake', serverHandshake, serverHandshakeDeadlines],
    ['clientHandshake', clientHandshake, clientHandshakeDeadlines],
    ['path', networkPath, pathDeadlines],
    ['webtransportSession', webtransportSession, sessionDeadlines],
    ['worker', workerLife, workerDeadlines],
  ] as const)('%s: the table names no state that the chart does not reach', (_id, table, deadlines) => {
    const open = table.name.filter((_name, state) => table.final[state] === 0)
    expect(Object.keys(deadlines).sort()).toEqual([...open].sort())
  })

  it('a bidirectional stream has the earlier deadline of its living parts and the reasons of both', () => {
    const of = (name: string) => deadlinesOf(bidiStream)[bidiStream.name.indexOf(name)]!
    expect(of('send.dataSent|receive.recv').ms).toBe(sendingDeadlines.dataSent!.ms)
    expect(of('send.dataSent|receive.recv').waitingFor).toEqual(['peerAck', 'peerData', 'applicationRead'])
    expect(of('send.dataRecvd|receive.recv')).toBe(receivingDeadlines.recv)
    expect(of('send.ready|receive.recv').ms).toBe(Number.POSITIVE_INFINITY)
    expect(of('send.ready|receive.dataRead')).toBe(sendingDeadlines.ready)
  })

  it('every reason is used by some state', () => {
    const used = new Set(
      allTables.flatMap((table) => deadlinesOf(table).flatMap((entry) => entry?.waitingFor ?? [])),
    )
    expect([...used].sort()).toEqual([...WAITING_REASONS].sort())
  })

  it('a table of somebody else has none', () => {
    expect(() => deadlinesOf({ ...bidiStream, id: 'another' })).toThrow('no deadlines')
  })
})
