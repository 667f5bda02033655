import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { DeploymentId } from "@signalbox/core/spi"
import { actor } from "../actor.ts"
import { ExitCode } from "../ExitCode.ts"
import { Failure } from "../Failure.ts"
import { invocation } from "../Invocation.ts"
import { deploymentView } from "../json/execution.ts"
import { manifestOf } from "../manifest.ts"
import { signalbox, withServices } from "../services.ts"
import { idInFolder } from "../target.ts"
import { by } from "./flags.ts"

const id = Flag.String("id").pipe(
  Flag.withSchema(DeploymentId),
  Flag.optional,
  Flag.withMetavar("id"),
  Flag.withDescription("Id of the new deployment, such as DX6604E; else drawn")
)

export const init = Command.make(
  "init",
  { id, by },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const manifest = yield* manifestOf(inv)
    const existing = idInFolder(inv.settings.directory)
    if (existing !== undefined) {
      return yield* new Failure({
        exitCode: ExitCode.failed,
        info: {
          code: "already_initialized",
          message: `this folder belongs to the deployment ${existing} already`,
          hint: "See: signalbox info. For another deployment take another folder (--directory)."
        }
      })
    }
    const deployment = yield* withServices(
      inv,
      Effect.flatMap(signalbox, (box) =>
        box.init({
          manifest,
          by: actor(inv, flags.by),
          ...(Option.isSome(flags.id) ? { deploymentId: flags.id.value } : {})
        })
      ),
      { create: true }
    )
    const [environment] = deployment.environments
    yield* inv.result({ ...deploymentView(deployment), status: "initialized" }, () => [
      `${inv.paint("green", "✔")} ${deployment.deploymentId} ${deployment.organization}/${deployment.project}: initialized`,
      `next:  ${inv.paint("cyan", `signalbox deploy ${deployment.deploymentId} --environment ${environment ?? "<name>"} --version <version>`)}`
    ])
  })
).pipe(Command.withDescription("Make a deployment from the configuration"))
