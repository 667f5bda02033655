/**
 * The logs of real processes, printed and followed by the real program.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as Fs from "node:fs"
import { afterAll, assert, beforeAll, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { cleanEnvironment } from "./bundle.ts"
import { temporary, writeWeb } from "./support.ts"

const server = `
import { createServer } from "node:http"
const { PORT, SIGNALBOX_VERSION } = process.env
console.log("starting " + SIGNALBOX_VERSION)
if (SIGNALBOX_VERSION === "v2") throw new Error("no database")
createServer((request, response) => {
  if (request.url !== "/") console.log("asked for " + request.url)
  response.end("ok")
}).listen(PORT)
`

let binary: Binary
let cwd: string

beforeAll(() => {
  binary = build()
  cwd = temporary("logs")
  writeWeb(cwd, server)
}, 120_000)

afterAll(() => {
  Fs.rmSync(cwd, { recursive: true, force: true })
})

const run = async (wanted: number, ...args: ReadonlyArray<string>) => {
  const ran = await binary.run(cwd, args)
  assert.strictEqual(ran.code, wanted, `${args.join(" ")}: ${ran.stderr}`)
  return ran
}

const lines = (text: string): ReadonlyArray<any> =>
  text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))

/** Resolves once the program has printed it. */
const printed = (child: ChildProcess, wanted: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ""
    child.stdout!.on("data", (data) => {
      text += data
      if (text.includes(wanted)) resolve(text)
    })
    child.once("close", () => reject(new Error(`it ended without "${wanted}": ${text}`)))
  })

it("logs prints the last lines, and with --follow new lines until it is stopped", { timeout: 240_000 }, async () => {
  await run(0, "init")
  const none = await run(0, "logs")
  assert.deepEqual([none.stdout, none.stderr], ["", "There are no lines.\n"])
  await run(0, "deploy", "--version", "v1", "--correlation-id", "first")
  const [first, ...others] = lines((await run(0, "logs", "web", "--json")).stdout)
  assert.deepInclude(first, {
    schema: "signalbox.log/1",
    stack: "web",
    version: "v1",
    text: "starting v1",
    at: null
  })
  assert.isEmpty(others)

  const child = spawn(process.execPath, [binary.path, "logs", "--follow", "--json"], {
    cwd,
    env: { ...cleanEnvironment(), HOME: cwd },
    stdio: ["ignore", "pipe", "ignore"]
  })
  const code = new Promise((resolve) => child.once("close", resolve))
  await printed(child, "starting v1")
  const { url } = lines((await run(0, "events", "first", "--follow", "--type", "OutputsRecorded", "--json")).stdout)[0]
    .data.outputs
  await fetch(`${url}/shoes`)
  const [line] = lines(await printed(child, "asked for /shoes"))
  assert.deepInclude(line, { instance: first.instance, text: "asked for /shoes" })
  child.kill("SIGINT")
  assert.strictEqual(await code, 130)

  await run(3, "deploy", "--version", "v2", "--correlation-id", "second")
  const failed = await run(0, "logs", "--release", "v2")
  assert.match(failed.stdout, /^web-\w+ {2}starting v2$/m)
  assert.include(failed.stdout, "Error: no database")
  const last = lines((await run(0, "logs", "--lines", "1", "--release", "v1", "--json")).stdout)
  assert.deepEqual(
    last.map(({ text }) => text),
    ["asked for /shoes"]
  )

  const unknown = await run(4, "logs", "--release", "v9", "--json")
  assert.deepInclude(lines(unknown.stderr)[0].error, { code: "unknown_release" })
  assert.deepInclude(lines((await run(64, "logs", "Web", "--json")).stderr)[0].error, { code: "invalid_value" })
  await run(0, "destroy", "--yes")
  assert.strictEqual((await run(0, "logs")).stdout, "")
})
