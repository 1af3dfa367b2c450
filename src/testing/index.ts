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
