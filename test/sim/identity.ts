// Published with the testing kit: src/testing/sim/identity.ts.
export * from '../../src/testing/sim/identity.ts'
