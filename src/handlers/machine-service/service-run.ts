// One request in the hands of one actor: starts it, feeds it, obeys it, and ends with it. Made per request by
// machine-service.ts.
import { type Actor, type AnyActorLogic, type EventObject, type Snapshot, StateMachine } from 'xstate'
import type { CancelledError, Exchange } from '../exchange.ts'
import { Waiter } from '../waiter.ts'
import { BodyFeed } from './body-feed.ts'
import { hostedActor } from './hosted-actor.ts'
import type { ResponseEvent, ServiceEvent, ServiceInput, ServiceOutput } from './service-events.ts'
import { RunInput } from './service-input.ts'
import { ServiceResponse } from './service-response.ts'
import { SnapshotKeeper } from './snapshot-keeper.ts'

/** What all requests of a service share. */
export interface ServicePlan {
  readonly logic: AnyActorLogic
  readonly takesBody: boolean
  readonly takesDatagrams: boolean
  readonly id: string | undefined
  readonly input: ((input: ServiceInput) => unknown) | undefined
  readonly restore:
    | ((input: ServiceInput) => Snapshot<unknown> | undefined | Promise<Snapshot<unknown> | undefined>)
    | undefined
  readonly persist: ((snapshot: Snapshot<unknown>, input: ServiceInput) => void | Promise<void>) | undefined
}

type ServiceActor = Actor<AnyActorLogic>

export class ServiceRun {
  readonly #exchange: Exchange
  readonly #plan: ServicePlan
  readonly #response: ServiceResponse
  readonly #input: RunInput
  readonly #end = new Waiter<void>()
  #actor: ServiceActor | undefined
  #feed: BodyFeed | undefined
  #keeper: SnapshotKeeper | undefined

  constructor(exchange: Exchange, plan: ServicePlan) {
    this.#exchange = exchange
    this.#plan = plan
    this.#response = new ServiceResponse(exchange, this)
    this.#input = new RunInput(exchange, this.#response)
  }

  /** Settles when the actor has ended and its response is with the transport. */
  run(): Promise<void> {
    const snapshot = this.#plan.restore?.(this.#input)
    if (!(snapshot instanceof Promise)) return this.#start(snapshot)
    return snapshot.then((restored) => this.#start(restored))
  }

  #start(snapshot: Snapshot<unknown> | undefined): Promise<void> {
    const { logic, id, input, persist } = this.#plan
    const { host } = this.#exchange
    const actor: ServiceActor = hostedActor(logic, host, this.#exchange, {
      input: input === undefined ? this.#input : input(this.#input),
      id,
      snapshot,
    })
    this.#actor = actor
    if (persist !== undefined) {
      this.#keeper = new SnapshotKeeper((state) => persist(state, this.#input), this.#fail)
    }
    actor.on('*', this.#obey)
    actor.subscribe({ next: this.#keep, error: this.#fail, complete: this.#complete })
    this.#exchange.onCancel = this.#cancel
    this.#exchange.onCut = this.#stop
    this.#exchange.onDrain = () => this.#send({ type: 'drain' })
    this.#exchange.onPriorityChange = () =>
      this.#send({ type: 'priority.change', ...this.#exchange.priority })
    if (this.#plan.takesBody) {
      // Before the actor starts: its first actions may hold it.
      this.#feed = new BodyFeed(this.#exchange, (event) => this.#send(event), this.#fail)
    }
    actor.start()
    if (actor.getSnapshot().status === 'active') {
      this.#feed?.start()
      if (this.#plan.takesDatagrams) this.#feedDatagrams().catch(this.#fail)
    }
    return this.#end.promise
  }

  async #feedDatagrams(): Promise<void> {
    const { datagrams } = this.#exchange
    if (datagrams === undefined) return
    for await (const payload of datagrams) this.#send({ type: 'datagram', payload })
  }

  #send(event: ServiceEvent): void {
    this.#actor?.send(event as EventObject)
  }

  // --- pace of the response ---------------------------------------------------------------------------------------

  /** While the client is behind, the machine is not given more to answer. */
  handlePause(): void {
    this.#feed?.hold('response')
    this.#send({ type: 'response.pause' })
  }

  handleResume(): void {
    this.#feed?.release('response')
    this.#send({ type: 'response.resume' })
  }

  // --- from the actor ---------------------------------------------------------------------------------------------

  #obey = (event: EventObject): void => {
    try {
      if (event.type === 'body.pause') this.#feed?.hold('machine')
      else if (event.type === 'body.resume') this.#feed?.release('machine')
      else this.#response.perform(event as ResponseEvent)
    } catch (error) {
      this.#fail(error)
    }
  }

  #keep = (): void => {
    const actor = this.#actor
    if (actor !== undefined) this.#keeper?.keep(actor.getPersistedSnapshot() as Snapshot<unknown>)
  }

  #complete = (): void => {
    const actor = this.#actor
    // An actor that was stopped completes as well; only one that is done has an output.
    if (actor === undefined || actor.getSnapshot().status !== 'done') return
    this.#feed?.stop()
    this.#finish(actor.getSnapshot().output).then(this.#resolve, this.#fail)
  }

  async #finish(output: ServiceOutput): Promise<void> {
    await this.#keeper?.settled
    await this.#response.complete(output)
  }

  #fail = (error: unknown): void => {
    this.#feed?.stop()
    this.#end.reject(error as Error)
    this.#stop()
  }

  #resolve = (): void => this.#end.resolve()

  // --- cancellation -----------------------------------------------------------------------------------------------

  #cancel = (error: CancelledError): void => {
    this.#feed?.stop()
    const event = eventOf(error)
    if (!this.#isInterested(event)) this.#stop()
    else this.#send(event)
  }

  /** A machine that has a transition for the event may finish what it is at; it is stopped when its grace is over. */
  #isInterested(event: ServiceEvent): boolean {
    if (!(this.#plan.logic instanceof StateMachine)) return false
    const snapshot = this.#actor?.getSnapshot()
    return snapshot?.status === 'active' && snapshot.can(event)
  }

  #stop = (): void => {
    this.#feed?.stop()
    this.#actor?.stop()
    this.#end.resolve()
  }
}

function eventOf({ reason, code }: CancelledError): ServiceEvent {
  if (reason === 'peerReset') return { type: 'recv.resetStream', code }
  if (reason === 'peerStopped') return { type: 'recv.stopSending', code }
  if (reason === 'deadline') return { type: 'deadline' }
  return { type: 'connection.closed' }
}
