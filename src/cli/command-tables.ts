// Every command with its options: the one place where they are written down. Read by the commands themselves, by
// --help and by the completions.
import { MAX_WORKERS } from '../handlers/workers/limits.ts'
import { type CommandTable, HELP_OPTION, type OptionTable } from './option-table.ts'

/** Where `npm start` and `quactor serve` listen for people who look. */
export const DEFAULT_INSPECTOR_PORT = '4434'

/** Shells that completions are made for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** Keeps the literal types of the options, which parseArgs() makes types of values from. */
function define<const Options extends OptionTable>(table: CommandTable<Options>): CommandTable<Options> {
  return table
}

export const SERVE = define({
  name: 'serve',
  summary: 'HTTP/3 server with demo routes, and the files below DIR',
  operand: '[DIR]',
  complete: 'folder',
  about:
    'Serves the files below DIR, and demo routes, over HTTP/3 (UDP), HTTP/2 and HTTP/1.1 (TCP) on one port, and prints one line when it is ready. SIGINT or SIGTERM drains it, a second one stops it at once.',
  options: {
    port: { type: 'string', default: '4433', value: 'PORT', help: 'UDP and TCP port; 0 = any that is free' },
    host: { type: 'string', value: 'ADDRESS', help: 'address to listen on; without it all, IPv4 and IPv6' },
    root: {
      type: 'string',
      value: 'DIR',
      complete: 'folder',
      help: 'serve the files below DIR (the same as DIR)',
    },
    workers: {
      type: 'string',
      value: 'N',
      complete: ['auto'],
      help: `serve with N processes, up to ${MAX_WORKERS}; auto = one per core. Without it one`,
    },
    cert: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      complete: 'file',
      group: 'Certificates',
      help: 'certificate chain, PEM; needs --key. Without it self-signed for localhost. Several, with as many --key: each for its own names. SIGHUP reads the files again',
    },
    key: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      complete: 'file',
      group: 'Certificates',
      help: 'private key, PEM',
    },
    'client-ca': {
      type: 'string',
      value: 'FILE',
      complete: 'file',
      group: 'Certificates',
      help: 'ask clients for certificates of these authorities, PEM',
    },
    'require-client-cert': { type: 'boolean', group: 'Certificates', help: 'refuse clients without one' },
    'ticket-keys': {
      type: 'string',
      value: 'FILE',
      complete: 'file',
      group: 'Certificates',
      help: "secrets of session tickets, 64 hexadecimal digits a line, newest first: for servers that resume each other's sessions. SIGHUP reads it again",
    },
    retry: {
      type: 'string',
      default: 'auto',
      value: 'MODE',
      complete: ['always', 'never', 'auto'],
      group: 'QUIC',
      help: 'have clients prove their address first: always, never, or auto while more than 100 handshakes are under way',
    },
    preferred: {
      type: 'string',
      value: 'ADDRESS:PORT',
      group: 'QUIC',
      help: 'bind this UDP address too, and ask clients to move there; IPv6 in brackets',
    },
    versions: {
      type: 'string',
      value: 'LIST',
      complete: ['v1,v2', 'v2,v1', 'v1', 'v2'],
      group: 'QUIC',
      help: 'QUIC versions in order of preference; without it v1,v2',
    },
    'early-data': {
      type: 'boolean',
      group: 'QUIC',
      help: 'take requests with the first packets of returning clients (0-RTT): safe methods only, they may be replayed',
    },
    inspector: {
      type: 'string',
      default: DEFAULT_INSPECTOR_PORT,
      value: 'PORT',
      complete: ['off'],
      group: 'To look at it',
      help: 'admin port on loopback; off = none',
    },
    'access-log': {
      type: 'string',
      value: 'FORMAT',
      complete: ['json', 'text'],
      group: 'To look at it',
      help: "one line per request on standard output: json (pino's) or text",
    },
    keylog: {
      type: 'string',
      value: 'FILE',
      complete: 'file',
      group: 'To look at it',
      help: 'append TLS secrets for Wireshark; whoever has them reads everything',
    },
    qlog: {
      type: 'string',
      value: 'DIR',
      complete: 'folder',
      group: 'To look at it',
      help: 'write a qlog file per connection to DIR, for https://qvis.quictools.info',
    },
    json: { type: 'boolean', group: 'To look at it', help: 'print the ready line as JSON' },
    help: HELP_OPTION,
  },
  examples: [
    ['quactor serve public', 'the files of a folder, with a certificate for this machine'],
    ['quactor serve public --port 443 --cert chain.pem --key key.pem --workers auto', 'for everybody'],
    ['quactor serve --qlog logs --access-log text', 'see what happens'],
  ],
  exitCodes:
    '0 stopped after a signal; 2 the server cannot start as asked (wrong options, busy port, key that cannot be used); 130 stopped at once by a second signal.',
})

