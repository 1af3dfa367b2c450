// Tests a machine service as a whole: random clients over bad networks against the real server in virtual time. What a
// handler must not do is the same for everybody, so that no test has to say it: crash, hang, leak, or be sent something
// that its chart does not name. Called by tests of users.
import fc from 'fast-check'
import type { AnyStateMachine } from 'xstate'
import { type MachineServiceOptions, machineService } from '../handlers/machine-service/index.ts'
import { textOf } from './graph.ts'
import { observed } from './observed-machine.ts'
import {
  describeScript,
  play,
  type RequestResult,
  type RequestScript,
  requestScripts,
} from './request-script.ts'
import { createTestServer, type TestServer } from './test-server.ts'

/** What {@link testMachineService} is to try. */
export interface MachineServiceTestOptions {
  /** How many requests; default 100. */
  readonly runs?: number
  /** Makes the same requests again; default 1. */
  readonly seed?: number
  /** Steps of a client at most; default 8. */
  readonly maxSteps?: number
  /** What bodies are made of; default: random bytes. */
  readonly chunks?: readonly Uint8Array[]
  /** Default POST. */
  readonly method?: string
  /** Default /. */
  readonly path?: string
  /** Further fields of the request, flat: name, value, name, value. */
  readonly fields?: readonly string[]
  /** Options of machineService(). */
  readonly service?: MachineServiceOptions<AnyStateMachine>
  /** Judges what the client saw. @throws whatever fails the test; the script that is printed then is a shrunk one */
  readonly check?: (result: RequestResult, script: RequestScript, server: TestServer) => void | Promise<void>
  /** Fails when a state of the machine was never reached; default false, because some need what no client sends. */
  readonly requiresAllStates?: boolean
}

/** What the requests reached. */
export interface MachineServiceReport {
  /** Requests that were made. */
  readonly runs: number
  /** States that were reached, and how often. */
  readonly states: ReadonlyMap<string, number>
  /** Steps that were taken, as `state x event`, and how often. */
  readonly transitions: ReadonlyMap<string, number>
  /** States of the chart without inner states that no request reached. */
  readonly missing: readonly string[]
}

const RUNS = 100
const MAX_STEPS = 8

/**
 * Draws request scripts (body chunks, end, trailers, stop, reset, abort, drain, pauses, lost networks), plays each
 * against a real server that runs the machine, and fails with the shortest script that makes the handler crash, hang or
 * leave something behind.
 * @throws Error of fast-check with the script and what was wrong
 */
export async function testMachineService(
  machine: AnyStateMachine,
  options: MachineServiceTestOptions = {},
): Promise<MachineServiceReport> {
  const { runs = RUNS, seed = 1, maxSteps = MAX_STEPS } = options
  const states = new Map<string, number>()
  const transitions = new Map<string, number>()
  const count = (map: Map<string, number>, key: string): void => {
    map.set(key, (map.get(key) ?? 0) + 1)
  }
  const watched = observed(machine, (before, event, after) => {
    count(states, textOf(before.value))
    count(states, textOf(after.value))
    count(transitions, `${textOf(before.value)} x ${event.type}`)
  })
  const scripts = requestScripts(options.chunks, maxSteps)
  await fc.assert(
    fc.asyncProperty(scripts, (script) => runScript(watched, script, options)),
    { numRuns: runs, seed },
  )
  const missing = leavesOf(machine).filter((name) => !isReached(name, states))
  if (options.requiresAllStates === true && missing.length > 0) {
    throw new Error(`${machine.id}: no request reached ${missing.join(', ')}`)
  }
  return { runs, states, transitions, missing }
}

async function runScript(
  machine: AnyStateMachine,
  script: RequestScript,
  options: MachineServiceTestOptions,
): Promise<void> {
  const server = createTestServer({
    handler: machineService(machine, options.service as MachineServiceOptions<AnyStateMachine>),
    seed: script.seed,
    link: { loss: script.loss, lossBurst: 4 },
  })
  const client = await server.connect()
  const { method = 'POST', path = '/', fields = [] } = options
  const result = await play(server, client, script, { method, path, fields })
  await options.check?.(result, script, server)
  const leaks = await server.end()
  // A client that is gone without a word is waited for until the deadline: that is not the handler's fault.
  const hasVanished = script.steps.some((step) => step.do === 'vanish')
  const faults = server.faults
    .filter(({ kind }) => !(hasVanished && kind === 'hang'))
    .map(({ kind, error }) => `${kind}: ${error instanceof Error ? error.message : error}`)
  const problems = [...faults, ...leaks.map((leak) => `left over: ${leak}`)]
  if (problems.length > 0) throw new Error(`${describeScript(script)}: ${problems.join('; ')}`)
}

/** The innermost states, by their path: `open.reading`. */
function leavesOf(machine: AnyStateMachine): string[] {
  const leaves: string[] = []
  const visit = (node: AnyStateMachine['root']): void => {
    const inner = Object.values(node.states)
    if (inner.length === 0 && node !== machine.root) leaves.push(node.path.join('.'))
    for (const child of inner) visit(child)
  }
  visit(machine.root)
  return leaves
}

/** A leaf of a parallel state appears among others: `{a.one,b.two}`. */
function isReached(leaf: string, states: ReadonlyMap<string, number>): boolean {
  const last = leaf.split('.').at(-1)!
  return [...states.keys()].some((key) => key === leaf || key.split(/[{},.]/).includes(last))
}
