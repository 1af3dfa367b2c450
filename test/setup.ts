// Runs in every test file (vitest's setupFiles): fails a test in which a machine missed a transition or an invariant
// of the supervision was broken, also when the test itself looked at something else.
import { afterAll, afterEach } from 'vitest'
import { takeMissed, takeViolations } from './supervision-faults.ts'

function failOnFaults(): void {
  const missed = takeMissed().map(
    ({ machine, actor, state, event }) => `missed transition: ${machine} ${actor}: ${event} in ${state}`,
  )
  const broken = takeViolations().map(({ rule, detail }) => `broken invariant: ${rule}: ${detail}`)
  const faults = [...missed, ...broken]
  if (faults.length > 0) throw new Error(faults.join('\n'))
}

afterEach(failOnFaults)
afterAll(failOnFaults)
