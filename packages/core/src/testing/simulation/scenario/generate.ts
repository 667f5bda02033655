/** Scenarios drawn from a seed. */
import type { Config } from "../../../config/Configuration.ts"
import { chance, type Chance } from "../world/Chance.ts"
import { crowd, type Crowd } from "./Crowd.ts"
import {
  type ScheduledFault,
  type FaultKind,
  leavesNoTrace,
  type Scenario,
  type ScenarioCloud,
  type ScenarioCommand,
  type ScenarioRequest
} from "./Scenario.ts"
import type { Script } from "../../provider/SimulatedProvider.ts"

/**
 * The probability of each fault: of the first one, and of another one after each. 0 switches it off; below 1.
 */
export type Faults = Readonly<Record<FaultKind, number>>

/** The default probabilities. */
export const usualFaults: Faults = {
  kill: 0.45,
  stop: 0.25,
  interrupt: 0.1,
  store_down: 0.15,
  store_lost: 0.2,
  store_slow: 0.15,
  feed_slow: 0.2,
  provider_throttled: 0.15,
  provider_down: 0.15,
  provider_lost: 0.2,
  provider_slow: 0.15,
  provider_twice: 0.25,
  provider_late: 0.2
}

/** The limits of generated scenarios. */
export interface Given extends Partial<Scenario> {
  readonly probabilities?: Partial<Faults>
}

type Stack = Config["stacks"][number]

const gate = (draw: Chance) => ({
  gracePeriod: "0 millis",
  interval: "1 second",
  consecutivePasses: draw.pick([1, 1, 2]),
  minSamples: 20,
  errorWindow: "30 seconds",
  maxErrorCount: 5
})

const names = ["db", "cache", "api", "web", "jobs", "edge"]

const strategies = (draw: Chance, shape: ScenarioCloud["shape"]): Stack["strategy"] => {
  const approval = draw.yes(0.15)
    ? { approval: { expiresIn: "40 seconds", otherwise: draw.pick(["abort", "continue"] as const) } }
    : {}
  const all = { type: "all_at_once" } as const
  const blueGreen = { type: "blue_green", bake: draw.pick(["0 millis", "2 seconds"]), ...approval } as const
  const rolling = { type: "rolling", batches: draw.int(2, 3), bake: draw.pick(["0 millis", "1 second"]) } as const
  const canary = {
    type: "canary",
    steps: [
      { weight: 10, bake: "2 seconds", ...approval },
      ...(draw.yes(0.3) ? [{ weight: 50, bake: "2 seconds" } as const] : [])
    ]
  } as const
  switch (shape) {
    case "transactional":
      return all
    case "hosting":
      return draw.pick<NonNullable<Stack["strategy"]>>([all, blueGreen])
    default:
      return draw.pick<NonNullable<Stack["strategy"]>>([all, blueGreen, rolling, canary])
  }
}

const shapeOf = (clouds: ReadonlyArray<ScenarioCloud>, kind: string) =>
  clouds.find((cloud) => cloud.kind === kind)?.shape ?? "full"

const drawClouds = (draw: Chance): ReadonlyArray<ScenarioCloud> => {
  const shapes = draw.yes(0.6)
    ? (["full"] as const)
    : (["transactional", "revisions", "hosting"] as const).slice(0, draw.int(1, 3))
  return shapes.map((shape) => ({
    kind: shape === "full" ? "simulated" : shape,
    shape,
    instances: draw.int(1, 4),
    requestsPerSecond: draw.yes(0.1) ? 0 : 200
  }))
}

/** Makes siblings of some clouds: the same capabilities, carried out in another way. */
const withSiblings = (draw: Chance, clouds: ReadonlyArray<ScenarioCloud>): ReadonlyArray<ScenarioCloud> =>
  clouds.map((cloud) => {
    if ((cloud.shape !== "transactional" && cloud.shape !== "revisions") || draw.yes(0.3)) return cloud
    const lagMillis = draw.pick([0, 500, 3_000])
    const operationMillis = draw.pick(cloud.shape === "revisions" ? [200, 2_000, 8_000] : [1_000, 8_000, 45_000])
    return { ...cloud, operations: { operationMillis, lagMillis } }
  })

