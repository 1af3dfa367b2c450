// How a chart declares what an event does that changes nothing. Used by every machine of this room and read
// by compile(). XState itself drops an unknown event silently; here each state names each event of its
// machine, as a transition, as `ignore` or as `impossible`, and a missing one does not compile.

/** What a chart says about one event in one state that is no transition. */
export interface DeclaredMeta {
  readonly outcome: 'ignore' | 'impossible'
  readonly reason: string
}

/** One entry of a state's `on`: a transition (target, actions) or a declared non-transition (meta). */
export interface Declared<TAction extends string = string> {
  readonly target?: string
  readonly actions?: TAction | readonly TAction[]
  readonly meta?: DeclaredMeta
}

/** A state node whose `on` names every event of its alphabet: leaving one out is a type error. */
export interface DeclaredState<TEvent extends string, TAction extends string = string> {
  readonly type?: 'final'
  readonly entry?: readonly TAction[]
  readonly on: Readonly<Record<TEvent, Declared<TAction>>>
}

/** The event is legal here and changes nothing (a repeat, a late arrival). */
export function ignore(reason: string): { readonly meta: DeclaredMeta } {
  return { meta: { outcome: 'ignore', reason } }
}

/** Nobody may raise the event here: it is counted as a missed transition and fails every test. */
export function impossible(reason: string): { readonly meta: DeclaredMeta } {
  return { meta: { outcome: 'impossible', reason } }
}

/** Declares the same outcome for several events: `{ ...each(['a', 'b'], impossible('why')) }`. */
export function each<TEvent extends string, TDeclared>(
  events: readonly TEvent[],
  declared: TDeclared,
): Record<TEvent, TDeclared> {
  const on = {} as Record<TEvent, TDeclared>
  for (const event of events) on[event] = declared
  return on
}

/** Actions of a chart are names; the actor hands them to its subject. XState needs a function for each. */
export function namedActions<TAction extends string>(names: readonly TAction[]): Record<TAction, () => void> {
  return each(names, () => {})
}