export const GET = define({
  name: 'get',
  summary: 'one request over HTTP/3',
  operand: 'URL',
  about:
    'Sends one request over HTTP/3, or over TCP where there is none, and writes the body to standard output or a file. With -o on a terminal a line shows how far it is.',
  options: {
    method: {
      type: 'string',
      short: 'X',
      value: 'METHOD',
      group: 'Request',
      help: 'GET, or POST with -d, without it',
    },
    header: {
      type: 'string',
      short: 'H',
      multiple: true,
      value: 'LINE',
      group: 'Request',
      help: '"name: value"',
    },
    data: {
      type: 'string',
      short: 'd',
      value: 'TEXT',
      complete: 'file',
      group: 'Request',
      help: 'request body; @FILE sends a file, @- standard input',
    },
    head: { type: 'boolean', short: 'I', group: 'Request', help: 'request HEAD and print the header fields' },
    output: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      complete: 'file',
      group: 'Output',
      help: 'write the body there instead of to standard output',
    },
    include: {
      type: 'boolean',
      short: 'i',
      group: 'Output',
      help: 'print status and header fields before the body',
    },
    verbose: {
      type: 'boolean',
      short: 'v',
      group: 'Output',
      help: 'say on standard error what was sent and how the handshake went',
    },
    silent: { type: 'boolean', short: 's', group: 'Output', help: 'no progress on the terminal' },
    json: {
      type: 'boolean',
      group: 'Output',
      help: 'print status, header fields, timing and body size as JSON; the body only with -o',
    },
    insecure: { type: 'boolean', short: 'k', group: 'Connection', help: 'accept any certificate' },
    ca: {
      type: 'string',
      value: 'FILE',
      complete: 'file',
      group: 'Connection',
      help: "trust this certificate (PEM) instead of the system's",
    },
    'http3-only': {
      type: 'boolean',
      group: 'Connection',
      help: 'fail where HTTP/3 cannot be reached, instead of going by TCP',
    },
    '0rtt': {
      type: 'boolean',
      group: 'Connection',
      help: 'connect twice: first for a session ticket, then with the request as early data',
    },
    versions: {
      type: 'string',
      value: 'LIST',
      complete: ['v1,v2', 'v2,v1', 'v1', 'v2'],
      group: 'Connection',
      help: 'QUIC versions in order of preference; without it v1,v2',
    },
    timeout: { type: 'string', default: '60', value: 'SECONDS', group: 'Connection', help: 'for everything' },
    keylog: {
      type: 'string',
      value: 'FILE',
      complete: 'file',
      group: 'Connection',
      help: 'append TLS secrets for Wireshark',
    },
    qlog: {
      type: 'string',
      value: 'DIR',
      complete: 'folder',
      group: 'Connection',
      help: 'write a qlog file of the connection to DIR, for https://qvis.quictools.info',
    },
    help: HELP_OPTION,
  },
  examples: [
    ['quactor get https://localhost:4433/health --insecure', 'is the server of npm start well?'],
    ['quactor get https://localhost:4433/echo -k -d @photo.jpg -o copy.jpg', 'there and back'],
    ['quactor get https://example.com/ -v --http3-only', 'does it speak HTTP/3, and how?'],
    ['quactor get https://localhost:4433/ -k -v --0rtt', 'a request in the first packets'],
  ],
  exitCodes:
    "curl's. 0 done, 2 wrong usage, 6 host not found, 7 no connection, 22 status 400 or above (the body is written nevertheless), 23 and 26 a file that cannot be written or read, 28 timeout, 35 TLS, 56 connection broken, 60 certificate not accepted, 1 anything else.",
})

