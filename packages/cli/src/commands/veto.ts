import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Rejected } from "@signalbox/core/api"
import { vetoView } from "@signalbox/core/api/views"
import { type Environment, type EnvironmentName, Line, type Manifest } from "@signalbox/core/spi"
import { errorView } from "@signalbox/core/text"
import { actor } from "../request/actor.ts"
import { ExitCode } from "../main/ExitCode.ts"
import { Failure } from "../main/Failure.ts"
import { invocation } from "../main/Invocation.ts"
import { placeOf } from "../request/place.ts"
import { signalbox, withServices } from "../main/services.ts"
import * as Target from "../request/target.ts"
import { because } from "./coordinating.ts"
import { by, deployment, option } from "./flags.ts"

const everywhere = (environment: EnvironmentName | null): string =>
  environment === null ? "in every environment" : `in ${environment}`

/** The user may have meant a veto on the same version elsewhere. */
const notVetoed = (
  refused: Rejected,
  environment: EnvironmentName | null,
  others: ReadonlyArray<Environment.Veto>
): Failure | Rejected =>
  others.length === 0
    ? refused
    : new Failure({
        exitCode: ExitCode.failed,
        info: {
          ...errorView(refused.info),
          hint: `It was vetoed ${others.map((veto) => everywhere(veto.environment)).join(", ")}: ${environment === null ? "name it with --environment" : "leave --environment out, or name that one"}.`
        }
      })

/** A veto on a version everywhere needs no environment. */
const nowhere = (manifest: Manifest): Manifest => ({ ...manifest, environments: {} })

export const veto = Command.make(
  "veto",
  {
    version: Argument.String("version").pipe(
      Argument.withSchema(Line),
      Argument.withDescription("Version to block; in all environments, or in --environment")
    ),
    id: deployment,
    reason: because,
    lift: option("lift", "Lift the veto"),
    by
  },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const { version } = flags
    const told = { version, reason: flags.reason, by: actor(inv, flags.by) }
    const given = Option.getOrUndefined(flags.id)
    const configured = inv.settings.config !== undefined
    const named = inv.settings.environment !== undefined
    const bare = configured ? undefined : yield* placeOf(inv, given)
    const deploymentId = bare?.deploymentId ?? (yield* Target.deploymentId(inv, given))
    yield* withServices(
      inv,
      Effect.gen(function* () {
        const box = yield* signalbox
        const found =
          bare !== undefined && !bare.named
            ? yield* box.deployments.ensure({
                ...bare,
                ...(named ? {} : { manifest: nowhere(bare.manifest) }),
                by: told.by
              })
            : yield* Target.deployment(deploymentId)
        const environment =
          inv.settings.environment === undefined ? null : yield* Target.environmentIn(inv, found.environments)
        const _tag = flags.lift ? "VetoLifted" : "VersionVetoed"
        const others = (found.vetoes ?? []).filter((one) => one.version === version)
        const after = yield* box.coordination
          .decide(deploymentId, { _tag, environment, ...told })
          .pipe(Effect.catchTag("Rejected", (refused) => Effect.fail(notVetoed(refused, environment, others))))
        const view = {
          deploymentId,
          version,
          environment,
          vetoed: !flags.lift,
          vetoes: (after.vetoes ?? []).map(vetoView)
        }
        yield* inv.result(view, () => [
          flags.lift
            ? `${inv.paint("green", "✔")} the veto on ${version} ${everywhere(environment)} is lifted`
            : `${inv.paint("green", "✔")} ${version} is vetoed ${everywhere(environment)}: it is not deployed any more`,
          ...(flags.lift
            ? []
            : [
                `next:  ${inv.paint("cyan", `signalbox veto ${version} ${deploymentId}${environment === null ? "" : ` --environment ${environment}`} --lift --reason "<reason>"`)}`
              ])
        ])
      }),
      { create: !configured }
    )
  })
).pipe(Command.withDescription("Block a version from deployment, until the veto is lifted"))
