/**
 * Mistakes that are known before a request is recorded: providers find them without changing anything.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { errorInfo } from "../../domain/errors/index.ts"
import type { StackPlan } from "../../domain/Release.ts"
import type { ExecutionSpec } from "../../domain/Spec.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { MetricSources } from "../../spi/MetricSource.ts"
import type { ProviderError } from "../../spi/ProviderError.ts"
import { Providers } from "../../spi/Providers.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { artifactFor, resolve, variablesOf } from "../../config/Configuration.ts"
import { substituteIn } from "../../config/Variables.ts"
import type { StackName } from "../../domain/Ids.ts"
import type { Candidate } from "../../spi/Provider.ts"
import { type StackAsked, eachStack } from "./EachStack.ts"
import { reject, Rejected } from "../../api/Rejected.ts"
import type { Request } from "../../api/Request.ts"
import { withNotices } from "./PlanNotices.ts"
import { wrongTarget } from "./PlanTarget.ts"
import type * as Restoration from "../../domain/Restoration.ts"
import { mustGoBack, RollbackTarget } from "../restoration/index.ts"
import { startingPoint } from "./StartingPoint.ts"

/** A provider that has not answered by then is left to the execution. */
const patience = "1 minute"

/**
 * The rejection for a provider's error, if it is the user's mistake and a retry would repeat it.
 */
export const refusalOf = (error: ProviderError | Rejected): Rejected | undefined => {
  if (error._tag === "Rejected") return error
  const { info, reason } = error
  switch (reason._tag) {
    case "Invalid":
    case "Unsupported":
    case "Missing":
      return new Rejected({ info })
    default:
      return undefined
  }
}

/**
 * Plans one stack for a request; null if it waits for unknown outputs. Changes nothing.
 */
export const planOne = (
  request: Pick<Request, "artifact" | "artifacts" | "version">,
  { missing, provider, recorded, ref, stack }: StackAsked
): Effect.Effect<StackPlan | null, ProviderError | Rejected> =>
  missing.length > 0 || provider === undefined
    ? Effect.succeed(null)
    : Effect.flatMap(provider.plan(ref, candidateOf(request, stack.name)), (plan) => {
        const info = wrongTarget(ref, plan)
        return info === undefined
          ? withNotices(stack, provider, ref, plan, recorded)
          : Effect.fail(new Rejected({ info }))
      })

/**
 * What a request brings in for one stack.
 */
export const candidateOf = (
  request: Pick<Request, "artifact" | "artifacts" | "version">,
  stack: StackName
): Candidate => ({ version: request.version ?? "unversioned", ...artifactFor(request, stack) })

/**
 * Rejects a configuration in which two stacks of one environment use the same exclusive thing.
 */
export const checkExclusive = Effect.fnUntraced(function* (
  request: Request
): Effect.fn.Return<void, Rejected | StoreError, DeploymentStore | Providers> {
  if (request.kind !== "deploy" && request.kind !== "deploy-stack") return
  const environment = yield* environmentOf(request)
  const spec = yield* resolve(request.manifest, request.environment)
  // Stacks that this request does not deploy may have variables that it does not know.
  const variables = variablesOf(request) ?? {}
  const all = yield* eachStack(
    request,
    { ...spec, stacks: spec.stacks.map((stack) => substituteIn(stack, variables).stack) },
    environment,
    ({ provider, ref }) =>
      Effect.sync(() => (provider?.exclusive?.(ref) ?? []).map((taken) => ({ ...taken, kind: provider?.kind, ref })))
  )
  const takenBy = new Map<string, string>()
  for (const { kind, name, path, ref } of all.flat()) {
    const other = takenBy.get(`${kind}/${name}`)
    takenBy.set(`${kind}/${name}`, ref.stack)
    if (other === undefined) continue
    return yield* reject(
      "taken_twice",
      { stack: ref.stack, other, resource: name },
      { path: ["stacks", ref.stack, "properties", ...path].join(".") }
    )
  }
})

/**
 * Rejects a specification whose stacks name a metric source that is not installed, or configure it wrongly, or whose gates
 * name alarms that no provider reads.
 */
