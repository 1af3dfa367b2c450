// The words that the page and the server exchange. They live with the server's side, because the published package
// contains that side as compiled code and this side only as the built page.
export * from '../src/inspector/protocol.ts'
