// Published with the testing kit: src/testing/sim/sim-socket.ts.
export * from '../../src/testing/sim/sim-socket.ts'
