/**
 * What the tests of provider-local share: a directory of their own, an application, and probes that ask the processes and
 * the proxy rather than the provider.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { createHash } from "node:crypto"
import * as http from "node:http"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  DeploymentId,
  EnvironmentName,
  type Json,
  type Mutation,
  type Provider,
  StackName,
  type StackRef
} from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import { sharedProgram } from "../../cli/test/sharedProgram.ts"
import { LocalProvider } from "../src/index.ts"

export const app = fileURLToPath(new URL("fixtures/app", import.meta.url))

export const properties = {
  command: ["node", "server.mjs"],
  instances: 2,
  readiness: { path: "/", timeout: "10 seconds", interval: "200 millis" },
  drain: "5 seconds",
  grace: "2 seconds",
  artifact: app
}

export interface Bench {
  readonly directory: string
  readonly provider: Provider
  readonly ref: (stack: string, more?: Readonly<Record<string, Json>>) => StackRef
}

export const mutation = (idempotencyKey: string, fence = 1): Mutation => testMutation(idempotencyKey, { fence })

export const ownerOf = (directory: string): string =>
  createHash("sha256").update(realpathSync(directory)).digest("hex").slice(0, 16)

export interface Found {
  readonly pid: number
  readonly env: Readonly<Record<string, string>>
}

/** The processes that carry the mark of a directory, from /proc. */
export const processesOf = (owner: string): ReadonlyArray<Found> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const env = Object.fromEntries(
          readFileSync(`/proc/${name}/environ`, "utf8")
            .split("\0")
            .map((entry) => {
              const at = entry.indexOf("=")
              return [entry.slice(0, at), entry.slice(at + 1)]
            })
        )
        return env["SIGNALBOX_SUPERVISOR"] === owner ? [{ pid: Number(name), env }] : []
      } catch {
        return []
      }
    })

/** The pid that holds the lock of a directory. */
export const supervisorOf = (directory: string): number | undefined => {
  const local = join(directory, "local")
  const [lock] = (existsSync(local) ? readdirSync(local) : [])
    .filter((name) => name.startsWith("lock."))
    .sort((a, b) => Number(b.slice(5)) - Number(a.slice(5)))
  if (lock === undefined) return undefined
  try {
    return JSON.parse(readFileSync(join(local, lock), "utf8")).pid
  } catch {
    return undefined
  }
}

export const isAlive = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}

/** The children of a process whose command line holds a word. */
export const childrenOf = (parent: number, word: string): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
        return (
          Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent &&
          readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(word)
        )
      } catch {
        return false
      }
    })

/** Kills the supervisor with its watchdog, so that nothing takes its place. */
export const killSupervisor = async (directory: string): Promise<void> => {
  const pid = supervisorOf(directory)!
  const watchdogs = childrenOf(pid, "signalbox-watchdog")
  // A stopped one does not start another watchdog.
  process.kill(pid, "SIGSTOP")
  for (const one of [...watchdogs, pid]) process.kill(one, "SIGKILL")
  await until("the supervisor is gone", () => ![...watchdogs, pid].some(isAlive))
}

/** As after a restart of the machine: nothing runs, and the files exist. */
export const reboot = async (directory: string): Promise<void> => {
  await killSupervisor(directory)
  const left = processesOf(ownerOf(directory))
  for (const { pid } of left) process.kill(pid, "SIGKILL")
  // A dying process has lost its environment, and with it the mark, a moment before it is dead.
  await until("no process is left", () => !left.some(({ pid }) => isAlive(pid)))
}