export const checkGates = Effect.fnUntraced(function* (
  spec: ExecutionSpec
): Effect.fn.Return<void, Rejected, Providers> {
  const providers = yield* Providers
  const kinds = yield* MetricSources
  for (const { gate, metrics, name: stack, provider } of spec.stacks.filter(({ enabled }) => enabled)) {
    if ((gate.alarms ?? []).length > 0 && providers.get(provider)?.alarms === undefined) {
      return yield* reject("alarms_unsupported", { stack, provider }, { path: `stacks.${stack}.gate.alarms` })
    }
    if (metrics === undefined) continue
    const path = ["stacks", stack, "metrics"]
    const { source } = metrics
    const kind = kinds.get(source)
    if (kind === undefined) {
      const known = [...kinds.keys()]
      return yield* reject("unknown_metric_source", { stack, source, known }, { path: [...path, "source"].join(".") })
    }
    const problem = kind.check(metrics)
    if (problem === undefined) continue
    return yield* new Rejected({
      info: errorInfo(
        "invalid_metrics",
        { stack, source },
        { path: [...path, ...problem.path].join("."), detail: problem.message }
      )
    })
  }
})

const environmentOf = ({ deploymentId, environment }: Request) =>
  Effect.flatMap(DeploymentStore, (store) => store.environment(deploymentId, environment))

/**
 * Rejects a request that its providers know cannot succeed, before anything is written.
 *
 * *Details*: a deployment plans every stack whose inputs are known, a rollback checks every stack that rolls back. Of
 * several mistakes, the first in the order of the configuration is named. A provider that does not answer, or answers
 * with anything but a user's mistake, rejects nothing: the execution itself meets the error again, and retries if that
 * makes sense.
 *
 * *Errors*: `Rejected`, `invalid` or `not_found`, with the path into the configuration; `release_not_kept` with the
 * nearest that is, if a provider does not have what a rollback names any more.
 */
export const preflight = Effect.fnUntraced(function* (
  request: Request,
  spec: ExecutionSpec,
  target?: RollbackTarget.Found
): Effect.fn.Return<void, Rejected | StoreError, DeploymentStore | Providers> {
  const { kind } = request
  if (kind !== "deploy" && kind !== "deploy-stack" && kind !== "rollback") return
  yield* checkExclusive(request)
  if (kind !== "rollback") yield* checkGates(spec)
  const environment = yield* environmentOf(request)
  const refused = (restoration: Restoration.Restoration | undefined) => {
    const targets = restoration === undefined ? undefined : RollbackTarget.checkpointsOf(restoration)
    const { spec: from, stacksBefore } = startingPoint(kind, spec, environment, request.stacks, targets)
    const look = (asked: StackAsked): Effect.Effect<unknown, ProviderError | Rejected> => {
      if (kind !== "rollback") return planOne(request, asked)
      const checkpoint = stacksBefore.find(({ name }) => name === asked.stack.name)?.checkpoint ?? undefined
      return checkpoint === undefined || asked.provider === undefined
        ? Effect.void
        : mustGoBack(asked.provider, asked.ref, checkpoint)
    }
    return eachStack(request, from, environment, (asked) =>
      Effect.map(Effect.exit(look(asked)), (exit) => ({ exit, stack: asked.stack.name }))
    ).pipe(Effect.timeoutOption(patience), Effect.map(firstRefusal))
  }
  const first = yield* refused(target?.restoration)
  if (first === undefined) return
  const isGone = first.rejected.code === "not_found" || first.rejected.code === "cannot_go_back"
  if (target === undefined || !isGone) return yield* first.rejected
  const { others, restoration } = target
  const kept = yield* Effect.findFirst(others.slice(0, tried), (other) =>
    Effect.map(refused(other), (no) => no === undefined)
  )
  const lost = restoration.stacks.find(({ name }) => name === first.stack)!
  return yield* RollbackTarget.notKept(
    request,
    request.to ?? "",
    lost,
    Option.getOrUndefined(kept),
    first.rejected.info.detail
  )
})

/** How many others are asked about, to name the nearest that is kept. */
const tried = 10

interface StackExit {
  readonly stack: StackName
  readonly exit: Exit.Exit<unknown, ProviderError | Rejected>
}

/** The first rejection in the order of the configuration. Without an answer in time, there is none. */
const firstRefusal = (found: Option.Option<ReadonlyArray<StackExit>>) => {
  for (const { exit, stack } of Option.getOrElse(found, () => [])) {
    const error = Exit.findErrorOption(exit)
    const rejected = Option.isSome(error) ? refusalOf(error.value) : undefined
    if (rejected !== undefined) return { rejected, stack }
  }
  return undefined
}
