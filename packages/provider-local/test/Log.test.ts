import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { closeSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openLog } from "../src/supervisor/instance/Log.ts"
import {
  bench,
  childrenOf,
  deploy,
  isAlive,
  killSupervisor,
  mutation,
  ownerOf,
  processesOf,
  send,
  until
} from "./harness.ts"

const within = async (body: (directory: string) => Promise<void>): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), "signalbox-log-"))
  try {
    await body(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Runs a shell script whose output goes to a log. */
const write = async (file: string, script: string, max: number) => {
  const log = await openLog(file, max)
  const child = spawn("/bin/sh", ["-c", script], { stdio: ["ignore", ...log.writers] })
  for (const writer of log.writers) closeSync(writer)
  const code = await new Promise((resolve) => child.once("exit", resolve))
  await log.complete
  return code
}

/** 0 between two files. */
const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

describe("the log of a process", () => {
  it("never exceeds its bound while it is written, in one go or line by line, and ends with the last words", () =>
    within(async (directory) => {
      const max = 64 * 1024
      for (const [name, script] of [
        ["flood", "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last words"],
        ["lines", "i=0; while [ $i -lt 9000 ]; do echo line $i; i=$((i+1)); done; echo last words >&2"]
      ] as const) {
        const file = join(directory, name)
        let largest = 0
        let done = false
        const looking = (async () => {
          while (!done) {
            largest = Math.max(largest, sizeOf(file), sizeOf(`${file}.1`))
            await new Promise((resolve) => setImmediate(resolve))
          }
        })()
        assert.strictEqual(await write(file, script, max), 0)
        done = true
        await looking
        assert.isAtMost(largest, max, name)
        assert.isAbove(sizeOf(`${file}.1`), max - 8192, name)
        const text = readFileSync(`${file}.1`, "utf8") + readFileSync(file, "utf8")
        assert.isTrue(text.endsWith("last words\n"), name)
        if (name === "lines") {
          const numbers = text.split("\n").flatMap((line) => /^line (\d+)$/.exec(line)?.slice(1) ?? [])
          assert.deepStrictEqual(
            numbers.map(Number),
            Array.from(numbers, (_, at) => 9000 - numbers.length + at)
          )
        }
      }
    }))

  it("does not hold the process up if it can no longer be written", () =>
    within(async (directory) => {
      const file = join(directory, "log")
      assert.strictEqual(
        await write(file, `rm -r "${directory}"; head -c 1000000 /dev/zero; exit 7`, 64 * 1024),
        7,
        "its folder was deleted"
      )
      assert.isFalse(existsSync(directory))
    }))

  it.live("goes on when the supervisor and its watchdog are killed, and the process with it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const artifact = mkdtempSync(join(tmpdir(), "signalbox-flood-"))
        writeFileSync(
          join(artifact, "server.mjs"),
          `import { createServer } from "node:http"
           import { writeSync } from "node:fs"
           const chunk = Buffer.alloc(1 << 20, "x")
           createServer((request, response) => {
             if (request.url === "/flood") for (let n = 0; n < 25; n++) writeSync(1, chunk)
             console.error("answered", request.url)
             response.end("ok")
           }).listen(Number(process.env.PORT), "127.0.0.1")`
        )
        const stack = ref("api", { artifact, instances: 1 })
        yield* deploy(provider, stack, "v1")
        rmSync(artifact, { recursive: true })
        const [process] = processesOf(ownerOf(directory))
        yield* Effect.promise(() => killSupervisor(directory))
        const flooded = yield* Effect.promise(() => send(`http://127.0.0.1:${process!.env["PORT"]}/flood`))
        assert.strictEqual(flooded.body, "ok")
        assert.isTrue(isAlive(process!.pid))
        const logs = join(directory, "local", "logs", "DX6604E", "test", "api")
        yield* Effect.promise(() =>
          until("its last words are there", () =>
            readdirSync(logs).some((name) => readFileSync(join(logs, name), "utf8").includes("answered /flood"))
          )
        )
        for (const name of readdirSync(logs)) assert.isAtMost(statSync(join(logs, name)).size, 10 << 20, name)
        yield* provider.destroy(stack, mutation("d"))
        yield* Effect.promise(() =>
          until("its log has ended", () => childrenOf(1, process!.env["SIGNALBOX_INSTANCE"]!).length === 0)
        )
      })
    )
  )
})
