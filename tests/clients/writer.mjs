// writer.mjs - what a program does with a client for hours: write numbered keys, take note of what was acknowledged, try
// again what failed. SIGUSR2 asks whether it goes on; SIGTERM ends it: all that was acknowledged is read again.
// It prints 'NAME writes', after each SIGUSR2 'NAME goes on', and in the end 'NAME acknowledged N lost N', and for how long
// nothing was acknowledged at worst.
// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises'

const more = 20 // acknowledgements that say that it goes on

// go(NAME, CLIENT): of either library; both know set and get.
export async function go(name, client) {
    let number = 0
    let due = { at: 1, text: 'writes' }
    let ended = false
    let last = Date.now()
    let pause = 0
    process.on('SIGTERM', () => (ended = true))
    process.on('SIGUSR2', () => (due = { at: number + more, text: 'goes on' }))
    while (!ended) {
        try {
            await client.set(`client:${name}:${number}`, String(number))
            number++
            pause = Math.max(pause, Date.now() - last)
            last = Date.now()
            await sleep(10)
        } catch {
            await sleep(50)
        }
        if (number >= due.at) {
            console.log(name, due.text)
            due = { at: Infinity }
        }
    }
    const values = []
    for (let i = 0; i < number; i++) values.push(client.get(`client:${name}:${i}`))
    const lost = (await Promise.all(values)).filter((value, i) => value !== String(i)).length
    console.log(name, 'acknowledged', number, 'lost', lost, 'pause', pause / 1000)
    process.exit(0)
}
