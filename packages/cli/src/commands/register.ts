import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Request } from "@signalbox/core/api"
import { registeredView } from "@signalbox/core/api/views"
import { CorrelationId } from "@signalbox/core/spi"
import { actor } from "../request/actor.ts"
import { invocation, type Invocation } from "../main/Invocation.ts"
import { placeLine } from "../live/queue.ts"
import { refuseNested } from "../request/nested.ts"
import { originOf } from "../request/origin.ts"
import { type Place, placeOf, pluginsOf, placeOnRecord, within } from "../request/place.ts"
import { providersOf } from "../request/plugins.ts"
import { recordedManifest } from "../request/recorded.ts"
import { engine, signalbox } from "../main/services.ts"
import { ended } from "../waiting/waiting.ts"
import { undoes } from "../execution/undo.ts"
import { setOutputs } from "../wrap/github.ts"
import { artifacts, artifactsOf } from "./artifacts.ts"
import { isFinished, requestKinds } from "./choices.ts"
import { origins, override, queue, stacks } from "./coordinating.ts"
import { by, correlationId, deployment, reason, text } from "./flags.ts"
import { some } from "./operate.ts"

const record = Effect.fnUntraced(function* (inv: Invocation, request: Request) {
  const box = yield* signalbox
  const { execution, joined } = yield* box.executions.submit(request)
  const id = execution.correlationId
  // A returned position, or failed work, must not look like a waiting request.
  if (joined && isFinished(execution) && execution.status !== "completed") return yield* ended(execution)
  const turn = yield* box.coordination.place(execution)
  yield* setOutputs(inv, { "correlation-id": id })
  yield* inv.result(registeredView(execution, turn, joined), () => [id])
  if (joined) yield* inv.say(`${id} was registered before; it is ${execution.status.replaceAll("_", " ")}`)
  yield* inv.say(turn.position === null ? `${request.deploymentId} ${request.environment}` : placeLine(turn))
  yield* inv.say(
    turn.position === null
      ? `next:  ${inv.paintMessage("cyan", `signalbox status ${id}`)}`
      : `next:  ${inv.paintMessage("cyan", `signalbox wait ${id}`)} · give the place back with: signalbox cleanup ${id}`
  )
})

export const register = Command.make(
  "register",
  {
    id: deployment,
    correlationId,
    kind: Flag.Literals("kind", requestKinds).pipe(
      Flag.withDefault("run"),
      Flag.withDescription("Kind of operation once admitted (run)")
    ),
    version: text("version", "name", "Version to deploy"),
    artifact: artifacts("Artifact of a deploy: a folder, an archive, a URL; with name= for one stack, repeatable"),
    stack: stacks,
    queue,
    override,
    ...origins,
    by,
    reason
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const find = undoes(flags) ? placeOnRecord : placeOf
    const place: Place = yield* find(inv, Option.getOrUndefined(flags.id), flags.stack)
    const request: Request = {
      kind: flags.kind,
      correlationId: Option.getOrElse(flags.correlationId, () => CorrelationId.make(crypto.randomUUID())),
      deploymentId: place.deploymentId,
      environment: place.environment,
      manifest: place.manifest,
      by: actor(inv, flags.by),
      identical: true,
      later: true,
      queue: Option.getOrElse(flags.queue, () => place.manifest.queue ?? "fifo"),
      ...(flags.stack.length === 0 ? {} : { stacks: flags.stack }),
      ...some("version", flags.version),
      ...(yield* artifactsOf(inv, flags.artifact)),
      ...some("override", flags.override),
      ...some("reason", flags.reason),
      ...(yield* originOf(inv, flags))
    }
    const { Configuration } = yield* engine
    const providers = yield* providersOf(inv, pluginsOf(place))
    const onRecord = undoes(request)
    if (!onRecord) yield* Configuration.checkRequest(request, { bare: place.bare, providers })
    yield* within(inv, place, flags.by, ({ environment, manifest }) =>
      Effect.gen(function* () {
        yield* refuseNested(inv, { ...place, environment })
        const asked = { ...request, environment, manifest }
        if (onRecord) {
          const known = yield* recordedManifest(place.deploymentId, environment, place.bare ? undefined : manifest)
          yield* Configuration.checkRequest({ ...asked, manifest: known }, { bare: false, providers })
        }
        yield* record(inv, asked)
      })
    )
  })
).pipe(Command.withDescription("Take a queue position for work done later or elsewhere; prints its correlation ID"))
