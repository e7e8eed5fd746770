// crowd.mjs - open many connections, log in on each, and send PING on all of them for every line of standard input. Prints
// 'answered N ended N silent N' after each round.
// usage: crowd.mjs HOST:PORT COUNT
// SPDX-License-Identifier: Apache-2.0
import net from 'node:net'
import readline from 'node:readline'

const patience = 10000 // milliseconds for one round
const [host, port] = process.argv[2].split(':')
const hello = `AUTH ${process.env.REDISCLI_AUTH}\r\n`
const crowd = []

class Member {
    constructor() {
        this.ended = false
        this.text = ''
        this.socket = net.connect({ host, port })
        this.socket.on('data', (data) => this.heard(data))
        this.socket.on('error', () => {})
        this.socket.on('close', () => this.leave())
        this.socket.write(hello)
    }
    heard(data) {
        this.text += data
        if (this.text.endsWith('+PONG\r\n')) this.resolve?.('answered')
    }
    leave() {
        this.ended = true
        this.resolve?.('ended')
    }
    // Resolves to 'answered', 'ended' (the connection was closed) or 'silent' (timed out).
    ask() {
        if (this.ended) return 'ended'
        this.text = ''
        return new Promise((resolve) => {
            this.resolve = resolve
            this.socket.write('PING\r\n')
            setTimeout(resolve, patience, 'silent').unref()
        })
    }
}

async function round() {
    const count = { answered: 0, ended: 0, silent: 0 }
    for (const outcome of await Promise.all(crowd.map((member) => member.ask()))) count[outcome]++
    console.log(`answered ${count.answered} ended ${count.ended} silent ${count.silent}`)
}

for (let i = 0; i < Number(process.argv[3]); i++) {
    crowd.push(new Member())
    // Not faster than they are accepted.
    if (i % 100 === 99) await crowd[i].ask()
}
await round()
for await (const _ of readline.createInterface({ input: process.stdin })) await round()
process.exit(0)
