// Published with the testing kit: src/testing/sim/link-profile.ts.
export * from '../../src/testing/sim/link-profile.ts'
