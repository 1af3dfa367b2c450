// Runs in every test file (vitest's setupFiles): fails a test in which a machine missed a transition or an invariant
// of the supervision was broken, also when the test itself looked at something else.
import { afterAll, afterEach } from 'vitest'
import { failOnFaults } from './supervision-faults.ts'

afterEach(failOnFaults)
afterAll(failOnFaults)
