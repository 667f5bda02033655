/**
 * One simulated schedule, as plain data: it is drawn from a seed, printed, shrunk and repeated.
 */
import type { OperatorCommand } from "../../../domain/Event.ts"
import type { Config } from "../../../config/Configuration.ts"
import type { Request } from "../../../api/Request.ts"
import type { ReportedOutcome } from "../../../engine/admission/ReportedOutcome.ts"
import type { Script } from "../../provider/SimulatedProvider.ts"

/**
 * The kinds of faults.
 *
 * *Details*: `kill` ends a process between two instructions, and another replaces it after `millis` · `stop` makes it
 * stand still for `millis` (SIGSTOP, SIGCONT) · `interrupt` is a first Ctrl-C · for `millis`: `store_down` refuses,
 * `store_lost` writes and does not answer, `store_slow` is slow, `feed_slow` delays and merges notifications of other
 * processes · for `millis`, at the providers: `provider_throttled`, `provider_down`, `provider_lost` (the effect
 * happens, the answer is lost), `provider_slow`, `provider_twice` (a call is delivered twice), `provider_late` (a call
 * travels for a long time, even if its process is gone meanwhile).
 */
export type FaultKind =
  | "kill"
  | "stop"
  | "interrupt"
  | "store_down"
  | "store_lost"
  | "store_slow"
  | "feed_slow"
  | "provider_throttled"
  | "provider_down"
  | "provider_lost"
  | "provider_slow"
  | "provider_twice"
  | "provider_late"

/**
 * One fault.
 *
 * *Details*: it begins at step `step`, counted over all appends and all effects at providers, plus `delay`
 * milliseconds. `process` (from 0) names the process that it hits; without it, `kill`, `stop` and `interrupt` hit the
 * process that took that step, and the others hit all.
 */
export interface ScheduledFault {
  readonly kind: FaultKind
  readonly step: number
  readonly delay: number
  readonly millis: number
  readonly process?: number
}

/**
 * A request. In milliseconds of virtual time; `process` submits and runs it, `also` runs it at the same time.
 *
 * *Details*: without `queue`, it is rejected if another one is running. `lasts` is how long the command of a `run`
 * takes, which ends with `code` (default 0). With `reports`, it is only registered: it waits for admission, a
 * deployment outside takes `lasts`, and then it is cleaned up with that report.
 */
export interface ScenarioRequest extends Pick<Request, "kind" | "version" | "strategy" | "queue" | "override"> {
  readonly id: string
  readonly at: number
  readonly process: number
  readonly also?: number
  readonly environment: string
  readonly stack?: string
  readonly lasts?: number
  readonly code?: number
  readonly reports?: ReportedOutcome
}

/**
 * A person's decision, whether or not it is possible then: to lock an environment (for `millis`; without it, until it
 * is unlocked) or to unlock it, to veto a version or lift the veto, to withdraw a request.
 */
export type ScenarioDecision = { readonly at: number; readonly process: number } & (
  | { readonly decides: "hold"; readonly environment: string; readonly millis?: number }
  | { readonly decides: "release"; readonly environment: string }
  | { readonly decides: "veto" | "lift"; readonly version: string }
  | { readonly decides: "withdraw"; readonly request: string }
)

/** A command to an execution, whether or not it is allowed then. */
export interface ScenarioCommand {
  readonly at: number
  readonly process: number
  readonly request: string
  readonly command: OperatorCommand
  readonly stack?: string
}

/**
 * A simulated cloud; `shape` as in `SimulatedProvider.shapes`, or one that supports everything. With `operations`, it
 * works in operations that take as long and cannot be found at first: a `SlowProvider` if it is `transactional`, a
 * `RevisionsProvider` if it is `revisions`.
 */
export interface ScenarioCloud {
  readonly kind: string
  readonly shape: "full" | "transactional" | "revisions" | "hosting"
  readonly instances: number
  readonly requestsPerSecond: number
  readonly operations?: { readonly operationMillis: number; readonly lagMillis: number }
}

/**
 * One schedule.
 *
 * *Details*: `oneByOne` makes each request wait for the end of the one before; `sameHost` lets processes know which
 * others are dead; `shuffle` is the probability that ready fibers change places; `person` is how a person who looks now
 * and then answers open questions (`absent`: not at all).
 */
export interface Scenario {
  readonly seed: number
  readonly manifest: Config
  readonly clouds: ReadonlyArray<ScenarioCloud>
  readonly scripts: ReadonlyArray<{ readonly stack: string; readonly version: string; readonly script: Script }>
  readonly processes: number
  readonly sameHost: boolean
  readonly shuffle: number
  readonly oneByOne: boolean
  readonly person: "approves" | "promotes" | "retries" | "aborts" | "absent"
  readonly requests: ReadonlyArray<ScenarioRequest>
  readonly commands: ReadonlyArray<ScenarioCommand>
  readonly decisions?: ReadonlyArray<ScenarioDecision>
  readonly faults: ReadonlyArray<ScheduledFault>
}