/** Tries until it holds. The bound is for what never comes true, and so long that a busy machine does not reach it. */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeout = 300_000
): Promise<void> => {
  const deadline = Date.now() + timeout
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Supervisors from the bundled program start in a third of the time that they need from the sources. */
export const localProvider = (options: LocalProvider.LocalOptions) =>
  LocalProvider.make({ supervisor: { command: [process.execPath, sharedProgram(), "__supervisor"] }, ...options })

/** A directory with a provider. In the end its supervisor is stopped, and nothing that carries its mark may be left. */
export const bench: Effect.Effect<Bench, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = mkdtempSync(join(tmpdir(), "signalbox-local-"))
    return {
      directory,
      provider: localProvider({ directory }),
      ref: (stack: string, more: Readonly<Record<string, Json>> = {}) => ({
        deploymentId: DeploymentId.make("DX6604E"),
        environment: EnvironmentName.make("test"),
        stack: StackName.make(stack),
        properties: { ...properties, ...more }
      })
    }
  }),
  ({ directory }) =>
    Effect.promise(async () => {
      const pid = supervisorOf(directory)
      await Effect.runPromise(Effect.orDie(LocalProvider.stop(directory)))
      if (pid !== undefined) await until("the supervisor has ended", () => !isAlive(pid))
      await until("no process is left", () => processesOf(ownerOf(directory)).length === 0)
      rmSync(directory, { recursive: true, force: true })
    })
)

const agent = new http.Agent({ keepAlive: true, maxSockets: 20 })

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export const send = (url: string, options: http.RequestOptions = {}, body?: Buffer): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { agent, ...options }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.once("error", reject)
      response.once("end", () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks).toString() })
      )
    })
    request.once("error", reject)
    request.end(body)
  })

export const stateOf = (directory: string): any => {
  try {
    return JSON.parse(readFileSync(join(directory, "local", "state.json"), "utf8"))
  } catch {
    return { stacks: {} }
  }
}

export const ledgerOf = (directory: string): ReadonlyArray<any> => {
  try {
    return readFileSync(join(directory, "local", "ledger.ndjson"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
  } catch {
    return []
  }
}

/** Makes the first instance of the stable release write a text. */
export const write = async (directory: string, stack: string, text: string): Promise<void> => {
  const state = Object.values<any>(stateOf(directory).stacks).find((one) => one.stack === stack)
  const { port } = state.instances.find(({ releaseId }: any) => releaseId === state.stable)
  await send(`http://127.0.0.1:${port}/say?text=${encodeURIComponent(text)}`)
}

/** What the suite's probe sees: which version answers 100 requests, which processes run, what the ledger contains. */
export const probe = (directory: string, stack: string) => ({
  traffic: Effect.promise(async () => {
    const port = Object.values<any>(stateOf(directory).stacks).find((state) => state.stack === stack)?.port
    const counts: Record<string, number> = {}
    if (port === undefined || port === 0) return counts
    for (let request = 0; request < 100; request++) {
      const answer = await send(`http://127.0.0.1:${port}/`).catch(() => undefined)
      if (answer === undefined) return {}
      if (answer.status === 200) counts[answer.body] = (counts[answer.body] ?? 0) + 1
    }
    return counts
  }),
  capacity: Effect.sync(() => {
    const counts: Record<string, number> = {}
    for (const { env } of processesOf(ownerOf(directory))) {
      if (env["SIGNALBOX_STACK"] !== stack) continue
      const version = env["SIGNALBOX_VERSION"]!
      counts[version] = (counts[version] ?? 0) + 1
    }
    return counts
  }),
  instances: Effect.sync(() =>
    processesOf(ownerOf(directory))
      .filter(({ env }) => env["SIGNALBOX_STACK"] === stack)
      .map(({ pid }) => String(pid))
  ),
  effects: (key: string) =>
    Effect.sync(() => ledgerOf(directory).filter(({ idempotencyKey }) => idempotencyKey === key).length)
})

/** Deploys a version and makes it the stable release. */
export const deploy = (provider: Provider, ref: StackRef, version: string, fence = 1) =>
  Effect.gen(function* () {
    const plan = yield* provider.plan(ref, { version })
    const id = `${version}-${Math.random()}`
    yield* provider.stage(ref, { plan, capacityPercent: 100 }, mutation(`stage-${id}`, fence))
    yield* provider.traffic!.shift(ref, { releaseId: plan.candidate.id, percent: 100 }, mutation(`shift-${id}`, fence))
    yield* provider.traffic!.retire(
      ref,
      { keep: plan.candidate.id, capacityPercent: 0 },
      mutation(`retire-${id}`, fence)
    )
    return plan
  })
