import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bench, deploy, isAlive, killSupervisor, mutation, until } from "./harness.ts"

/** Leaves its parent, its session, its environment and its working directory, and says goodbye when asked to end. */
const daemon = `cd /; trap 'echo asked > "$0.asked"; exit 0' TERM; echo $$ > "$0"; while :; do sleep 0.05; done`

const application = (trace: string) => `
import { spawn } from "node:child_process"
import { createServer } from "node:http"
const daemon = ${JSON.stringify(daemon)}
spawn("env", ["-i", "PATH=" + process.env.PATH, "setsid", "sh", "-c", "sh -c '" + daemon.replaceAll("'", "'\\\\''") + "' " + ${JSON.stringify(trace)} + " & exit"], {
  stdio: "ignore",
  detached: true
}).unref()
createServer((_, response) => response.end("ok")).listen(Number(process.env.PORT), "127.0.0.1")
`

describe.skipIf(process.platform !== "linux")("what a process has started", () => {
  const withDaemon = (
    check: (pid: number, trace: string) => Effect.Effect<void, unknown>,
    before?: (directory: string) => Promise<void>
  ) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const artifact = mkdtempSync(join(tmpdir(), "signalbox-daemon-"))
        const trace = join(directory, "trace")
        writeFileSync(join(artifact, "server.mjs"), application(trace))
        const stack = ref("api", { artifact, instances: 1 })
        yield* deploy(provider, stack, "v1")
        rmSync(artifact, { recursive: true })
        yield* Effect.promise(() =>
          until("the daemon runs", () => existsSync(trace) && readFileSync(trace, "utf8") !== "")
        )
        const pid = Number(readFileSync(trace, "utf8"))
        assert.strictEqual(readFileSync(`/proc/${pid}/environ`, "utf8").includes("SIGNALBOX"), false)
        if (before !== undefined) yield* Effect.promise(() => before(directory))
        yield* provider.destroy(stack, mutation("destroy"))
        yield* check(pid, trace)
      })
    )

  it.live("is asked to end, and gone after a destruction, though it has left everything that can be left", () =>
    withDaemon((pid, trace) =>
      Effect.sync(() => {
        assert.isFalse(isAlive(pid))
        assert.isTrue(existsSync(`${trace}.asked`))
      })
    )
  )

  it.live("is found by a later supervisor too", () =>
    withDaemon((pid) => Effect.sync(() => assert.isFalse(isAlive(pid))), killSupervisor)
  )
})
