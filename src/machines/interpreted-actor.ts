// The plain twin of LifeActor: the same surface, but every step is taken by XState's own interpreter, one
// createActor per life. Chosen by `interpreter: 'xstate'`; the whole test suite passes with it, which is what
// proves in operation that the tables say the same as the charts. Created through interpreter.ts.
import { type Actor, type AnyMachineSnapshot, type AnyStateMachine, createActor } from 'xstate'
import { type ActorOwner, type ActorSubject, Gate } from './actor-contract.ts'
import type { CompiledMachine } from './compile.ts'
import { LifeActor } from './life-actor.ts'

/** Where the actions of the step that is being taken are noted; steps do not nest. */
let noted: number[] = []

const noting = new WeakMap<CompiledMachine, AnyStateMachine>()

/** The machine with actions that note their index instead of doing anything. */
function notingMachine(table: CompiledMachine): AnyStateMachine {
  let machine = noting.get(table)
  if (machine === undefined) {
    const actions = table.actions.map((name, index) => [name, () => void noted.push(index)])
    machine = table.machine.provide({ actions: Object.fromEntries(actions) })
    noting.set(table, machine)
  }
  return machine
}

export class InterpretedActor extends LifeActor {
  readonly #interpreter: Actor<AnyStateMachine>

  constructor(table: CompiledMachine, id: string | number, owner: ActorOwner, subject?: ActorSubject) {
    super(table, id, owner, subject, Gate.interpreted)
    this.#interpreter = createActor(notingMachine(table), { id: String(id) })
  }

  protected override begin(): void {
    this.#interpreter.start()
  }

  protected override cease(): void {
    this.#interpreter.stop()
  }

  protected override step(event: number): readonly number[] | undefined {
    noted = []
    this.#interpreter.send(this.table.eventObjects[event]!)
    this.state = this.table.stateOf(this.#interpreter.getSnapshot().value)
    return noted.length > 0 ? noted : undefined
  }

  protected override currentSnapshot(): AnyMachineSnapshot {
    return this.#interpreter.getSnapshot()
  }
}
