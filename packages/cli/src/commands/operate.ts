/**
 * What `deploy`, `deploy-stack`, `rollback`, `destroy` and `destroy-stack` have in common, except their flags.
 */
import * as Path from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Request } from "@signalbox/core/api"
import { executionView, planView } from "@signalbox/core/api/views"
import {
  CorrelationId,
  type DeploymentId,
  type Environment,
  type EnvironmentName,
  type Manifest,
  type QueuePolicy,
  type StackName,
  type StrategyName
} from "@signalbox/core/spi"
import { artifactsOf } from "./artifacts.ts"
import { actor } from "../request/actor.ts"
import { carry } from "../execution/carry.ts"
import { usage } from "../main/Failure.ts"
import { inkOf, type Invocation } from "../main/Invocation.ts"
import { planLines } from "../live/plan.ts"
import { inRegion, manifestOf } from "../request/manifest.ts"
import { refuseNested } from "../request/nested.ts"
import { providersOf, withProviders } from "../request/plugins.ts"
import { originOf } from "../request/origin.ts"
import { droppedView, droppedWarning, recordedManifest } from "../request/recorded.ts"
import { engine, signalbox } from "../main/services.ts"
import { stateFolderOf } from "../request/stateFolder.ts"
import * as Target from "../request/target.ts"
import { today } from "../request/today.ts"
import { undo, undoes, undoLines, undoView } from "../execution/undo.ts"

export interface Operation {
  readonly kind: Request["kind"]
  readonly id: DeploymentId | undefined
  readonly stack?: StackName
  readonly artifact?: ReadonlyArray<string>
  readonly version?: Option.Option<string>
  readonly to?: Option.Option<string>
  readonly strategy?: Option.Option<StrategyName>
  readonly correlationId: Option.Option<CorrelationId>
  readonly by: Option.Option<string>
  readonly reason: Option.Option<string>
  readonly queue: Option.Option<QueuePolicy>
  readonly queueTimeout: Option.Option<number>
  readonly override: Option.Option<string>
  readonly commit: Option.Option<string>
  readonly committedAt: Option.Option<number>
  readonly workflowRun: Option.Option<string>
  readonly detach: boolean
  readonly dryRun: boolean
  /** What must be confirmed, and how it was. */
  readonly confirm?: { readonly yes: boolean; readonly typed: Option.Option<string> }
}

/** An optional field. */
export const some = <Key extends string, A>(
  key: Key,
  value: Option.Option<A> | undefined
): { readonly [K in Key]?: A } =>
  (value !== undefined && Option.isSome(value) ? { [key]: value.value } : {}) as { readonly [K in Key]?: A }

const unconfirmed = (message: string, what: string) =>
  usage("confirmation_missing", message, `Add --confirm ${what}, or --yes.`, "--confirm")

/**
 * Destroying requires the name of the target, typed or given: this checks whether it was given, or can be asked for.
 * Nothing here waits for an answer that cannot come.
 */
const confirmable = Effect.fnUntraced(function* (inv: Invocation, operation: Operation, id: DeploymentId) {
  const { confirm } = operation
  const what = operation.stack ?? id
  if (confirm === undefined || confirm.yes || operation.dryRun) return
  if (Option.isNone(confirm.typed)) {
    if (inv.host.ask !== undefined && !inv.json) return
    return yield* unconfirmed(`${operation.kind} of ${what} must be confirmed`, what)
  }
  if (confirm.typed.value !== what) return yield* unconfirmed(`--confirm names something else than ${what}`, what)
})

/** Asks for it if it was not given. */
const confirmed = Effect.fnUntraced(function* (
  inv: Invocation,
  operation: Operation,
  id: DeploymentId,
  environment: string
) {
  const { confirm } = operation
  if (confirm === undefined || confirm.yes || Option.isSome(confirm.typed) || inv.host.ask === undefined) return
  const what = operation.stack ?? id
  const typed = yield* inv.host.ask(`${operation.kind} takes ${what} in ${environment} away. Type ${what} to go on: `)
  if (typed.trim() !== what) return yield* unconfirmed(`that was not ${what}; nothing was done`, what)
})

interface Prepared {
  readonly id: DeploymentId
  readonly environment: EnvironmentName
  readonly manifest: Manifest
}

/** Deploys or undoes. Checks that need no store run before one is opened. */
export const operate = (inv: Invocation, operation: Operation) =>
  undoes(operation) ? takeBack(inv, operation) : bringIn(inv, operation)

const check = Effect.fnUntraced(function* (
  inv: Invocation,
  operation: Operation,
  { environment, id, manifest }: Prepared
) {
  const { Configuration } = yield* engine
  const { artifacts } = yield* artifactsOf(inv, operation.artifact ?? [])
  return yield* Configuration.checkRequest(
    {
      kind: operation.kind,
      manifest,
      environment,
      ...stacksOf(operation),
      ...(artifacts === undefined ? {} : { artifacts }),
      ...some("strategy", operation.strategy)
    },
    { bare: false, providers: yield* providersOf(inv, { of: id }) }
  )
})

const stacksOf = ({ stack }: Pick<Operation, "stack">) => (stack === undefined ? {} : { stacks: [stack] })

