// What the public surface takes from this folder.
export { type MachineServiceOptions, machineService } from './machine-service.ts'
export * from './response-actions.ts'
export {
  type FieldsInit,
  type ResponseEvent,
  type ResponseHead,
  type ServiceEvent,
  type ServiceInput,
  type ServiceOutput,
  type ServiceReply,
  type ServiceStream,
  serviceTypes,
} from './service-events.ts'
export type { ServiceResponse } from './service-response.ts'
export {
  type SessionCommand,
  type SessionEvent,
  type SessionInput,
  type SocketCommand,
  type SocketEvent,
  type SocketInput,
  sessionTypes,
  socketTypes,
} from './session-events.ts'
export { type SessionServiceOptions, sessionService } from './session-service.ts'
export { type SocketServiceOptions, socketService } from './socket-service.ts'
