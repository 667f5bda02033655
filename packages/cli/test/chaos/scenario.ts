/**
 * A small deployment and one operation on it, drawn from a seed. Every other draw of a run builds on it.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { chance } from "./chance.ts"

export const deploymentId = "DX6604E"
export const environment = "production"

export interface StackPlan {
  readonly name: string
  readonly dependsOn: ReadonlyArray<string>
  readonly instances: number
  readonly strategy: object
}

export type Kind = "deploy" | "broken" | "erroring" | "rollback" | "destroy" | "deploy-stack"

export interface Scenario {
  readonly name: string
  readonly kind: Kind
  readonly asks: boolean
  readonly stacks: ReadonlyArray<StackPlan>
  /** Versions that are deployed undisturbed before. */
  readonly before: ReadonlyArray<string>
  /** The operation, as the command line has it. */
  readonly operation: ReadonlyArray<string>
  readonly leaseTtl: string
}

const kinds: ReadonlyArray<Kind> = ["deploy", "broken", "erroring", "deploy", "rollback", "destroy", "deploy-stack"]
/** Every so many scenarios one of each kind, one of them with a question to a person. */
export const round = kinds.length
const names = ["db", "api", "web", "jobs"]
const canary = { type: "canary", steps: [{ weight: 50, bake: "300 millis" }] }
const patient = { expiresIn: "3 hours" }

export const scenario = (seed: number, index: number): Scenario => {
  const draw = chance(seed, "scenario", index)
  const kind = kinds[index % round]!
  const drawn = names.slice(0, draw.int(2, 4)).map((name, at) => ({
    name,
    dependsOn: names.slice(0, at).filter(() => draw.yes(0.45)),
    instances: draw.yes(0.3) ? 2 : 1,
    strategy: draw.one<object>([
      { type: "all_at_once" },
      { type: "rolling", batches: 2 },
      { type: "blue_green", bake: "200 millis" },
      canary
    ])
  }))
  const target = draw.one(drawn).name
  const asks = index % round === 3
  const stacks = drawn.map((stack): StackPlan => {
    if (stack.name !== target) return stack
    // Only a release that gets part of the traffic for a while is certain to be caught by its answers.
    if (kind === "erroring") return { ...stack, strategy: canary }
    return asks ? { ...stack, strategy: { type: "blue_green", bake: "0 millis", approval: patient } } : stack
  })
  const version = kind === "broken" || kind === "erroring" ? `v2-${kind}-${target}` : "v2"
  const where = ["--environment", environment]
  const operation =
    kind === "rollback"
      ? ["rollback", deploymentId, ...where]
      : kind === "destroy"
        ? ["destroy", deploymentId, ...where, "--yes"]
        : kind === "deploy-stack"
          ? ["deploy-stack", deploymentId, target, ...where, "--version", version]
          : ["deploy", deploymentId, ...where, "--version", version]
  return {
    name: `${index}:${kind}${asks ? "+person" : ""}`,
    kind,
    asks,
    stacks,
    before: kind === "rollback" ? ["v1", "v2"] : ["v1"],
    operation,
    leaseTtl: "2 seconds"
  }
}

const server = `import { createServer } from "node:http"
const { PORT, SIGNALBOX_STACK: stack, SIGNALBOX_VERSION: version } = process.env
if (version.endsWith("-broken-" + stack)) process.exit(3)
const failing = version.endsWith("-erroring-" + stack)
createServer((request, response) => {
  response.statusCode = failing && request.url !== "/ready" ? 500 : 200
  response.end(version)
}).listen(PORT, "127.0.0.1")
`

/** Writes the configuration and the application into a folder. */
export const write = (folder: string, { leaseTtl, stacks }: Scenario): void => {
  mkdirSync(join(folder, "app"), { recursive: true })
  writeFileSync(join(folder, "app", "server.mjs"), server)
  // Above an hour: a clock that jumps by one must not count as an hour of work.
  const timeout = "3 hours"
  const gate = {
    gracePeriod: "0 millis",
    interval: "100 millis",
    consecutivePasses: 1,
    minSamples: 1,
    maxErrorCount: 0,
    errorWindow: "1 minute",
    maxResponseTime: "30 seconds"
  }
  const stackOf = ({ dependsOn, instances, name, strategy }: StackPlan) => ({
    name,
    provider: "local",
    dependsOn,
    strategy,
    gate,
    timeout,
    properties: {
      command: ["node", "server.mjs"],
      artifact: "app",
      instances,
      readiness: { path: "/ready", timeout: "20 seconds", interval: "200 millis" },
      drain: "1 second",
      grace: "1 second"
    }
  })
  const config = {
    organization: "acme",
    project: "chaos",
    environments: { [environment]: {} },
    leaseTtl,
    stacks: stacks.map(stackOf)
  }
  writeFileSync(join(folder, "signalbox.config.json"), JSON.stringify(config, null, 2))
}
