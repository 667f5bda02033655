/**
 * A site of many files, whose upload is killed. With `SIGNALBOX_FILES=5000` there are so many, of 8 KB each.
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { type Platform, platform, ref, site, write } from "./platform.ts"

const files = Number(process.env["SIGNALBOX_FILES"] ?? 300)

let here: Platform
beforeEach(async () => {
  here = await platform()
  // They do not become smaller when they are compressed.
  const content = (seed: number) => createHash("shake256", { outputLength: 8_192 }).update(String(seed)).digest()
  write(here.directory, Object.fromEntries(Array.from({ length: files }, (_, n) => [`many/${n}.bin`, content(n)])))
})
afterEach(() => here.close())

/** A process of its own that plans and stages the site, and ends with the most memory that it had, in MB. */
const program = (key: string): string => `
  import { make } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, "../../dist/hosting/HostingProvider.js")))}
  import * as Effect from ${JSON.stringify(import.meta.resolve("effect/Effect"))}
  import * as Duration from ${JSON.stringify(import.meta.resolve("effect/Duration"))}
  const provider = make(${JSON.stringify({ directory: here.directory, hostingEndpoint: here.simulator.hosting.url })})
  const mutation = {
    idempotencyKey: ${JSON.stringify(key)},
    fence: 1,
    guard: Effect.void,
    progress: () => Effect.void,
    handle: { get: Effect.succeed(null), set: () => Effect.void },
    leaseLeft: Effect.succeed(Duration.seconds(15))
  }
  const ref = ${JSON.stringify(ref)}
  const plan = await Effect.runPromise(provider.plan(ref, { version: "v1", artifact: "many" }))
  await Effect.runPromise(provider.stage(ref, { plan, capacityPercent: 100 }, mutation))
  console.log(Math.round(process.resourceUsage().maxRSS / 1024))`

const uploader = (key: string) =>
  spawn(process.execPath, ["--input-type=module", "-e", program(key)], { stdio: ["ignore", "pipe", "inherit"] })

const uploaded = (): ReadonlyArray<unknown> =>
  here.simulator.calls.flatMap(({ failed, method, request }) =>
    method === "UploadFile" && failed === undefined ? [request["hash"]] : []
  )

describe("a site of many files", () => {
  it("is uploaded to its end by another process, each file once", async () => {
    const { hosting } = here.simulator
    const killed = uploader("stage")
    const ended = once(killed, "exit")
    while (uploaded().length < files / 2 && killed.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    killed.kill("SIGKILL")
    await ended
    const before = uploaded().length
    assert.isBelow(before, files)
    assert.deepStrictEqual(
      hosting.versions(site).map(({ status }) => status),
      ["CREATED"]
    )

    const second = uploader("stage")
    let said = ""
    second.stdout.on("data", (data) => (said += data))
    const [code] = await once(second, "close")
    assert.strictEqual(code, 0)
    const [version, ...others] = hosting.versions(site)
    assert.deepStrictEqual(others, [])
    assert.strictEqual(version!.status, "FINALIZED")
    assert.strictEqual(Object.keys(hosting.files(version!.name)).length, files)
    const all = uploaded()
    assert.strictEqual(new Set(all).size, all.length, "no file was sent twice")
    assert.strictEqual(all.length, files)
    console.log(`${files} files, ${before} before the kill and ${all.length - before} after it, in ${said.trim()} MB`)
    // Node and Effect have half of it before anything is read.
    assert.isAtMost(Number(said), 300)
  })
})
