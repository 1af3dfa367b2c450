// Published with the testing kit: src/testing/sim/random.ts.
export * from '../../src/testing/sim/random.ts'
