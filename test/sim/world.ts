// Published with the testing kit: src/testing/sim/world.ts.
export * from '../../src/testing/sim/world.ts'
