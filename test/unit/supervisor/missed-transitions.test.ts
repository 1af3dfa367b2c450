// Events where they are impossible: counted by machine, state and event; the latest are kept, and only so many.
import { describe, expect, it } from 'vitest'
import { bidiStream, createLifeActor, receiveStream, StreamEvent } from '../../../src/machines/index.ts'
import { MISSED_RING } from '../../../src/supervisor/limits.ts'
import { MissedTransitions } from '../../../src/supervisor/missed-transitions.ts'
import { RecordingOwner } from '../../machines/interpreted.ts'
import { takeMissed } from '../../supervision-faults.ts'
import { SupervisedWorld } from './supervised-world.ts'

const owner = new RecordingOwner()

describe('missed transitions', () => {
  it('are counted by machine, state and event', () => {
    const missed = new MissedTransitions()
    for (const id of [0, 4, 8]) {
      missed.record('c1', createLifeActor(bidiStream, id, owner), 0, StreamEvent.sendAllAcked)
    }
    missed.record('c1', createLifeActor(receiveStream, 3, owner), 0, StreamEvent.sendAllAcked)
    missed.record('c1', createLifeActor(bidiStream, 12, owner), 0, -1)
    const ready = 'send.ready|receive.recv'
    expect(missed.counts()).toEqual([
      { machine: 'bidiStream', state: ready, event: 'send.allAcked', count: 3 },
      { machine: 'receiveStream', state: 'recv', event: 'send.allAcked', count: 1 },
      { machine: 'bidiStream', state: ready, event: 'unknown', count: 1 },
    ])
    expect(missed.list().map(({ actor }) => actor)).toEqual(['0', '4', '8', '3', '12'])
    expect(takeMissed()).toHaveLength(5)
  })

  it('keep the latest in a ring and count them all', () => {
    const missed = new MissedTransitions()
    const total = MISSED_RING * 2 + 3
    for (let id = 0; id < total; id++) {
      missed.record('c1', createLifeActor(bidiStream, id, owner), 0, StreamEvent.sendAllAcked)
    }
    const latest = Array.from({ length: MISSED_RING }, (_, index) => String(total - MISSED_RING + index))
    expect(missed.list().map(({ actor }) => actor)).toEqual(latest)
    expect(missed.counts()).toMatchObject([{ count: total }])
    expect(takeMissed()).toHaveLength(total)
  })

  it('of any actor of a connection name the connection, and reach /status', async () => {
    const world = new SupervisedWorld((exchange) => exchange.respond(200))
    const session = await world.connected()
    const [{ supervisor }] = world.server.entries
    const { actor, tls, streams } = supervisor.connection
    actor.send({ type: 'handshake.completed' })
    tls.actor.send({ type: 'no.such.event' })
    const [stream] = streams.values()
    stream.actor.send({ type: 'app.readAll' })
    const missed = takeMissed()
    expect(missed.map(({ machine, event }) => `${machine} ${event}`)).toEqual([
      'connection handshake.completed',
      'serverHandshake unknown',
      `${stream.actor.table.id} app.readAll`,
    ])
    expect(new Set(missed.map(({ connection }) => connection))).toEqual(new Set([supervisor.name]))
    expect(supervisor.name).toMatch(/^[0-9a-f]{16}$/)
    expect(world.status().actors.missedTransitions).toBe(3)
    expect(world.server.missed.list()).toEqual(missed)
    session.close()
    await world.pass(5_000)
  })
})
