/**
 * People who make requests at about the same time, wait for each other, change their minds and decide about each
 * other's requests.
 */
import type { Config } from "../../../config/Configuration.ts"
import type { Chance } from "../world/Chance.ts"
import type { ScenarioDecision, ScenarioRequest } from "./Scenario.ts"

/** What a crowd adds to a scenario. */
export interface Crowd {
  readonly requests: ReadonlyArray<ScenarioRequest>
  readonly decisions?: ReadonlyArray<ScenarioDecision>
  readonly freezes?: Config["freezes"] & {}
}

interface Given {
  readonly requests: ReadonlyArray<ScenarioRequest>
  readonly manifest: Config
  readonly processes: number
  readonly twin: boolean
  readonly mayFreeze: boolean
}

const policies = ["fifo", "fifo", "fifo", "latest_wins", undefined] as const

const withPolicy = (draw: Chance, request: ScenarioRequest): ScenarioRequest => {
  const queue = draw.pick(policies)
  return queue === undefined ? request : { ...request, queue }
}

type Kind = "deploy" | "deploy-stack" | "rollback" | "run" | "registered"

/** A person who comes at about the same time as others. */
const newcomer = (draw: Chance, { manifest, processes }: Given, id: string, at: number): ScenarioRequest => {
  const what = draw.pick<Kind>(["deploy", "deploy-stack", "rollback", "rollback", "run", "run", "registered"])
  const process = draw.int(0, processes - 1)
  const also = draw.yes(0.15) ? draw.int(0, processes - 1) : undefined
  const lasts = draw.pick([200, 3_000, 9_000])
  const base = {
    id,
    at,
    process,
    environment: draw.pick(Object.keys(manifest.environments)),
    queue: draw.pick(["fifo", "fifo", "latest_wins"] as const),
    ...(also === undefined ? {} : { also })
  }
  const version = draw.pick(["2.0.0", "3.0.0"])
  switch (what) {
    case "deploy":
      return { ...base, kind: "deploy", version }
    case "deploy-stack":
      return { ...base, kind: "deploy-stack", version, stack: draw.pick(manifest.stacks).name }
    case "rollback":
      return { ...base, kind: "rollback" }
    case "run":
      return { ...base, kind: "run", lasts, ...(draw.yes(0.2) ? { code: 1 } : {}) }
    case "registered":
      return { ...base, kind: "run", lasts, reports: draw.pick(["succeeded", "failed", "cancelled"] as const) }
  }
}

/** Consecutive rollbacks, more than may overtake a request. */
const emergency = (
  draw: Chance,
  { processes }: Given,
  environment: string,
  at: number
): ReadonlyArray<ScenarioRequest> =>
  Array.from({ length: 7 }, (_, index) => ({
    id: `emergency-${index + 1}`,
    at: at + 50 * index,
    process: draw.int(0, processes - 1),
    kind: "rollback",
    environment,
    queue: "fifo"
  }))

const drawDecisions = (
  draw: Chance,
  { manifest, processes }: Given,
  requests: ReadonlyArray<ScenarioRequest>
): ReadonlyArray<ScenarioDecision> => {
  const found: Array<ScenarioDecision> = []
  const near = () => draw.pick(requests).at + draw.int(0, 6_000)
  const process = () => draw.int(0, processes - 1)
  const environment = draw.pick(Object.keys(manifest.environments))
  while (found.length < 3 && draw.yes(0.3)) {
    found.push({ at: near(), process: process(), decides: "withdraw", request: draw.pick(requests).id })
  }
  if (draw.yes(0.2)) {
    const at = near()
    const ends = draw.pick(["by itself", "by itself", "by hand", "never"] as const)
    const millis = ends === "by itself" ? { millis: draw.pick([2_000, 20_000]) } : {}
    found.push({ at, process: process(), decides: "hold", environment, ...millis })
    if (ends === "by hand") found.push({ at: at + 15_000, process: process(), decides: "release", environment })
  }
  if (draw.yes(0.1)) {
    const at = near()
    found.push({ at, process: process(), decides: "veto", version: "2.0.0" })
    if (draw.yes(0.5)) found.push({ at: at + 9_000, process: process(), decides: "lift", version: "2.0.0" })
  }
  return found
}

/** Draws a crowd around the existing requests. If ends are compared, it only queues. */
export const crowd = (draw: Chance, given: Given): Crowd => {
  const { manifest, requests, twin } = given
  if (twin) return { requests: requests.map((request) => withPolicy(draw, request)) }
  const environments = Object.keys(manifest.environments).length
  const asked = requests.slice(0, environments + 2).map((request) => withPolicy(draw, request))
  const near = asked.slice(environments)
  const newcomers = Array.from({ length: draw.pick([1, 1, 2, 3]) }, (_, index) =>
    newcomer(draw, given, `newcomer-${index + 1}`, draw.pick(near).at + draw.pick([0, 5, 300, 2_000]))
  )
  const storm = draw.yes(0.04) ? emergency(draw, given, near[0]!.environment, near[0]!.at + 20) : []
  const all = [...asked, ...newcomers, ...storm]
  const minute = draw.int(0, 1)
  const frozen = given.mayFreeze && draw.yes(0.05)
  // One of them has a reason not to wait for that.
  const urgent = (request: ScenarioRequest): ScenarioRequest =>
    request.id === "newcomer-1" ? { ...request, override: "it cannot wait" } : request
  return {
    requests: frozen ? all.map(urgent) : all,
    decisions: drawDecisions(draw, given, all),
    ...(frozen ? { freezes: [{ name: "rush hour", cron: `${minute} * * * *`, duration: "1 minute" }] } : {})
  }
}
