// Published with the testing kit: src/testing/sim/network.ts.
export * from '../../src/testing/sim/network.ts'
