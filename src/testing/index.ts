// The surface of `quactor/testing`, and nothing else.
export { type CommandOptions, commandSequences } from './commands.ts'
export { Coverage, type CoverageReport, type CoveredPart, edgeName } from './coverage.ts'
export {
  type EdgeOutcome,
  type GraphEdge,
  type GraphOptions,
  type GraphState,
  graphOf,
  type MachineGraph,
  textOf,
} from './graph.ts'
export {
  type MachineServiceReport,
  type MachineServiceTestOptions,
  testMachineService,
} from './machine-service-suite.ts'
export { machines } from './machines.ts'
export {
  type CoverOptions,
  type EdgeCover,
  edgeCover,
  type MachinePath,
  pathOf,
  type SimplePathOptions,
  shortestPaths,
  simplePaths,
} from './paths.ts'
export { type PathDriver, ReplayError, replay } from './replay.ts'
export type { RequestResult, RequestScript, RequestStep } from './request-script.ts'
export type { ScriptedRequest } from './scripted-request.ts'
export type { LinkProfile } from './sim/link-profile.ts'
export type { TestClient, TestResponse } from './test-client.ts'
export {
  createTestClient,
  createTestServer,
  expectNoLeaks,
  LeakError,
  type TestServer,
  type TestServerOptions,
} from './test-server.ts'
