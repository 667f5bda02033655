/**
 * A history to measure estimates on: the example's services, deployed again and again by the real engine on the local
 * provider, under a load that comes and goes, with releases that take long or short to start and people who answer late.
 */
import { cp, mkdir, writeFile } from "node:fs/promises"
import { Agent, createServer, request } from "node:http"
import { once } from "node:events"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, Layer, Result, Schedule, Stream } from "effect"
import type { EstimatePath } from "@signalbox/core/analysis"
import { type Config, Configuration, output } from "@signalbox/core/config"
import { Signalbox } from "@signalbox/core/engine"
import { CorrelationId, EnvironmentName, type Execution, type Manifest, Providers } from "@signalbox/core/spi"
import { embeddedStore } from "@signalbox/node"
import { LocalProvider } from "@signalbox/provider-local"
import { chance } from "../chaos/chance.ts"

const app = fileURLToPath(new URL("../../../../examples/local-canary/app", import.meta.url))
const environment = EnvironmentName.make("production")

const gate = {
  gracePeriod: "0 millis",
  interval: "100 millis",
  consecutivePasses: 2,
  minSamples: 3,
  maxErrorCount: 1_000,
  errorWindow: "1 minute",
  maxResponseTime: "10 seconds",
  minHealthyPercentage: 0
} as const

const service = (role: string, more: Readonly<Record<string, unknown>> = {}) => ({
  command: ["node", "server.mjs", role],
  instances: 1,
  readiness: { path: "/ready", interval: "50 millis" },
  drain: "200 millis",
  ...more
})

type Stack = Config["stacks"][number]

const inventory: Stack = { name: "inventory", provider: "local", gate, properties: service("inventory") }
const upstream = (name: string) => ({ env: { UPSTREAM: output(name, "url") } })

/** Three ways to deploy: a chain, one with a question to a person, two services side by side. */
const manifests = (ports: ReadonlyArray<number>): ReadonlyArray<Config> => {
  const web = (strategy: Stack["strategy"], from: string, port: number): Stack => ({
    name: "web",
    provider: "local",
    dependsOn: [from],
    gate,
    properties: service("web", { port, ...upstream(from) }),
    ...(strategy === undefined ? {} : { strategy })
  })
  const canary = {
    type: "canary",
    steps: [
      { weight: 25, bake: "300 millis" },
      { weight: 60, bake: "300 millis" }
    ]
  } as const
  const asked = {
    type: "blue_green",
    bake: "200 millis",
    approval: { expiresIn: "1 minute", otherwise: "continue" }
  } as const
  const rolling = { type: "rolling", batches: 2 } as const
  const api = (strategy: Stack["strategy"], dependsOn: ReadonlyArray<string>): Stack => ({
    name: "api",
    provider: "local",
    dependsOn,
    gate,
    properties: service("api", dependsOn.length === 0 ? {} : upstream("inventory")),
    ...(strategy === undefined ? {} : { strategy })
  })
  const of = (project: string, stacks: Config["stacks"]): Config => ({
    organization: "acme",
    project,
    environments: { production: {} },
    stacks
  })
  return [
    of("chain", [inventory, api(rolling, ["inventory"]), web(canary, "api", ports[0]!)]),
    of("asked", [inventory, web(asked, "inventory", ports[1]!)]),
    of("abreast", [inventory, api(undefined, []), web(canary, "inventory", ports[2]!)])
  ]
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  return typeof address === "object" && address !== null ? address.port : 0
}

/** Load that wanders between 60 and 400 requests a second, on all of the addresses. */
const load = (ports: ReadonlyArray<number>, random: () => number) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 20 })
  let perSecond = 150
  let owed = 0
  const wander = setInterval(() => {
    perSecond = Math.min(400, Math.max(60, perSecond * Math.exp((random() - 0.5) * 0.8)))
  }, 2_000)
  const send = setInterval(() => {
    owed += perSecond / 50
    for (; owed >= 1; owed--) {
      for (const port of ports) {
        request({ host: "127.0.0.1", port, agent, timeout: 5_000 }, (response) => {
          response.resume().on("error", () => undefined)
        })
          .on("error", () => undefined)
          .end()
      }
    }
  }, 20)
  return () => {
    clearInterval(wander)
    clearInterval(send)
    agent.destroy()
  }
}

