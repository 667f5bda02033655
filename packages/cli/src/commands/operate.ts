/**
 * What `deploy`, `deploy-stack`, `rollback`, `destroy` and `destroy-stack` have in common: everything but their flags.
 */
import * as Path from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Request } from "@signalbox/core/engine"
import {
  CorrelationId,
  type DeploymentId,
  DeploymentStore,
  type QueuePolicy,
  type StackName,
  type StrategyName
} from "@signalbox/core/spi"
import { actor } from "../actor.ts"
import { carry } from "../carry.ts"
import { usage } from "../Failure.ts"
import { inkOf, type Invocation } from "../Invocation.ts"
import { executionView } from "../json/execution.ts"
import { planView } from "../json/plan.ts"
import { planLines } from "../live/plan.ts"
import { inRegion, manifestOf } from "../manifest.ts"
import { originOf } from "../origin.ts"
import { engine, signalbox, withServices } from "../services.ts"
import { stateFolderOf } from "../stateFolder.ts"
import * as Target from "../target.ts"
import { undo, undoes, undoLines, undoView } from "../undo.ts"

export interface Operation {
  readonly kind: Request["kind"]
  readonly id: DeploymentId | undefined
  readonly stack?: StackName
  readonly artifact?: Option.Option<string>
  readonly version?: Option.Option<string>
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

/** A field where there is a value for it. */
export const some = <Key extends string, A>(
  key: Key,
  value: Option.Option<A> | undefined
): { readonly [K in Key]?: A } =>
  (value !== undefined && Option.isSome(value) ? { [key]: value.value } : {}) as { readonly [K in Key]?: A }

/** Destroying wants the name of what is destroyed, typed or given; nothing here waits for an answer that cannot come. */
const confirmed = Effect.fnUntraced(function* (
  inv: Invocation,
  operation: Operation,
  id: DeploymentId,
  environment: string
) {
  const { confirm } = operation
  if (confirm === undefined || confirm.yes || operation.dryRun) return
  const what = operation.stack ?? id
  const refuse = (message: string) =>
    usage("confirmation_missing", message, `Add --confirm ${what}, or --yes.`, "--confirm")
  if (Option.isSome(confirm.typed)) {
    if (confirm.typed.value === what) return
    return yield* refuse(`--confirm names something else than ${what}`)
  }
  if (inv.host.ask === undefined || inv.json)
    return yield* refuse(`${operation.kind} of ${what} in ${environment} must be confirmed`)
  const typed = yield* inv.host.ask(`${operation.kind} takes ${what} in ${environment} away. Type ${what} to go on: `)
  if (typed.trim() !== what) return yield* refuse(`that was not ${what}; nothing was done`)
})

export const artifactOf = (inv: Invocation, artifact: Option.Option<string> | undefined): Option.Option<string> =>
  Option.map(artifact ?? Option.none(), (one) =>
    // A path means what the shell showed, also when another process takes the work up.
    /^[a-z][a-z0-9+.-]+:/i.test(one) ? one : Path.resolve(inv.host.cwd, one)
  )

/** Checks everything that can be checked without a store, then plans, or starts and carries on. */
export const operate = Effect.fnUntraced(function* (inv: Invocation, operation: Operation) {
  const { Configuration } = yield* engine
  const configured = yield* manifestOf(inv)
  const id = yield* Target.deploymentId(inv, operation.id)
  const environment = yield* Target.environmentOf(inv, configured)
  const manifest = inRegion(configured, environment, inv.settings.region)
  const stacks = operation.stack === undefined ? {} : { stacks: [operation.stack] }
  const spec = yield* Configuration.checkRequest(
    { kind: operation.kind, manifest, environment, ...stacks, ...some("strategy", operation.strategy) },
    { bare: false, providers: yield* inv.host.backend.providers }
  )
  yield* confirmed(inv, operation, id, environment)
  // Whoever says how long to wait wants to.
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
    ...stacks,
    ...some("version", operation.version),
    ...some("artifact", artifactOf(inv, operation.artifact)),
    ...some("strategy", operation.strategy),
    ...some("reason", operation.reason),
    ...some("queue", policy),
    ...some("override", operation.override),
    ...(yield* originOf(inv, operation))
  }
  yield* withServices(
    inv,
    Effect.gen(function* () {
      yield* Target.deployment(id)
      const box = yield* signalbox
      if (operation.dryRun && undoes(request)) {
        const state = yield* (yield* DeploymentStore).environment(id, environment)
        const all = undo(request, spec, state)
        return yield* inv.result(undoView(request, all), () => undoLines(request, all, inkOf(inv)))
      }
      if (operation.dryRun) {
        const plan = yield* box.plan(request)
        return yield* inv.result(planView(request, plan), () => planLines(request, plan, inkOf(inv)))
      }
      const { execution, joined } = yield* box.submit(request)
      if (joined) yield* inv.say(`joins the execution ${request.correlationId}, which was asked for before`)
      const queueTimeout = Option.getOrUndefined(operation.queueTimeout)
      if (!operation.detach) return yield* carry(inv, execution.correlationId, queueTimeout)
      const log = Path.join(inv.settings.directory, ".signalbox", "log", `${execution.correlationId}.log`)
      yield* stateFolderOf(inv, log)
      const { config, directory } = inv.settings
      // Nothing else goes through the arguments: the address of a database may hold a password, and stays in the environment.
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
      yield* inv.result({ ...executionView(execution, now), detached: true, pid, log }, () => [
        `${inv.paint("blue", "◌")} ${execution.kind} ${id} ${environment}: goes on in the background (process ${pid})`,
        `next:  ${inv.paint("cyan", `signalbox attach ${execution.correlationId}`)}`,
        `log:   ${Path.relative(inv.host.cwd, log)}`
      ])
    })
  )
})