const drawManifest = (draw: Chance, clouds: ReadonlyArray<ScenarioCloud>): Config => {
  const chosen = names.slice(0, draw.pick([1, 1, 1, 2, 2, 2, 3, 3, 4, 6]))
  const stack = (name: string, index: number): Stack => {
    const { kind } = draw.pick(clouds)
    const dependsOn = chosen.slice(0, index).filter(() => draw.yes(0.5))
    const upstream = dependsOn[0]
    return {
      name,
      provider: kind,
      dependsOn,
      gate: gate(draw),
      strategy: strategies(draw, shapeOf(clouds, kind)),
      ...(draw.yes(0.15) ? { irreversible: "it migrates the schema" } : {}),
      ...(upstream !== undefined && draw.yes(0.4) ? { properties: { upstream: { $output: `${upstream}.url` } } } : {})
    } as Stack
  }
  return {
    organization: "acme",
    project: "shop",
    environments: { production: {}, ...(draw.yes(0.2) ? { staging: {} } : {}) },
    leaseTtl: draw.pick(["6 seconds", "12 seconds"]),
    parallelism: draw.int(1, 4),
    rollback: !draw.yes(0.2),
    stacks: chosen.map(stack) as unknown as Config["stacks"]
  }
}

/** Puts some dependencies in lockstep, from a separate stream, so that a seed without them stays what it was. */
const withLockstep = (draw: Chance, manifest: Config): Config => {
  if (!draw.yes(0.4)) return manifest
  const stacks = manifest.stacks.map((stack) => ({
    ...stack,
    dependsOn: (stack.dependsOn ?? []).map((edge) =>
      typeof edge === "string" && draw.yes(0.6) ? { stack: edge, lockstep: true } : edge
    )
  }))
  return { ...manifest, stacks: stacks as unknown as Config["stacks"] }
}

const scripts: ReadonlyArray<(draw: Chance) => Script> = [
  () => ({ broken: "exits with 1" }),
  (draw) => ({ errorRate: draw.pick([0.3, 1]) }),
  () => ({ latencyMillis: 5_000 }),
  () => ({ healthy: 0 }),
  (draw) => ({ stageMillis: draw.int(500, 9_000) }),
  (draw) => ({ trafficLagMillis: draw.int(500, 6_000) }),
  (draw) => ({ stageMillis: draw.int(500, 4_000), trafficLagMillis: draw.int(500, 3_000) })
]

const drawScripts = (draw: Chance, manifest: Config): Scenario["scripts"] =>
  ["1.0.0", "2.0.0", "3.0.0"].flatMap((version) =>
    manifest.stacks.flatMap(({ name }) =>
      draw.yes(version === "1.0.0" ? 0.1 : 0.3)
        ? [{ stack: name, version, script: draw.pick(version === "1.0.0" ? scripts.slice(4) : scripts)(draw) }]
        : []
    )
  )

const drawRequests = (
  draw: Chance,
  manifest: Config,
  options: Pick<Scenario, "processes" | "oneByOne">
): ReadonlyArray<ScenarioRequest> => {
  const environments = Object.keys(manifest.environments)
  const process = () => draw.int(0, options.processes - 1)
  let at = 1_000
  const first = environments.map((environment): ScenarioRequest => ({
    id: `first-${environment}`,
    at: (at += 100),
    process: process(),
    kind: "deploy",
    version: "1.0.0",
    environment
  }))
  at += 8_000
  const rest = Array.from({ length: draw.pick([1, 1, 2, 2, 3]) }, (_, index): ScenarioRequest => {
    at += draw.pick([0, 20, 3_000, 30_000])
    const kind = draw.pick([
      "deploy",
      "deploy",
      "deploy",
      "deploy-stack",
      "rollback",
      "destroy",
      "destroy-stack"
    ] as const)
    const also = draw.yes(0.2) ? process() : undefined
    return {
      id: `request-${index + 1}`,
      at,
      process: process(),
      kind,
      environment: draw.pick(environments),
      ...(kind.startsWith("deploy") ? { version: draw.pick(["2.0.0", "3.0.0"]) } : {}),
      ...(kind.endsWith("-stack") ? { stack: draw.pick(manifest.stacks).name } : {}),
      ...(also === undefined ? {} : { also })
    }
  })
  return [...first, ...rest]
}

const drawCommands = (
  draw: Chance,
  requests: ReadonlyArray<ScenarioRequest>,
  manifest: Config,
  processes: number
): ReadonlyArray<ScenarioCommand> =>
  Array.from({ length: draw.int(1, 3) }, () => {
    const request = draw.pick(requests)
    return {
      at: request.at + draw.int(0, 9_000),
      process: draw.int(0, processes - 1),
      request: request.id,
      command: draw.pick(["pause", "pause", "resume", "approve", "promote", "abort", "retry"] as const),
      ...(draw.yes(0.2) ? { stack: draw.pick(manifest.stacks).name } : {})
    }
  })

