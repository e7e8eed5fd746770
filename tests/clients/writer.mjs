// writer.mjs - a long-running client: writes numbered keys, records the acknowledged ones, retries failed ones. Prints
// 'NAME writes', then 'NAME goes on' after each SIGUSR2 when writes succeed. On SIGTERM it reads all acknowledged keys and
// prints 'NAME acknowledged N lost N pause S', S being the longest time without an acknowledgement.
// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises'

const more = 20 // acknowledgements after which it 'goes on'

// go(NAME, CLIENT): of either library; both have set and get.
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
