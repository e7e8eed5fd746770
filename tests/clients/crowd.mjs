// crowd.mjs - many connections at once: opens them, says on each who it is, and asks PING on all of them for every line of
// its standard input. After each round it prints 'answered N ended N silent N'; its end closes them all.
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
        if (this.text.endsWith('+PONG\r\n')) this.settle?.('answered')
    }
    leave() {
        this.ended = true
        this.settle?.('ended')
    }
    // How the question ends: 'answered', 'ended' (no such connection any more) or 'silent'.
    ask() {
        if (this.ended) return 'ended'
        this.text = ''
        return new Promise((settle) => {
            this.settle = settle
            this.socket.write('PING\r\n')
            setTimeout(settle, patience, 'silent').unref()
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
    // As fast as they come, but not faster than they are taken.
    if (i % 100 === 99) await crowd[i].ask()
}
await round()
for await (const _ of readline.createInterface({ input: process.stdin })) await round()
process.exit(0)
