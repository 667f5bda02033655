/** What is asked of the engine, and its refusal with everything that is in the way. */
import { type Rejected, type Request } from "@signalbox/core/api"
import { Configuration } from "@signalbox/core/config"
import { CanDeploy, Signalbox, type Submission } from "@signalbox/core/engine"
import { CorrelationId, Providers, QueuePolicy, StackName, type StrategyName } from "@signalbox/core/spi"
import { errorView } from "@signalbox/core/text"
import * as Effect from "effect/Effect"
import type { QueueOptions } from "./Coordination.ts"
import { given, named, originOf, textOf } from "./input.ts"
import type { Place } from "./place.ts"
import type { Session } from "./session.ts"
import { BlockedError } from "./SignalboxError.ts"
import { blockerInfo } from "./views.ts"

export interface Asked extends QueueOptions {
  readonly correlationId?: string
  readonly by?: string
  readonly reason?: string
  readonly version?: string
  readonly artifact?: string
  readonly strategy?: StrategyName
  readonly stacks?: ReadonlyArray<string> | undefined
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
  await run(Configuration.checkRequest({ kind, manifest, environment, ...narrowed, ...strategy }, { bare, providers }))
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
    ...given("artifact", asked.artifact),
    ...given("reason", asked.reason),
    ...given("queue", asked.queue === undefined ? undefined : named(QueuePolicy, "queue", asked.queue)),
    ...given("origin", asked.origin === undefined ? undefined : originOf(asked.origin)),
    ...given("override", asked.override === undefined ? undefined : textOf("override", asked.override))
  }
}

/** All that the registry says is in the way by now. A registry that is away has nothing to add to its refusal. */
const withBlockers = (request: Request, refused: Rejected) =>
  CanDeploy.canDeploy(request).pipe(
    Effect.provideService(Providers, new Map()),
    Effect.match({ onFailure: () => [], onSuccess: ({ blockers }) => blockers.map(blockerInfo) }),
    Effect.flatMap((blockers) =>
      Effect.fail(new BlockedError({ ...errorView(refused.info), lease: refused.lease, blockers, cause: refused }))
    )
  )

const submit = Effect.fnUntraced(function* (request: Request) {
  const signalbox = yield* Signalbox
  const taken = yield* Effect.result(signalbox.executions.submit(request))
  if (taken._tag === "Success") return taken.success
  const { failure } = taken
  return yield* failure._tag === "Rejected" && failure.kind === "blocked"
    ? withBlockers(request, failure)
    : Effect.fail(failure)
})

/** Records a request. It is not cut: that could leave a lease behind that nobody holds. */
export const submitted = ({ run }: Session, request: Request): Promise<Submission> => run(submit(request))
