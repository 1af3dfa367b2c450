// Chooses what runs a machine: the compiled table, or XState's interpreter. Called by the supervisor wherever
// it starts an actor, and once at start by whoever reads the option `interpreter`.
import type { ActorOwner, ActorSubject } from './actor-contract.ts'
import type { CompiledMachine } from './compile.ts'
import { InterpretedActor } from './interpreted-actor.ts'
import { LifeActor } from './life-actor.ts'

export type Interpreter = 'compiled' | 'xstate'

let chosen: Interpreter = 'compiled'

/** Sets what actors created from now on run on, unless createLifeActor is told otherwise. */
export function setInterpreter(interpreter: Interpreter): void {
  chosen = interpreter
}

/** Creates an actor that is not started yet. The parameters are those of LifeActor. */
export function createLifeActor(
  table: CompiledMachine,
  id: string | number,
  owner: ActorOwner,
  subject?: ActorSubject,
  interpreter: Interpreter = chosen,
): LifeActor {
  return interpreter === 'compiled'
    ? new LifeActor(table, id, owner, subject)
    : new InterpretedActor(table, id, owner, subject)
}
