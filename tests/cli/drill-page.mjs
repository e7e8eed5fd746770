// drill-page.mjs - test drill pages in a headless Chromium by its DevTools protocol
// (https://chromedevtools.github.io/devtools-protocol/) over a pipe, and print TAP.
// usage: drill-page.mjs FOLDER    with what test-drill-page.sh puts there; also used for the browser's profile
// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import process from 'node:process'

const folder = process.argv[2]
let count = 0, failed = 0

function ok(what, verdict, detail) {
    count++
    failed += verdict ? 0 : 1
    console.log(`${verdict ? 'ok' : 'not ok'} ${count} - ${what}`)
    if (!verdict)
        console.log(String(detail).replace(/^/gm, '#   '))
}
const is = (what, expected, seen) => ok(what, JSON.stringify(expected) === JSON.stringify(seen), `expected ${JSON.stringify(expected)}, saw ${JSON.stringify(seen)}`)

// ---- the browser ------------------------------------------------------------------------------------------------------

const browser = spawn('chromium', ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', `--user-data-dir=${folder}/profile`, '--remote-debugging-pipe', 'about:blank'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
browser.on('error', error => { console.log(`Bail out! chromium cannot be run (${error.message}): 'scripts/setup test' installs it`); process.exit(1) })
browser.on('exit', () => { if (!ended) { console.log('Bail out! chromium ended too early'); process.exit(1) } })
let ended = false, rest = '', number = 0
const waiting = new Map(), seen = []

browser.stdio[4].setEncoding('utf8').on('data', text => {
    const parts = (rest + text).split('\0')
    rest = parts.pop()
    for (const message of parts.map(part => JSON.parse(part))) {
        if (message.id === undefined)
            seen.push(message)
        else if (message.error)
            waiting.get(message.id).reject(new Error(message.error.message))
        else
            waiting.get(message.id).resolve(message.result)
    }
})

let sessionId
const call = (method, params = {}) => new Promise((resolve, reject) => {
    waiting.set(++number, { resolve, reject })
    browser.stdio[3].write(JSON.stringify({ id: number, sessionId, method, params }) + '\0')
})

async function evaluate(code) {
    const { result, exceptionDetails } = await call('Runtime.evaluate', { expression: code, returnByValue: true, awaitPromise: true })
    if (exceptionDetails)
        throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
}

// open NAME: load that page in a window of this width; faults() has the errors.
async function open(name, { width = 1200, scheme = 'light', media = '', scripts = true } = {}) {
    seen.length = 0
    await call('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: false })
    await call('Emulation.setEmulatedMedia', { media, features: [{ name: 'prefers-color-scheme', value: scheme }] })
    await call('Emulation.setScriptExecutionDisabled', { value: !scripts })
    await call('Page.navigate', { url: `file://${folder}/${name}.html` })
    while (!seen.some(message => message.method === 'Page.loadEventFired'))
        await new Promise(resolve => setTimeout(resolve, 20))
    if (scripts)
        await evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')
}

// Errors of scripts and of the content security policy, and requests other than for the page.
const faults = () => seen.flatMap(({ method, params }) =>
    method === 'Runtime.exceptionThrown' ? [params.exceptionDetails.exception?.description ?? params.exceptionDetails.text]
    : method === 'Log.entryAdded' || method === 'Runtime.consoleAPICalled' ? [JSON.stringify(params)]
    : method === 'Page.javascriptDialogOpening' ? ['a dialog: ' + params.message]
    : method === 'Network.requestWillBeSent' && !params.request.url.startsWith(`file://${folder}/`) ? ['fetched ' + params.request.url] : [])

const texts = selector => evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})].map(node => node.textContent.replace(/\\s+/g, ' ').trim())`)

// ---- checks of every page -----------------------------------------------------------------------------------

// Texts whose contrast is below 4.5 (https://www.w3.org/TR/WCAG21/#contrast-minimum).
const PALE = `(() => {
    const channels = color => color.match(/[\\d.]+/g).map(Number)
    const luminance = color => channels(color).slice(0, 3).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
    const behind = node => {
        for (; node; node = node.parentElement) {
            const circle = node.matches('text.dot') && node.parentElement.querySelector('circle')
            if (circle)
                return getComputedStyle(circle).fill
            const color = getComputedStyle(node).backgroundColor
            if ((channels(color)[3] ?? 1) > 0)
                return color
        }
        return 'rgb(255, 255, 255)'
    }
    const pale = []
    for (const node of document.body.querySelectorAll('*')) {
        if (![...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()) || node.matches('script, noscript, svg title'))
            continue
        const style = getComputedStyle(node), front = luminance(node instanceof SVGElement ? style.fill : style.color), back = luminance(behind(node))
        const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05)
        if (ratio < 4.5)
            pale.push(node.textContent + ': ' + ratio.toFixed(2))
    }
    return pale
})()`

// Texts of a timeline that overlap or are cut off.
const COVERED = `[...document.querySelectorAll('svg')].flatMap(svg => {
    const edge = svg.getBoundingClientRect()
    const boxes = [...svg.querySelectorAll('text:not(.dot), circle')].map(node => [node.textContent || 'a mark', node.getBoundingClientRect()])
    return boxes.flatMap(([name, a], i) => [
        ...(a.left < edge.left - 1 || a.right > edge.right + 1 || a.top < edge.top - 1 || a.bottom > edge.bottom + 1 ? [name + ' is cut off'] : []),
        ...boxes.slice(i + 1).filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
            .map(([other]) => name + ' and ' + other)])
})`

const WIDE = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

async function isSound(what) {
    is(`${what}: the page has no error and fetches nothing`, [], faults())
    is(`${what}: every text has enough contrast`, [], await evaluate(PALE))
    is(`${what}: no labels overlap`, [], await evaluate(COVERED))
    is(`${what}: the page fits the width of the window`, 0, await evaluate(WIDE))
}

// ---- the tests --------------------------------------------------------------------------------------------------------

async function testUsual() {
    await open('usual')
    is('the title names the cluster', 'Drills of cluster air', await evaluate('document.title'))
    is('the summary adds up all drills', ['1passed', '1too slow', '1failed', '1 204writes lost of 35 203 acknowledged', '1election'], await texts('.score li'))
    is('each drill has its verdict', ['PASS', 'FAIL', 'SLOW'], await texts('section > .title .word'))
    is('the overview has the figures', ['PASS', '0', '4.31 s limit 6.04 s', '4.35 s', '0.40 s limit 2.04 s', '2.84 s', '21.70 s'],
        (await texts('.overview tbody tr:first-child td')).map(text => text.replace(/slimit/, 's limit')))
    is('a failed drill has its reason', ['1204 of 9000 acknowledged writes lost; it did not converge again.', 'Write gap 0.31 s, limit 0.1 s beyond the noise of 0.02 s.'],
        await texts('.why'))
    is('figures over their limits are marked', ['1 204', 'never', '1.4 s', '0.31 s'], await texts('dl .bad'))
    is('the table lists the events', ['1 −4.90 s work11 is master', '■ −0.01 s writes stop', '2 0.02 s work11: power pulled', '■ 0.08 s reads stop',
        '□ 0.48 s reads are back after 0.40 s', '3 2.84 s work12 is master', '□ 4.30 s writes are back after 4.31 s',
        '4 8.08 s work11: started', '5 29.78 s converged'],
        await evaluate(`[...document.querySelectorAll('#drill-1 .story tr')].map(row => [...row.cells].map(cell => cell.textContent).join(' ').replace(/\\u00a0/g, ' '))`))
    is('each timeline has a description', [true, true, true],
        await evaluate(`[...document.querySelectorAll('svg[role=img]')].map(svg => /^Timeline of \\d+ s\\. .*: .*work1/.test(svg.getAttribute('aria-label')))`))
    is('the timeline shows the outage', 'no writes 4.31 s', (await texts('#drill-1 svg .gap-text'))[0])
    is('the overview links each drill', ['#drill-1', '#drill-2', '#drill-3'], await evaluate(`[...document.links].map(a => a.getAttribute('href')).filter(h => document.querySelector(h))`))
    is('no information needs hovering', 0, await evaluate(`document.querySelectorAll('[title], svg title').length`))
    await isSound('light')
    is('a light page has a light background', true, await evaluate(`getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(c => c > 200)`))
    for (const [what, how] of [['dark', { scheme: 'dark' }], ['on a phone', { width: 360 }], ['on a dark phone', { width: 320, scheme: 'dark' }]]) {
        await open('usual', how)
        await isSound(what)
    }
    is('a dark page has a dark background', true, await evaluate(`getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(c => c < 60)`))
    await open('usual', { scheme: 'dark', media: 'print' })
    is('print has a white background', 'rgb(255, 255, 255)', await evaluate(`getComputedStyle(document.querySelector('section')).backgroundColor`))
    const { data } = await call('Page.printToPDF')
    is('the page can be printed', '%PDF', Buffer.from(data, 'base64').subarray(0, 4).toString())
}

async function testAgain() {
    await open('again')
    is('runs of the same drill are numbered', ['Overview', 'master-off, run 1 of 2', 'pause', 'master-off, run 2 of 2', 'all-off'], await texts('h2'))
    is('a drill that failed to run says so', ['The drill failed to run: libvirt does not answer.', 'Nothing was measured.'],
        (await texts('#drill-2 p')).slice(1))
    is('a drill that could not run has no timeline', 3, await evaluate(`document.querySelectorAll('svg').length`))
    is('simultaneous events are one mark', ['head10, work11, work12, work13: power pulled', 'head10: started'],
        (await texts('#drill-4 .story .fault td:last-child, #drill-4 .story .heal td:last-child')).slice(0, 2))
    is('marks are numbered', ['1', '2', '3', '4', '5', '6', '7'], await texts('#drill-4 svg .dot'))
    is('permitted lost writes are not marked', [], await texts('#drill-4 dl .bad'))
    await isSound('many marks')
    await open('again', { width: 360 })
    await isSound('many marks on a phone')
    await open('empty')
    is('a page without drills has its title', ['Drills of cluster air'], await texts('h1'))
    is('a page without drills has no error', [], faults())
}

async function testHostile() {
    for (const scripts of [true, false]) {
        await open('hostile', { scripts, width: 360 })
        is(`hostile texts do not run ${scripts ? 'with' : 'without'} scripts`, [], faults())
        is('hostile texts create no elements', [2, 0], await evaluate(`[document.scripts.length, document.querySelectorAll('[onload]').length]`))
        ok('hostile texts are shown as text', (await texts('h1'))[0].includes(`</title></script><script>alert('x')</script><!-- " onload="y" &amp; ]]>`), await texts('h1'))
        ok('hostile texts fit the width of the window', await evaluate(WIDE) === 0, await evaluate(WIDE))
    }
}

