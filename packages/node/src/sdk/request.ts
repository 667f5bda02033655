/** The request to the engine, and its rejection with every blocker. */
import type { Rejected, Request } from "@signalbox/core/api"
import { blockerView } from "@signalbox/core/api/views"
import { Configuration } from "@signalbox/core/config"
import type { Submission } from "@signalbox/core/api"
import { Signalbox } from "@signalbox/core/engine"
import { CorrelationId, QueuePolicy, StackName, type StrategyName } from "@signalbox/core/spi"
import { errorView } from "@signalbox/core/text"
import * as Effect from "effect/Effect"
import type { ArtifactOption } from "./CallOptions.ts"
import type { QueueOptions } from "./Coordination.ts"
import { given, named, originOf, textOf } from "./input.ts"
import type { Place } from "./place.ts"
import type { Session } from "./session.ts"
import { BlockedError } from "./SignalboxError.ts"

export interface Asked extends QueueOptions {
  readonly correlationId?: string
  readonly by?: string
  readonly reason?: string
  readonly version?: string
  readonly artifact?: ArtifactOption
  readonly strategy?: StrategyName
  readonly to?: string
  readonly stacks?: ReadonlyArray<string> | undefined
}

const artifactOf = (asked: ArtifactOption | undefined): Pick<Request, "artifact" | "artifacts"> => {
  if (asked === undefined) return {}
  if (typeof asked === "string") return { artifact: asked }
  const stacks = Object.entries(asked).map(
    ([stack, artifact]) => [named(StackName, `artifact.${stack}`, stack), artifact] as const
  )
  return { artifacts: Object.fromEntries(stacks) as NonNullable<Request["artifacts"]> }
}

/** Checks what can be checked without a store. */
export const requestOf = async (
  { by, providers, run }: Session,
  kind: Request["kind"],
  { bare, deploymentId, environment, manifest }: Place,
  asked: Asked
): Promise<Request> => {
  const narrowed = given(
    "stacks",
    asked.stacks?.map((stack, index) => named(StackName, `stacks[${index}]`, stack))
  )
  const strategy = given("strategy", asked.strategy)
  const artifact = artifactOf(asked.artifact)
  await run(
    Configuration.checkRequest(
      { kind, manifest, environment, ...narrowed, ...strategy, ...given("artifacts", artifact.artifacts) },
      { bare, providers }
    )
  )
  return {
    kind,
    correlationId: named(CorrelationId, "correlationId", asked.correlationId ?? crypto.randomUUID()),
    deploymentId,
    environment,
    manifest,
    by: by(asked.by),
    ...narrowed,
    ...strategy,
    ...given("version", asked.version),
    ...artifact,
    ...given("to", asked.to),
    ...given("reason", asked.reason),
    ...given("queue", asked.queue === undefined ? undefined : named(QueuePolicy, "queue", asked.queue)),
    ...given("origin", asked.origin === undefined ? undefined : originOf(asked.origin)),
    ...given("override", asked.override === undefined ? undefined : textOf("override", asked.override))
  }
}

/** All that the store says is in the way by now. A store that is out of reach has nothing to add to its rejection. */
const withBlockers = Effect.fnUntraced(function* (request: Request, refused: Rejected) {
  const { coordination } = yield* Signalbox
  const blockers = yield* Effect.orElseSucceed(coordination.recordedBlockers(request), () => [])
  return yield* Effect.fail(
    new BlockedError({
      ...errorView(refused.info),
      lease: refused.lease,
      blockers: blockers.map(blockerView),
      cause: refused
    })
  )
})

const submit = Effect.fnUntraced(function* (request: Request) {
  const signalbox = yield* Signalbox
  const taken = yield* Effect.result(signalbox.executions.submit(request))
  if (taken._tag === "Success") return taken.success
  const { failure } = taken
  return yield* failure._tag === "Rejected" && failure.kind === "blocked"
    ? withBlockers(request, failure)
    : Effect.fail(failure)
})

/** Records a request. It is not interruptible: an interruption could leave a lease without a holder. */
export const submitted = ({ run }: Session, request: Request): Promise<Submission> => run(submit(request))