const processFaults: ReadonlySet<FaultKind> = new Set(["kill", "stop"])
/** Faults that executions must survive without a trace. */
const harmless: ReadonlySet<FaultKind> = new Set(["store_lost", "store_slow", "feed_slow", "provider_twice"])

/** Whether executions survive a fault of this kind as if nothing had happened. */
export const leavesNoTrace = (kind: FaultKind): boolean => processFaults.has(kind) || harmless.has(kind)

/**
 * The uninterrupted twin of a scenario, or undefined if it has none with the same end: if people, chance or the order
 * of requests decide the end.
 */
export const twinOf = (scenario: Scenario): Scenario | undefined =>
  scenario.oneByOne &&
  scenario.commands.length === 0 &&
  (scenario.decisions ?? []).length === 0 &&
  // The effects of a command that was cut off are unknown.
  scenario.requests.every(({ kind, reports }) => kind !== "run" && reports === undefined) &&
  scenario.person === "approves" &&
  // How far a stack got when another one failed depends on timing, and an irreversible stack stays there.
  (scenario.manifest.stacks.length === 1 ||
    scenario.manifest.stacks.every((stack) => stack.irreversible === undefined)) &&
  scenario.faults.some(({ kind }) => processFaults.has(kind)) &&
  scenario.faults.every(({ kind }) => leavesNoTrace(kind))
    ? { ...scenario, faults: [] }
    : undefined

const seconds = (millis: number) => `${millis / 1_000} s`

/** The request besides its kind. */
const manner = ({ lasts, queue, reports }: ScenarioRequest): string =>
  [
    queue === undefined ? "" : `, ${queue}`,
    lasts === undefined ? "" : `, lasts ${seconds(lasts)}`,
    reports === undefined ? "" : `, only registered, reported as ${reports}`
  ].join("")

const decided = (decision: ScenarioDecision): string => {
  switch (decision.decides) {
    case "hold":
      return `hold ${decision.environment}${decision.millis === undefined ? "" : ` for ${seconds(decision.millis)}`}`
    case "release":
      return `release ${decision.environment}`
    case "withdraw":
      return `withdraw ${decision.request}`
    default:
      return `${decision.decides} ${decision.version}`
  }
}

const after = (dependsOn: NonNullable<Config["stacks"][number]["dependsOn"]>): string =>
  dependsOn.length === 0
    ? ""
    : `, after ${dependsOn.map((edge) => (typeof edge === "string" ? edge : `${edge.stack}${edge.lockstep === true ? " in lockstep" : ""}`)).join(", ")}`

/**
 * Describes a scenario in readable lines.
 */
export const describe = (scenario: Scenario): ReadonlyArray<string> => [
  `${scenario.processes} processes${scenario.sameHost ? " on one host" : ""}, lease ${scenario.manifest.leaseTtl ?? "15 seconds"}, rollback ${scenario.manifest.rollback === false ? "off" : "on"}, ${scenario.oneByOne ? "one request after the other" : "requests at their times"}, a person ${scenario.person === "absent" ? "is absent" : scenario.person}`,
  ...scenario.clouds.map(
    ({ instances, kind, operations, requestsPerSecond, shape }) =>
      `cloud ${kind}: ${shape}, ${instances} instances, ${requestsPerSecond} requests/s${operations === undefined ? "" : `, operations of ${seconds(operations.operationMillis)}, found after ${seconds(operations.lagMillis)}`}`
  ),
  ...scenario.manifest.stacks.map(
    (stack) =>
      `stack ${stack.name} on ${stack.provider}: ${stack.strategy?.type ?? "all_at_once"}${after(stack.dependsOn ?? [])}${stack.irreversible === undefined ? "" : ", irreversible"}`
  ),
  ...scenario.scripts.map(({ script, stack, version }) => `version ${version} of ${stack}: ${JSON.stringify(script)}`),
  ...scenario.requests.map(
    (request) =>
      `${scenario.oneByOne ? "then" : `at ${seconds(request.at)}`} ${request.id}: ${request.kind}${request.stack === undefined ? "" : ` ${request.stack}`}${request.version === undefined ? "" : ` ${request.version}`} in ${request.environment} by process ${request.process}${request.also === undefined ? "" : ` and ${request.also}`}${manner(request)}`
  ),
  ...(scenario.manifest.freezes ?? []).map(
    (freeze) => `frozen ${"cron" in freeze ? freeze.cron : `from ${freeze.from} until ${freeze.until}`}`
  ),
  ...(scenario.decisions ?? []).map(
    (decision) => `at ${seconds(decision.at)} ${decided(decision)} from process ${decision.process}`
  ),
  ...scenario.commands.map(
    ({ at, command, process, request, stack }) =>
      `at ${seconds(at)} ${command} ${request}${stack === undefined ? "" : ` ${stack}`} from process ${process}`
  ),
  ...scenario.faults.map(
    ({ delay, kind, millis, process, step }) =>
      `${seconds(delay)} after step ${step}: ${kind}${process === undefined ? "" : ` of process ${process}`} for ${seconds(millis)}`
  )
]
