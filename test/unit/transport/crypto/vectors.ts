// Readers of test vectors for the tests of this room.
import { existsSync, readFileSync } from 'node:fs'
import { conformancePath } from '../../../conformance.ts'

/** Bytes of a hexadecimal string. */
export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

/** Lower-case hexadecimal of bytes. */
export function hex(data: Uint8Array): string {
  return Buffer.from(data).toString('hex')
}

export interface WycheproofFile<Group> {
  readonly numberOfTests: number
  readonly testGroups: readonly Group[]
}

/** A Wycheproof file, or undefined when the conformance data is not beside the checkout. */
export function wycheproof<Group>(name: string): WycheproofFile<Group> | undefined {
  return readConformance(`wycheproof/${name}_test.json`) as WycheproofFile<Group> | undefined
}

function readConformance(name: string): unknown {
  const path = conformancePath(name)
  return path !== undefined && existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

/** An entropy source that gives the same bytes for the same seed. */
export function seededEntropy(seed: number): { fill(target: Uint8Array): void } {
  let state = seed >>> 0
  return {
    fill(target) {
      for (let i = 0; i < target.length; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        target[i] = state >>> 24
      }
    },
  }
}
