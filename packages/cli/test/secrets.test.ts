/**
 * A secret that the application really uses: it reaches the process, and nothing that is written or printed.
 */
import * as Fs from "node:fs"
import { createServer } from "node:http"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { temporary, writeWeb } from "./support.ts"

const planted = "hunter2-8e0d6c41"

/** Answers with how long its secret is; a broken release logs it and exits, so that its log must not be quoted as it is. */
const server = `
import { createServer } from "node:http"
const { PORT, SIGNALBOX_VERSION, TOKEN } = process.env
if (SIGNALBOX_VERSION === "v2") {
  console.error("cannot log in with " + TOKEN)
  process.exit(1)
}
createServer((request, response) => response.end(String(TOKEN.length))).listen(PORT)
`

let binary: Binary
let cwd: string

beforeAll(() => {
  binary = build()
  cwd = temporary("secrets")
  writeWeb(cwd, server, { env: { TOKEN: { $secret: "PLANTED" } } })
}, 120_000)

afterAll(() => {
  Fs.rmSync(cwd, { recursive: true, force: true })
})

const files = (folder: string): ReadonlyArray<string> =>
  Fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = Path.join(folder, entry.name)
    return entry.isDirectory() ? files(path) : entry.isFile() ? [path] : []
  })

it("a secret gets into no event, log, span, file or output", { timeout: 240_000 }, async () => {
  const sent: Array<string> = []
  const collector = createServer((request, response) => {
    let body = ""
    request.on("data", (data) => (body += data))
    request.on("end", () => {
      sent.push(body)
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
  })
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve))
  const address = collector.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const env = {
    PLANTED: planted,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json"
  }
  const printed: Array<string> = []
  const run = async (wanted: number, ...args: ReadonlyArray<string>) => {
    const ran = await binary.run(cwd, args, { env })
    printed.push(ran.stdout, ran.stderr)
    assert.strictEqual(ran.code, wanted, `${args.join(" ")}: ${ran.stderr}`)
    return ran.stdout
  }
  try {
    await run(0, "init")
    await run(0, "deploy", "--version", "v1", "--correlation-id", "good", "-e", "production")
    const status = JSON.parse(await run(0, "events", "good", "--json", "--type", "OutputsRecorded"))
    const { url } = status.events[0].data.outputs
    assert.strictEqual(await fetch(url).then((response) => response.text()), String(planted.length))
    await run(3, "deploy", "--version", "v2", "--correlation-id", "bad", "-e", "production")
    for (const id of ["good", "bad"]) await run(0, "events", id, "--json")
    assert.include(await run(0, "logs", "web", "--release", "v2", "-e", "production"), "cannot log in with ***")
    await run(0, "status", "-e", "production", "--json")
    await run(0, "health", "-e", "production", "--json")
    await run(0, "trace", "bad")
    // While the processes live: their supervisor's files are searched too.
    const searched = files(cwd).filter((file) => !file.endsWith(".log"))
    assert.isAbove(searched.length, 5)
    for (const file of searched) assert.notInclude(Fs.readFileSync(file, "latin1"), planted, file)
    await run(0, "destroy", "-e", "production", "--yes")
  } finally {
    collector.close()
    collector.closeAllConnections()
  }
  assert.notInclude(printed.join("\n"), planted)
  assert.isAbove(sent.join("").length, 1_000, "spans were sent")
  assert.notInclude(sent.join("\n"), planted)
})
