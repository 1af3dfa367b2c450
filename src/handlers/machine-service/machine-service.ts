// machineService(): a request handler as a statechart. Each request gets a root actor of its own on XState's
// interpreter, so that a crash or a slow machine touches nothing else. Built on the exchange: it runs on every HTTP
// version. What happens to the stream goes in as ServiceEvent; what the machine emits, and its output, comes out.
//
//                 body, datagrams,            emitted ResponseEvent,
//                 pause, cancel, drain        final output
//     exchange ------------------------> actor --------------------> exchange
//
import { type AnyActorLogic, type InputFrom, type OutputFrom, type Snapshot, StateMachine } from 'xstate'
import type { Exchange, ExchangeHandler } from '../exchange.ts'
import { hasUrl } from '../lazy-request.ts'
import { boundedLogic } from './hosted-actor.ts'
import type { ServiceEvent, ServiceInput, ServiceOutput } from './service-events.ts'
import { ServiceRun } from './service-run.ts'

/** Events of the logic that have the type of one of ours and another shape. */
type WrongEvents<Logic> =
  Logic extends StateMachine<
    infer _Context,
    infer Event,
    infer _C,
    infer _A,
    infer _Ac,
    infer _G,
    infer _D,
    infer _V,
    infer _T,
    infer _I,
    infer _O,
    infer _E,
    infer _M,
    infer _S,
    infer _TM
  >
    ? WrongEvent<Event, ServiceEvent>
    : never

// Of each of our events: does the machine's event of that type take it?
type WrongEvent<Declared, Ours extends ServiceEvent> = Ours extends unknown
  ? [Extract<Declared, { type: Ours['type'] }>] extends [never]
    ? never
    : [Ours] extends [Extract<Declared, { type: Ours['type'] }>]
      ? never
      : Ours['type']
  : never

/** The logic itself when it can be a service, else a type that says what is wrong. */
type ServiceLogic<Logic extends AnyActorLogic> = [WrongEvents<Logic>] extends [never]
  ? [OutputFrom<Logic>] extends [ServiceOutput]
    ? Logic
    : { readonly 'the output is not a response': OutputFrom<Logic> }
  : { readonly 'the machine declares events of another shape': WrongEvents<Logic> }

interface CommonOptions {
  /** Name of the actor in the inspector; default: that of the machine. */
  readonly id?: string
  /** How often the state may change without an event from outside before it counts as a loop; default 1,000. */
  readonly maxIterations?: number
  /**
   * Where a service that was interrupted goes on: a snapshot that `persist` was given, or undefined to begin anew.
   * Actions that were done are not done again; what the state invokes is started again. XState does not store the
   * timers of `after`: a state that waits should invoke what it waits for.
   */
  readonly restore?: (
    input: ServiceInput,
  ) => Snapshot<unknown> | undefined | Promise<Snapshot<unknown> | undefined>
  /**
   * Stores the state after each change. While a promise is pending the latest change waits, so slow stores see fewer
   * snapshots and always the last. A failure crashes the service. The context must not contain the input.
   */
  readonly persist?: (snapshot: Snapshot<unknown>, input: ServiceInput) => void | Promise<void>
}

/** Options of {@link machineService}; `input` is needed when the machine's input is another than {@link ServiceInput}. */
export type MachineServiceOptions<Logic extends AnyActorLogic> = CommonOptions &
  (ServiceInput extends InputFrom<Logic>
    ? { readonly input?: (input: ServiceInput) => InputFrom<Logic> }
    : { readonly input: (input: ServiceInput) => InputFrom<Logic> })

type OptionalWhen<Condition, Value> = Condition extends true ? [options?: Value] : [options: Value]

/**
 * Makes a request handler of actor logic: a machine, or what fromPromise, fromCallback, fromObservable or
 * fromTransition make.
 *
 * The response is what the logic emits ({@link ResponseEvent}), calls on `input.response`, or puts out at its end. The
 * request's body comes as events to a machine that takes `body.*` events; other logic reads `input.request`.
 * When the request is cancelled a machine that takes the event has the grace time to finish; other logic is stopped.
 * @param logic shared by all requests; each gets an actor
 */
export function machineService<Logic extends AnyActorLogic>(
  logic: Logic & ServiceLogic<Logic>,
  ...[options]: OptionalWhen<
    ServiceInput extends InputFrom<Logic> ? true : false,
    MachineServiceOptions<Logic>
  >
): ExchangeHandler {
  const plan = {
    logic: boundedLogic(logic, options?.maxIterations),
    takesBody: takes(logic, ['body.chunk', 'body.end', 'body.trailers']),
    takesDatagrams: takes(logic, ['datagram']),
    id: options?.id,
    input: options?.input,
    restore: options?.restore,
    persist: options?.persist,
  }
  return (exchange: Exchange) => {
    if (hasUrl(exchange)) return new ServiceRun(exchange, plan).run()
    exchange.respond(400, ['content-type', 'text/plain; charset=utf-8'], 'the request names no valid URL\n')
    return undefined
  }
}

/** Whether a machine mentions one of these events, by name or by wildcard. */
function takes(logic: AnyActorLogic, types: readonly string[]): boolean {
  if (!(logic instanceof StateMachine)) return false
  return logic.events.some((descriptor: string) => types.some((type) => matches(descriptor, type)))
}

function matches(descriptor: string, type: string): boolean {
  if (descriptor === type || descriptor === '*') return true
  return descriptor.endsWith('.*') && type.startsWith(descriptor.slice(0, -1))
}
