// XState's actor-ref contract on both kinds of actor: what waitFor, toPromise, rxjs and inspectors rely on.
import { from, lastValueFrom, toArray } from 'rxjs'
import { describe, expect, it, vi } from 'vitest'
import { createActor, createMachine, type InspectionEvent, sendTo, toPromise, waitFor } from 'xstate'
import {
  bidiStream,
  createLifeActor,
  InspectionHub,
  type Interpreter,
  type LifeActor,
  type Outcome,
  receiveStream,
  StreamEvent,
  sendStream,
} from '../../src/machines/index.ts'
import { notingSubject, RecordingOwner } from './interpreted.ts'

const WHOLE_SENDING_LIFE = [StreamEvent.sendStream, StreamEvent.sendFin, StreamEvent.sendAllAcked]

describe.each(['compiled', 'xstate'] as const satisfies Interpreter[])('%s actor', (interpreter) => {
  function start(table = sendStream, owner = new RecordingOwner()): LifeActor {
    return createLifeActor(table, 12, owner, undefined, interpreter).start()
  }

  function live(actor: LifeActor): void {
    for (const event of WHOLE_SENDING_LIFE) actor.raise(event)
  }

  it('remembers when it entered its state, and nothing else changes that time', () => {
    const owner = new RecordingOwner()
    owner.time = 5
    const actor = start(sendStream, owner)
    expect(actor.since).toBe(5)
    owner.time = 70
    actor.raise(StreamEvent.sendStream)
    expect(actor.since).toBe(70)
    owner.time = 80
    actor.raise(StreamEvent.sendStream)
    actor.raise(StreamEvent.recvFin)
    expect(actor.since).toBe(70)
    owner.time = 90
    actor.raise(StreamEvent.appReset)
    expect(actor.since).toBe(90)
  })

  it('waitFor resolves with the snapshot that satisfies the predicate', async () => {
    const actor = start()
    const waiting = waitFor(actor, (snapshot) => snapshot.matches('dataSent'))
    live(actor)
    expect((await waiting).value).toBe('dataSent')
    expect((await waitFor(actor, (snapshot) => snapshot.status === 'done')).output).toBe('closed')
  })

  it('waitFor rejects when the actor ends otherwise', async () => {
    const actor = start()
    const waiting = waitFor(actor, (snapshot) => snapshot.matches('resetSent'))
    live(actor)
    await expect(waiting).rejects.toThrow('terminated')
  })

  it('toPromise resolves with the output, before and after the end', async () => {
    const actor = start()
    const early = toPromise(actor)
    actor.raise(StreamEvent.connectionClosed)
    expect(await early).toBe('reset')
    expect(await toPromise(actor)).toBe('reset')
  })

  it('rxjs from() sees every snapshot and the completion', async () => {
    const actor = start()
    const all = lastValueFrom(from(actor).pipe(toArray()))
    live(actor)
    expect((await all).map((snapshot) => snapshot.value)).toEqual(['send', 'dataSent', 'dataRecvd'])
  })

  it('select() reports changes of the selected value only', () => {
    const actor = start()
    const isDone = actor.select((snapshot) => snapshot.status)
    const seen: string[] = []
    isDone.subscribe((status) => seen.push(status))
    live(actor)
    expect(seen).toEqual(['done'])
    expect(isDone.get()).toBe('done')
  })

  it('send() takes event objects, also without its receiver, from a machine of somebody else', () => {
    const actor = start()
    const parent = createActor(
      createMachine({ entry: sendTo(() => actor, { type: 'send.stream' }), on: { go: {} } }),
    )
    parent.start()
    expect(actor.getSnapshot().value).toBe('send')
  })

  it('an unknown event type is a missed transition', () => {
    const owner = new RecordingOwner()
    start(sendStream, owner).send({ type: 'no.such' })
    expect(owner.missed).toEqual(['ready -1'])
  })

  it('an impossible event is reported with its state and changes nothing', () => {
    const owner = new RecordingOwner()
    const actor = start(sendStream, owner)
    expect(actor.raise(StreamEvent.sendAllAcked)).toBe(2 satisfies (typeof Outcome)['impossible'])
    expect(owner.missed).toEqual(['ready send.allAcked'])
    expect(actor.getSnapshot().value).toBe('ready')
  })

  it('an impossible event after the end is reported, too', () => {
    const owner = new RecordingOwner()
    const actor = start(sendStream, owner)
    live(actor)
    actor.raise(StreamEvent.sendAllAcked)
    expect(owner.missed).toEqual(['dataRecvd send.allAcked'])
    expect(owner.finals).toEqual([actor])
  })

  it('stop() ends it without a transition: observers complete, the owner forgets it, once', () => {
    const owner = new RecordingOwner()
    const actor = start(receiveStream, owner)
    const complete = vi.fn()
    actor.subscribe({ complete })
    actor.stop()
    actor.stop()
    actor.raise(StreamEvent.recvFin)
    expect([actor.status, actor.getSnapshot().status, actor.getSnapshot().value]).toEqual([
      'stopped',
      'stopped',
      'recv',
    ])
    expect(complete).toHaveBeenCalledTimes(1)
    expect(owner.finals).toEqual([actor])
  })

  it('events raised before the start wait for it, and say what they will do', () => {
    const actor = createLifeActor(sendStream, 1, new RecordingOwner(), undefined, interpreter)
    const outcomes = [StreamEvent.sendStream, StreamEvent.sendStream, StreamEvent.sendFin].map((e) =>
      actor.raise(e),
    )
    expect(actor.getSnapshot().value).toBe('ready')
    expect(outcomes).toEqual([0, 2, 0])
    expect(actor.start().getSnapshot().value).toBe('dataSent')
  })

  it('an event raised from inside an action is taken after the current one', () => {
    const owner = new RecordingOwner()
    const log: string[] = []
    const subject = {
      perform(action: number) {
        log.push(`${bidiStream.actions[action]} in ${bidiStream.name[actor.state]}`)
        if (action === 0)
          log.push(`outcome ${actor.raise(StreamEvent.appStop)}, still ${actor.getSnapshot().status}`)
      },
    }
    const actor = createLifeActor(bidiStream, 0, owner, subject, interpreter).start()
    actor.raise(StreamEvent.recvStopSending)
    expect(log).toEqual([
      'queueResetStream in send.resetQueued|receive.recv',
      'outcome 0, still active',
      'discardSendBuffer in send.resetQueued|receive.recv',
      'queueStopSending in send.resetQueued|receive.stopped',
      'discardReceiveBuffer in send.resetQueued|receive.stopped',
    ])
  })

  it('a throwing action reaches the caller, and a final actor is still reported', () => {
    const owner = new RecordingOwner()
    const subject = {
      perform() {
        throw new Error('buffer is broken')
      },
    }
    const actor = createLifeActor(receiveStream, 0, owner, subject, interpreter).start()
    expect(() => actor.raise(StreamEvent.connectionClosed)).toThrow('buffer is broken')
    expect(owner.finals).toEqual([actor])
    expect(actor.raise(StreamEvent.connectionClosed)).toBe(1)
  })

  it('actions come before the end is reported, and the persisted snapshot is XState’s', () => {
    const log: string[] = []
    const owner = new RecordingOwner()
    owner.handleFinal = () => void log.push('final')
    const actor = createLifeActor(sendStream, 0, owner, notingSubject(sendStream, log), interpreter).start()
    live(actor)
    expect(log).toEqual(['discardSendBuffer', 'final'])
    expect(actor.getPersistedSnapshot()).toMatchObject({
      status: 'done',
      value: 'dataRecvd',
      output: 'closed',
    })
  })

  it('has the identity that inspectors and logs expect', () => {
    const [one, other] = [start(), start()]
    expect(one.id).toBe('12')
    expect(one.key).toBe(12)
    expect(one.sessionId).toBe(one.sessionId)
    expect(one.sessionId).not.toBe(other.sessionId)
    expect(one.src).toBe(sendStream.machine)
    expect(one.ref).toBe(one)
    expect(JSON.parse(JSON.stringify(one))).toEqual({ xstate$$type: 1, id: '12' })
  })

  it('an observer that unsubscribes hears nothing more', () => {
    const actor = start()
    const [first, second] = [vi.fn(), vi.fn()]
    actor.subscribe(first).unsubscribe()
    actor.subscribe(second)
    actor.raise(StreamEvent.sendStream)
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1])
  })

  it('an observer that throws harms no other; its error surfaces on its own', () => {
    const later: (() => void)[] = []
    vi.stubGlobal('queueMicrotask', (task: () => void) => later.push(task))
    const actor = start()
    const second = vi.fn()
    actor.subscribe(() => {
      throw new Error('observer is broken')
    })
    actor.subscribe(second)
    actor.raise(StreamEvent.sendStream)
    vi.unstubAllGlobals()
    expect(second).toHaveBeenCalledTimes(1)
    expect(later).toHaveLength(1)
    expect(later[0]).toThrow('observer is broken')
  })
})

