// Published with the testing kit: src/testing/sim/virtual-clock.ts.
export * from '../../src/testing/sim/virtual-clock.ts'