const durations: { readonly [Kind in FaultKind]: (draw: Chance) => number } = {
  kill: (draw) => draw.pick([100, 2_000, 12_000]),
  stop: (draw) => draw.pick([500, 5_000, 15_000, 40_000]),
  interrupt: () => 0,
  store_down: (draw) => draw.pick([200, 2_000, 10_000]),
  store_lost: (draw) => draw.pick([50, 500]),
  store_slow: (draw) => draw.pick([500, 5_000]),
  feed_slow: (draw) => draw.pick([2_000, 20_000]),
  provider_throttled: (draw) => draw.pick([500, 5_000]),
  provider_down: (draw) => draw.pick([500, 5_000, 60_000]),
  provider_lost: (draw) => draw.pick([200, 3_000]),
  provider_slow: (draw) => draw.pick([1_000, 10_000]),
  provider_twice: (draw) => draw.pick([2_000, 20_000]),
  provider_late: (draw) => draw.pick([2_000, 20_000])
}

const drawFaults = (
  draw: Chance,
  faults: Partial<Faults>,
  steps: number,
  processes: number
): ReadonlyArray<ScheduledFault> =>
  (Object.keys(durations) as ReadonlyArray<FaultKind>).flatMap((kind) => {
    const found: Array<ScheduledFault> = []
    while (found.length < 4 && draw.yes(Math.min(0.95, faults[kind] ?? 0))) {
      found.push({
        kind,
        step: draw.int(1, steps),
        delay: draw.yes(0.5) ? 0 : draw.int(1, draw.yes(0.5) ? 10 : 1_500),
        millis: durations[kind](draw),
        ...(draw.yes(0.2) ? { process: draw.int(0, processes - 1) } : {})
      })
    }
    return found
  })

/** Draws the scenario of a seed; given parts stay as they are. A quarter of them has an uninterrupted twin. */
export const generate = (seed: number, given: Given = {}): Scenario => {
  const draw = (label: string) => chance(seed, label)
  const shape = draw("shape")
  // From a separate stream, so that a seed without siblings stays what it was.
  const clouds = given.clouds ?? withSiblings(draw("siblings"), drawClouds(shape))
  const alone = given.manifest ?? withLockstep(draw("lockstep"), drawManifest(draw("manifest"), clouds))
  const people = draw("people")
  const twin = people.yes(0.25)
  const inOrder = twin || people.yes(0.4)
  const processes = given.processes ?? shape.int(2, 3)
  const drawn = given.requests ?? drawRequests(draw("requests"), alone, { processes, oneByOne: inOrder })
  // Likewise.
  const crowded = draw("crowd")
  const joined: Partial<Crowd> =
    given.requests === undefined && crowded.yes(0.4)
      ? crowd(crowded, { requests: drawn, manifest: alone, processes, twin, mayFreeze: given.manifest === undefined })
      : {}
  const { freezes, decisions, requests = drawn } = joined
  const manifest: Config = freezes === undefined ? alone : { ...alone, freezes }
  const oneByOne = given.oneByOne ?? (inOrder && (twin || joined.requests === undefined))
  const steps = 6 + requests.length * (8 + 7 * manifest.stacks.length)
  const probabilities = { ...usualFaults, ...given.probabilities }
  const likely = twin
    ? (Object.fromEntries(
        Object.entries(probabilities).filter(([kind]) => leavesNoTrace(kind as FaultKind))
      ) as Partial<Faults>)
    : probabilities
  return {
    seed,
    manifest,
    clouds,
    processes,
    oneByOne,
    scripts: given.scripts ?? drawScripts(draw("scripts"), manifest),
    sameHost: given.sameHost ?? shape.yes(0.5),
    shuffle: given.shuffle ?? shape.pick([0, 0.1, 0.4]),
    person:
      given.person ??
      (twin
        ? "approves"
        : people.pick(["approves", "approves", "approves", "promotes", "retries", "aborts", "absent"] as const)),
    requests,
    ...(given.decisions !== undefined
      ? { decisions: given.decisions }
      : decisions === undefined || decisions.length === 0
        ? {}
        : { decisions }),
    commands: given.commands ?? (twin || people.yes(0.4) ? [] : drawCommands(people, requests, manifest, processes)),
    faults: given.faults ?? drawFaults(draw("faults"), likely, steps, processes)
  }
}