async function testWithoutScripts() {
    await open('usual', { scripts: false })
    is('without scripts a table lists the drills', ['master-off', 'master-half-cut', 'sentinel-kill'],
        await evaluate(`[...document.querySelectorAll('tbody th')].map(cell => cell.firstChild.data)`))
    is('without scripts the table has all figures', ['PASS', '0 of 11203', '4.31 s', '4.35 s', '0.40 s', '2.84 s', '21.70 s'], await texts('tbody tr:first-child td'))
    ok('without scripts a sentence says so', (await evaluate('document.querySelector("noscript").innerText')).includes('does not run'), 'no sentence')
    is('without scripts every text has enough contrast', [], await evaluate(PALE))
}

async function testProfile() {
    for (const [what, how] of [['light', {}], ['dark', { scheme: 'dark' }], ['phone', { width: 360 }], ['dark phone', { width: 320, scheme: 'dark' }]]) {
        await open('profile', how)
        await isSound(`a profile, ${what}`)
    }
    is('the title names the cluster', 'Boot of cluster air', await evaluate('document.title'))
    is('each node that answered has a section', ['Nodes', 'head10 haproxy', 'work11 redis', 'worker12 redis'], await texts('h2'))
    is('its units are in the order in which they began', ['whole boot', 'init.scope', 'systemd-sysctl.service', 'systemd-journald.service', 'redis.service',
        'sentinel.service'], await texts('#work11 tbody th'))
    is('a bar lies where its unit ran', true, await evaluate(`(() => {
        const row = [...document.querySelectorAll('#work11 tbody tr')].find(row => row.cells[0].textContent === 'redis.service')
        const plot = row.querySelector('svg').getBoundingClientRect(), bar = row.querySelector('.unit').getBoundingClientRect()
        const at = x => (x - plot.left) / plot.width * 41.5
        return Math.abs(at(bar.left) - 12.5) < 0.3 && Math.abs(at(bar.right) - 23.4) < 0.3
    })()`))
    await open('profile-hostile', { width: 360 })
    await isSound('a hostile profile')
    is('hostile units create no elements', 0, await evaluate(`document.querySelectorAll('th b, [onload]').length`))
}

const timer = setTimeout(() => { console.log('Bail out! chromium does not answer'); browser.kill('SIGKILL'); process.exit(1) }, 120000)
const { targetId } = await call('Target.createTarget', { url: 'about:blank' })
sessionId = (await call('Target.attachToTarget', { targetId, flatten: true })).sessionId
for (const domain of ['Page', 'Runtime', 'Log', 'Network'])
    await call(domain + '.enable')
await testUsual()
await testAgain()
await testHostile()
await testWithoutScripts()
await testProfile()
clearTimeout(timer)
ended = true
sessionId = undefined
call('Browser.close').catch(() => {})
await new Promise(resolve => browser.on('close', resolve))
console.log(`1..${count}`)
process.exitCode = failed > 0 ? 1 : 0
