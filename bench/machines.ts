// Compares one whole stream life (create, start, seven events, final) in the compiled actor with XState's
// createActor on the same machine, in CPU time of the same run. Exits 1 when the ratio is under the target.
// Run by `npm run bench:machines`.
import { createActor } from 'xstate'
import {
  type ActorOwner,
  type ActorSubject,
  bidiStream,
  LifeActor,
  StreamEvent,
} from '../src/machines/index.ts'

/** How many times cheaper a compiled life must be. */
const TARGET_RATIO = 100

const ROUNDS = 7
const COMPILED_LIVES = 400_000
const INTERPRETED_LIVES = 3_000

/** A request and its response: received, read, answered, acknowledged. */
const LIFE = [
  StreamEvent.recvFin,
  StreamEvent.recvAllData,
  StreamEvent.appReadAll,
  StreamEvent.sendStream,
  StreamEvent.sendFin,
  StreamEvent.recvResetStream,
  StreamEvent.sendAllAcked,
] as const

const live = new Map<number, LifeActor>()
let ended = 0
let actionsDone = 0

const owner: ActorOwner = {
  handleFinal(actor) {
    live.delete(actor.key as number)
    ended += 1
  },
  handleMissed(actor, state, event) {
    throw new Error(`missed ${actor.table.events[event]} in ${actor.table.name[state]}`)
  },
  time: 0,
  inspector: undefined,
}

const subject: ActorSubject = {
  perform() {
    actionsDone += 1
  },
}

function runCompiled(lives: number): void {
  for (let index = 0; index < lives; index++) {
    const actor = new LifeActor(bidiStream, index * 4, owner, subject).start()
    live.set(index * 4, actor)
    for (let step = 0; step < LIFE.length; step++) actor.raise(LIFE[step]!)
  }
}

const events = LIFE.map((index) => bidiStream.eventObjects[index]!)

function runInterpreted(lives: number): void {
  const actions = Object.fromEntries(bidiStream.actions.map((name) => [name, () => subject.perform(0)]))
  const machine = bidiStream.machine.provide({ actions })
  for (let index = 0; index < lives; index++) {
    const actor = createActor(machine, { id: String(index * 4) })
    actor.subscribe({ complete: () => (ended += 1) })
    actor.start()
    for (const event of events) actor.send(event)
  }
}

/** CPU microseconds per life, user and system. */
function measure(run: (lives: number) => void, lives: number): number {
  globalThis.gc?.()
  ended = 0
  const before = process.cpuUsage()
  run(lives)
  const used = process.cpuUsage(before)
  if (ended !== lives) throw new Error(`${lives - ended} lives have not ended`)
  return (used.user + used.system) / lives
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

runCompiled(COMPILED_LIVES)
runInterpreted(INTERPRETED_LIVES)
const compiled: number[] = []
const interpreted: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  compiled.push(measure(runCompiled, COMPILED_LIVES))
  interpreted.push(measure(runInterpreted, INTERPRETED_LIVES))
}
const compiledCost = median(compiled)
const interpretedCost = median(interpreted)
const ratio = interpretedCost / compiledCost
console.log(`CPU per stream life, bidiStream, ${LIFE.length} events, median of ${ROUNDS} rounds`)
console.log(`  compiled table   ${compiledCost.toFixed(3)} us`)
console.log(`  createActor      ${interpretedCost.toFixed(1)} us`)
console.log(`  ratio            ${ratio.toFixed(0)} x (target ${TARGET_RATIO} x), ${actionsDone} actions`)
if (live.size > 0 || ratio < TARGET_RATIO) process.exitCode = 1
