import { deploymentView } from "@signalbox/core/api"
import * as Path from "node:path"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { DeploymentId, type Environment } from "@signalbox/core/spi"
import { actor } from "../request/actor.ts"
import { ExitCode } from "../main/ExitCode.ts"
import { writeExample } from "../init/example.ts"
import { Failure, usage } from "../main/Failure.ts"
import { invocation, type Invocation } from "../main/Invocation.ts"
import { manifestOf } from "../request/manifest.ts"
import { signalbox, withServices } from "../main/services.ts"
import { idIn, idInFolder } from "../request/target.ts"
import { by, option } from "./flags.ts"

const id = Flag.String("id").pipe(
  Flag.withSchema(DeploymentId),
  Flag.optional,
  Flag.withMetavar("id"),
  Flag.withDescription("ID of the new deployment, such as DX6604E; by default drawn")
)

/** What to type next, from where the person is. */
const nextLines = (inv: Invocation, deployment: Environment.Deployment, example: boolean): ReadonlyArray<string> => {
  const { directory } = inv.settings
  // Where the file could not be written, nothing in the folder tells which deployment is its own.
  const id = idInFolder(directory) === undefined ? ` ${deployment.deploymentId}` : ""
  const where = directory === inv.host.cwd ? "" : ` --directory ${Path.relative(inv.host.cwd, directory)}`
  const [environment = "<name>", ...others] = deployment.environments
  const which = others.length === 0 ? "" : ` --environment ${environment}`
  const lines = example
    ? [`deploy${id} --version v1`, `status${id}`, `destroy${id} --yes`]
    : [`deploy${id}${which} --version <version>`]
  return lines.map(
    (line, index) => `${index === 0 ? "next:" : "     "}  ${inv.paint("cyan", `signalbox ${line}${where}`)}`
  )
}

const taken = (id: string): Failure =>
  new Failure({
    exitCode: ExitCode.failed,
    info: {
      code: "already_initialized",
      message: `this folder belongs to the deployment ${id} already`,
      hint: "See: signalbox info. For another deployment take another folder (--directory)."
    }
  })

/** Where there is no configuration, one can be had. */
const orExample = <E>(inv: Invocation, error: E): E | Failure =>
  inv.settings.config === undefined && (error as { readonly code?: string }).code === "config_missing"
    ? usage(
        "config_missing",
        "there is no configuration here",
        "Write signalbox.config.ts (or .mjs, .json, .yaml), or let one be written that works: signalbox init --example"
      )
    : error

export const init = Command.make(
  "init",
  { id, by, example: option("example", "Write a configuration and a small application first; overwrites nothing") },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const existing = idInFolder(inv.settings.directory)
    const asked = Option.getOrElse(flags.id, () => idIn(inv.settings.directory))
    // A folder that was checked out keeps its deployment, in a store that does not know it yet.
    if (existing !== undefined && (flags.example || asked !== existing)) return yield* taken(existing)
    const files = flags.example ? yield* writeExample(inv) : []
    const [config = inv.settings.config] = files
    const manifest = yield* manifestOf({
      ...inv,
      settings: { ...inv.settings, ...(config === undefined ? {} : { config }) }
    }).pipe(Effect.mapError((error) => orExample(inv, error)))
    const deployment = yield* withServices(
      inv,
      Effect.gen(function* () {
        const box = yield* signalbox
        const made = yield* box.deployments.init({
          manifest,
          by: actor(inv, flags.by),
          ...(asked === undefined ? {} : { deploymentId: asked })
        })
        yield* inv.host.backend.adopt(inv.settings.directory, made.deploymentId)
        return made
      }).pipe(
        Effect.catchTag("Rejected", (refused) => Effect.fail(existing === undefined ? refused : taken(existing)))
      ),
      { create: true }
    )
    const shown = files.map((path) => Path.relative(inv.host.cwd, path))
    yield* inv.result(
      { ...deploymentView(deployment), status: "initialized", ...(flags.example ? { files } : {}) },
      () => [
        ...shown.map((path) => `${inv.paint("green", "✔")} ${path}: written`),
        `${inv.paint("green", "✔")} ${deployment.deploymentId} ${deployment.organization}/${deployment.project}: initialized`,
        ...nextLines(inv, deployment, flags.example)
      ]
    )
  })
).pipe(Command.withDescription("Create a deployment from the configuration"))