/** With today's configuration. */
const bringIn = Effect.fnUntraced(function* (inv: Invocation, operation: Operation) {
  const configured = yield* manifestOf(inv)
  const id = yield* Target.deploymentId(inv, operation.id)
  const environment = yield* Target.environmentOf(inv, configured)
  const prepared = { id, environment, manifest: inRegion(configured, environment, inv.settings.region) }
  yield* check(inv, operation, prepared)
  const request = yield* requestOf(inv, operation, prepared)
  yield* withProviders(
    inv,
    { of: id },
    Effect.gen(function* () {
      const { RecordedManifest } = yield* engine
      const box = yield* signalbox
      yield* Target.deployment(id)
      if (!operation.dryRun) return yield* start(inv, operation, request)
      const state = yield* box.deployments.environment(id, environment)
      const dropped = operation.stack === undefined ? RecordedManifest.dropped(request.manifest, state) : []
      const plan = yield* box.executions.plan(request)
      yield* tellDropped(inv, request, dropped)
      yield* inv.result({ ...planView(request, plan), droppedStacks: droppedView(dropped) }, () =>
        planLines(request, plan, inkOf(inv))
      )
    })
  )
})

/** With the recorded configuration, whatever the file says today. */
const takeBack = Effect.fnUntraced(function* (inv: Invocation, operation: Operation) {
  const id = yield* Target.deploymentId(inv, operation.id)
  yield* confirmable(inv, operation, id)
  const { manifest: read, needed } = yield* today(inv)
  yield* withProviders(
    inv,
    { of: id },
    Effect.gen(function* () {
      const { RecordedManifest } = yield* engine
      yield* Target.deployment(id)
      const environment = yield* Target.environmentOnRecord(inv, id, read)
      const state = yield* (yield* signalbox).deployments.environment(id, environment)
      if (read === undefined && !RecordedManifest.isRecorded(state)) yield* needed
      const given = read === undefined ? undefined : inRegion(read, environment, inv.settings.region)
      const manifest = yield* recordedManifest(id, environment, given)
      const prepared = { id, environment, manifest }
      const spec = yield* check(inv, operation, prepared)
      const request = yield* requestOf(inv, operation, prepared)
      if (operation.dryRun) {
        yield* (yield* signalbox).executions.preflight(request)
        const targets = yield* (yield* signalbox).executions.restored(request)
        const taken = RecordedManifest.takenBackSpec(request.kind, spec, state, request.stacks)
        const all = undo(request, taken, state, targets)
        return yield* inv.result(undoView(request, all), () => undoLines(request, all, inkOf(inv)))
      }
      yield* confirmed(inv, operation, id, environment)
      yield* start(inv, operation, request)
    })
  )
})

const requestOf = Effect.fnUntraced(function* (inv: Invocation, operation: Operation, prepared: Prepared) {
  const { environment, id, manifest } = prepared
  // A queue timeout implies waiting.
  const waits = Option.isSome(operation.queueTimeout) && manifest.queue === undefined
  const policy: Option.Option<QueuePolicy> = Option.orElse(operation.queue, () =>
    waits ? Option.some("fifo" as const) : Option.none()
  )
  const request: Request = {
    kind: operation.kind,
    correlationId: Option.getOrElse(operation.correlationId, () => CorrelationId.make(crypto.randomUUID())),
    deploymentId: id,
    environment,
    manifest,
    by: actor(inv, operation.by),
    ...stacksOf(operation),
    ...some("version", operation.version),
    ...(yield* artifactsOf(inv, operation.artifact ?? [])),
    ...some("strategy", operation.strategy),
    ...some("to", operation.to),
    ...some("reason", operation.reason),
    ...some("queue", policy),
    ...some("override", operation.override),
    ...(yield* originOf(inv, operation))
  }
  return request
})

/** With `--json` they are part of the result. */
const tellDropped = (inv: Invocation, request: Request, dropped: ReadonlyArray<Environment.StackInEnvironment>) =>
  inv.json
    ? Effect.void
    : Effect.forEach(dropped, (stack) => inv.warn(droppedWarning(stack, request.deploymentId, request.environment)), {
        discard: true
      })

/** Records the request, and executes it here or in the background. */
const start = Effect.fnUntraced(function* (inv: Invocation, operation: Operation, request: Request) {
  const box = yield* signalbox
  const { deploymentId: id, environment } = request
  yield* refuseNested(inv, request)
  const { dropped, execution, joined } = yield* box.executions.submit(request)
  if (joined) yield* inv.say(`joins the execution ${request.correlationId}, which was asked for before`)
  yield* tellDropped(inv, request, dropped)
  const more = request.kind === "deploy" ? { droppedStacks: droppedView(dropped) } : {}
  const queueTimeout = Option.getOrUndefined(operation.queueTimeout)
  if (!operation.detach) return yield* carry(inv, execution.correlationId, queueTimeout, more)
  const log = Path.join(inv.settings.directory, ".signalbox", "log", `${execution.correlationId}.log`)
  yield* stateFolderOf(inv, log)
  const { config, directory } = inv.settings
  // Nothing else is passed as an argument: a database address may contain a password, so it stays in the environment.
  const pid = yield* inv.host.detach(
    [
      "__run",
      execution.correlationId,
      "--directory",
      directory,
      ...(config === undefined ? [] : ["--config", config]),
      ...(queueTimeout === undefined ? [] : ["--queue-timeout", `${queueTimeout}ms`])
    ],
    log
  )
  const now = yield* Clock.currentTimeMillis
  yield* inv.result({ ...executionView(execution, now), ...more, detached: true, pid, log }, () => [
    `${inv.paint("blue", "◌")} ${execution.kind} ${id} ${environment}: goes on in the background (process ${pid})`,
    `next:  ${inv.paint("cyan", `signalbox attach ${execution.correlationId}`)}`,
    `log:   ${Path.relative(inv.host.cwd, log)}`
  ])
})
