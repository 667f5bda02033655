/**
 * One user of a packed command: deploys, rolls back and runs commands, and reads and changes the executions of others.
 */
import { spawn } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { LocalProvider } from "@signalbox/provider-local"
import * as Effect from "effect/Effect"
import { cleanEnvironment } from "../bundle.ts"
import type { Done } from "./Done.ts"

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface User {
  /** The program of the packed command. */
  readonly program: string
  readonly url: string
  /** Starts with the name of its build. */
  readonly name: string
  readonly folder: string
  readonly until: number
}

/** Long enough that the commands of others meet an execution in progress. */
const gate = { gracePeriod: "10 seconds", interval: "100 millis", consecutivePasses: 1, minSamples: 0 }
const server = `import { createServer } from "node:http"
createServer((_, response) => response.end(process.env.SIGNALBOX_VERSION)).listen(process.env.PORT, "127.0.0.1")
`

/** As much of the answers as is looked at. */
interface Answer {
  readonly error?: { readonly code?: string }
  readonly events?: ReadonlyArray<{ readonly type: string }>
  readonly executions?: ReadonlyArray<{ readonly correlationId: string; readonly status: string }>
}

const json = (text: string): Answer | undefined => {
  try {
    return JSON.parse(text.trim().split("\n").at(-1)!)
  } catch {
    return undefined
  }
}

const errorOf = ({ code, stderr }: Ran): string => json(stderr)?.error?.code ?? `exit ${code}: ${stderr.slice(-200)}`

export const use = async ({ folder, name, program, until, url }: User): Promise<Done> => {
  const isNewer = name.startsWith("newer")
  const ended: Record<string, number> = {}
  const failures: Record<string, number> = {}
  const completed: Array<string> = []
  const count = { read: 0, unknown: 0, attempts: 0, refused: 0, written: 0, watched: 0 }
  const homes: Array<string> = []
  const add = (to: Record<string, number>, key: string) => (to[key] = (to[key] ?? 0) + 1)

  const run = (...args: ReadonlyArray<string>): Promise<Ran> =>
    new Promise((resolve, reject) => {
      const cwd = homes.at(-1)!
      const child = spawn(process.execPath, [program, ...args], {
        cwd,
        env: { ...cleanEnvironment(), HOME: cwd, SIGNALBOX_DATABASE_URL: url, SIGNALBOX_ACTOR: name },
        stdio: ["ignore", "pipe", "pipe"]
      })
      let stdout = ""
      let stderr = ""
      child.stdout.on("data", (data) => (stdout += String(data)))
      child.stderr.on("data", (data) => (stderr += String(data)))
      child.once("error", reject)
      child.once("close", (code) => resolve({ code: code ?? -1, stdout, stderr }))
    })

  /** A new deployment: a newer process may have taken the previous one over. */
  const begin = async () => {
    const home = join(folder, `${name}-${homes.length + 1}`)
    mkdirSync(join(home, "app"), { recursive: true })
    writeFileSync(join(home, "app", "server.mjs"), server)
    writeFileSync(
      join(home, "signalbox.config.json"),
      JSON.stringify({
        organization: "acme",
        project: name,
        environments: { production: {} },
        leaseTtl: "10 seconds",
        stacks: [
          {
            name: "web",
            provider: "local",
            gate,
            properties: { command: ["node", "server.mjs"], artifact: "app", readiness: { timeout: "1 minute" } }
          }
        ]
      })
    )
    homes.push(home)
    const made = await run("init", "--json")
    if (made.code !== 0) add(failures, `init: ${errorOf(made)}`)
  }

  const deploying = async () => {
    let releases = 0
    for (let n = 1; Date.now() < until; n++) {
      const id = `${name}-${n}`
      const kind = n % 4 === 0 && releases > 1 ? "rollback" : n % 4 === 2 ? "run" : "deploy"
      const ran = await run(
        kind,
        "--json",
        "--correlation-id",
        id,
        ...(isNewer ? ["--commit", `commit-${n}`] : []),
        ...(n % 3 === 0 && kind !== "run" ? ["--queue", "fifo"] : []),
        ...(kind === "deploy" ? ["--version", `1.0.${n}`] : []),
        ...(kind === "run" ? ["--", process.execPath, "-e", "0"] : [])
      )
      if (ran.code === 0) {
        completed.push(id)
        add(ended, kind)
        if (kind === "deploy") releases++
      } else {
        add(failures, errorOf(ran))
        await begin()
        releases = 0
      }
    }
  }

  const seen = new Set<string>()
  const again = new Set<string>()
  const read = async (id: string) => {
    const events = await run("events", id, "--json")
    if (events.code !== 0) return add(failures, `events: ${errorOf(events)}`)
    const tags = (json(events.stdout)?.events ?? []).map(({ type }) => type)
    count.read += tags.length
    if (!isNewer) count.unknown += tags.filter((tag) => tag === "MonitorClaimed").length
  }

  const change = async (id: string) => {
    const isNewers = id.startsWith("newer")
    if (isNewer) {
      // Leaves a tag that the older build lacks, now and then in an execution that an older process is running.
      if (!isNewers && seen.size % 4 !== 0) return
      count.watched++
      const watched = await run("monitor", id, "--interval", "200ms", "--json")
      if (watched.code !== 0 && !/^[1237]$/.test(`${watched.code}`)) add(failures, `monitor: ${errorOf(watched)}`)
    } else if (isNewers) {
      const aborted = await run("abort", id, "--json", "--reason", "an older process tries")
      // It may have finished meanwhile.
      if (aborted.code !== 0 && json(aborted.stderr)?.error?.code !== "newer_writer") return
      count.attempts++
      if (aborted.code === 0) count.written++
      else count.refused++
    }
  }

  const reading = async () => {
    while (Date.now() < until) {
      const active = await run("active", "--json")
      if (active.code !== 0) add(failures, `active: ${errorOf(active)}`)
      const ids: ReadonlyArray<string> = (json(active.stdout)?.executions ?? [])
        .map(({ correlationId }) => correlationId)
        .filter((id) => !id.startsWith(name))
      for (const id of ids.filter((one) => !seen.has(one))) {
        seen.add(id)
        await change(id)
      }
      // Read when they have ended, with the events of all monitors.
      for (const id of [...seen].filter((one) => !ids.includes(one) && !again.has(one))) {
        again.add(id)
        await read(id)
      }
    }
  }

  await begin()
  try {
    await Promise.all([deploying(), reading()])
  } finally {
    for (const home of homes) await Effect.runPromise(Effect.ignore(LocalProvider.stop(join(home, ".signalbox"))))
  }
  return { completed, ended, failures, ...count }
}