/** A release that takes its time to start: mostly a little, now and then much. */
const release = async (directory: string, name: string, warmUp: number): Promise<string> => {
  const folder = join(directory, name)
  await mkdir(folder, { recursive: true })
  await cp(app, folder, { recursive: true })
  await writeFile(
    join(folder, "behaviour.mjs"),
    `await new Promise((resolve) => setTimeout(resolve, ${warmUp}))\nexport const answers = () => 200\n`
  )
  return folder
}

/** Answers each question of an execution, after a while. */
const answer = (id: CorrelationId, random: () => number) =>
  Effect.gen(function* () {
    const box = yield* Signalbox
    yield* box.executions.follow(id).pipe(
      Stream.filter(({ event }) => event._tag === "ApprovalRequested"),
      Stream.runForEach(() =>
        Effect.andThen(
          Effect.sleep(Math.round(100 + 1_500 * random())),
          box.executions.command(id, { command: "approve", by: "ada" })
        )
      ),
      Effect.ignore
    )
  })

export interface Recorded {
  readonly states: ReadonlyArray<Execution.ExecutionState>
  readonly plans: ReadonlyMap<string, EstimatePath.Plan>
}

const lane = Effect.fnUntraced(function* (options: {
  readonly config: Config
  readonly manifest: Manifest
  readonly count: number
  readonly directory: string
  readonly random: () => number
  readonly told: (state: Execution.ExecutionState) => void
}) {
  const { count, directory, manifest, random, told } = options
  const box = yield* Signalbox
  const { deploymentId } = yield* box.deployments.init({ manifest, by: "calibration" })
  const states: Array<Execution.ExecutionState> = []
  for (let n = 0; n < count; n++) {
    const name = `${manifest.project}-${n}`
    const warmUp = Math.round(80 * Math.exp(0.5 * (random() + random() + random() - 1.5)) + (random() < 0.1 ? 600 : 0))
    const artifact = yield* Effect.promise(() => release(directory, name, warmUp))
    const correlationId = CorrelationId.make(name)
    yield* box.executions.submit({
      kind: "deploy",
      correlationId,
      deploymentId,
      environment,
      manifest,
      by: "calibration",
      version: `1.0.${n}`,
      artifact
    })
    const state = yield* Effect.raceFirst(
      Effect.retry(box.executions.run(correlationId), Schedule.upTo(Schedule.spaced("1 second"), { times: 3 })),
      Effect.andThen(answer(correlationId, random), Effect.never)
    )
    states.push(state)
    told(state)
  }
  return states
})

/** Deploys `count` times, three deployments side by side; leftovers on the machine are stopped afterwards. */
export const record = (options: {
  readonly directory: string
  readonly count: number
  readonly seed: number
  readonly told?: (state: Execution.ExecutionState) => void
}): Promise<Recorded> =>
  Effect.gen(function* () {
    const { directory } = options
    const ports = yield* Effect.promise(async () => [await freePort(), await freePort(), await freePort()])
    const local = LocalProvider.make({ directory })
    const configs = manifests(ports)
    const checked = configs.map((config) => ({
      config,
      manifest: Result.getOrThrow(Configuration.check(config, new Map([["local", local]])))
    }))
    const stop = load(ports, chance(options.seed, "load").next)
    const all = yield* Effect.forEach(
      checked,
      (one) =>
        lane({
          ...one,
          count: Math.ceil(options.count / checked.length),
          directory,
          random: chance(options.seed, one.manifest.project).next,
          told: options.told ?? (() => undefined)
        }),
      { concurrency: "unbounded" }
    ).pipe(
      Effect.provide(
        Signalbox.layer.pipe(Layer.provideMerge(embeddedStore({ directory })), Layer.provide(Providers.layer([local])))
      ),
      Effect.ensuring(Effect.sync(stop)),
      Effect.ensuring(Effect.ignore(LocalProvider.stop(directory)))
    )
    const plans = new Map(
      all.flatMap((states, index) => {
        const { parallelism, stacks } = checked[index]!.manifest
        const [state] = states
        return state === undefined ? [] : [[state.deploymentId, { stacks, parallelism }] as const]
      })
    )
    return { states: all.flat(), plans }
  }).pipe(Effect.runPromise)