describe('inspection', () => {
  function inspectedLife(interpreter: Interpreter): { seen: InspectionEvent[]; hub: InspectionHub } {
    const hub = new InspectionHub()
    const seen: InspectionEvent[] = []
    const subscription = hub.inspect((event) => seen.push(event))
    const owner = Object.assign(new RecordingOwner(), { inspection: hub, inspector: hub.active })
    const actor = createLifeActor(sendStream, 3, owner, undefined, interpreter).start()
    for (const event of WHOLE_SENDING_LIFE) actor.raise(event)
    subscription.unsubscribe()
    return { seen, hub }
  }

  function shapeOf(event: InspectionEvent): unknown {
    const snapshot =
      'snapshot' in event ? (event.snapshot as unknown as { value: unknown; status: string }) : undefined
    const type = 'event' in event ? event.event.type : undefined
    const action = 'action' in event ? event.action.type : undefined
    return [event.type, type, action, snapshot?.value, snapshot?.status]
  }

  it.each(['compiled', 'xstate'] as const)(
    '%s: the same events in the same order as from createActor',
    (interpreter) => {
      const expected: InspectionEvent[] = []
      const actor = createActor(sendStream.machine, { inspect: (event) => expected.push(event) }).start()
      for (const event of WHOLE_SENDING_LIFE) actor.send({ type: sendStream.events[event]! })
      expect(inspectedLife(interpreter).seen.map(shapeOf)).toEqual(expected.map(shapeOf))
    },
  )

  it('names the actor and its root in every event', () => {
    for (const event of inspectedLife('compiled').seen) {
      expect(event.rootId).toBe(event.actorRef.sessionId)
    }
  })

  it('a hub is active only while somebody listens', () => {
    expect(inspectedLife('compiled').hub.active).toBeUndefined()
  })

  it('actor.system.inspect() listens at the hub of the owner, and says so when there is none', () => {
    const hub = new InspectionHub()
    const owner: RecordingOwner & { inspection?: InspectionHub } = new RecordingOwner()
    owner.inspection = hub
    Object.defineProperty(owner, 'inspector', { get: () => hub.active })
    const actor = createLifeActor(sendStream, 3, owner, undefined, 'compiled').start()
    actor.raise(StreamEvent.sendStream)
    const types: string[] = []
    const subscription = actor.system.inspect((event) => types.push(event.type))
    actor.raise(StreamEvent.sendFin)
    subscription.unsubscribe()
    actor.raise(StreamEvent.sendAllAcked)
    expect(types).toEqual(['@xstate.event', '@xstate.microstep', '@xstate.snapshot'])
    const bare = createLifeActor(sendStream, 4, new RecordingOwner(), undefined, 'compiled')
    expect(() => bare.system.inspect(() => {})).toThrow('offers no inspection')
  })
})
