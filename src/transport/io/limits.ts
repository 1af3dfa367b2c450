// Sizes of the sockets and the random pool, each with its reason. Used inside transport/io.

/** Kernel receive buffer, bytes: the default holds 92 datagrams, this 3,640, a burst of a busy loop. */
export const SOCKET_RECEIVE_BUFFER = 4_194_304

/** Kernel send buffer, bytes: a turn of the loop may write several MB before the network card takes any. */
export const SOCKET_SEND_BUFFER = 4_194_304

/** Bytes that may wait inside Node for a full kernel buffer before the socket says that it is blocked. */
export const SEND_QUEUE_CAP = 1_048_576

/** Random bytes fetched at once: a system call per connection ID would cost more than the bytes. */
export const ENTROPY_BLOCK = 4_096

/** Bytes of qlog text that may wait for a slow disk, of all connections together; what does not fit is dropped. */
export const QLOG_BUFFER_CAP = 16_777_216

/** Connections that are logged at a time: each has a file open, and a process has few of them (1,024 as a rule). */
export const QLOG_OPEN_FILES_CAP = 256

/** Files of connections with the same ID and role: a peer that repeats an ID must not make us search. */
export const QLOG_SAME_NAME_CAP = 8

/** Bytes that may wait for the kernel in the socket of a CONNECT-UDP tunnel; later datagrams are dropped. */
export const RELAY_SEND_QUEUE_CAP = 262_144