export const BENCH = define({
  name: 'bench',
  summary: 'load generator for HTTP/3',
  operand: 'URL',
  about:
    'Makes many requests at once and says how many were answered per second, and how fast. On a terminal a line shows how far it is.',
  options: {
    connections: { type: 'string', short: 'c', default: '1', value: 'N', help: 'connections' },
    streams: { type: 'string', short: 'm', default: '10', value: 'N', help: 'requests in flight on each' },
    requests: { type: 'string', short: 'n', value: 'N', help: 'requests in all; without it 1000' },
    time: {
      type: 'string',
      short: 't',
      value: 'SECONDS',
      help: 'instead of -n: as many as possible in that time',
    },
    method: { type: 'string', short: 'X', value: 'METHOD', help: 'GET, or POST with -d, without it' },
    data: { type: 'string', short: 'd', value: 'TEXT', help: 'request body' },
    json: { type: 'boolean', help: 'one line of JSON instead of text, and no progress' },
    insecure: { type: 'boolean', short: 'k', help: 'accept any certificate' },
    ca: {
      type: 'string',
      value: 'FILE',
      complete: 'file',
      help: "trust this certificate (PEM) instead of the system's",
    },
    help: HELP_OPTION,
  },
  examples: [
    ['quactor bench https://localhost:4433/health -k -c 10 -m 50 -n 100000', 'many small answers'],
    ['quactor bench https://localhost:4433/bytes/10000000 -k -m 1 -t 10', 'how fast a download is'],
  ],
  exitCodes: '0 every request was answered, 1 one of them failed or there was no connection, 2 wrong usage.',
})

export const INSPECT = define({
  name: 'inspect',
  summary: 'opens the page that shows what lives in a running server',
  operand: '[URL]',
  about: `Asks the admin port of a server on this machine whether anybody is there, prints its address, and opens it in the browser when there is one to open. URL is that port's, as the server printed it, or the server's own; a number is a port. Without URL: http://127.0.0.1:${DEFAULT_INSPECTOR_PORT}.`,
  options: {
    inspector: {
      type: 'string',
      default: DEFAULT_INSPECTOR_PORT,
      value: 'PORT',
      help: 'its admin port, if URL is that of the server itself',
    },
    print: { type: 'boolean', help: 'only print the address' },
    help: HELP_OPTION,
  },
  examples: [
    ['quactor inspect', 'the server of npm start'],
    ['quactor inspect 9000', 'another admin port'],
    ['ssh -L 4434:127.0.0.1:4434 HOST', 'first, for a server elsewhere: its admin port is on loopback only'],
  ],
  exitCodes: '0 there it is, 1 nobody answers there, 2 wrong usage.',
})

export const COMPLETIONS = define({
  name: 'completions',
  summary: `completes command lines in ${SHELLS.join(', ')}`,
  operand: SHELLS.join('|'),
  complete: SHELLS,
  about: 'Prints the completions of this command for a shell.',
  options: { help: HELP_OPTION },
  examples: [
    ['eval "$(quactor completions bash)"', 'in ~/.bashrc'],
    ['eval "$(quactor completions zsh)"', 'in ~/.zshrc, after compinit'],
    ['quactor completions fish > ~/.config/fish/completions/quactor.fish', 'once, for fish'],
  ],
  exitCodes: '0 printed, 2 a shell that it does not know.',
})

export const COMMANDS: readonly CommandTable[] = [SERVE, GET, BENCH, INSPECT, COMPLETIONS]
