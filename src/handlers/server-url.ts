// The URL of a server, as a browser can be pointed at it. Used by running-server.ts and workers/workers-server.ts.

export function urlOf(address: string, port: number): string {
  return `https://${hostOf(address)}:${port}`
}

/** "Every address" is reached as localhost. */
function hostOf(address: string): string {
  if (['0.0.0.0', '::', '127.0.0.1', '::1'].includes(address)) return 'localhost'
  return address.includes(':') ? `[${address}]` : address
}
