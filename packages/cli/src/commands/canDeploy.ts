import type { CanDeployRequest } from "@signalbox/core/api"
import { canDeployView } from "@signalbox/core/api/views"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ask } from "../waiting/ask.ts"
import { ExitCode } from "../main/ExitCode.ts"
import { inkOf, invocation } from "../main/Invocation.ts"
import { canDeployLines } from "../live/canDeploy.ts"
import { originOf } from "../request/origin.ts"
import { type Place, placeOf, placeOnRecord } from "../request/place.ts"
import { undoes } from "../execution/undo.ts"
import { requestKinds } from "./choices.ts"
import { commits, override, stacks } from "./coordinating.ts"
import { correlationId, deployment, option, text } from "./flags.ts"

export const canDeploy = Command.make(
  "can-deploy",
  {
    id: deployment,
    stack: stacks,
    version: text("version", "name", "Version to check"),
    kind: Flag.Literals("kind", requestKinds).pipe(
      Flag.withDefault("deploy"),
      Flag.withDescription("Kind of operation to check (deploy)")
    ),
    ...commits,
    correlationId,
    override,
    explain: option("explain", "List every blocker: who, since when, until when, what to do")
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    // Today's configuration decides what may be deployed; the record decides about rollbacks.
    const find = undoes(flags) ? placeOnRecord : placeOf
    const place: Place = yield* find(inv, Option.getOrUndefined(flags.id), flags.stack)
    const question: CanDeployRequest = {
      manifest: place.manifest,
      deploymentId: place.deploymentId,
      environment: place.environment,
      kind: flags.kind,
      ...(flags.stack.length === 0 ? {} : { stacks: flags.stack }),
      ...(Option.isSome(flags.version) ? { version: flags.version.value } : {}),
      ...(Option.isSome(flags.correlationId) ? { correlationId: flags.correlationId.value } : {}),
      ...(Option.isSome(flags.override) ? { override: flags.override.value } : {}),
      ...(yield* originOf(inv, { ...flags, workflowRun: Option.none() }))
    }
    const { answer, environment } = yield* ask(inv, place, question)
    const where = { deploymentId: place.deploymentId, environment }
    yield* inv.result(canDeployView(where, answer), () => canDeployLines(where, answer, flags.explain, inkOf(inv)))
    yield* inv.exit(answer.canDeploy ? ExitCode.done : ExitCode.blocked)
  })
).pipe(Command.withDescription("Check whether a deployment may start now, and list everything that blocks it"))
