import { afterEach, describe, expect, it } from 'vitest'
import { DatagramBatch, type RemoteAddress } from '../../../../src/transport/connection/index.ts'
import { systemEntropy } from '../../../../src/transport/io/entropy.ts'
import { bindNodeSocket, type NodeSocket } from '../../../../src/transport/io/node-socket.ts'

const open: NodeSocket[] = []

async function bind(address = '127.0.0.1', port = 0): Promise<NodeSocket> {
  const socket = await bindNodeSocket({ address, port })
  open.push(socket)
  return socket
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()))
})

function addressOf(socket: NodeSocket): RemoteAddress {
  return { address: socket.localAddress, port: socket.localPort, family: 4 }
}

function batchOf(texts: string[], remote: RemoteAddress): DatagramBatch {
  const batch = new DatagramBatch()
  for (const text of texts) batch.commit(Buffer.from(batch.buffer.buffer).write(text, batch.used), remote)
  return batch
}

function collect(socket: NodeSocket, count: number): Promise<{ texts: string[]; remotes: RemoteAddress[] }> {
  return new Promise((resolve) => {
    const texts: string[] = []
    const remotes: RemoteAddress[] = []
    socket.start((buffer, start, end, remote) => {
      texts.push(Buffer.from(buffer.subarray(start, end)).toString())
      remotes.push(remote)
      if (texts.length === count) resolve({ texts, remotes })
    })
  })
}

describe('the socket on node:dgram', () => {
  it('sends every datagram of a batch, and says from where each came', async () => {
    const receiver = await bind()
    const sender = await bind()
    const received = collect(receiver, 3)
    sender.send(batchOf(['one', 'two', 'three'], addressOf(receiver)))
    const { texts, remotes } = await received
    expect(texts).toEqual(['one', 'two', 'three'])
    expect(remotes[0]).toEqual({ address: '127.0.0.1', port: sender.localPort, family: 4 })
    expect(remotes[1]).toBe(remotes[0])
    expect(sender.errors).toBe(0)
  })

  it('counts what cannot be sent, and throws nothing, also after it was closed', async () => {
    const sender = await bind()
    sender.send(batchOf(['to nowhere'], { address: '255.255.255.255', port: 9, family: 4 }))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(sender.errors).toBe(1)
    await sender.close()
    sender.send(batchOf(['too late'], { address: '127.0.0.1', port: 9, family: 4 }))
    expect(sender.errors).toBe(2)
    expect(sender.isBlocked).toBe(false)
    await sender.close()
  })

  it('a busy port rejects with EADDRINUSE', async () => {
    const first = await bind()
    await expect(bind('127.0.0.1', first.localPort)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})

describe('system entropy', () => {
  it('fills every length, never twice with the same bytes', () => {
    const entropy = systemEntropy()
    const seen = new Set<string>()
    for (let index = 0; index < 2_000; index++) {
      const bytes = new Uint8Array(8)
      entropy.fill(bytes)
      seen.add(Buffer.from(bytes).toString('hex'))
    }
    expect(seen.size).toBe(2_000)
    for (const length of [0, 1, 1_024, 1_025, 10_000]) {
      const bytes = new Uint8Array(length)
      entropy.fill(bytes)
      if (length > 100) expect(bytes.filter((byte) => byte === 0).length).toBeLessThan(length / 50)
    }
  })
})
