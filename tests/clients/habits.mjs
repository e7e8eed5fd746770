// habits.mjs - typical uses of ioredis and node-redis through the head. Prints 'ok NAME' or 'not NAME: FOUND' for each, and
// reads addresses and password from the variables of `airbuild env`.
// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import Redis from 'ioredis'
import { createClient } from 'redis'

const password = process.env.REDISCLI_AUTH
const writes = process.env.AIRBUILD_WRITE
const reads = process.env.AIRBUILD_READ

// The same operations in each library.
const libraries = {
    ioredis: {
        open: async (address) => new Redis(`redis://${address}`, { password }),
        send: (client, ...words) => client.call(...words),
        pipeline: async (client, commands) =>
            (await client.pipeline(commands).exec()).map(([error, answer]) => error ?? answer),
        transaction: async (client, commands) =>
            (await client.multi(commands).exec())?.map(([error, answer]) => error ?? answer) ?? null,
        listen: async (client, channel, heard) => {
            client.on('message', (_, message) => heard(message))
            await client.subscribe(channel)
        },
        close: (client) => client.quit(),
    },
    'node-redis': {
        open: (address, options) =>
            createClient({ url: `redis://${address}`, password, ...options })
                .on('error', () => {})
                .connect(),
        send: (client, ...words) => client.sendCommand(words),
        pipeline: (client, commands) =>
            Promise.all(commands.map((words) => client.sendCommand(words))),
        transaction: async (client, commands) => {
            const queue = client.multi()
            for (const words of commands) queue.addCommand(words)
            return queue.exec().catch((error) => {
                if (error.constructor.name === 'WatchError') return null
                throw error
            })
        },
        listen: (client, channel, heard) => client.subscribe(channel, heard),
        close: (client) => client.close(),
    },
}

async function expect(what, wanted, ask) {
    let seen
    try {
        seen = await ask()
    } catch (error) {
        seen = String(error)
    }
    const good = isDeepStrictEqual(seen, wanted)
    console.log(good ? `ok ${what}` : `not ${what}: ${JSON.stringify(seen).slice(0, 300)}`)
}

async function pipelines(name, library, client) {
    const numbers = Array.from({ length: 10000 }, (_, i) => String(i))
    await expect(`${name}: pipelines 10000 writes`, 10000, async () => {
        const answers = await library.pipeline(client, numbers.map((n) => ['set', `${name}:${n}`, n]))
        return answers.filter((answer) => answer === 'OK').length
    })
    await expect(`${name}: pipelines 10000 reads, in order`, numbers, () =>
        library.pipeline(client, numbers.map((n) => ['get', `${name}:${n}`])))
}

async function transactions(name, library, client) {
    const other = await library.open(writes)
    const list = `${name}:list`
    const push = ['rpush', list, 'x']
    await expect(`${name}: runs MULTI and EXEC`, [1, 2, 2], () =>
        library.transaction(client, [push, push, ['llen', list]]))
    await expect(`${name}: runs a transaction after WATCH`, [3], async () => {
        await library.send(client, 'watch', list)
        return library.transaction(client, [push])
    })
    await expect(`${name}: aborts a transaction after a change of a watched key`, null, async () => {
        await library.send(client, 'watch', list)
        await library.send(other, ...push)
        return library.transaction(client, [push])
    })
    await library.close(other)
}

async function scripts(name, library, client) {
    const text = 'return redis.call("set", KEYS[1], ARGV[1])'
    const module = name.replace('-', '_')
    const code = `#!lua name=${module}
        redis.register_function('${module}', function(keys) return redis.call('get', keys[1]) end)`
    await expect(`${name}: runs EVAL`, 'OK', () => library.send(client, 'eval', text, '1', `${name}:s`, 'a'))
    await expect(`${name}: runs EVALSHA`, 'OK', async () => {
        const digest = await library.send(client, 'script', 'load', text)
        return library.send(client, 'evalsha', digest, '1', `${name}:s`, 'b')
    })
    await expect(`${name}: runs FUNCTION and FCALL`, 'b', async () => {
        await library.send(client, 'function', 'load', 'replace', code)
        return library.send(client, 'fcall', module, '1', `${name}:s`)
    })
}

async function blocking(name, library, client) {
    const waiter = await library.open(writes)
    await expect(`${name}: BLPOP waits for a push`, [`${name}:queue`, 'job'], async () => {
        const answer = library.send(waiter, 'blpop', `${name}:queue`, '0')
        await sleep(300)
        await library.send(client, 'rpush', `${name}:queue`, 'job')
        return answer
    })
    await library.close(waiter)
}

// Messages reach subscribers at both ports, as replicas get them from the master.
async function messages(name, library, client) {
    for (const address of [writes, reads]) {
        const listener = await library.open(address)
        const heard = []
        await library.listen(listener, `${name}:news`, (message) => heard.push(message))
        await expect(`${name}: gets published messages at ${address}`, ['hello', 'again'], async () => {
            await library.send(client, 'publish', `${name}:news`, 'hello')
            await library.send(client, 'publish', `${name}:news`, 'again')
            for (let i = 0; i < 50 && heard.length < 2; i++) await sleep(100)
            return heard
        })
        await library.close(listener)
    }
}

for (const [name, library] of Object.entries(libraries)) {
    const client = await library.open(writes)
    const tasks = [pipelines, transactions, scripts, blocking, messages]
    for (const task of tasks) await task(name, library, client)
    await library.close(client)
}
const third = await libraries['node-redis'].open(writes, { RESP: 3 })
await third.hSet('resp3', 'a', '1')
await expect('node-redis: reads a map with RESP3', { a: '1' }, async () => ({ ...(await third.hGetAll('resp3')) }))
await expect('node-redis: the server uses RESP3', 3, async () => (await third.hello(3)).proto)
process.exit(0)
