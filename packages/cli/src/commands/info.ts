import { deploymentView, instantOf } from "@signalbox/core/api/views"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { invocation } from "../main/Invocation.ts"
import { word } from "../live/glyphs.ts"
import { clock } from "../live/words.ts"
import { signalbox, withServices } from "../main/services.ts"
import * as Target from "../request/target.ts"
import { deployment } from "./flags.ts"

export const info = Command.make(
  "info",
  { id: deployment },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const id = yield* Target.deploymentId(inv, Option.getOrUndefined(flags.id))
    yield* withServices(
      inv,
      Effect.gen(function* () {
        const found = yield* Target.deployment(id)
        const states = yield* (yield* signalbox).deployments.environments(id)
        const environments = found.environments.map((name) => {
          const state = states.find(({ environment }) => environment === name)
          return {
            name,
            status: state?.status ?? ("initialized" as const),
            correlationId: state?.current ?? null,
            updatedAt: state === undefined ? null : instantOf(state.updatedAt)
          }
        })
        const view = {
          ...deploymentView(found, states),
          environments,
          directory: inv.settings.directory,
          config: inv.settings.config ?? null
        }
        yield* inv.result(view, () => [
          `${inv.paint("bold", view.deploymentId)}  ${view.organization}/${view.project}  (${view.template})`,
          `made          ${clock(found.createdAt)}`,
          `stacks        ${view.stacks.join(", ")}`,
          `environments  ${environments.map(({ name, status }) => `${name} (${word(status)})`).join(", ")}`,
          `state in      ${view.directory}`,
          `configured    ${view.config ?? "nowhere: no configuration file was found"}`
        ])
      })
    )
  })
).pipe(Command.withDescription("Show a deployment: project, stacks, environments, location of its state"))
