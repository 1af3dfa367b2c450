// All frame codecs in one place for connection and tests; the frames themselves are in the files named here.
export * from './ack-frame.ts'
export * from './ack-frequency-frame.ts'
export * from './close-frame.ts'
export * from './control-frames.ts'
export * from './data-frames.ts'
